"""Protocols: the design of a comparison as a record. ``--set NAME=VALUE`` changes single fields.

* ``new-event``: 0, 2, 5, 10 or 20 pairs of an event are labelled; all pairs of the other events
  train as well. Tested on the rest of the event, with the same tiles for every number.
* ``leave-one-out``: no pair of the event trains; tested on the event.
  With ``test`` set, both test only the event's tiles of that split.
* ``rare-levels``: the splits as they are; scored on minor and major damage.
* ``given``: the splits as they are, with synthetic pairs that were made before.

Models fail most on unseen events (Gupta et al. 2019, arXiv 1911.09296), so synthetic pairs should
be worth most there.
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
#: Counts that must be at least 0, and at least 1.
COUNTS = ("region", "base_steps", "judged", "held", "evaluations", "draw")
POSITIVE = ("synthetic", "tiles", "calibrated", "replicates")


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """A complete experiment, saved with its results. Raises BadParameter.

    name: a key of :data:`PROTOCOLS`.
    detector: configuration shared by all arms, apart from what an arm changes.
    events: events to hold out, one after the other; none: the splits as they are.
    pairs: numbers of labelled real pairs of a held-out event.
    arms: names from :data:`afterscene.lab.arms.ARMS`.
    seeds: one training per arm and seed.
    train, val: splits to train and to choose thresholds on. If an event is held out, all other
        pairs train, those of ``val`` choose thresholds, and tiles of ``train`` may be labelled.
    test: splits to test on; none: all tiles of the event that are not labelled.
    synthetic: number of synthetic pairs from pre images of other places; each labelled pair of the
        event adds one.
    region: number of further pre images of the event's region, with footprints and without damage
        labels, that also give a synthetic pair each; they are never test tiles.
    scenario_mix: calibrate every arm for the mix of levels that the hazard gives on the pre images
        of the event's region, instead of the mix of the other events.
    held: every ``held``-th synthetic pair is kept from training and used for calibration, where it
        represents the event's mix of levels; 0: none.
    base_steps: steps on the real pairs of the other events, shared by all arms of a setting; each
        arm then continues for the detector's steps. 0: every arm starts from scratch.
    calibrated: maximum number of validation tiles to choose thresholds on.
    judged: levels with fewer buildings in the test tiles are named and left out of the harmonic
        mean; the official score is given as well.
    severity: range, drawn from uniformly. mode: mode of the generator.
    evaluations: network evaluations per image; 0: the generator's own number.
    tiles: maximum number of test tiles, those with minor or major damage first.
    replicates: number of bootstrap draws.
    draw: seed of the labelled pairs of an event and of all synthetic pairs.
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
                raise BadParameter(f"{name} = {found}: give at least one, each only once")
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
