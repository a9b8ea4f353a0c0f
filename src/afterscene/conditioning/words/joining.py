"""Pieces that nodes of the parse tree are, and how they are merged into rules."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, TypeVar

from lark import Token

from afterscene.conditioning.words.records import Chosen, Demand, Effect, Near, Part, Strength
from afterscene.conditioning.words.vocabulary import DAMAGED, UNTOUCHED
from afterscene.errors import BadParameter
from afterscene.geodata.damage import DamageLevel

T = TypeVar("T")
MOST = 100_000
"""Largest count or distance in metres that is read."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """A hazard with its strength, if it has one."""

    name: str
    strength: Strength | None = None


@dataclass(frozen=True, kw_only=True)
class Clause:
    """What one clause says."""

    rules: tuple[Demand, ...] = ()
    events: tuple[Event, ...] = ()
    alone: bool = False
    """It says "nothing else" of the clause before."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """Words for buildings: their size, and whether they are one."""

    size: Any = ""
    place: tuple[Part, ...] = ()
    single: bool = False


@dataclass(frozen=True, kw_only=True)
class Closest:
    """Nearest to something."""

    to: Near


@dataclass(frozen=True, kw_only=True)
class But:
    """What an exception leaves out."""

    groups: tuple[Chosen, ...]


def opposite(effect: Effect) -> Effect:
    """What "not" makes of an effect. Raises BadParameter: that is no range of levels."""
    low, high = effect.low, effect.high
    if low == DamageLevel.NO_DAMAGE:
        return Effect(low=DamageLevel(high + 1), high=DamageLevel.DESTROYED)
    if high == DamageLevel.DESTROYED:
        return Effect(low=DamageLevel.NO_DAMAGE, high=DamageLevel(low - 1))
    raise BadParameter(
        f"--say: not {low.word} may be more or less than that; say the level that is meant"
    )


def whole(number: float) -> int:
    """A number of buildings. Raises BadParameter."""
    if number != int(number) or not 1 <= number <= MOST:
        raise BadParameter(f"--say: {number:g} is no number of buildings; give 1 to {MOST}")
    return int(number)


def two_ways(what: str) -> BadParameter:
    """The error for what a person can read in two ways."""
    return BadParameter(f"--say: {what} can be read in two ways; write it as two clauses")


def is_sign(part: Any) -> bool:
    """Whether a piece is a word of the grammar alone, or missing."""
    return part is None or isinstance(part, Token)


def maybe(found: Sequence[Any], kind: type[T]) -> T | None:
    """The first piece of that kind, if there is one."""
    return next((part for part in found if isinstance(part, kind)), None)


def sole(found: Sequence[Any], kind: type[T]) -> T:
    """The one piece of that kind."""
    (one,) = (part for part in found if isinstance(part, kind))
    return one


def number_in(found: Sequence[Any]) -> int | None:
    """A number of buildings, if one is said."""
    numbers = [t.value for t in found if isinstance(t, Token) and t.type == "NUMBER"]
    return whole(numbers[0]) if numbers else None


def distance_in(found: Sequence[Any]) -> float:
    """A distance in metres. Raises BadParameter."""
    number, unit = (next(t for t in found if of_type(t, name)) for name in ("NUMBER", "UNIT"))
    metres = float(number.value) * unit.value[1]
    if unit.value[0] != "m" or not 0 < metres <= MOST:
        raise BadParameter(f"--say: a distance is in metres, from 0 to {MOST}; write within 50 m")
    return float(f"{metres:.6g}")


def of_type(part: Any, name: str) -> bool:
    """Whether a piece is a word of that terminal."""
    return isinstance(part, Token) and part.type == name


def _places(found: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(place for part in found if type(part) is tuple for place in part)


def has_nearest(found: Sequence[Any]) -> bool:
    """Whether the places say "nearest to"."""
    return any(isinstance(place, Closest) for place in _places(found))


def group_of(found: Sequence[Any], **fields: Any) -> Chosen:
    """A group of the kind and places in ``found``; "nearest to" among them is its rank."""
    places = _places(found)
    kind = maybe(found, Kind) or Kind()
    near = [place for place in places if isinstance(place, Closest)]
    rest = tuple(place for place in places if not isinstance(place, Closest))
    group = Chosen(places=(*kind.place, *rest), size=kind.size, **fields)
    return group if not near else closest_to(group, near[0].to)


def closest_to(group: Chosen, to: Near) -> Chosen:
    """The buildings of the group nearest to a target: one, or as many as were counted."""
    if group.rank or group.fraction:
        raise two_ways("nearest with another choice of buildings")
    return replace(group, rank="nearest", to=to, only=False, count=_many(group.count))


def _many(count: int | None) -> int | None:
    return None if count == 1 else count


def done_in(found: Sequence[Any]) -> tuple[Effect, tuple[Event, ...]]:
    """The effect that its words name, with their "not" and "at least"; and its hazard."""
    events: tuple[Event, ...] = ()
    effect = DAMAGED
    kinds = {part.type: part for part in found if isinstance(part, Token)}
    if "DONE" in kinds:
        name, effect = kinds["DONE"].value
        events = (Event(name=name),)
    else:
        effect = kinds["EFFECT"].value
    if "HAZARD" in kinds:  # 被地震摧毁
        events = (*events, Event(name=kinds["HAZARD"].value))
    if "ATLEAST" in kinds:
        effect = Effect(low=effect.low, high=DamageLevel.DESTROYED)
    if "ATMOST" in kinds:
        effect = Effect(low=DamageLevel.NO_DAMAGE, high=effect.high)
    if effect.low == DamageLevel.NO_DAMAGE and effect.high == DamageLevel.DESTROYED:
        raise BadParameter("--say: at least undamaged, or at most destroyed, is every level")
    return (opposite(effect) if "NOT" in kinds else effect), events


def merged(groups: list[Any]) -> list[Any]:
    """The groups of a list. Raises BadParameter where a place may belong to the one before."""
    for before, after in pairwise(groups):
        if isinstance(before, Chosen) and before.but and isinstance(after, Chosen):
            raise two_ways("all but some, and others")
        chosen = isinstance(before, Chosen) and bool(before.places) and _chosen(before)
        if chosen and isinstance(after, Chosen) and after == Chosen(places=after.places):
            raise two_ways("a place after a choice of buildings in another place")
    return groups


def _chosen(group: Chosen) -> bool:
    return bool(group.count or group.fraction or group.rank or group.size or group.only)


def rules_of(groups: list[Any], effect: Effect, extra: "But | None") -> tuple[Demand, ...]:
    """Rules of groups that share their exceptions; "no building" takes the opposite effect."""
    buts = tuple(b for part in groups if isinstance(part, But) for b in part.groups)
    buts += extra.groups if extra else ()
    rules: list[Demand] = []
    for part in (part for part in groups if not isinstance(part, But)):
        none = isinstance(part, tuple)
        group = part[1] if none else part
        if group.rest and buts:  # "except for the school, everything else": all but the school
            group = Chosen()
        if group in buts:
            raise BadParameter("--say: the exception is all that the clause is about; leave it out")
        group = replace(group, but=(*group.but, *buts))
        wanted = opposite(effect) if none else effect
        if rules and rules[-1].effect == wanted and rules[-1].groups[0].but == group.but:
            rules[-1] = replace(rules[-1], groups=(*rules[-1].groups, group))
        else:
            rules.append(Demand(groups=(group,), effect=wanted))
    return tuple(rules)


def spared(rules: Sequence[Demand]) -> Demand:
    """What "only" says of all others: undamaged, or the opposite of being spared."""
    effect = rules[0].effect
    (others,) = rules_of(
        [Chosen(rest=True)], UNTOUCHED if effect.damages else opposite(effect), None
    )
    return others


def in_time(clauses: Sequence[tuple[bool | None, Clause]]) -> list[Demand]:
    """The rules of clauses with their steps; each with True (then), False (first) or None.

    Raises:
        BadParameter: "first" stands after what comes later, or "nothing else" after nothing.
    """
    step, rules = 0, list[Demand]()
    for later, clause in clauses:
        if later is False and rules:
            raise BadParameter(
                "--say: what happens first stands after something else; write it in its order"
            )
        if clause.alone and not rules:
            raise BadParameter("--say: nothing else than what? say before it what happens")
        step += bool(later)
        own = (spared(rules[-1:]),) if clause.alone else clause.rules
        rules += [rule if is_calm(rule) else replace(rule, step=step) for rule in own]
    return rules


def is_calm(rule: Demand) -> bool:
    """Whether a rule says that nothing happens to all others: that has no time."""
    return is_rest(rule) and rule.effect == UNTOUCHED


def is_rest(rule: Demand) -> bool:
    """Whether a rule is of all others."""
    return any(group.rest for group in rule.groups)


def agreed(events: Sequence[Event]) -> dict[str, Any]:
    """The one hazard and strength of a sentence. Raises BadParameter for two."""
    names = list(dict.fromkeys(event.name for event in events if event.name))
    if len(names) > 1:
        raise BadParameter(
            f"--say names two hazards, {names[0]} and {names[1]}; one picture shows one hazard"
        )
    values = list(dict.fromkeys(e.strength for e in events if e.strength is not None))
    if values and not names:
        raise BadParameter("--say gives a depth but no hazard; name it: a flood, a tsunami")
    if len(values) > 1:
        raise BadParameter(f"--say gives the {names[0]} two strengths; name one")
    return {"hazard": names[0] if names else "", "strength": values[0] if values else None}


def led_by(part: Any, lead: tuple[Any, ...]) -> Any:
    """A group (or "no" group) in the places that its clause began with."""
    if isinstance(part, tuple):
        return part[0], led_by(part[1], lead)
    if not isinstance(part, Chosen):
        return part
    if part.rest or part.number or any(isinstance(place, Closest) for place in lead):
        raise two_ways("a place before all others or one building")
    return replace(part, places=(*lead, *part.places))
