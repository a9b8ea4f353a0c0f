"""A plan says which pairs a build makes, before anything is made.

A plan consists of settings, and items in shards. Its items are a pure function of the sources and
a :class:`PlanConfig`, so a build can stop, resume, run in any order or on another machine and still
make the same pairs. Three rules hold and are tested:

* prefix: the first ten items of a plan for twenty are the plan for ten;
* even use: no source is used a second time before each was used once;
* own seed: an item's seed depends on (plan seed, source, draw) alone, never on its neighbours, so
  ``afterscene synthesize --seed`` with the seed from the manifest draws the same image again.
"""

import hashlib
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from afterscene.errors import BadParameter
from afterscene.geodata.damage import DamageLevel
from afterscene.geodata.leaks import Fingerprint
from afterscene.hazards import make_hazard
from afterscene.hazards.site import Site


@dataclass(frozen=True, kw_only=True)
class Source:
    """A pre image with its footprints. ``id`` and ``event`` name it, never a path on this disk.

    ``strict`` refuses outlines that cross themselves; official xBD files have a few, which are
    filled by xBD's own rule.
    """

    id: str
    event: str
    pre: Path
    label: Path
    strict: bool = False
    sha256: tuple[str, str] | None = None
    """SHA-256 of image and label, if the source comes from a plan file."""
    region: str = ""
    """The nearest town, if it is known."""

    @cached_property
    def fingerprint(self) -> Fingerprint:
        """What the leak guard compares."""
        return Fingerprint(id=self.id, picture=self.pre, place=self.label)


@dataclass(frozen=True, kw_only=True)
class Occurrence:
    """An event that a tile shares with others: its name, its seed, the tile's position in it."""

    name: str
    seed: int
    site: Site | None = None


@dataclass(frozen=True, kw_only=True)
class Told:
    """What happens, as a user says it: a sentence with a file of its places, or a painted map."""

    say: str = ""
    places: Path | None = None
    sketch: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Item:
    """One pair to make.

    ``name`` is the stem of its files. ``seed`` decides everything random, except what the
    ``occurrence`` decides if the tile is part of an event. ``levels`` are those that its buildings
    will have, if they were counted (:mod:`afterscene.gbd.steering`).
    """

    name: str
    source: Source
    draw: int
    hazard: str
    severity: float
    seed: int
    parameters: Mapping[str, float | str] = field(default_factory=dict)
    occurrence: Occurrence | None = None
    levels: Mapping[DamageLevel, int] = field(default_factory=dict, compare=False)
    say: str = ""
    """What happens, in words; "": what the hazard does (:mod:`afterscene.conditioning.words`)."""
    sketch: Path | None = None
    """A map of the damage, painted by hand (:mod:`afterscene.conditioning.painted`)."""
    places: Path | None = None
    """A GeoJSON file of places that the words name (:mod:`afterscene.geodata.named`)."""
    frame: tuple[int, int] | None = None
    """Which frame of how many, if it is one of a film (:mod:`afterscene.gbd.film`)."""

    @property
    def field_seed(self) -> int:
        """The seed of the hazard's field."""
        return self.seed if self.occurrence is None else self.occurrence.seed

    @property
    def site(self) -> Site | None:
        """The tile's position in its event, if it is part of one."""
        return None if self.occurrence is None else self.occurrence.site


@dataclass(frozen=True, kw_only=True)
class Shard:
    """The smallest part of a plan that is finished as a whole."""

    number: int
    items: tuple[Item, ...]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The pairs to make, and the settings (JSON values) that must match to resume a build.

    ``shards(leave_out)`` starts from the beginning with each call: the shards in order, all with
    ``shard_size`` items but the last, without those whose numbers are in ``leave_out``.
    """

    settings: Mapping[str, Any]
    count: int
    shards: Callable[[Container[int]], Iterator[Shard]]
    shard_size: int = 1

    @classmethod
    def of(
        cls, items: Callable[[], Iterable[Item]], count: int, settings: Mapping[str, Any]
    ) -> "Plan":
        """A plan of ``count`` items that a function returns, one per shard."""

        def shards(leave_out: Container[int]) -> Iterator[Shard]:
            for number, item in enumerate(items()):
                if number not in leave_out:
                    yield Shard(number=number, items=(item,))

        return cls(settings=settings, count=count, shards=shards)

    @property
    def items(self) -> Iterator[Item]:
        """All items, in order."""
        return (item for shard in self.shards(()) for item in shard.items)

    @property
    def shard_count(self) -> int:
        """Number of shards."""
        return -(-self.count // self.shard_size)

    def items_in(self, number: int) -> int:
        """Number of items in the shard with that number."""
        return min(self.shard_size, self.count - number * self.shard_size)


@dataclass(frozen=True, kw_only=True)
class PlanConfig:
    """The settings of a plan.

    Attributes:
        hazards: Names from :data:`afterscene.hazards.HAZARDS`, each once; they alternate.
        count: Number of pairs, over all hazards.
        seed: Decides everything that is random.
        severity: Lowest and highest severity in 0..1; each item draws uniformly between them.
        parameters: Further fields of the hazards, in their units.
        events: Events affect several tiles with one field (:mod:`afterscene.gbd.events`).
        mix: The target share of each level (:mod:`afterscene.gbd.steering`).

    Raises:
        UnknownName: a hazard is not known.
        BadParameter: severity, parameters, count or seed are out of range.
    """

    hazards: tuple[str, ...]
    count: int
    seed: int
    severity: tuple[float, float] = (0.3, 1.0)
    parameters: Mapping[str, float | str] = field(default_factory=dict)
    events: bool = False
    mix: Mapping[DamageLevel, float] | None = None

    def __post_init__(self) -> None:
        if not self.hazards or len(set(self.hazards)) != len(self.hazards):
            raise BadParameter(f"hazards {list(self.hazards)}: name each hazard once")
        low, high = self.severity
        for hazard in self.hazards:
            for severity in (low, high):
                make_hazard(hazard, severity, **self.parameters)
        if low > high:
            raise BadParameter(f"severity {low:g} to {high:g}: give the lower value first")
        if self.count < 1:
            raise BadParameter(f"the count is {self.count}; give at least 1")
        if self.seed < 0:
            raise BadParameter(f"the seed is {self.seed}; give an integer of 0 or more")

    def settings(self) -> dict[str, Any]:
        """What decides the items besides the sources, as JSON values."""
        mix = {level.word: share for level, share in (self.mix or {}).items()}
        return {
            "hazard": self.hazards[0] if len(self.hazards) == 1 else list(self.hazards),
            "parameters": dict(self.parameters),
            "severity": list(self.severity),
            "count": self.count,
            "seed": self.seed,
            **({"events": True} if self.events else {}),
            **({"mix": mix} if mix else {}),
        }

    def round(self, sources: Sequence[Source], draw: int) -> list[Source]:
        """All sources once, in an order drawn for this round."""
        return sorted(sources, key=lambda source: item_seed(self.seed, f"{draw}/{source.id}"))

    def severity_of(self, rng: np.random.Generator) -> float:
        """A severity between the bounds; four digits, so that the manifest has the exact value."""
        return round(float(rng.uniform(*self.severity)), 4)

    def item(
        self, hazard: str, number: int, source: Source, draw: int, *, attempt: int = 0
    ) -> Item:
        """The pair with that number, made from the source for the ``draw``-th time.

        Another ``attempt`` has another seed.
        """
        again = f"/{attempt}" if attempt else ""
        seed = item_seed(self.seed, f"{hazard}/{source.id}/{draw}{again}")
        return Item(
            name=f"{source.event}-{hazard}_{number:08d}",
            source=source,
            draw=draw,
            hazard=hazard,
            severity=self.severity_of(np.random.default_rng([seed, 1])),
            seed=seed,
            parameters=self.parameters,
        )


def item_seed(seed: int, key: str) -> int:
    """A seed of 48 bits for one item: the start of sha256("seed/key"); exact in JSON too."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{key}".encode()).digest()[:6], "big")
