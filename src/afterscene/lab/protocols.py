"""Protocols: which real pairs train, calibrate and test, so that a question gets its answer.

* ``new-event``: an event strikes and 0, 2, 5, 10 or 20 of its pairs are labelled; beside them stand
  all pairs of the other events. Tested on the rest of the event, the same tiles for every number.
* ``leave-one-out``: no pair of the event at all; tested on the event.
  With ``split`` both test the event's tiles of that split alone, which no one then has looked at.
* ``rare-levels``: the split as it is; looked at are minor and major damage.

A setting is a value: ids of pairs, drawn by a hash of (seed, id), so that the order of files means
nothing and the first 5 pairs are among the first 10. Thresholds are chosen on the split ``val`` of
events that are not tested. Models fail most on unseen events (Gupta et al. 2019, arXiv 1911.09296),
which is where synthetic pairs should be worth most.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from afterscene.detectors import DetectorConfig
from afterscene.errors import BadParameter, MissingFile, UnknownName
from afterscene.geodata.damage import DamageLevel
from afterscene.geodata.leaks import by_place, check_history
from afterscene.geodata.xbd import Pair, XbdTree, read_label
from afterscene.hazards import hazard_of

PROTOCOLS = ("new-event", "leave-one-out", "rare-levels")
EVENTS = ("santa-rosa-wildfire", "hurricane-michael")


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """A whole experiment, saved with its results. Raises BadParameter, UnknownName.

    detector: the same for every arm, but for what the arm is about.
    events: the events that are held out, one after the other (``rare-levels`` needs none).
    pairs: numbers of real pairs of the event (``new-event`` alone).
    arms: names out of :data:`afterscene.lab.arms.ARMS`; the first is the reference.
    synthetic: synthetic pairs from the pre images of other places; each own pair gives one more.
    region: so many pre images of the event's region, known with footprints and without damage
        labels, give a synthetic pair each as well; they are never test tiles.
    split: test the event's tiles of this split, or of several with commas between, alone, and
        label tiles of the split ``train``; "": test all that are not labelled.
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
    draw: decides which pairs of an event are labelled, and all synthetic pairs.
    """

    protocol: str
    detector: DetectorConfig = field(default_factory=DetectorConfig)
    events: tuple[str, ...] = EVENTS
    pairs: tuple[int, ...] = (0, 2, 5, 10, 20)
    arms: tuple[str, ...] = (
        "real",
        "oversampled",
        "copy-paste",
        "augmented",
        "gbd",
        "gbd-then-real",
    )
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    synthetic: int = 40
    severity: tuple[float, ...] = (0.3, 1.0)
    mode: str = "edit"
    evaluations: int = 0
    region: int = 0
    split: str = ""
    held: int = 0
    scenario_mix: bool = False
    base_steps: int = 0
    calibrated: int = 1_000_000
    judged: int = 20
    tiles: int = 1_000_000
    replicates: int = 1000
    draw: int = 0

    def __post_init__(self) -> None:
        if self.protocol not in PROTOCOLS:
            raise UnknownName(
                f"protocol {self.protocol!r} is not known; choose one of: {', '.join(PROTOCOLS)}"
            )
        for name in ("pairs", "seeds", "arms", "severity"):
            if not getattr(self, name) or len(set(getattr(self, name))) < len(getattr(self, name)):
                raise BadParameter(f"{name} = {getattr(self, name)}: give each once, one at least")
        if (
            min(
                *self.pairs,
                *self.seeds,
                self.region,
                self.base_steps,
                self.judged,
                self.held,
                self.evaluations,
            )
            < 0
        ):
            raise BadParameter("pairs, seeds, region, base_steps, judged: 0 or more")
        if min(self.synthetic, self.tiles, self.calibrated) < 1:
            raise BadParameter("synthetic, tiles, calibrated: 1 or more")


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One comparison of arms: ids of the pairs that train, calibrate and test.

    `event` is held out (None for ``rare-levels``); `own` are its labelled pairs, among `real`;
    `region` are pairs of the event of which the pre image and its footprints alone are used;
    `hazards` are asked of the generator, each with its share of the synthetic pairs; `levels` are
    the damage levels 1 to 4 that the test tiles show often enough to be judged.
    """

    name: str
    event: str | None
    real: tuple[str, ...]
    own: tuple[str, ...]
    val: tuple[str, ...]
    test: tuple[str, ...]
    hazards: Mapping[str, float]
    region: tuple[str, ...] = ()
    levels: tuple[int, ...] = (1, 2, 3, 4)

    def check_generator(self, folder: Path, seen: Iterable[str] | None) -> None:
        """Raise LeakFound where a generator saw what this setting may not use, or does not say."""
        event = f"{self.event}_"
        mine = {tile for tile in seen or () if tile.startswith(event) and tile not in self.own}
        check_history(folder, seen, {*self.test, *self.val, *mine})


def settings(protocol: Protocol, tree: XbdTree) -> tuple[Setting, ...]:
    """The comparisons of a protocol on an xBD tree.

    Raises:
        MissingFile, UnknownName: an event or a split is not there.
        BadParameter: an event has fewer pairs than are asked for.
    """
    pairs = {p.id: p for p in tree.pairs() if p.post is not None and p.post_label is not None}
    if protocol.protocol == "rare-levels":
        return (_rare(protocol, tree, pairs),)
    val = {p.id for p in tree.pairs("val")} if "val" in tree.splits else set()
    found = []
    for event in protocol.events:
        mine = [p for p in pairs.values() if p.event == event]
        hazard = hazard_of(event)
        if not mine or hazard is None:
            known = ", ".join(sorted({p.event for p in pairs.values()}))
            raise UnknownName(f"{tree.root} has no labelled pair of {event!r}; it has: {known}")
        others = sorted(i for i, p in pairs.items() if p.event != event)
        counts = protocol.pairs if protocol.protocol == "new-event" else (0,)
        own, region, tested = divided(protocol, tree, mine, max(counts))
        test = tuple(p.id for p in tested)
        for count in counts:
            name = f"{event}-{count}" if protocol.protocol == "new-event" else event
            found.append(
                Setting(
                    name=name,
                    event=event,
                    real=(*(i for i in others if i not in val), *own[:count]),
                    own=own[:count],
                    val=calibration_tiles(protocol, [pairs[i] for i in others if i in val]),
                    test=test,
                    hazards={hazard: 1.0},
                    region=region,
                    levels=judged_levels(protocol, tested),
                )
            )
    return tuple(found)


def divided(
    protocol: Protocol, tree: XbdTree, pairs: list[Pair], most: int
) -> tuple[tuple[str, ...], tuple[str, ...], list[Pair]]:
    """An event's pairs: ids of the ``most`` labelled ones and of its region's; those to test.

    Tiles within a kilometre of a labelled one, or of one of the region, are not tested.
    """
    names = [one for one in protocol.split.split(",") if one]
    kept = {p.id for one in names for p in tree.pairs(one)}
    free = {p.id for p in tree.pairs("train")} if kept else {p.id for p in pairs}
    first = own_pairs(protocol, [p for p in pairs if p.id in free], max(most, protocol.region))
    rest = [p for p in pairs if p.id not in first and (not kept or p.id in kept)]
    known = [p.fingerprint for p in pairs if p.id in first]
    beside = {index for index, _ in by_place([p.fingerprint for p in rest], known)}
    rest = [p for index, p in enumerate(rest) if index not in beside]
    return first[:most], first[: protocol.region], chosen_tiles(protocol, rest)


def _rare(protocol: Protocol, tree: XbdTree, pairs: Mapping[str, Pair]) -> Setting:
    for split in ("train", "test"):
        if split not in tree.splits:
            raise MissingFile(f"{tree.root} has no split {split!r}; name it in splits.json")
    train, test = ([p for p in tree.pairs(s) if p.id in pairs] for s in ("train", "test"))
    hazards: dict[str, float] = {}
    for pair in train:
        if hazard := hazard_of(pair.event):
            hazards[hazard] = hazards.get(hazard, 0) + 1 / len(train)
    val = tree.pairs("val") if "val" in tree.splits else []
    tested = chosen_tiles(protocol, test)
    return Setting(
        name="rare-levels",
        event=None,
        real=tuple(p.id for p in train),
        own=(),
        val=calibration_tiles(protocol, [p for p in val if p.id in pairs]),
        test=tuple(p.id for p in tested),
        hazards=hazards,
        levels=judged_levels(protocol, tested),
    )


def own_pairs(protocol: Protocol, pairs: list[Pair], count: int) -> tuple[str, ...]:
    """The pairs of an event that are labelled first: with a building, drawn by a hash."""
    built = [p for p in pairs if p.post_label and read_label(p.post_label).buildings]
    if count >= len(built):
        raise BadParameter(
            f"{len(built)} pairs of {pairs[0].event} have buildings; ask for fewer than {count}, "
            "so that some are left to test on"
        )
    return tuple(sorted((p.id for p in built), key=lambda i: rank(protocol.draw, i))[:count])


def chosen_tiles(protocol: Protocol, pairs: list[Pair]) -> list[Pair]:
    """Test tiles in the order of their ids, at most ``tiles``, those with a rare level first."""
    return _fewest(pairs, protocol.tiles, protocol.draw)


def calibration_tiles(protocol: Protocol, pairs: list[Pair]) -> tuple[str, ...]:
    """Ids of the tiles that choose thresholds."""
    return tuple(p.id for p in _fewest(pairs, protocol.calibrated, protocol.draw))


def _fewest(pairs: list[Pair], count: int, draw: int) -> list[Pair]:
    def order(pair: Pair) -> tuple[bool, str]:
        levels = _levels(pair)
        return not levels.get("minor-damage", 0) + levels.get("major-damage", 0), rank(
            draw, pair.id
        )

    if count < len(pairs):
        pairs = sorted(pairs, key=order)[:count]
    return sorted(pairs, key=lambda pair: pair.id)


def _levels(pair: Pair) -> Mapping[str, int]:
    assert pair.post_label is not None
    return read_label(pair.post_label).counts


def judged_levels(protocol: Protocol, tested: list[Pair]) -> tuple[int, ...]:
    """Levels with at least ``judged`` buildings in the test tiles; all where none has as many."""
    told = [_levels(pair) for pair in tested]
    assessed = [level for level in DamageLevel if level != DamageLevel.UNCLASSIFIED]
    found = [
        int(level)
        for level in assessed
        if sum(counts.get(level.word, 0) for counts in told) >= protocol.judged
    ]
    return tuple(found or map(int, assessed))


def rank(draw: int, name: str) -> str:
    """A place in an order that depends on `draw` and the name alone."""
    return hashlib.sha256(f"{draw}/{name}".encode()).hexdigest()
