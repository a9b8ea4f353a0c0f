"""Coarse pictures: detail goes, colours and outlines stay; footprints alone give one, too."""

import numpy as np
import pytest
from shapely.geometry import box

from afterscene.errors import BadParameter
from afterscene.geodata.damage import Building, instances
from afterscene.geodata.drawn.layout import SQUARE, coarse, draw_layout

HOUSES = [
    Building(polygon=box(10, 12, 40, 30), level=None, uid="a"),
    Building(polygon=box(60, 50, 90, 91), level=None, uid="b"),
]


@pytest.fixture
def picture():
    return np.random.default_rng(0).integers(40, 200, (96, 128, 3), np.uint8)


def test_each_roof_is_flat_in_its_mean_colour_and_ground_has_no_detail(picture):
    flat = coarse(picture, HOUSES)
    index = instances(HOUSES, picture.shape[:2])
    for number in (1, 2):
        (colour,) = np.unique(flat[index == number], axis=0)
        assert np.abs(colour - picture[index == number].mean(axis=0)).max() <= 0.5
    ground = index == 0
    assert flat[ground].std() < 0.4 * picture[ground].std()
    assert np.abs(flat[ground].mean(axis=0) - picture[ground].mean(axis=0)).max() < 2


def test_what_was_a_roof_does_not_colour_the_ground(picture):
    red = picture.copy()
    red[instances(HOUSES, picture.shape[:2]) > 0] = (255, 0, 0)
    ground = instances(HOUSES, picture.shape[:2]) == 0
    assert (
        np.abs(coarse(red, HOUSES)[ground].astype(int) - coarse(picture, HOUSES)[ground]).max() < 3
    )


def test_a_step_of_the_ground_stays_where_it_is(picture):
    picture[:, :64], picture[:, 64:] = 40, 200
    flat = coarse(picture, [])
    assert (flat[:, : 64 - SQUARE] == 40).all() and (flat[:, 64 + SQUARE :] == 200).all()


def test_a_layout_is_a_function_of_its_seed_and_colours_each_roof_once():
    one, again, other = (draw_layout(HOUSES, (96, 128), seed) for seed in (1, 1, 2))
    assert one.shape == (96, 128, 3) and np.array_equal(one, again)
    assert not np.array_equal(one, other)
    assert len(np.unique(one[instances(HOUSES, (96, 128)) == 2], axis=0)) == 1
    assert draw_layout([], (16, 20), 0).shape == (16, 20, 3)
    with pytest.raises(BadParameter, match="16 to 4096"):
        draw_layout([], (8, 64), 0)
