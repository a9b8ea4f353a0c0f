"""From what was asked to a plan file: sources found and checked once, hazards in turn.

A campaign is a plan over several hazards. What it decides is written down whole (sources, seeds,
severities, parameters), so that builders need neither this module nor each other.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from afterscene.errors import BadParameter, MissingExtra
from afterscene.gbd.build import find_sources
from afterscene.gbd.events import event_units
from afterscene.gbd.plan import Item, Plan, Source, in_turn
from afterscene.gbd.planfile import StoredPlan, write_plan
from afterscene.gbd.runs import check_sources, digest
from afterscene.gbd.steering import Mix, Unit, steer
from afterscene.geodata import leaks
from afterscene.geodata.damage import DamageLevel
from afterscene.geodata.distance import distance_km
from afterscene.geodata.scene import read_scene
from afterscene.hazards import HAZARDS
from afterscene.regions import gazetteer

ALL = "all"
NEAR_KM = 30.0


@dataclass(frozen=True, kw_only=True)
class Campaign:
    """What is asked for: ``count`` pairs over all ``hazards`` (or ``("all",)``), from the pre
    images of the xBD folder ``root``; none of them within a kilometre of the split ``test``.
    ``events`` strike several tiles with one field (:mod:`afterscene.gbd.events`), ``mix`` is the
    wished share of each level (:mod:`afterscene.gbd.steering`). ``apart_from`` is another xBD
    folder whose tiles are for evaluation, ``built_up`` the least chance (0 to 1) that the scene
    classifier must see built-up ground. ``skip_leaks`` leaves out and lists what would leak into
    the evaluation, instead of ending there.
    """

    root: Path
    hazards: tuple[str, ...]
    count: int
    seed: int
    split: str | None = None
    test: str | None = None
    severity: tuple[float, float] = (0.3, 1.0)
    parameters: Mapping[str, float | str] = field(default_factory=dict)
    events: bool = False
    mix: Mix | None = None
    apart_from: Path | None = None
    built_up: float | None = None
    skip_leaks: bool = False

    def __post_init__(self) -> None:
        if not self.hazards or len(set(self.hazards)) != len(self.hazards):
            raise BadParameter(f"hazards {list(self.hazards)}: name each hazard once")
        if self.built_up is not None and not 0 <= self.built_up <= 1:
            raise BadParameter(f"built-up {self.built_up:g} is no chance; give 0 to 1")

    @property
    def names(self) -> tuple[str, ...]:
        """The hazards, one by one."""
        return tuple(HAZARDS) if self.hazards == (ALL,) else self.hazards

    def settings(self, sources: tuple[Source, ...]) -> dict[str, Any]:
        """What decides the items, as JSON values."""
        return {
            "hazard": list(self.names),
            "parameters": dict(self.parameters),
            "severity": list(self.severity),
            "seed": self.seed,
            "sources": digest(sources),
            **({"events": True} if self.events else {}),
            **(
                {"mix": {level.word: share for level, share in self.mix.items()}}
                if self.mix
                else {}
            ),
        }

    def items(self, sources: tuple[Source, ...]) -> Iterator[tuple[Item, Counter[DamageLevel]]]:
        """The pairs, hazards in turn, with their levels where a mix is wished for.

        Raises UnknownName, BadParameter.
        """
        plans = [
            Plan(
                sources=sources,
                hazard=name,
                count=self.count,
                seed=self.seed,
                severity=self.severity,
                parameters=self.parameters,
            )
            for name in self.names
        ]
        units: Iterator[Unit] = event_units(plans) if self.events else in_turn(plans)
        return steer(units, self.count, self.mix)


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A written plan: pairs for each hazard, events, and the levels where they were steered."""

    stored: StoredPlan
    hazards: Mapping[str, int]
    events: int
    levels: Mapping[str, int]
    not_built_up: int = 0
    leaks: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The counts as JSON values."""
        more = {"events": self.events} if self.events else {}
        shares = {"levels": dict(self.levels)} if self.levels else {}
        left: dict[str, Any] = {"not_built_up": self.not_built_up} if self.not_built_up else {}
        if self.leaks:
            left["leaks"] = list(self.leaks)
        return {"pairs": self.stored.count, "hazards": dict(self.hazards), **more, **shares, **left}


def make_plan(ask: Campaign, out: Path, *, shard_size: int) -> Planned:
    """Check the sources and write the plan.

    Raises:
        LeakFound: a source is, lies beside or looks like a tile for evaluation; with
            ``ask.skip_leaks`` only where that leaves none.
        AftersceneError: a source cannot be used, by the leaf that fits.
    """
    sources, leaking = apart(ask, find_sources(ask.root, ask.split))
    found = len(sources)
    if ask.built_up is not None:
        sources = built_up(sources, ask.built_up)
    ask.items(sources)  # unknown names are told before the long reading
    check_sources(sources)
    sources = with_regions(sources)
    items = ask.items(sources)
    counts: Counter[str] = Counter()
    levels: Counter[str] = Counter()
    events: set[tuple[str, str]] = set()

    def counted() -> Iterator[Item]:
        for item, found in items:
            counts[item.hazard] += 1
            levels.update({level.word: n for level, n in found.items()})
            if item.occurrence:
                events.add((item.hazard, item.occurrence.name))
            yield item

    settings = ask.settings(sources)
    stored = write_plan(counted(), out, root=ask.root, settings=settings, shard_size=shard_size)
    return Planned(
        stored=stored,
        hazards=dict(counts),
        events=len(events),
        levels=dict(sorted(levels.items())),
        not_built_up=found - len(sources),
        leaks=leaking,
    )


def apart(ask: Campaign, sources: tuple[Source, ...]) -> tuple[tuple[Source, ...], tuple[str, ...]]:
    """The sources that no evaluation tile of ``ask`` forbids, and why the others are left out.

    Raises:
        LeakFound: at the first forbidden one; with ``ask.skip_leaks`` where all are.
    """
    evaluation = find_sources(ask.root, ask.test) if ask.test is not None else ()
    if ask.apart_from is not None:
        evaluation = (*evaluation, *find_sources(ask.apart_from))
    prints, held_out = ([s.fingerprint for s in some] for some in (sources, evaluation))
    kept, why = leaks.apart(prints, held_out, skip=ask.skip_leaks)
    return tuple(sources[i] for i in kept), tuple(why)


def built_up(sources: tuple[Source, ...], least: float) -> tuple[Source, ...]:
    """The sources whose picture the scene classifier finds built-up with at least that chance.

    Raises:
        BadParameter: none is.
        MissingExtra: without the extra ``encoders``.
    """
    from afterscene.regions.scenes import load_scenes

    classifier = load_scenes()
    kept = tuple(s for s in sources if classifier.built_up(read_scene(s.pre)) >= least)
    if not kept:
        raise BadParameter(
            f"none of {len(sources)} pictures is built-up with a chance of {least:g}; ask for less"
        )
    return kept


def with_regions(sources: tuple[Source, ...]) -> tuple[Source, ...]:
    """Each source with the town next to it, within :data:`NEAR_KM`; without the extra ``geo``, or
    without a place, none.
    """
    try:
        towns = gazetteer()
    except MissingExtra:
        return sources
    lng, lat = np.array([(town.lng, town.lat) for town in towns]).T
    named = []
    for source in sources:
        place = source.fingerprint.middle
        far = distance_km(*place, lng, lat) if place else np.array([np.inf])
        town = towns[int(far.argmin())] if far.min() <= NEAR_KM else None
        named.append(replace(source, region=f"{town.name}, {town.country}") if town else source)
    return tuple(named)
