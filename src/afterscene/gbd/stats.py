"""What a set holds: pairs, buildings and levels, by hazard, event and region.

The counts come from the labels as they are on the disk, not from the manifest, so that they are
what a reader will train on. ``event`` is that of the sources (``hurricane-michael``), ``region``
the town next to them, where the plan knew it.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from afterscene.gbd.dataset import Dataset, Entry
from afterscene.geodata.damage import DamageLevel


@dataclass(frozen=True, kw_only=True)
class Count:
    """Pairs of one kind and the levels of their buildings (by word; ``not-assessed`` too)."""

    hazard: str
    event: str
    region: str
    pairs: int
    empty: int
    levels: dict[str, int]
    severity: tuple[float, float, float]

    def as_json(self) -> dict[str, Any]:
        """The count as JSON values; ``severity`` is lowest, mean, highest."""
        low, mean, high = self.severity
        return {
            "hazard": self.hazard,
            "event": self.event,
            "region": self.region,
            "pairs": self.pairs,
            "pairs_without_buildings": self.empty,
            "buildings": sum(self.levels.values()),
            "levels": self.levels,
            "severity": {"lowest": low, "mean": mean, "highest": high},
        }


@dataclass(frozen=True, kw_only=True)
class Stats:
    """The counts of a set: for each (hazard, event, region), sorted, and for all."""

    groups: tuple[Count, ...]
    total: Count
    synthetic: int

    def as_json(self) -> dict[str, Any]:
        """All counts as JSON values."""
        return {
            "pairs": self.total.pairs,
            "synthetic": self.synthetic,
            "total": self.total.as_json(),
            "groups": [group.as_json() for group in self.groups],
        }


def stats(dataset: Dataset) -> Stats:
    """Count a set. Raises MissingFile, BadLabel of a pair."""
    facts = [_Fact.of(entry) for entry in dataset]
    grouped: dict[tuple[str, str, str], list[_Fact]] = {}
    for fact in facts:
        grouped.setdefault((fact.hazard, fact.event, fact.region), []).append(fact)
    groups = [_count(*key, found) for key, found in sorted(grouped.items())]
    return Stats(
        groups=tuple(groups),
        total=_count("all", "all", "all", facts),
        synthetic=sum(fact.synthetic for fact in facts),
    )


@dataclass(frozen=True, kw_only=True)
class _Fact:
    hazard: str
    event: str
    region: str
    severity: float
    synthetic: bool
    levels: Counter[str]

    @classmethod
    def of(cls, entry: Entry) -> "_Fact":
        return cls(
            hazard=entry.row["hazard"],
            event=entry.event,
            region=entry.region,
            severity=float(entry.row["severity"]),
            synthetic=entry.synthetic,
            levels=Counter(dict(entry.label.counts)),
        )


def _count(hazard: str, event: str, region: str, facts: list[_Fact]) -> Count:
    levels: Counter[str] = sum((fact.levels for fact in facts), Counter())
    severities = [fact.severity for fact in facts]
    named: Iterable[str] = dict.fromkeys([*(level.word for level in DamageLevel), *sorted(levels)])
    return Count(
        hazard=hazard,
        event=event,
        region=region,
        pairs=len(facts),
        empty=sum(not fact.levels for fact in facts),
        levels={word: levels[word] for word in named},
        severity=(
            min(severities),
            round(sum(severities) / len(severities), 4),
            max(severities),
        ),
    )
