"""What was left out or changed, counted by reason.

One record for every reader and command: readers add to it, ``--json`` prints it as ``left_out``,
and a person reads one line a reason. A footprint that is not used is never lost silently.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

BROKEN = "footprint whose geometry is missing or broken"
NO_POLYGON = "footprint that is not a polygon"
UNPLACED = "footprint whose coordinates have no place here"
OUTSIDE = "footprint outside the images"
TWICE = "duplicate footprint, merged"
RENAMED = "duplicate name, numbered"
NO_POST = "pair without a post image"
NO_LEVELS = "pair without a label or target of its post image"
NO_LABEL = "pre image without a label"
NO_BUILDING = "pre image whose label has no building"
NO_PRE = "post image without its pre image"
UNNAMED = "image that is not named EVENT_NUMBER_pre_disaster or _post_disaster"


@dataclass(frozen=True)
class LeftOut:
    """Counts by reason; a reason that never came up is not in it."""

    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, reason: str, count: int = 1) -> None:
        """Count what was left out for a reason; nothing where the count is 0."""
        if count:
            self.reasons[reason] += int(count)

    def take(self, other: "LeftOut | Mapping[str, int]") -> None:
        """Count what another record has counted."""
        found = other.reasons if isinstance(other, LeftOut) else other
        for reason, count in found.items():
            self.add(reason, count)

    @property
    def total(self) -> int:
        """How many, over all reasons."""
        return self.reasons.total()

    def __bool__(self) -> bool:
        return bool(self.reasons)

    def __str__(self) -> str:
        return ", ".join(self.lines())

    def as_json(self) -> dict[str, int]:
        """Reason to count, by the reason."""
        return dict(sorted(self.reasons.items()))

    def lines(self) -> list[str]:
        """``4 x footprint that is not a polygon``, a line a reason."""
        return [f"{count} x {reason}" for reason, count in self.as_json().items()]


class Names:
    """Names that stand once: one that is taken gets the next free number (``a``, ``a~2``)."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)
        self._next: dict[str, int] = {}

    def take(self, name: str) -> str:
        """The name, or with a number where it is taken; in constant time."""
        given, number = name, self._next.get(name, 2)
        while given in self._taken:
            given, number = f"{name}~{number}", number + 1
        self._next[name] = number
        self._taken.add(given)
        return given
