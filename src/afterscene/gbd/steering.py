"""Which of several drawn events to take, so that a set comes near a wished mix of damage levels.

Real sets hold a hundred untouched houses for one with major damage. A plan may ask for another mix:
for each draw (a tile, or an event with its tiles) :data:`TRIES` events are drawn, their levels
are counted by the hazard's own physics, without a picture, and the one is taken that brings the
shares of the set so far nearest to the wish, sum (p - t)^2 / (t + 0.02). Labels are never changed:
only which event strikes. So a mix that physics does not give (wildfire leaves few half-burnt
houses) is approached and no more; the plan says how near it came. The first items of a plan do not
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
"""A tile, or the tiles of an event, to be drawn: the items of an ``attempt``, from a number on."""


def parse_mix(text: str) -> Mapping[DamageLevel, float]:
    """``no-damage=0.4,minor=0.2,major=0.2,destroyed=0.2`` as shares of 1; what is not named is 0.

    Raises:
        BadParameter: another name, no number, or nothing above 0.
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
                f"mix {part.strip()[:60]!r} is not LEVEL=SHARE with a level out of "
                f"{', '.join(NAMES)}; write for instance no-damage=0.4,minor=0.2,major=0.2,"
                "destroyed=0.2"
            )
        shares[name] = number
    total = sum(shares.values())
    if total <= 0:
        raise BadParameter(f"mix {text[:60]!r} wishes for nothing; give a share above 0")
    return {level: share / total for level, share in zip(LEVELS, shares.values(), strict=True)}


def steer(
    draws: Iterator[Draw], count: int, mix: Mapping[DamageLevel, float] | None
) -> Iterator[Item]:
    """``count`` items of the draws; with a ``mix`` they know their levels.

    Raises:
        AftersceneError: of a source, where levels must be counted.
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
    """What the hazard does to the item's buildings: the labels that its pair will have."""
    damage = item_damage(item, *_read(item.source))
    return Counter(b.level for b in damage.buildings if b.level is not None)
