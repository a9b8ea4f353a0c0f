"""Drawn towns: what they promise to tests and to the demo."""

import time

import cv2
import numpy as np
import pytest
import shapely
from shapely.geometry import Polygon

from afterscene.errors import BadParameter
from afterscene.geodata.damage import rasterize
from afterscene.geodata.drawn import draw_town
from afterscene.geodata.drawn.canvas import METRE, plane_light, shadows, sun_vector
from afterscene.geodata.drawn.houses import Wing, footprint
from afterscene.geodata.drawn.palette import choose_palette

SEEDS = range(6)


@pytest.fixture(scope="module")
def towns():
    return {seed: draw_town(seed, 256) for seed in SEEDS}


def test_the_same_seed_draws_the_same_town():
    (scene, houses), (again, same) = draw_town(5, 192), draw_town(5, 192)
    np.testing.assert_array_equal(scene.pixels, again.pixels)
    assert [b.polygon.wkt for b in houses] == [b.polygon.wkt for b in same]


def test_seeds_differ_in_picture_and_plan(towns):
    means = np.array([scene.pixels.mean(axis=(1, 2)) for scene, _ in towns.values()])
    assert np.ptp(means, axis=0).min() > 5
    assert len({len(houses) for _, houses in towns.values()}) >= 3


def test_scene_and_buildings_keep_their_contract(towns):
    for seed, (scene, houses) in towns.items():
        assert scene.pixels.shape == (3, 256, 256) and scene.pixels.dtype == np.uint8
        assert scene.valid.all() and scene.source == f"drawn:{seed}"
        assert len({b.uid for b in houses}) == len(houses) >= 4
        for b in houses:
            assert b.level is None and isinstance(b.polygon, Polygon) and b.polygon.is_valid
            left, top, right, bottom = b.polygon.bounds
            assert left >= 0 and top >= 0 and right <= 255 and bottom <= 255
            assert b.polygon.area >= 12


def test_houses_do_not_overlap(towns):
    for _, houses in towns.values():
        tree = shapely.STRtree([b.polygon for b in houses])
        for i, b in enumerate(houses):
            for j in tree.query(b.polygon):
                assert j <= i or b.polygon.intersection(houses[j].polygon).area < 1.0


def test_roofs_are_where_the_footprints_say(towns):
    """The picture has its edges on the outlines, and none if the outlines are shifted away."""
    on, off = [], []
    for scene, houses in towns.values():
        grey = scene.rgb().astype(np.float32).mean(axis=2)
        edge = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
        for b in houses:
            if b.polygon.area < 250:
                continue
            ring = shapely.get_coordinates(b.polygon.exterior.segmentize(2.0))
            for shift, out in (((0, 0), on), ((-5, -5), off), ((5, 5), off)):
                cols, rows = np.rint(ring + shift).astype(int).clip(0, 255).T
                out.append(edge[rows, cols].mean())
    assert np.mean(on) > 1.5 * np.mean(off)


def test_footprints_vary_in_shape(towns):
    houses = [b for _, found in towns.values() for b in found]
    corners = [len(b.polygon.exterior.coords) - 1 for b in houses]
    assert corners.count(4) > 10 and sum(n >= 6 for n in corners) > 10


@pytest.mark.parametrize("size", [16, 17, 100, 300])
def test_other_sizes(size):
    scene, houses = draw_town(1, size)
    assert scene.shape == (size, size)
    assert rasterize(houses, scene.shape).max() <= 1


def test_a_town_takes_about_a_second():
    begin = time.process_time()
    draw_town(2)
    assert time.process_time() - begin < 3.0


def test_bad_size_and_seed_are_refused():
    with pytest.raises(BadParameter, match="size 4"):
        draw_town(0, 4)
    with pytest.raises(BadParameter, match="seed -1"):
        draw_town(-1)


# light ----------------------------------------------------------------------------------------


def test_planes_towards_the_sun_are_brighter():
    palette = choose_palette(np.random.default_rng(0))
    sun = sun_vector(palette)
    towards = 0.4 * sun[:2] / np.hypot(*sun[:2])
    assert plane_light(towards, palette) > plane_light(np.zeros(2), palette) == pytest.approx(1.0)
    assert plane_light(-towards, palette) < 1.0


def test_a_shadow_falls_away_from_the_sun_as_long_as_the_height_says():
    palette = choose_palette(np.random.default_rng(1))
    height = np.zeros((200, 200), np.float32)
    height[98:103, 98:103] = 5.0
    rows, cols = np.nonzero(shadows(height, palette))
    away = -sun_vector(palette)[:2] / np.hypot(*sun_vector(palette)[:2])
    along = (cols - 100) * away[0] + (rows - 100) * away[1]
    length = 5.0 / np.tan(np.deg2rad(palette.sun_elevation)) * METRE
    assert along.min() > -4 and abs(along.max() - length) < 6


def test_an_l_shaped_footprint_is_the_union_of_its_wings():
    main = Wing(centre=(50, 50), length=40, width=20, angle=0.0, roof="gable")
    side = Wing(centre=(40, 62), length=24, width=12, angle=np.pi / 2, roof="gable")
    outline = footprint([main, side])
    assert outline.area == pytest.approx(40 * 20 + 12 * (74 - 60))
    away = Wing(centre=(150, 50), length=9, width=9, angle=0.0, roof="flat")
    assert footprint([main, away]) is None
