"""Water, crowns and shadows are found where a made landscape has them."""

import cv2
import numpy as np
import pytest
from tests.depiction import landscape

from afterscene.depiction.evidence import Evidence


def seen(picture: np.ndarray, gsd: float = 0.5) -> Evidence:
    return Evidence.of(picture, landscape.damage(0, "m", gsd=gsd))


@pytest.mark.parametrize("grain", [0.003, 0.008, 0.016])
def test_a_lake_is_water_and_nothing_else_is(grain):
    found, lake = seen(landscape.picture(grain=grain)).water, np.zeros((256, 256), bool)
    lake[landscape.LAKE] = True
    assert (found & lake).sum() / (found | lake).sum() > 0.9


def test_a_wood_is_canopy_and_grass_roads_and_roofs_are_not():
    canopy = seen(landscape.picture()).canopy
    assert canopy[landscape.within(landscape.WOOD)].mean() > 0.8
    assert canopy[10:120, 200:].mean() < 0.05 and canopy[:, 192:200].max() < 0.1
    assert canopy[40:64, 140:170].max() == 0


def test_sizes_are_metres_so_half_the_resolution_shows_the_same():
    half = cv2.resize(landscape.picture(), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    roofs = np.zeros(half.shape[:2], bool)
    coarse = Evidence(picture=half.astype(np.float32) / 255, roofs=roofs, gsd=1.0)
    assert coarse.water[80:120, 10:55].mean() > 0.9 and coarse.water[:60].mean() < 0.02
    assert coarse.canopy[5:55, 5:55].mean() > 0.7


def test_a_picture_without_grain_shows_no_water():
    flat = np.full((128, 128, 3), 90, np.uint8)
    assert not Evidence(
        picture=flat.astype(np.float32) / 255, roofs=np.zeros((128, 128), bool)
    ).water.any()


@pytest.mark.parametrize("towards", [(1, 0), (0, -1), (-1, 0)])
def test_shadows_say_where_the_sun_stands(towards):
    picture = landscape.picture()
    for row in (40, 160):
        x, y = 140 + 6 * towards[0], row + 6 * towards[1]
        beside = np.zeros((256, 256), bool)
        beside[y : y + 24, x : x + 30] = True
        beside[row : row + 24, 140:170] = False
        picture[beside] //= 3
    assert np.dot(seen(picture).sun, towards) > 0.9
