"""Says a :class:`Saying` in one English sentence, which the grammar reads as the same record."""

from collections.abc import Sequence
from types import MappingProxyType

from afterscene.conditioning.words.records import (
    Chosen,
    Demand,
    Effect,
    Near,
    Part,
    Saying,
    Strength,
)
from afterscene.conditioning.words.telling_zh import tell_zh
from afterscene.conditioning.words.vocabulary import (
    DAMAGED,
    DESTROYED,
    ENGLISH,
    HEAVY,
    LIGHT,
    STANDING,
    UNTOUCHED,
)
from afterscene.geodata.damage import DamageLevel
from afterscene.hazards import HAZARDS

LANDS = MappingProxyType({k: v.split(", ")[0] for k, v in ENGLISH["LAND"].items()})
DIRECTIONS = MappingProxyType({k: v.split(", ")[0] for k, v in ENGLISH["DIRECTION"].items()})
EFFECTS = MappingProxyType(
    {
        UNTOUCHED: "undamaged",
        LIGHT: "slightly damaged",
        HEAVY: "heavily damaged",
        DESTROYED: "destroyed",
        DAMAGED: "damaged",
        STANDING: "still standing",
    }
)
PARTS = MappingProxyType({1 / 2: "half", 1 / 3: "a third", 2 / 3: "two thirds", 1 / 4: "a quarter"})


def tell(saying: Saying, language: str = "en") -> str:
    """The sentence, such as "A flood; every building in the northern third is damaged."."""
    if language == "zh":
        return tell_zh(saying)
    clauses = [("then " if later else "") + tell_rule(rule) for later, rule in saying.in_order()]
    head = [_event(saying.hazard, saying.strength)] if saying.hazard else []
    text = "; ".join([*head, *clauses])
    return f"{text[:1].upper()}{text[1:]}."


def tell_rule(rule: Demand) -> str:
    """One rule, such as "the largest building is destroyed"."""
    groups = [tell_group(group) for group in rule.groups]
    buts = [tell_group(group) for group in rule.groups[0].but]
    who = ", ".join(groups[:-1]) + (" and " if groups[:-1] else "") + groups[-1]
    but = f" except {' and '.join(buts)}" if buts else ""
    return f"{who}{but} {'is' if _single(rule.groups) else 'are'} {tell_effect(rule.effect)}"


def tell_effect(effect: Effect) -> str:
    """An effect after "is": "destroyed", "at least heavily damaged"."""
    if effect in EFFECTS:
        return EFFECTS[effect]
    if effect.high == DamageLevel.DESTROYED:
        return f"at least {EFFECTS[Effect(low=effect.low, high=effect.low)]}"
    return f"at most {EFFECTS[Effect(low=effect.high, high=effect.high)]}"


def tell_group(group: Chosen) -> str:
    """A group without its exceptions."""
    if group.rest:
        return "all others"
    if group.number is not None:
        return f"building {group.number}"
    size = f"{group.size} " if group.size else ""
    where = "".join(f" {tell_place(place)}" for place in group.places)
    if group.rank == "nearest" and group.to:
        where += f" nearest to {tell_target(group.to)}"
    return f"{_amount(group, size)}{where}"


def _amount(group: Chosen, size: str) -> str:
    if group.rank and group.rank != "nearest":
        number = f"{group.count} " if group.count else ""
        return f"the {group.rank} {number}{size}{_noun(group.count or 1)}"
    if group.rank or group.only:
        number = f"{group.count} " if group.count else ""
        return f"the {number}{size}{_noun(group.count or 1)}"
    if group.count:
        return f"{group.count} {size}{_noun(group.count)}"
    if group.fraction:
        share = PARTS.get(group.fraction) or f"{100 * group.fraction:.9g}%"
        return f"{share} of the {size}buildings"
    return f"every {size}building"


def _noun(count: int) -> str:
    return "building" if count == 1 else "buildings"


def tell_place(place: Part | Near) -> str:
    """A place after its buildings: "in the northern third", "within 50 m of the water"."""
    if isinstance(place, Part):
        return f"{'outside' if place.outside else 'in'} the {_part(place)}"
    if not place.metres:
        return f"{'outside' if place.outside else 'in'} {tell_target(place)}"
    if place.outside:
        return f"more than {place.metres:.6g} m from {tell_target(place)}"
    return f"within {place.metres:.6g} m of {tell_target(place)}"


def _part(part: Part) -> str:
    if part.direction == "centre":
        return "centre"
    return f"{DIRECTIONS[part.direction]} {part.share}"


def tell_target(near: Near) -> str:
    """What a distance is measured from: "the water", "building 3"."""
    if near.target == "building":
        return f"building {near.number}"
    if near.target == "painted":
        return f"the area painted {near.name}"
    if near.name:
        return f'"{near.name}"' if near.target == "named" else f"the {LANDS[near.name]}"
    if near.at is None:
        return f"the {near.target}"
    x, y = near.at
    if near.target == "pixel":
        return f"({x:.9g}, {y:.9g})"
    return f"{abs(x):.9g}° {'W' if x < 0 else 'E'}, {abs(y):.9g}° {'S' if y < 0 else 'N'}"


def _single(groups: Sequence[Chosen]) -> bool:
    (first, *more) = groups
    many = (first.count or 1) > 1 or first.fraction or first.rest
    return not more and not many


def _event(hazard: str, strength: Strength | None) -> str:
    noun = noun_of(hazard)
    a = "an" if noun[0] in "aeiou" else "a"
    if strength is None:
        return f"{a} {noun}"
    if strength.unit == "Mw":
        return f"{a} {noun} of magnitude {strength.value:.6g}"
    if strength.unit:
        return f"{a} {noun} of {strength.value:.6g} {strength.unit}"
    word = ENGLISH["STRONG"][strength.value].split(", ")[0]
    return f"{'an' if word[0] in 'aeiou' else 'a'} {word} {noun}"


def noun_of(hazard: str) -> str:
    """How a hazard is named in a sentence."""
    spoken = HAZARDS[hazard].spoken.nouns if hazard in HAZARDS else ""
    return spoken.split(", ")[0] if spoken else hazard
