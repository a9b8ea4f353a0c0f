"""Selects among several drawn events, so that a set approaches a target mix of damage levels.

Real sets have a hundred undamaged houses for one with major damage. A plan may ask for another mix:
for each draw (a tile, or an event with its tiles) :data:`TRIES` events are drawn, their levels are
counted by the hazard's own physics, without drawing an image, and the event is used that brings the
shares of the set so far closest to the target, sum (p - t)^2 / (t + 0.02). Labels are never
changed, only the choice of events. So a mix that physics does not give (wildfire leaves few
half-burnt houses) is only approached; the plan says how closely. The first items of a plan do not
depend on how many follow.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from afterscene.errors import BadParameter
from afterscene.gbd.pair import as_rgb, item_damage
from afterscene.gbd.plan import Item, Source
from afterscene.gbd.sources import read_source
from afterscene.geodata.damage import LEVELS, DamageLevel
from afterscene.geodata.scene import Scene
from afterscene.geodata.xbd import XbdLabel

TRIES = 6
NAMES = ("no-damage", "minor", "major", "destroyed")
Draw = Callable[[int, int], list[Item]]
"""A tile, or the tiles of an event: returns the items of an ``attempt``, from a number on."""


def parse_mix(text: str) -> Mapping[DamageLevel, float]:
    """``no-damage=0.4,minor=0.2,major=0.2,destroyed=0.2`` as shares of 1; levels not named get 0.

    Raises:
        BadParameter: another name, not a number, or nothing above 0.
    """
    shares = dict.fromkeys(NAMES, 0.0)
    for part in text.split(","):
        name, equals, value = part.strip().partition("=")
        name = name.removesuffix("-damage") if name != "no-damage" else name
        try:
            number = float(value)
        except ValueError:
            number = -1.0
        if name not in shares or not equals or not 0 <= number < 1e9:
            raise BadParameter(
                f"mix {part.strip()[:60]!r} is not LEVEL=SHARE with one of the levels "
                f"{', '.join(NAMES)}; write for instance no-damage=0.4,minor=0.2,major=0.2,"
                "destroyed=0.2"
            )
        shares[name] = number
    total = sum(shares.values())
    if total <= 0:
        raise BadParameter(f"mix {text[:60]!r} has no share above 0; give one")
    return {level: share / total for level, share in zip(LEVELS, shares.values(), strict=True)}


def steer(
    draws: Iterator[Draw], count: int, mix: Mapping[DamageLevel, float] | None
) -> Iterator[Item]:
    """``count`` items of the draws; with a ``mix``, their levels are counted.

    Raises:
        AftersceneError: of a source, if levels must be counted.
    """
    so_far: Counter[DamageLevel] = Counter()
    made = 0
    while made < count:
        draw = next(draws)
        if mix is None:
            chosen = draw(made, 0)
        else:
            drawn = [_counted(draw(made, attempt)) for attempt in range(TRIES)]
            distances = [_distance(so_far, items, mix) for items in drawn]
            chosen = drawn[distances.index(min(distances))]
        for item in chosen[: count - made]:
            so_far.update(item.levels)
            yield item
        made += len(chosen)


def _counted(items: Sequence[Item]) -> list[Item]:
    return [replace(item, levels=_levels(item)) for item in items]


def _distance(
    so_far: Counter[DamageLevel], items: Sequence[Item], mix: Mapping[DamageLevel, float]
) -> float:
    total = sum((Counter(item.levels) for item in items), Counter(so_far))
    everything = max(1, sum(total[level] for level in LEVELS))
    return sum(
        (total[level] / everything - share) ** 2 / (share + 0.02) for level, share in mix.items()
    )


@lru_cache(maxsize=16)
def _read(source: Source) -> tuple[Scene, XbdLabel]:
    scene, label = read_source(source)
    return as_rgb(scene), label


def _levels(item: Item) -> Counter[DamageLevel]:
    """The levels that the hazard gives the item's buildings: the labels of its pair."""
    damage = item_damage(item, *_read(item.source))
    return Counter(b.level for b in damage.buildings if b.level is not None)
