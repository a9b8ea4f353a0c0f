"""A painted aftermath: what it promises to tests and lessons."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from afterscene import samples
from afterscene.depiction import Depiction, draw_aftermath
from afterscene.errors import BadParameter
from afterscene.geodata.damage import DamageLevel, DamageMap, instances
from afterscene.geodata.tiles import Window
from afterscene.hazards import HAZARDS, depiction_of


@pytest.fixture(scope="module")
def towns():
    names = ("suburb", "coast", "forest-edge", "industry")
    return {number: samples.read_sample(name) for number, name in enumerate(names)}


def aftermath(scene, damage, seed):
    return draw_aftermath(scene, damage, depiction_of(damage.hazard), seed)


def damage_map(scene, buildings, hazard, level, intensity):
    return DamageMap(
        buildings=tuple(type(b)(polygon=b.polygon, level=level, uid=b.uid) for b in buildings),
        intensity=np.full(scene.shape, intensity, np.float32),
        unit=HAZARDS[hazard].unit,
        hazard=hazard,
        parameters={},
    )


@pytest.mark.parametrize("hazard", HAZARDS)
def test_nothing_happened_changes_nothing(hazard, towns):
    scene, houses = towns[1]
    post = aftermath(scene, damage_map(scene, houses, hazard, DamageLevel.NO_DAMAGE, 0.0), 1)
    np.testing.assert_array_equal(post.pixels, scene.pixels)


@pytest.mark.parametrize("hazard", HAZARDS)
def test_heavier_damage_changes_the_buildings_more(hazard, towns):
    scene, houses = towns[0]
    inside = instances(houses, scene.shape) > 0
    changes = []
    for level, strength in ((1, 0.0), (2, 0.3), (3, 0.6), (4, 1.0)):
        most = {"wind": 70, "tornado": 80, "wildfire": 40, "volcano": 8, "flood": 9}
        field = strength * most.get(hazard, 3)
        struck = damage_map(scene, houses, hazard, DamageLevel(level), field)
        post = aftermath(scene, struck, 1)
        change = np.abs(post.pixels.astype(int) - scene.pixels).mean(axis=0)
        changes.append(change[inside].mean())
    assert changes[0] == 0 and changes[3] > changes[1] and changes[3] > 8


def test_one_destroyed_house_leaves_the_rest_of_town_alone(towns):
    scene, houses = towns[2]
    levels = [DamageLevel.NO_DAMAGE] * len(houses)
    victim = max(range(len(houses)), key=lambda i: houses[i].polygon.area)
    levels[victim] = DamageLevel.DESTROYED
    struck = DamageMap(
        buildings=tuple(
            type(b)(polygon=b.polygon, level=k, uid=b.uid)
            for b, k in zip(houses, levels, strict=True)
        ),
        intensity=np.zeros(scene.shape, np.float32),
        unit="g",
        hazard="earthquake",
        parameters={},
    )
    changed = (aftermath(scene, struck, 3).pixels != scene.pixels).any(axis=0)
    footprint_mask = instances([houses[victim]], scene.shape) > 0
    reach = cv2.dilate(footprint_mask.astype(np.uint8), np.ones((81, 81), np.uint8)) > 0
    assert changed[footprint_mask].mean() > 0.8 and not changed[~reach].any()


def test_aftermath_is_seeded_and_labelled_as_drawn(towns):
    scene, houses = towns[3]
    struck = damage_map(scene, houses, "wind", DamageLevel.MAJOR, 60.0)
    one, two, other = (aftermath(scene, struck, s) for s in (1, 1, 2))
    np.testing.assert_array_equal(one.pixels, two.pixels)
    assert (one.pixels != other.pixels).any()
    assert one.source == f"{scene.source} | drawn aftermath: wind, seed 1"


def test_deep_water_is_brown_with_mud_and_green_without_and_ends_where_it_ends(towns):
    scene, houses = towns[0]
    colours = []
    for turbidity in (0.0, 1.0):
        struck = damage_map(scene, houses, "flood", DamageLevel.NO_DAMAGE, 0.0)
        struck.intensity[:, 256:] = 3.0
        struck = replace(struck, parameters={"turbidity": turbidity})
        post = aftermath(scene, struck, 1).pixels
        np.testing.assert_array_equal(post[:, :, :256], scene.pixels[:, :, :256])
        open_water = (instances(houses, scene.shape) == 0) & (struck.intensity > 0)
        colours.append([band[open_water].mean() for band in post])
    (red, green, _), (mud_red, mud_green, mud_blue) = colours
    assert green > red and mud_red > mud_green > mud_blue


def test_a_map_of_another_size_is_refused(towns):
    _, houses = towns[0]
    corner = towns[0][0].crop(Window(0, 0, 64, 64))
    small = damage_map(corner, houses, "wind", DamageLevel.MINOR, 1.0)
    with pytest.raises(BadParameter, match=r"\(64, 64\)"):
        aftermath(towns[0][0], small, 0)


def test_a_hazard_that_paints_nothing_itself_still_shows_what_it_destroyed(towns):
    scene, houses = towns[0]
    struck = damage_map(scene, houses, "volcano", DamageLevel.DESTROYED, 0.0)
    post = draw_aftermath(scene, struck, Depiction(), 0)
    inside = instances(houses, scene.shape) > 0
    changed = (post.pixels != scene.pixels).any(axis=0)
    assert changed[inside].mean() > 0.8


def test_a_house_below_the_levels_that_are_drawn_stays_as_it_was(towns):
    scene, houses = towns[0]
    struck = damage_map(scene, houses, "volcano", DamageLevel.MAJOR, 0.0)
    drowned = Depiction(learned_from=DamageLevel.DESTROYED)
    np.testing.assert_array_equal(draw_aftermath(scene, struck, drowned, 0).pixels, scene.pixels)
