"""A sketch by hand: closed strokes are roofs, others roads, scribbles trees, blue is water."""

import cv2
import numpy as np
import pytest
from PIL import Image

from afterscene.errors import BadParameter
from afterscene.geodata.drawn.layout import draw_layout
from afterscene.geodata.drawn.sketched import read_sketched_place

INK, GREEN, BLUE = (20, 20, 20), (30, 150, 50), (30, 90, 220)
SIDE = 200


def page(path, *strokes):
    """Strokes (colour, width, points) with smoothed edges on white."""
    canvas = np.full((SIDE, SIDE, 3), 255, np.uint8)
    for colour, width, points in strokes:
        cv2.polylines(canvas, [np.array(points, np.int32)], False, colour, width, cv2.LINE_AA)
    Image.fromarray(canvas).save(path)
    return read_sketched_place(path, 0.5)


ROOF = ((40, 40), (71, 42), (69, 66), (41, 64), (42, 42))
ROAD = ((0, 120), (100, 124), (199, 120))


def test_a_wobbly_open_rectangle_is_a_roof_and_a_line_a_road(tmp_path):
    place = page(tmp_path / "s.png", (INK, 2, ROOF), (INK, 4, ROAD))
    (roof,) = place.buildings
    left, top, right, bottom = roof.polygon.bounds
    assert np.allclose((left, top, right, bottom), (40, 40, 70, 66), atol=4)
    rows = np.nonzero(place.roads[:, 100])[0]
    assert 115 < rows.min() < 124 < rows.max() < 133 and 10 <= len(rows) <= 15
    assert not place.roads[:80].any() and not place.water.any() and not place.woods.any()


def test_a_block_of_streets_is_no_roof_and_a_solid_blot_is(tmp_path):
    block = ((20, 20), (180, 20), (180, 180), (20, 180), (20, 20))
    blot = [(90, y) for y in range(80, 110)]
    place = page(tmp_path / "s.png", (INK, 3, block), (INK, 26, blot))
    (roof,) = place.buildings
    assert roof.polygon.bounds[0] > 70 and roof.polygon.bounds[2] < 112
    assert place.roads[100, 15:26].any() and not place.roads[100, 60:].all()


def test_scribbles_are_trees_and_a_closed_blue_line_is_a_lake(tmp_path):
    zigzag = [(20 + 6 * k, 20 if k % 2 else 40) for k in range(6)]
    lake = [(150 + 30 * np.cos(a), 150 + 20 * np.sin(a)) for a in np.linspace(0, 6.28, 40)]
    place = page(tmp_path / "s.png", (GREEN, 4, zigzag), (BLUE, 3, lake), (INK, 2, ROOF))
    assert place.water[150, 150] and not place.water[100, 100]
    assert place.woods[30, 35] and not place.woods[80:].any()
    assert len(place.buildings) == 1


def test_the_plan_is_painted_where_it_is_sketched(tmp_path):
    stream = ((0, 180), (199, 180))
    place = page(tmp_path / "s.png", (INK, 2, ROOF), (INK, 4, ROAD), (BLUE, 10, stream))
    plan = draw_layout(place.buildings, place.shape, 3, sketch=place).astype(float)
    bare = draw_layout((), place.shape, 3).astype(float)
    changed = np.abs(plan - bare).mean(axis=2)
    assert changed[place.water].mean() > 3 * changed[90:110].mean()
    green = plan[..., 1] - plan[..., [0, 2]].max(axis=2)
    assert green[place.roads].mean() < 3


def test_a_page_of_ink_and_a_photograph(tmp_path):
    Image.new("RGB", (64, 64), INK).save(tmp_path / "ink.png")
    assert read_sketched_place(tmp_path / "ink.png", 0.5).buildings == ()
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    with pytest.raises(BadParameter, match="colour of no meaning"):
        read_sketched_place(tmp_path / "noise.png", 0.5)


def test_a_red_stroke_is_refused(tmp_path):
    with pytest.raises(BadParameter, match=r"#ff0000 at column .*roofs and roads #"):
        page(tmp_path / "s.png", ((255, 0, 0), 9, ROAD))


@pytest.mark.parametrize("colour", [(220, 30, 30), (170, 170, 170)])
def test_a_thin_stroke_of_another_colour_is_refused_with_its_place(tmp_path, colour):
    stroke = ((20, 150), (180, 150))
    with pytest.raises(BadParameter, match=rf"#{bytes(colour).hex()} at column \d+, row 1[45]"):
        page(tmp_path / "s.png", (INK, 2, ROOF), (colour, 3, stroke))
