"""Counts a set: pairs, buildings and levels, by hazard, event and region.

The counts come from the labels on disk, not from the manifest, so that they are what one trains on.
``event`` is that of the sources (``hurricane-michael``), ``region`` the nearest town, if the plan
knew it.
"""

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from afterscene.gbd.dataset import Dataset
from afterscene.geodata.damage import DamageLevel


@dataclass(frozen=True, kw_only=True)
class Count:
    """Pairs of one kind and the levels of their buildings by name (with ``not-assessed``)."""

    hazard: str
    event: str
    region: str
    pairs: int
    empty: int
    levels: dict[str, int]
    severity: tuple[float, float, float]

    def as_json(self) -> dict[str, Any]:
        """The count as JSON values; ``severity`` is minimum, mean, maximum."""
        severity = dict(zip(("lowest", "mean", "highest"), self.severity, strict=True))
        said = {**asdict(self), "buildings": sum(self.levels.values()), "severity": severity}
        return {**said, "pairs_without_buildings": said.pop("empty")}


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
    groups: dict[tuple[str, str, str], list[_Pair]] = {}
    for entry in dataset:
        kind = (entry.row["hazard"], entry.event, entry.region)
        counts = Counter(dict(entry.label.counts))
        groups.setdefault(kind, []).append((float(entry.row["severity"]), counts))
    return Stats(
        groups=tuple(_count(*kind, pairs) for kind, pairs in sorted(groups.items())),
        total=_count("all", "all", "all", [pair for pairs in groups.values() for pair in pairs]),
        synthetic=sum(row["synthetic"] for row in dataset.rows),
    )


_Pair = tuple[float, Counter[str]]
"""Severity and levels."""


def _count(hazard: str, event: str, region: str, pairs: list[_Pair]) -> Count:
    severities = [severity for severity, _ in pairs]
    levels: Counter[str] = sum((found for _, found in pairs), Counter())
    named = dict.fromkeys([*(level.word for level in DamageLevel), *sorted(levels)])
    mean = round(sum(severities) / len(severities), 4)
    return Count(
        hazard=hazard,
        event=event,
        region=region,
        pairs=len(pairs),
        empty=sum(not found for _, found in pairs),
        levels={word: levels[word] for word in named},
        severity=(min(severities), mean, max(severities)),
    )
