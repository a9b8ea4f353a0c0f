"""Settings: which real pairs train, calibrate and test in a comparison.

A setting is a record of pair ids, ranked by a hash of (seed, id): the order of files does not
matter, and the first 5 pairs are among the first 10. Thresholds are chosen on the split ``val`` of
events that are not tested.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from afterscene.errors import BadParameter, UnknownName
from afterscene.geodata.damage import LEVELS
from afterscene.geodata.leaks import by_place, check_history
from afterscene.geodata.xbd import Pair, XbdTree, read_label
from afterscene.hazards import hazard_of
from afterscene.lab.protocols import VAL, Protocol

Pairs = Mapping[str, Pair]


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One comparison of arms: ids of the pairs that train, calibrate and test.

    `event` is held out (None: the splits as they are); `own` are its labelled pairs, a part of
    `real`; `region` are pairs of the event of which only pre image and footprints are used;
    `hazards` are those of the synthetic pairs, with their shares; `levels` are the damage levels 1
    to 4 with enough buildings in the test tiles to be judged.
    """

    name: str
    event: str | None = None
    real: tuple[str, ...]
    own: tuple[str, ...] = ()
    val: tuple[str, ...]
    test: tuple[str, ...]
    hazards: Mapping[str, float]
    region: tuple[str, ...] = ()
    levels: tuple[int, ...] = (1, 2, 3, 4)

    def check_generator(self, folder: Path, seen: Iterable[str] | None) -> None:
        """Raise LeakFound if the generator was trained on held-out tiles, or lists no tiles."""
        event = f"{self.event}_"
        mine = {tile for tile in seen or () if tile.startswith(event) and tile not in self.own}
        check_history(folder, seen, {*self.test, *self.val, *mine})


def settings(protocol: Protocol, tree: XbdTree) -> tuple[Setting, ...]:
    """The comparisons of a protocol on an xBD tree.

    Raises:
        UnknownName: unknown event or split.
        BadParameter: an event has too few pairs.
    """
    pairs = {p.id: p for p in tree.pairs() if p.post is not None and p.post_label is not None}
    if not protocol.events:
        return (_as_they_are(protocol, tree, pairs),)
    val = {p.id for p in _named(tree, pairs, protocol.val)}
    found: list[Setting] = []
    for event in protocol.events:
        found += _held_out(protocol, tree, pairs, event, val)
    return tuple(found)


def _held_out(
    protocol: Protocol, tree: XbdTree, pairs: Pairs, event: str, val: set[str]
) -> list[Setting]:
    mine = [p for p in pairs.values() if p.event == event]
    hazard = hazard_of(event)
    if not mine or hazard is None:
        known = ", ".join(sorted({p.event for p in pairs.values()}))
        raise UnknownName(f"{tree.root} has no labelled pair of {event!r}; it has: {known}")
    others = sorted(i for i, p in pairs.items() if p.event != event)
    own, region, tested = divided(protocol, tree, mine, max(protocol.pairs))
    return [
        Setting(
            name=event if protocol.pairs == (0,) else f"{event}-{count}",
            event=event,
            real=(*(i for i in others if i not in val), *own[:count]),
            own=own[:count],
            val=_calibrated(protocol, [pairs[i] for i in others if i in val]),
            test=_ids(tested),
            hazards={hazard: 1.0},
            region=region,
            levels=judged_levels(protocol, tested),
        )
        for count in protocol.pairs
    ]


def divided(
    protocol: Protocol, tree: XbdTree, pairs: list[Pair], most: int
) -> tuple[tuple[str, ...], tuple[str, ...], list[Pair]]:
    """Split an event: ids of the ``most`` labelled pairs, of the region's pairs, and pairs to test.

    If splits are tested, only tiles of the split ``train`` are labelled. Tiles within a kilometre
    of a labelled tile, or of one of the region, are not tested.
    """
    known = {p.id: p for p in pairs}
    free = _named(tree, known, protocol.train) if protocol.test else pairs
    first = own_pairs(protocol, free, max(most, protocol.region))
    asked = _named(tree, known, protocol.test) if protocol.test else pairs
    rest = [p for p in asked if p.id not in first]
    near = by_place([p.fingerprint for p in rest], [known[i].fingerprint for i in first])
    beside = {index for index, _ in near}
    rest = [p for index, p in enumerate(rest) if index not in beside]
    return first[:most], first[: protocol.region], _tested(protocol, rest)


def _as_they_are(protocol: Protocol, tree: XbdTree, pairs: Pairs) -> Setting:
    train, test, val = (
        _named(tree, pairs, names) for names in (protocol.train, protocol.test, protocol.val)
    )
    tested = _tested(protocol, test)
    hazards = Counter(hazard_of(pair.event) for pair in train)
    return Setting(
        name=protocol.name,
        real=_ids(train),
        val=_calibrated(protocol, val),
        test=_ids(tested),
        hazards={name: n / len(train) for name, n in hazards.items() if name},
        levels=judged_levels(protocol, tested),
    )


def _named(tree: XbdTree, pairs: Pairs, names: Iterable[str]) -> list[Pair]:
    """The pairs in the named splits; a tree may lack the split ``val``."""
    there = (name for name in names if name in tree.splits or name != VAL)
    return [p for name in there for p in tree.pairs(name) if p.id in pairs]


def _calibrated(protocol: Protocol, pairs: list[Pair]) -> tuple[str, ...]:
    return _ids(_fewest(pairs, protocol.calibrated, protocol.draw))


def _ids(pairs: Iterable[Pair]) -> tuple[str, ...]:
    return tuple(pair.id for pair in pairs)


def own_pairs(protocol: Protocol, pairs: list[Pair], count: int) -> tuple[str, ...]:
    """The labelled pairs of an event: those with buildings, ranked by a hash."""
    built = [p for p in pairs if p.post_label and read_label(p.post_label).buildings]
    if count >= len(built):
        raise BadParameter(
            f"only {len(built)} pairs of the event have buildings; label fewer than {count}, "
            "so that some remain to test on"
        )
    return tuple(sorted(_ids(built), key=lambda i: rank(protocol.draw, i))[:count])


def _tested(protocol: Protocol, pairs: list[Pair]) -> list[Pair]:
    """Test tiles, at most ``tiles``. Raises BadParameter if there are none."""
    if not pairs:
        raise BadParameter(
            f"{protocol.name}: no tile is left to test on; check --set test and the splits"
        )
    return _fewest(pairs, protocol.tiles, protocol.draw)


def _fewest(pairs: list[Pair], count: int, draw: int) -> list[Pair]:
    """At most ``count`` pairs, those with a rare level first, in the order of their ids."""

    def order(pair: Pair) -> tuple[bool, str]:
        levels = _levels(pair)
        rare = levels.get("minor-damage", 0) + levels.get("major-damage", 0)
        return not rare, rank(draw, pair.id)

    if count < len(pairs):
        pairs = sorted(pairs, key=order)[:count]
    return sorted(pairs, key=lambda pair: pair.id)


def _levels(pair: Pair) -> Mapping[str, int]:
    assert pair.post_label is not None
    return read_label(pair.post_label).counts


def judged_levels(protocol: Protocol, tested: list[Pair]) -> tuple[int, ...]:
    """Levels with at least ``judged`` buildings in the test tiles; all levels if none has."""
    total = sum((Counter(_levels(pair)) for pair in tested), Counter())
    found = tuple(int(level) for level in LEVELS if total[level.word] >= protocol.judged)
    return found or tuple(map(int, LEVELS))


def rank(draw: int, name: str) -> str:
    """A sort key that depends only on `draw` and the name."""
    return hashlib.sha256(f"{draw}/{name}".encode()).hexdigest()
