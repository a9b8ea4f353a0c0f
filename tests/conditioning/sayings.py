"""Random sayings: what people may ask for, as records."""

from dataclasses import replace

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

EFFECTS = (
    *(UNTOUCHED, LIGHT, HEAVY, DESTROYED, DAMAGED, STANDING),
    Effect(low=DamageLevel.MAJOR, high=DamageLevel.DESTROYED),
    Effect(low=DamageLevel.NO_DAMAGE, high=DamageLevel.MINOR),
)
STRENGTHS = (None, Strength(value=0.25), Strength(value=0.85), Strength(value=2.5, unit="m"))


def part(rng):
    if rng.random() < 0.15:
        return Part(direction="centre", share="corner")
    if rng.random() < 0.3:
        return Part(direction=rng.choice(["ne", "sw", "nw", "se"]), share="corner")
    return Part(
        direction=rng.choice(["n", "e", "s", "w", "ne", "sw"]),
        share=rng.choice(["half", "third", "quarter"]),
        outside=rng.random() < 0.2,
    )


def target(rng):
    kind = rng.choice(["water", "water", "road", "pixel", "lnglat", "building", "land", "named"])
    if kind == "pixel":
        return Near(target=kind, at=(float(rng.randint(0, 500)), rng.randint(0, 5000) / 10))
    if kind == "lnglat":
        return Near(target=kind, at=(rng.randint(-1799, 1799) / 10, rng.randint(-899, 899) / 10))
    if kind in ("land", "named"):
        names = ["forest", "residential", "park"] if kind == "land" else ["Mill Lane", "Café 3"]
        return Near(target=kind, name=rng.choice(names))
    return Near(target=kind, number=rng.randint(1, 60) if kind == "building" else None)


def near(rng):
    found = target(rng)
    return Near(
        target=found.target,
        at=found.at,
        number=found.number,
        name=found.name,
        metres=0.0 if found.name and rng.random() < 0.4 else float(rng.randint(1, 400)),
        outside=rng.random() < 0.3,
    )


def group(rng, *, inner=False):
    kind = rng.randint(0, 6)
    if kind == 0:
        return Chosen(number=rng.randint(1, 60))
    places = tuple(rng.choice([part, near])(rng) for _ in range(rng.randint(0, 2)))
    size = rng.choice(["", "", "small", "large"])
    if kind == 1:
        return Chosen(places=places, size=size, count=rng.randint(1, 40))
    if kind == 2:
        share = rng.choice([1 / 2, 1 / 3, 2 / 3, 1 / 4, 0.37, 0.052])
        return Chosen(places=places, size=size, fraction=share)
    if kind == 3:
        count = rng.choice([None, 2, 5])
        rank = rng.choice(["largest", "smallest"])
        return Chosen(places=places, size=size, rank=rank, count=count)
    if kind == 4:
        return Chosen(places=places, size=size, rank="nearest", count=None, to=target(rng))
    if kind == 5 and not inner:
        return Chosen(places=places, size=size, only=True)
    return Chosen(places=places, size=size)


def rule(rng, step):
    groups = [group(rng)]
    if rng.random() < 0.25:
        groups.append(Chosen(rank="largest"))
    buts = tuple(group(rng, inner=True) for _ in range(rng.choice([0, 0, 1, 2])))
    buts = tuple(b for b in buts if (b.number or b.count or b.rank) and b not in groups)
    groups = tuple(replace(g, but=buts) for g in groups)
    return Demand(groups=groups, effect=rng.choice(EFFECTS), step=step)


def saying(rng):
    """A saying as the reader makes them: with a rule for the rest where there is damage."""
    step, rules = 0, []
    for _ in range(rng.randint(0, 3)):
        rules.append(rule(rng, step))
        step += rng.random() < 0.2
    for k in range(1, len(rules)):  # two rules of one effect and exceptions are one
        if rules[k].effect == rules[k - 1].effect:
            rules[k] = rule(rng, rules[k].step)
    hazard = rng.choice(["", *HAZARDS])
    if any(r.effect.damages for r in rules) or (rules and rng.random() < 0.3):
        rules.append(Demand(groups=(Chosen(rest=True),), effect=UNTOUCHED, step=0))
    strength = rng.choice(STRENGTHS) if hazard else None
    return Saying(hazard=hazard, strength=strength, rules=tuple(rules))
