"""What a sentence asks for, as records: a hazard, its strength, and rules of who gets what.

A rule joins a group of buildings to an effect, a range of damage levels: "destroyed" is one level,
"damaged" is minor damage or more, "standing" anything but destroyed. Within a range the hazard's
physics decides. Records know no language; :mod:`.telling` says them, :mod:`.reading` makes them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from afterscene.geodata.damage import DamageLevel

Direction = Literal["", "n", "ne", "e", "se", "s", "sw", "w", "nw", "centre"]
Share = Literal["half", "third", "quarter", "corner"]
Target = Literal["water", "road", "pixel", "lnglat", "building", "land", "named", "painted"]


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part of the picture, north up: a half, third or quarter of its side, a corner, the centre.

    A corner is a ninth of the picture, as is the centre; a diagonal half or third is cut at 45
    degrees (in units of the sides), a diagonal quarter is the quadrant.
    """

    direction: Direction
    share: Share = "half"
    outside: bool = False


@dataclass(frozen=True, kw_only=True)
class Near:
    """At most ``metres`` from a target (``outside``: farther away); 0: in it.

    ``at``: pixel (column, row), or longitude and latitude; ``number``: of a building in its label,
    from 1; ``name``: of a named place, a kind of land (:data:`afterscene.geodata.named.LAND`), or a
    colour of a painted map (:mod:`afterscene.conditioning.painted`).
    """

    target: Target
    metres: float = 0.0
    at: tuple[float, float] | None = None
    number: int | None = None
    name: str = ""
    outside: bool = False


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """Some buildings: those that are in all ``places`` and of the ``size``, without ``but``.

    Of these ``count`` or the share ``fraction`` (neither: all); with a ``rank`` the largest,
    smallest or nearest ones ``to`` a target. ``number`` is one building by its place in the label.
    ``only`` means that there must be exactly one. ``rest``: all that no other rule names.
    """

    places: tuple[Part | Near, ...] = ()
    size: Literal["", "small", "large"] = ""
    count: int | None = None
    fraction: float | None = None
    rank: Literal["", "largest", "smallest", "nearest"] = ""
    to: Near | None = None
    number: int | None = None
    only: bool = False
    rest: bool = False
    but: tuple["Chosen", ...] = ()

    @property
    def painted(self) -> bool:
        """Whether it is a colour of a painted map, where there need not be any building."""
        return any(isinstance(place, Near) and place.target == "painted" for place in self.places)


@dataclass(frozen=True, kw_only=True)
class Effect:
    """Levels from ``low`` to ``high``, both included."""

    low: DamageLevel
    high: DamageLevel

    @property
    def damages(self) -> bool:
        """Whether a building must have some damage."""
        return self.low > DamageLevel.NO_DAMAGE


@dataclass(frozen=True, kw_only=True)
class Demand:
    """Buildings of these groups get this effect; ``step`` is the order in time, from 0."""

    groups: tuple[Chosen, ...]
    effect: Effect
    step: int = 0


@dataclass(frozen=True, kw_only=True)
class Strength:
    """How strong the hazard is: a value with its unit (``m/s``, ``m``, ``g``, ``kPa``, ``Mw`` ...).

    Where the unit is "" the value is a severity from 0 to 1.
    """

    value: float
    unit: str = ""


@dataclass(frozen=True, kw_only=True)
class Saying:
    """All that a sentence asks for. ``hazard`` is "" where it names none."""

    hazard: str = ""
    strength: Strength | None = None
    rules: tuple[Demand, ...] = ()

    def in_order(self) -> Iterator[tuple[bool, Demand]]:
        """Each rule, and whether it happens later than all before it."""
        step = 0
        for rule in self.rules:
            yield rule.step > step, rule
            step = max(step, rule.step)


def as_json(record: Any) -> Any:
    """Records as JSON values, without what has its default; levels by their words."""
    if isinstance(record, DamageLevel):
        return record.word
    if isinstance(record, tuple):
        return [as_json(part) for part in record]
    fields = getattr(record, "__dataclass_fields__", None)
    if fields is None:
        return record
    kept = ((name, getattr(record, name), field.default) for name, field in fields.items())
    return {name: as_json(value) for name, value, default in kept if value != default}
