"""A damage map painted by hand (``--sketch``): colours of the levels, and water, as rules.

A painted map asks for the same as a sentence, so it becomes a :class:`~.words.Saying`: each colour
is a place, and the buildings that stand mostly in it get its level. What is not painted over is
undamaged. Where water is painted, buildings are damaged at least slightly, and the hazard's field
covers the water; by how much is decided by the physics.
"""

from __future__ import annotations

from pathlib import Path

from afterscene.conditioning.words.places import Given
from afterscene.conditioning.words.records import Chosen, Demand, Effect, Near, Saying
from afterscene.conditioning.words.vocabulary import DAMAGED, UNTOUCHED
from afterscene.geodata.damage import COLOURS, LEVELS, DamageLevel
from afterscene.geodata.painted import read_painted

WATER = "water"
#: The colours: those of the levels as everywhere in this package, and water.
PALETTE = (*((level.word, COLOURS[level]) for level in LEVELS), (WATER, (16, 36, 125)))


def read_sketch(path: Path, hazard: str, shape: tuple[int, int]) -> tuple[Saying, Given]:
    """What a painted map of a picture of ``shape`` asks for, and where.

    Raises:
        MissingFile, BadImage: it cannot be read.
        BadParameter: it has a colour that means nothing, or nothing is painted.
    """
    kinds, names = read_painted(path, PALETTE, shape)
    rules = [
        Demand(groups=(painted(name),), effect=_effect(name))
        for k, name in enumerate(names, 1)
        if (kinds == k).any()
    ]
    if any(rule.effect.damages for rule in rules):
        rules.append(Demand(groups=(Chosen(rest=True),), effect=UNTOUCHED))
    return Saying(hazard=hazard, rules=tuple(rules)), Given(painted=kinds, colours=names)


def painted(name: str) -> Chosen:
    """The buildings that stand mostly in the colour of that name."""
    return Chosen(places=(Near(target="painted", name=name),))


def _effect(name: str) -> Effect:
    if name == WATER:
        return DAMAGED
    (level,) = (level for level in DamageLevel if level.word == name)
    return Effect(low=level, high=level)
