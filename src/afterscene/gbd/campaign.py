"""From what was asked to a plan file: sources found and checked once, hazards in turn.

A campaign is a plan over several hazards. What it decides is written down whole (sources, seeds,
severities, parameters), so that builders need neither this module nor each other.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from afterscene.errors import BadParameter
from afterscene.gbd.apart import check_apart_from
from afterscene.gbd.build import find_sources
from afterscene.gbd.plan import Item, Plan, Source, in_turn
from afterscene.gbd.planfile import StoredPlan, write_plan
from afterscene.gbd.runs import check_sources, digest
from afterscene.hazards import HAZARDS

ALL = "all"


@dataclass(frozen=True, kw_only=True)
class Campaign:
    """What is asked for: ``count`` pairs over all ``hazards`` (or ``("all",)``), from the pre
    images of the xBD folder ``root``; none of them within a kilometre of the split ``test``.
    """

    root: Path
    hazards: tuple[str, ...]
    count: int
    seed: int
    split: str | None = None
    test: str | None = None
    severity: tuple[float, float] = (0.3, 1.0)
    parameters: Mapping[str, float | str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.hazards or len(set(self.hazards)) != len(self.hazards):
            raise BadParameter(f"hazards {list(self.hazards)}: name each hazard once")

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
        }

    def items(self, sources: tuple[Source, ...]) -> Iterator[Item]:
        """The pairs, hazards in turn. Raises UnknownName, BadParameter."""
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
        return in_turn(plans, self.count)


def make_plan(ask: Campaign, out: Path, *, shard_size: int) -> tuple[StoredPlan, dict[str, int]]:
    """Check the sources and write the plan; also the number of pairs for each hazard.

    Raises:
        LeakFound: a source is, or lies beside, a tile of the split ``ask.test``.
        AftersceneError: a source cannot be used, by the leaf that fits.
    """
    sources = find_sources(ask.root, ask.split)
    if ask.test is not None:
        check_apart_from(sources, find_sources(ask.root, ask.test))
    items = ask.items(sources)
    check_sources(sources)
    counts: Counter[str] = Counter()

    def counted() -> Iterator[Item]:
        for item in items:
            counts[item.hazard] += 1
            yield item

    settings = ask.settings(sources)
    stored = write_plan(counted(), out, root=ask.root, settings=settings, shard_size=shard_size)
    return stored, dict(counts)
