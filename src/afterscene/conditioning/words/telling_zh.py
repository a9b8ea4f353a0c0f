"""Says a :class:`Saying` in one Chinese sentence, which the grammar reads as the same record."""

from types import MappingProxyType

from afterscene.conditioning.words.chinese import CHINESE
from afterscene.conditioning.words.records import (
    Chosen,
    Demand,
    Effect,
    Near,
    Part,
    Saying,
    Strength,
)
from afterscene.conditioning.words.vocabulary import (
    DAMAGED,
    DESTROYED,
    HEAVY,
    LIGHT,
    STANDING,
    UNTOUCHED,
)
from afterscene.geodata.damage import DamageLevel
from afterscene.hazards import HAZARDS

EFFECTS = MappingProxyType(
    {
        UNTOUCHED: "完好",
        LIGHT: "轻度受损",
        HEAVY: "严重受损",
        DESTROYED: "被毁",
        DAMAGED: "受损",
        STANDING: "没有倒塌",
    }
)
LANDS = MappingProxyType({k: v.split(", ")[0] for k, v in CHINESE["LAND"].items()})
SHARES = MappingProxyType({"half": "半部", "third": "三分之一", "quarter": "四分之一"})
PARTS = MappingProxyType({1 / 2: "一半", 1 / 3: "三分之一", 2 / 3: "三分之二", 1 / 4: "四分之一"})


def tell_zh(saying: Saying) -> str:
    """The sentence, such as 洪水；北部三分之一内的所有建筑受损；其余建筑完好。."""
    clauses = [("然后" if later else "") + _rule(rule) for later, rule in saying.in_order()]
    head = [_event(saying.hazard, saying.strength)] if saying.hazard else []
    return "；".join([*head, *clauses]) + "。"


def _rule(rule: Demand) -> str:
    groups = [_group(group) for group in rule.groups]
    buts = [_group(group) for group in rule.groups[0].but]
    who = "、".join(groups[:-1]) + ("和" if groups[:-1] else "") + groups[-1]
    but = f"除{'和'.join(buts)}外" if buts else ""
    return f"{who}{but}都{_effect(rule.effect)}"


def _effect(effect: Effect) -> str:
    if effect in EFFECTS:
        return EFFECTS[effect]
    if effect.high == DamageLevel.DESTROYED:
        return f"至少{EFFECTS[Effect(low=effect.low, high=effect.low)]}"
    return f"至多{EFFECTS[Effect(low=effect.high, high=effect.high)]}"


def _group(group: Chosen) -> str:
    if group.rest:
        return "其余建筑"
    if group.number is not None:
        return f"{group.number}号建筑"
    what = {"": "建筑", "small": "小型建筑", "large": "大型建筑"}[group.size]
    where = "".join(f"{_place(place)}的" for place in group.places)
    if group.rank == "nearest" and group.to:
        where += f"离{_target(group.to)}最近的"
    number = f"{group.count}栋" if group.count else ""
    if group.rank in ("largest", "smallest"):
        return f"{where}最{'大' if group.rank == 'largest' else '小'}的{number}{what}"
    if group.rank or group.count:
        return f"{where}{number}{what}"
    if group.fraction:
        return f"{where}{PARTS.get(group.fraction) or f'{100 * group.fraction:.9g}%'}的{what}"
    return f"{where}{'那栋' if group.only else '所有'}{what}"


def _place(place: Part | Near) -> str:
    if isinstance(place, Part):
        return f"{_part(place)}{'以外' if place.outside else '内'}"
    away = "以外" if place.outside else "以内"
    if not place.metres:
        return f"{_target(place)}{away}"
    return f"离{_target(place)}{place.metres:.6g}米{away}"


def _part(part: Part) -> str:
    if part.direction == "centre":
        return "中央"
    side = CHINESE["DIRECTION"][part.direction].split(", ")[0]
    return f"{side.removesuffix('部')}角" if part.share == "corner" else side + SHARES[part.share]


def _target(near: Near) -> str:
    if near.target == "building":
        return f"{near.number}号建筑"
    if near.name:
        return f"“{near.name}”" if near.target == "named" else LANDS[near.name]
    if near.at is None:
        return {"water": "水面", "road": "道路"}[near.target]
    x, y = near.at
    if near.target == "pixel":
        return f"({x:.9g}, {y:.9g})"
    return f"{abs(x):.9g}°{'W' if x < 0 else 'E'}, {abs(y):.9g}°{'S' if y < 0 else 'N'}"


def _event(hazard: str, strength: Strength | None) -> str:
    spoken = HAZARDS[hazard].spoken.nouns_zh if hazard in HAZARDS else ""
    noun = spoken.split(", ")[0] if spoken else hazard
    if strength is None:
        return noun
    if strength.unit == "Mw":
        return f"{strength.value:.6g}级{noun}"
    if strength.unit:
        unit = CHINESE["UNIT"][strength.unit, 1.0].split(", ")[0]
        return f"{strength.value:.6g}{unit}的{noun}"
    return CHINESE["STRONG"][strength.value].split(", ")[0] + noun
