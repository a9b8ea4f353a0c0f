"""Padding is found where it is, and dark ground is not taken for it."""

import numpy as np
import pytest

import toys
from afterscene.gbd import Item, Rendering, Source
from afterscene.gbd.pair import make_post
from afterscene.gbd.sources import read_source
from afterscene.geodata.border import black_border
from afterscene.geodata.scene import read_scene, write_scene


def ground(side=96):
    rng = np.random.default_rng(0)
    return rng.integers(60, 120, (side, side, 3)).astype(np.uint8)


def test_a_padded_corner_is_found_with_its_jpeg_fringe(tmp_path):
    picture = ground()
    slant = np.add.outer(np.arange(96), np.arange(96)) < 50
    picture[slant] = 0
    pixels = np.ascontiguousarray(picture.transpose(2, 0, 1))
    scene = read_scene(toys.write_pre(tmp_path, "a_00000001")).replace(
        pixels=pixels, valid=np.ones((96, 96), bool)
    )
    write_scene(scene, tmp_path / "x.jpg")
    found = black_border(read_scene(tmp_path / "x.jpg").rgb())
    assert found[slant].mean() > 0.99
    far = np.add.outer(np.arange(96), np.arange(96)) > 56
    assert not found[far].any()


@pytest.mark.parametrize("place", [np.s_[30:60, 30:60], np.s_[:3, :3]])
def test_a_black_roof_inside_and_a_speck_at_the_edge_are_no_padding(place):
    picture = ground()
    picture[place] = 0
    assert not black_border(picture).any()


def test_dark_water_at_the_edge_has_grain_and_stays():
    picture = ground()
    picture[:, :40] = np.random.default_rng(1).integers(2, 9, (96, 40, 3))
    assert not black_border(picture).any()


class Floods(toys.ToyGenerator):
    """Paints all that is valid."""

    def render(self, pre, damage, **_):
        return pre.replace(pixels=np.where(pre.valid, np.uint8(200), pre.pixels))


def test_nothing_is_drawn_on_padding_and_the_picture_keeps_three_bands(tmp_path):
    image = toys.write_pre(tmp_path, "toy-town_00000001")
    scene = read_scene(image)
    pixels = scene.pixels.copy()
    pixels[:, :, :5] = 0
    write_scene(scene.replace(pixels=pixels), image)
    label = tmp_path / "labels" / f"{image.stem}.json"
    source = Source(id="toy-town_00000001", event="toy-town", pre=image, label=label)
    item = Item(name="a", source=source, draw=0, hazard="flood", severity=1.0, seed=1)
    post = make_post(item, *read_source(source), Rendering(), Floods())
    assert (post.scene.pixels[:, :, :5] == 0).all() and (post.scene.pixels[:, :, 9:] == 200).all()
    assert post.scene.valid.all()
