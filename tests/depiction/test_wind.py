"""The wind sketch: on the asked roofs alone, more with each level, in real colours."""

import numpy as np
from tests.generators import toy

from afterscene.depiction import blow
from afterscene.geodata.damage import DamageLevel

GREY = np.full((96, 96, 3), 120, np.uint8)


def drawn(level, seed=0, size=40):
    house = toy.building(28, 28, level, size)
    return blow(GREY, toy.damage(house, shape=GREY.shape[:2]), seed)


def changed(picture, level_size=40):
    """Shares of the roof and of the ground around it that the sketch touches."""
    touched = (np.abs(picture.astype(int) - GREY) > 3).any(-1)
    roof = np.zeros(touched.shape, bool)
    roof[28 : 28 + level_size, 28 : 28 + level_size] = True
    return touched[roof].mean(), touched[~roof].mean()


def test_more_breaks_at_higher_levels():
    roofs, grounds = zip(
        *(
            np.mean([changed(drawn(level, seed=seed)) for seed in range(5)], axis=0)
            for level in (DamageLevel.MINOR, DamageLevel.MAJOR, DamageLevel.DESTROYED)
        ),
        strict=True,
    )
    assert 0.03 < roofs[0] < 0.3 < roofs[1] < 0.75 < roofs[2]
    assert grounds[0] < grounds[1] < grounds[2]


def test_an_undamaged_roof_keeps_every_pixel():
    assert np.array_equal(drawn(DamageLevel.NO_DAMAGE), GREY)


def test_broken_roofs_have_colours_as_coarse_and_pale_as_a_satellite_records_them():
    """A detector that learns "coloured grain is damage" finds none in real pictures."""
    for level in (DamageLevel.MINOR, DamageLevel.MAJOR, DamageLevel.DESTROYED):
        roofs = np.stack([drawn(level, seed=n)[28:68, 28:68] for n in range(5)]).astype(float)
        light = roofs.mean(axis=3, keepdims=True)
        grain, tint = (np.abs(np.diff(p, axis=1)).mean() for p in (light, roofs - light))
        assert grain > 0.1 and tint < 0.3 * grain


def test_a_small_destroyed_building_may_vanish():
    """Of some small buildings nothing but ground is left, of others light pieces."""
    roof = np.s_[28:40, 28:40]
    picture = np.full((96, 96, 3), 60, np.uint8)
    picture[roof] = 220
    damage = toy.damage(toy.building(28, 28, DamageLevel.DESTROYED, 12), shape=(96, 96))
    light = [blow(picture, damage, seed)[roof].mean() for seed in range(30)]
    assert min(light) < 95 and max(light) > 130


def test_equal_seeds_equal_sketches():
    first, again, other = (drawn(DamageLevel.MAJOR, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again) and not np.array_equal(first, other)
