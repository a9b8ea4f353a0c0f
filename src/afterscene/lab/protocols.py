"""Protocols: what a comparison asks, as a value. ``--set KEY=VALUE`` changes single fields.

* ``new-event``: an event strikes and 0, 2, 5, 10 or 20 of its pairs are labelled; beside them stand
  all pairs of the other events. Tested on the rest of the event, the same tiles for every number.
* ``leave-one-out``: no pair of the event at all; tested on the event.
  With ``test`` both test the event's tiles of that split alone, which no one then has looked at.
* ``rare-levels``: the splits as they are; looked at are minor and major damage.
* ``given``: the splits as they are, and synthetic pairs that were made before.

Models fail most on unseen events (Gupta et al. 2019, arXiv 1911.09296), which is where synthetic
pairs should be worth most.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from afterscene.detectors import DetectorConfig
from afterscene.errors import BadParameter
from afterscene.registry import Registry

EVENTS = ("santa-rosa-wildfire", "hurricane-michael")
GIVEN = "given"
VAL = "val"
#: Fields that are numbers of things: 0 or more, and 1 or more.
COUNTS = ("region", "base_steps", "judged", "held", "evaluations", "draw")
POSITIVE = ("synthetic", "tiles", "calibrated", "replicates")


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """A whole experiment, saved with its results. Raises BadParameter.

    name: the question, a key of :data:`PROTOCOLS`.
    detector: the same for every arm, but for what the arm is about.
    events: the events that are held out, one after the other; none: the splits as they are.
    pairs: numbers of real pairs of an event that are labelled.
    arms: names out of :data:`afterscene.lab.arms.ARMS`.
    seeds: one training of each arm for each.
    train, val: splits to train and to choose thresholds on; where an event is held out all other
        pairs train, those of ``val`` choose thresholds, and tiles of ``train`` may be labelled.
    test: splits to test on; none: all tiles of the event that are not labelled.
    synthetic: synthetic pairs from the pre images of other places; each own pair gives one more.
    region: so many pre images of the event's region, known with footprints and without damage
        labels, give a synthetic pair each as well; they are never test tiles.
    scenario_mix: calibrate every arm for the mix of levels that the hazard gives on the pre images
        of the event's region, not for that of the other events.
    held: each so-many-th synthetic pair is kept from training and joins the calibration, where it
        stands for the event's mix of levels; 0: none.
    base_steps: steps on the real pairs of the other events that all arms of a setting share; each
        arm then trains further for the detector's steps. 0: every arm begins anew.
    calibrated: choose thresholds on at most so many validation tiles.
    judged: a level with fewer buildings in the test tiles is left out of the harmonic mean and
        named; the official score stands beside it.
    severity: lowest and highest, drawn uniformly. mode: how the generator draws.
    evaluations: of the network a picture; 0: the generator's own number.
    tiles: test at most so many tiles, those with minor or major damage first.
    replicates: draws of the bootstrap.
    draw: decides which pairs of an event are labelled, and all synthetic pairs.
    """

    name: str
    detector: DetectorConfig = field(default_factory=DetectorConfig)
    events: tuple[str, ...] = EVENTS
    pairs: tuple[int, ...] = (0,)
    arms: tuple[str, ...] = (
        "real",
        "oversampled",
        "copy-paste",
        "augmented",
        "gbd",
        "gbd-then-real",
    )
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    train: tuple[str, ...] = ("train",)
    val: tuple[str, ...] = (VAL,)
    test: tuple[str, ...] = ()
    synthetic: int = 40
    severity: tuple[float, ...] = (0.3, 1.0)
    mode: str = "edit"
    evaluations: int = 0
    region: int = 0
    held: int = 0
    scenario_mix: bool = False
    base_steps: int = 0
    calibrated: int = 1_000_000
    judged: int = 20
    tiles: int = 1_000_000
    replicates: int = 1000
    draw: int = 0

    def __post_init__(self) -> None:
        for name in ("pairs", "seeds", "arms", "severity"):
            found = getattr(self, name)
            if not found or len(set(found)) < len(found):
                raise BadParameter(f"{name} = {found}: give each once, one at least")
        for names, least in ((COUNTS, 0), (POSITIVE, 1)):
            for name in names:
                if getattr(self, name) < least:
                    raise BadParameter(f"{name} = {getattr(self, name)}: give {least} or more")
        if min(*self.pairs, *self.seeds) < 0:
            raise BadParameter(f"pairs {self.pairs}, seeds {self.seeds}: give 0 or more")

    def as_json(self) -> dict[str, Any]:
        """Plain values, see :meth:`from_json`."""
        return {**asdict(self), "detector": self.detector.as_json()}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Protocol:
        """The protocol of :meth:`as_json`."""
        plain: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in values.items()
        }
        plain["detector"] = DetectorConfig.from_json(values["detector"])
        return cls(**plain)


PROTOCOLS: Registry[Protocol] = Registry(
    "protocol",
    {
        one.name: one
        for one in (
            Protocol(name="new-event", pairs=(0, 2, 5, 10, 20)),
            Protocol(name="leave-one-out"),
            Protocol(name="rare-levels", events=(), test=("test",), severity=(0.3, 0.7)),
            Protocol(
                name=GIVEN,
                events=(),
                test=("test",),
                arms=("oversampled", "gbd", "gbd-then-real"),
                seeds=(0, 1, 2),
                judged=0,
            ),
        )
    },
)
