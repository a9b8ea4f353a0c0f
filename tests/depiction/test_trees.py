"""Gusts take the leaves of woods: lighter, browner, another pattern; water and lawns stay."""

import numpy as np
from tests.depiction import landscape
from tests.depiction.landscape import LAKE, WOOD, within

from afterscene.depiction import strip
from afterscene.depiction.evidence import Evidence

GRASS = (slice(130, 145), slice(205, 250))


def stripped(gust=70.0, seed=1, **parameters):
    return strip(landscape.picture(), landscape.damage(gust, "m/s", **parameters), seed)


def tone(picture, where):
    return picture[where].reshape(-1, 3).mean(axis=0)


def test_woods_without_leaves_are_lighter_and_less_green_as_measured():
    before, afters = landscape.picture(), [stripped(seed=seed) for seed in range(6)]
    growth = [tone(after, within(WOOD)) / tone(before, within(WOOD)) for after in afters]
    red, green, blue = np.mean(growth, axis=0)
    assert 1.2 < red < 1.65 and 1.05 < green < 1.4 and 1.05 < blue < 1.45
    assert all(one[0] > one[1] for one in growth)


def test_the_pattern_of_a_stripped_wood_is_new_and_as_rough():
    before, after = (p[within(WOOD)].mean(axis=2) for p in (landscape.picture(), stripped()))
    assert np.corrcoef(before.ravel(), after.ravel())[0, 1] < 0.65
    assert 0.6 < after.std() / before.std() < 1.7


def test_gusts_below_the_first_leaf_change_nothing_and_more_wind_changes_more():
    before = landscape.picture().astype(float)
    change = [np.abs(stripped(gust) - before)[within(WOOD)].mean() for gust in (20, 40, 70)]
    assert change[0] == 0 and change[0] < change[1] < change[2]


def test_water_stays_to_the_bit_and_lawns_and_roofs_stay_what_they_are():
    before, after = landscape.picture(), stripped()
    assert np.array_equal(after[within(LAKE)], before[within(LAKE)])
    assert np.abs(tone(after, GRASS) - tone(before, GRASS)).max() < 3
    assert np.array_equal(after[44:60, 144:166], before[44:60, 144:166])


def test_what_shows_lies_along_the_track():
    """Brightness varies less along the wind than across it: compass bearing 0 is up."""

    def ratio(bearing):
        woods = stripped(track_bearing=bearing)[within(WOOD)].mean(axis=2)
        down, across = (np.abs(np.diff(woods, axis=axis)).mean() for axis in (0, 1))
        return down / across

    assert ratio(0.0) < 0.99 < 1.01 < ratio(90.0)


def test_the_landscape_has_the_woods_that_are_stripped():
    seen = Evidence.of(landscape.picture(), landscape.damage(70.0, "m/s"))
    assert seen.canopy[within(WOOD)].mean() > 0.6 and seen.canopy[GRASS].mean() < 0.1


def test_green_water_with_a_jetty_is_no_wood():
    picture = landscape.picture()
    picture[LAKE] = (picture[LAKE].astype(int) * (1.0, 1.3, 0.7)).astype(np.uint8)
    picture[150:250, 60:66] = 180
    after = strip(picture, landscape.damage(70.0, "m/s"), 1)
    assert (after == picture)[within(LAKE)].mean() > 0.97
