"""What the nodes of the parse tree mean: methods have the names of the grammars' rules."""

from dataclasses import replace
from typing import Any

from lark import Token, Transformer, v_args

from afterscene.conditioning.words.joining import (
    But,
    Clause,
    Event,
    Kind,
    agreed,
    closest_to,
    done_in,
    group_of,
    has_nearest,
    in_time,
    is_rest,
    is_sign,
    led_by,
    maybe,
    merged,
    number_in,
    of_type,
    opposite,
    rules_of,
    sole,
    spared,
    two_ways,
    whole,
)
from afterscene.conditioning.words.placing import part_of
from afterscene.conditioning.words.records import (
    Chosen,
    Demand,
    Effect,
    Near,
    Part,
    Saying,
    Strength,
)
from afterscene.conditioning.words.vocabulary import DAMAGED, UNTOUCHED
from afterscene.errors import BadParameter

SHARES = {"half": 2, "third": 3, "quarter": 4}


@v_args(inline=True)
class Reader(Transformer):
    """Nodes of the parse tree to records; methods have the names of the grammar's rules."""

    def buildings(self, *found: Token) -> Kind:
        kinds = [token.type for token in found if token is not None]
        small = "small" if "SMALL" in kinds or "SHEDS" in kinds else ""
        size = "large" if "LARGE" in kinds else small
        place = tuple(part_of(side) for side in found if of_type(side, "DIRECTION"))
        return Kind(size=size, single="BUILDING" in kinds, place=place)

    def percent(self, token: Token) -> float:
        return float(token.value)

    def parts(self, *found: Token | None) -> float:
        number, share = (None, *found)[-2:]
        assert share is not None
        return (1 if number is None else number.value) / SHARES[share.value]

    def every(self, *found: Any) -> Chosen:
        return group_of(found)

    def bare(self, *found: Any) -> Chosen:
        kind = maybe(found, Kind) or Kind()
        if has_nearest(found) and not kind.single:
            raise BadParameter("--say: how many of the nearest buildings? write a number")
        return group_of(found, only=kind.single)

    def these(self, *found: Any) -> Chosen:
        return group_of(found)

    def single(self, *found: Any) -> Chosen:
        return group_of(found, only=not has_nearest(found))

    def counted(self, *found: Any) -> Chosen:
        return group_of(found, count=number_in(found))

    def portion(self, *found: Any) -> Chosen:
        share = next(part for part in found if isinstance(part, float))
        if (maybe(found, Kind) or Kind()).single:
            raise two_ways("a share before one building")
        if not 0 < share <= 1:
            raise BadParameter(
                f"--say: {100 * share:.6g}% of the buildings; name a share above 0 and at most 100%"
            )
        return group_of(found, fraction=None if share == 1 else share)

    def unclear(self, direction: Token, share: Token, *_: Any) -> Chosen:
        raise two_ways(f"{direction}{share} before buildings")

    def region(self, part: Part | Near) -> Chosen:
        return Chosen(places=(part,))

    def ranked(self, *found: Any) -> Chosen:
        rank = next(t for t in found if isinstance(t, Token) and t.type == "RANK")
        kind = maybe(found, Kind) or Kind(single=True)
        count = number_in(found)
        if count is None and not kind.single:
            raise BadParameter(f"--say: how many of the {rank} buildings? write a number")
        return group_of(found, rank=rank.value, count=None if count == 1 else count)

    count_ranked = ranked

    def top(self, *found: Any) -> Chosen:
        rank = next(t for t in found if isinstance(t, Token) and t.type == "RANK")
        count = number_in(found)
        return group_of(found, rank=rank.value, count=None if count == 1 else count)

    def nearest(self, *found: Any) -> Chosen:
        if number_in(found) is None and not (maybe(found, Kind) or Kind()).single:
            raise BadParameter("--say: how many of the nearest buildings? write a number")
        return closest_to(group_of(found, count=number_in(found)), sole(found, Near))

    count_nearest = nearest

    def numbered(self, token: Token) -> Chosen:
        return Chosen(number=whole(token.value))

    def others(self, *_: Any) -> Chosen:
        return Chosen(rest=True)

    def nobody(self, *found: Any) -> tuple[str, Chosen]:
        return "nobody", group_of(found)

    def one(self, group: Chosen) -> Chosen:
        return group

    def allbut(self, _: Token, inner: Chosen) -> Chosen:
        if inner.rank and inner.places:
            raise two_ways(f"all but the {inner.rank} building in a place")
        if inner.count or inner.fraction:
            own = replace(inner, places=(), size="")
            return Chosen(places=inner.places, size=inner.size, but=(own,))
        return Chosen(but=(inner,))

    def groups(self, *found: Any) -> list[Any]:
        signs = [part for part in found if of_type(part, "SEP") and part.value]
        if signs:
            place = (signs[0].start_pos or 0) + 1
            raise BadParameter(
                f"--say: {str(signs[0])!r} (character {place}) stands between buildings; join them "
                "with a comma or and, or say what happens to the first ones"
            )
        return merged([part for part in found if not is_sign(part)])

    objects = groups

    def exception(self, *found: Any) -> But:
        return But(groups=tuple(part for part in found if isinstance(part, Chosen)))

    def measure(self, *found: Token) -> Strength:
        number, unit = (next(t for t in found if of_type(t, k)) for k in ("NUMBER", "UNIT"))
        name, factor = unit.value
        return Strength(value=float(f"{number.value * factor:.6g}"), unit=name)

    def magnitude(self, *found: Token) -> Strength:
        (number,) = (token for token in found if of_type(token, "NUMBER"))
        return Strength(value=float(number.value), unit="Mw")

    def hazard(self, *found: Any) -> Event:
        name = next(t.value for t in found if isinstance(t, Token) and t.type == "HAZARD")
        word = [t.value for t in found if isinstance(t, Token) and t.type == "STRONG"]
        value = maybe(found, Strength)
        if word and value is not None:
            raise BadParameter("--say: the hazard has a strength in words and one in figures")
        return Event(name=name, strength=Strength(value=word[0]) if word else value)

    value_hazard = hazard

    def effect(self, *found: Any) -> tuple[Effect, tuple[Event, ...]]:
        effect, events = done_in(found)
        by = maybe(found, Event)
        return effect, (*events, *((by,) if by else ()))

    def rule(self, *found: Any) -> Clause:
        effect, events = next(x for x in found if isinstance(x, tuple))
        groups = next(x for x in found if isinstance(x, list))
        cause = maybe(found, Event)
        rules = rules_of(groups, effect, maybe(found, But))
        return Clause(rules=rules, events=(*events, *((cause,) if cause else ())))

    fronted = rule

    def led(self, *found: Any) -> Clause:
        lead = next(x for x in found if type(x) is tuple and not isinstance(x[0], Effect))
        groups = next(x for x in found if isinstance(x, list))
        placed = [led_by(part, lead) for part in groups]
        return self.rule(*(placed if x is groups else x for x in found if x is not lead))

    def by(self, *found: Any) -> Event:
        return sole(found, Event)

    def act(self, *found: Any) -> Clause:
        effect, events = done_in(found)
        named = maybe(found, Event)
        groups = next(x for x in found if isinstance(x, list))
        rules = rules_of(groups, effect, maybe(found, But))
        return Clause(rules=rules, events=(*events, *((named,) if named else ())))

    hazard_acts = left = hazard_leaves = act
    caused = rule

    def hazard_there(self, event: Event, place: Any) -> Clause:
        rules = rules_of([group_of(((place,),))], DAMAGED, None)
        return Clause(rules=rules, events=(event,))

    def rest(self, *found: Any) -> Clause:
        effect, events = next(x for x in found if isinstance(x, tuple))
        return Clause(rules=rules_of([Chosen(rest=True)], opposite(effect), None), events=events)

    def nothing_else(self, *_: Any) -> Clause:
        return Clause(alone=True)

    def depth(self, *found: Any) -> Clause:
        value = maybe(found, Strength) or self.measure(*found)
        return Clause(events=(Event(name="", strength=value),))

    def neither(self, *found: Any) -> list[Any]:
        return [("nobody", group) for group in found if isinstance(group, Chosen)]

    def only(self, *found: Any) -> Clause:
        clause = self.rule(*found)
        return replace(clause, rules=(*clause.rules, spared(clause.rules)))

    def event(self, *found: Any) -> Clause:
        for token in found:
            if isinstance(token, Token) and token.type == "EFFECT" and token.value != DAMAGED:
                raise BadParameter(f"--say: {token} which buildings? name them after it")
        return Clause(events=(sole(found, Event),))

    def first(self, *_: Token) -> bool:
        return False

    def then(self, *_: Token) -> bool:
        return True

    def clause(self, later: bool | None, body: Clause) -> tuple[bool | None, Clause]:
        return later, body

    def start(self, *found: Any) -> Saying:
        clauses = [part for part in found if isinstance(part, tuple)]
        rules = in_time(clauses)
        if any(rule.effect.damages for rule in rules) and not any(map(is_rest, rules)):
            rules.append(Demand(groups=(Chosen(rest=True),), effect=UNTOUCHED))
        events = [event for _, clause in clauses for event in clause.events]
        return Saying(rules=tuple(rules), **agreed(events))
