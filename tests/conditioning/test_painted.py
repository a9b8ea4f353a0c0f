"""A painted map gives buildings the level of the colour they stand in; odd colours are refused."""

import cv2
import numpy as np
import pytest
from PIL import Image

from afterscene import samples
from afterscene.conditioning.painted import PALETTE, read_sketch
from afterscene.conditioning.words import resolve
from afterscene.errors import BadImage, BadParameter, MissingFile
from afterscene.geodata.scene import Scene, read_scene, write_scene
from afterscene.hazards.ground import Ground

COLOUR = dict(PALETTE)


@pytest.fixture(scope="module")
def town():
    return samples.read_sample("suburb")


def painted(path, shape, *boxes, noise=0):
    """Boxes (colour, left, top, right, bottom) in shares of the sides, with blurred edges."""
    height, width = shape
    canvas = np.full((height, width, 3), 255, np.uint8)
    for name, left, top, right, bottom in boxes:
        colour = COLOUR.get(name, name)
        corners = (int(left * width), int(top * height)), (int(right * width), int(bottom * height))
        cv2.rectangle(canvas, *corners, colour, -1)
    canvas = cv2.GaussianBlur(canvas, (0, 0), 0.7)
    rng = np.random.default_rng(0)
    canvas = np.clip(canvas + rng.normal(0, noise, canvas.shape), 0, 255).astype(np.uint8)
    Image.fromarray(canvas).save(path)
    return path


def levels(town, path, hazard="tornado"):
    saying, given = read_sketch(path, hazard, town[0].shape)
    return resolve(saying, hazard, *town, 3, given=given)


def columns(town):
    return np.array([b.polygon.centroid.x for b in town[1]]) / town[0].shape[1]


def test_levels_are_those_of_the_colours(town, tmp_path):
    shape = town[0].shape
    boxes = (("destroyed", 0, 0, 0.3, 1), ("minor-damage", 0.3, 0, 0.6, 1))
    damage = levels(town, painted(tmp_path / "s.png", shape, *boxes, noise=6))
    at = columns(town)
    found = np.array([int(b.level) for b in damage.buildings])
    sure = np.abs(at[:, None] - [0.3, 0.6]).min(axis=1) > 0.04
    wanted = np.where(at < 0.3, 4, np.where(at < 0.6, 2, 1))
    assert (found[sure] == wanted[sure]).all() and set(found) == {1, 2, 4}


def test_a_smaller_painting_is_scaled_and_transparent_is_blank(town, tmp_path):
    path = painted(tmp_path / "s.png", town[0].shape, ("destroyed", 0, 0, 0.5, 1))
    small = cv2.resize(np.array(Image.open(path)), None, fx=0.5, fy=0.5)
    clear = np.dstack([small, np.where(small.min(axis=2) > 250, 0, 255)]).astype(np.uint8)
    Image.fromarray(clear).save(tmp_path / "t.png")
    one, two = levels(town, path), levels(town, tmp_path / "t.png")
    same = np.mean([a.level == b.level for a, b in zip(one.buildings, two.buildings, strict=True)])
    assert same > 0.95


def test_painted_water_damages_houses_and_covers_the_ground(town, tmp_path):
    path = painted(tmp_path / "s.png", town[0].shape, ("water", 0, 0, 1, 0.4))
    damage = levels(town, path, "flood")
    rows = np.array([b.polygon.centroid.y for b in town[1]]) / town[0].shape[0]
    found = np.array([int(b.level) for b in damage.buildings])
    assert (found[rows < 0.35] > 1).all() and (found[rows > 0.45] == 1).all()
    wet = damage.intensity > 0
    third = town[0].shape[0] // 3
    free = Ground(*town).cover() == 0
    assert wet[:third][free[:third]].mean() > 0.95
    assert wet[2 * third :].mean() < 0.05


@pytest.mark.parametrize(
    ("boxes", "words"),
    [
        ((), "nothing is painted"),
        (
            (((0, 255, 0), 0.2, 0.2, 0.6, 0.5),),
            "1[12].*#00ff00 at column .*no-damage #3b82",
        ),
    ],
)
def test_what_cannot_be_read_is_said(town, tmp_path, boxes, words):
    path = painted(tmp_path / "s.png", town[0].shape, *boxes)
    with pytest.raises(BadParameter, match=words):
        levels(town, path)


def test_another_ratio_of_sides_and_no_image(town, tmp_path):
    path = painted(tmp_path / "s.png", (100, 300), ("destroyed", 0, 0, 0.5, 1))
    with pytest.raises(BadParameter, match="300x100 pixels, the picture"):
        levels(town, path)
    with pytest.raises(MissingFile):
        levels(town, tmp_path / "none.png")
    (tmp_path / "text.png").write_text("no image")
    with pytest.raises(BadImage):
        levels(town, tmp_path / "text.png")


def test_sixteen_bits_a_colour_are_the_same_colours(town, tmp_path):
    path = painted(tmp_path / "s.png", town[0].shape, ("destroyed", 0, 0, 1, 0.4))
    pixels = read_scene(path).pixels.astype(np.uint16) * 257
    write_scene(Scene(pixels=pixels, valid=np.ones(pixels.shape[1:], bool)), tmp_path / "s.tif")
    one, two = levels(town, path), levels(town, tmp_path / "s.tif")
    assert [b.level for b in one.buildings] == [b.level for b in two.buildings]
