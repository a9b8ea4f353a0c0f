"""A plan says which pairs a build makes, before anything is made.

A plan is a value: the sources, the hazard, how severe it may be, how many pairs, one seed. Its
items are a pure function of these, so a build can stop, go on, run in any order or on another
machine and still make the same pairs. Three laws hold and are tested:

* prefix: the first ten items of a plan for twenty are the plan for ten;
* even use: no source is drawn a second time before each was drawn once;
* own seed: an item's seed depends on (plan seed, source, draw) alone, never on its neighbours, so
  ``afterscene synthesize --seed`` with the seed from the manifest draws the same picture again.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from pathlib import Path

import numpy as np

from afterscene.errors import BadParameter
from afterscene.geodata.leaks import Fingerprint
from afterscene.hazards import make_hazard
from afterscene.hazards.site import Site


@dataclass(frozen=True, kw_only=True)
class Source:
    """A pre image with its footprints. ``id`` and ``event`` name it, never a path on this disk.

    ``strict`` refuses outlines that cross themselves; official xBD files hold a few, and its own
    filling rule settles them.
    """

    id: str
    event: str
    pre: Path
    label: Path
    strict: bool = False
    sha256: tuple[str, str] | None = None
    """Of the image and the label, where a plan file wrote down what it was made from."""
    region: str = ""
    """The town next to it, where that is known."""

    @cached_property
    def fingerprint(self) -> Fingerprint:
        """What the leak guard compares."""
        return Fingerprint(id=self.id, picture=self.pre, place=self.label)


@dataclass(frozen=True, kw_only=True)
class Occurrence:
    """An event that a tile shares with others: its name, its seed, where the tile lies in it."""

    name: str
    seed: int
    site: Site | None = None


@dataclass(frozen=True, kw_only=True)
class Item:
    """One pair to make: ``name`` is the stem of its files, ``seed`` decides all its chances but
    those of the ``occurrence``, where the tile is part of an event.
    """

    name: str
    source: Source
    draw: int
    hazard: str
    severity: float
    seed: int
    parameters: Mapping[str, float | str] = field(default_factory=dict)
    occurrence: Occurrence | None = None

    @property
    def field_seed(self) -> int:
        """What the hazard's field is drawn from."""
        return self.seed if self.occurrence is None else self.occurrence.seed

    @property
    def site(self) -> Site | None:
        """Where the tile lies in its event, if it is part of one."""
        return None if self.occurrence is None else self.occurrence.site


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What to build.

    Args:
        sources: pre images with footprints; their order does not matter.
        hazard: a name out of :data:`afterscene.hazards.HAZARDS`.
        count: number of pairs.
        seed: decides everything that is drawn.
        severity: lowest and highest severity in 0..1; each item draws uniformly between them.
        parameters: further fields of the hazard, in its units.

    Raises:
        UnknownName: the hazard is not known.
        BadParameter: severity, parameters, count, seed or sources are out of range.
    """

    sources: tuple[Source, ...]
    hazard: str
    count: int
    seed: int
    severity: tuple[float, float] = (0.3, 1.0)
    parameters: Mapping[str, float | str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        low, high = self.severity
        for severity in (low, high):
            make_hazard(self.hazard, severity, **self.parameters)
        if low > high:
            raise BadParameter(f"severity {low:g} to {high:g} runs backwards; give the lower first")
        if self.count < 1:
            raise BadParameter(f"the count is {self.count}; ask for at least 1 pair")
        if self.seed < 0:
            raise BadParameter(f"the seed is {self.seed}; give a whole number of 0 or more")
        if not self.sources:
            raise BadParameter(
                "no pre image with a building is given; give another split or folder"
            )

    def items(self) -> tuple[Item, ...]:
        """The pairs to make, in the order of their numbers."""
        rounds = -(-self.count // len(self.sources))
        order = [(source, draw) for draw in range(rounds) for source in self.round(draw)]
        return tuple(self.item(k, *order[k]) for k in range(self.count))

    def round(self, draw: int) -> list[Source]:
        """All sources once, in an order of this round's own."""
        return sorted(self.sources, key=lambda source: item_seed(self.seed, f"{draw}/{source.id}"))

    def item(self, number: int, source: Source, draw: int, attempt: int = 0) -> Item:
        """The pair of that number, made from the source for the ``draw``-th time; another
        ``attempt`` at it has another seed.
        """
        again = f"/{attempt}" if attempt else ""
        seed = item_seed(self.seed, f"{self.hazard}/{source.id}/{draw}{again}")
        low, high = self.severity
        # Four digits, so that the figure in the manifest is the figure that was used.
        severity = round(float(np.random.default_rng([seed, 1]).uniform(low, high)), 4)
        name = f"{source.event}-{self.hazard}_{number:08d}"
        return Item(
            name=name,
            source=source,
            draw=draw,
            hazard=self.hazard,
            severity=severity,
            seed=seed,
            parameters=self.parameters,
        )


@dataclass(frozen=True, kw_only=True)
class Single:
    """One tile as a unit of a plan (:mod:`afterscene.gbd.steering`)."""

    plan: Plan
    source: Source
    draw: int

    def __call__(self, number: int, attempt: int) -> list[Item]:
        """Its item."""
        return [self.plan.item(number, self.source, self.draw, attempt)]


def in_turn(plans: Sequence[Plan]) -> Iterator[Single]:
    """Tiles without end from plans that differ in their hazard alone: sources as in one plan (each
    is used before any is used again), hazards in turn.
    """
    first, sources = plans[0], len(plans[0].sources)
    # Where the hazards fit into a round, a round begins one hazard on: else places keep theirs.
    shift = 1 if sources % len(plans) == 0 else 0
    for draw in count():
        for k, source in enumerate(first.round(draw), draw * sources):
            yield Single(plan=plans[(k + shift * draw) % len(plans)], source=source, draw=draw)


def item_seed(seed: int, key: str) -> int:
    """A seed of 48 bits for one item: the start of sha256("seed/key"); exact in JSON too."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{key}".encode()).digest()[:6], "big")
