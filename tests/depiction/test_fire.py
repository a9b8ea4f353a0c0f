"""Fire burns houses, leaves ash on their lots and dark grass; trees, water and the rest stay."""

import numpy as np
from tests.depiction import landscape
from tests.depiction.landscape import LAKE, WOOD, within
from tests.generators import toy

from afterscene.depiction import burn, scorch
from afterscene.geodata.damage import DamageLevel

GREY = np.full((96, 96, 3), 120, np.uint8)
GRASS = (slice(60, 140), slice(215, 250))


def scorched(heat=30.0, level=DamageLevel.NO_DAMAGE, picture=None):
    before = landscape.picture() if picture is None else picture
    return before, scorch(before, landscape.damage(heat, "kW/m2", level), 3)


def test_a_burnt_house_has_no_roof_left():
    house = toy.building(28, 28, DamageLevel.DESTROYED, 40)
    damage, roof = toy.damage(house, shape=GREY.shape[:2]), np.s_[30:66, 30:66]
    whole = scorch(GREY, damage, 3)
    assert np.array_equal(whole[roof], GREY[roof])
    burnt = burn(whole, damage, 3)
    assert (np.abs(burnt[roof].astype(int) - GREY[roof]) > 3).any(-1).mean() > 0.9


def test_nothing_burns_where_no_heat_was_and_no_house_was_lost():
    before, after = scorched(heat=0.0)
    assert np.array_equal(before, after)


def test_the_lot_of_a_lost_house_is_pale_ash_and_pales_off_with_distance():
    before, after = scorched(heat=0.0, level=DamageLevel.DESTROYED)
    near, mid, far = np.s_[42:62, 172:175], np.s_[42:62, 180:185], np.s_[60:140, 235:250]
    change = [(after[w].astype(float) - before[w]).mean(axis=(0, 1)) for w in (near, mid, far)]
    assert change[0][0] > change[1][0] > 2 and np.abs(change[2]).max() < 1
    assert change[0][0] > change[0][1]  # less green


def test_grass_darkens_with_heat_and_woods_and_water_stay():
    before, after = scorched()
    assert after[GRASS].mean() < 0.95 * before[GRASS].mean()
    assert np.abs(after[within(WOOD)].astype(int) - before[within(WOOD)]).mean() < 3
    assert np.array_equal(after[within(LAKE)], before[within(LAKE)])


def test_a_pool_beside_a_lost_house_is_turquoise_no_more():
    picture = landscape.picture()
    pool = np.s_[44:56, 176:186]
    picture[pool] = (115, 175, 175)
    _, after = scorched(0.0, DamageLevel.DESTROYED, picture)
    red, green, blue = after[pool].reshape(-1, 3).mean(axis=0)
    assert green > blue and red < 125
    _, kept = scorched(0.0, DamageLevel.NO_DAMAGE, picture)
    assert np.array_equal(kept, picture)
