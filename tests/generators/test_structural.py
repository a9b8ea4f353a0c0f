"""The wind sketch: on the asked roofs alone, more with each level, and refined, not forgotten."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from afterscene.errors import BadParameter
from afterscene.generators.crops import affected_mask
from afterscene.generators.render import RenderConfig
from afterscene.generators.structural import draw_ground, sketch, touched
from afterscene.geodata.damage import DamageLevel, rasterize
from afterscene.recipes.generator import sketched_of
from tests.generators import toy

GREY = np.full((96, 96, 3), 120, np.uint8)


def drawn(level, hazard="wind", seed=0, size=40):
    house = toy.building(28, 28, level, size)
    damage = replace(toy.damage(house, shape=GREY.shape[:2]), hazard=hazard)
    ground = draw_ground(GREY, damage, seed, within=np.zeros(GREY.shape[:2]))
    return sketch(GREY, ground, damage, seed)


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


def foliage():
    """Dark green with the texture of crowns."""
    light = np.random.default_rng(0).uniform(0.5, 1.5, (24, 24, 1)).repeat(4, 0).repeat(4, 1)
    return (light * (40, 70, 35)).astype(np.uint8)


def test_wind_strips_trees_where_it_may():
    leaves = foliage()
    house = toy.building(28, 28, DamageLevel.NO_DAMAGE, 40)
    damage = replace(toy.damage(house, shape=leaves.shape[:2]), hazard="wind")
    roof = np.s_[30:66, 30:66]
    above = np.zeros(leaves.shape[:2])
    above[:20] = 1
    anew, part = (draw_ground(leaves, damage, 3, within=within) for within in (None, above))
    assert np.array_equal(part[20:], leaves[20:]) and np.array_equal(part[:20], anew[:20])
    assert np.array_equal(anew[roof], leaves[roof])
    bare, green = (p[:20].reshape(-1, 3).mean(0) for p in (anew, leaves))
    assert bare[0] - bare[1] > green[0] - green[1] + 10  # browner
    calm = replace(damage, intensity=np.full(leaves.shape[:2], 10.0, np.float32), unit="m/s")
    assert np.array_equal(draw_ground(leaves, calm, 3), leaves)


def test_wind_leaves_green_water_as_it_is():
    """As dark and green as crowns, but smooth."""
    water = np.full((96, 96, 3), (40, 70, 35), np.uint8)
    water[:, 44:50] = 180  # a jetty
    damage = replace(toy.damage(shape=(96, 96)), hazard="wind")
    assert np.mean(draw_ground(water, damage, 3) == water) > 0.95  # some litter


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
    light = [sketch(picture, picture, damage, seed)[roof].mean() for seed in range(30)]
    assert min(light) < 95 and max(light) > 130


def test_equal_seeds_equal_sketches():
    first, again, other = (drawn(DamageLevel.MAJOR, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_a_fire_is_drawn_on_houses_and_ground():
    house = toy.building(28, 28, DamageLevel.DESTROYED, 40)
    damage = replace(toy.damage(house, shape=GREY.shape[:2]), hazard="wildfire")
    heat = np.zeros(GREY.shape[:2], np.float32)
    heat[:, :60] = 30.0
    damage = replace(damage, intensity=heat, unit="kW/m2")
    whole = draw_ground(GREY, damage, 3)
    burnt = sketch(GREY, whole, damage, 3)
    roof = np.s_[30:66, 30:66]
    assert np.array_equal(whole[roof], GREY[roof])
    assert (np.abs(burnt[roof].astype(int) - GREY[roof]) > 3).any(-1).mean() > 0.9
    far = np.s_[:, :8]  # beyond the reach of scorched surroundings
    assert np.array_equal(whole[far], burnt[far]) and (whole[far] != GREY[far]).any()
    assert np.array_equal(burnt[:, 90:], GREY[:, 90:])


def test_a_generator_that_saw_no_fire_sketches_it():
    tiles = [training_tile("wind", [2] * 30), training_tile("wildfire", [1] * 30 + [4] * 5)]
    assert set(sketched_of(tiles)) == {"wind", "tornado", "wildfire", "earthquake"}
    tiles.append(training_tile("wildfire", [4] * 20))
    assert set(sketched_of(tiles)) == {"wind", "tornado", "earthquake"}


def training_tile(hazard, levels):
    return SimpleNamespace(hazard=hazard, centre_levels=np.array(levels))


@pytest.mark.parametrize("hazard", ["flood", "volcano", "tsunami"])
def test_other_hazards_have_no_sketch(hazard):
    assert drawn(DamageLevel.DESTROYED, hazard) is None


def test_what_the_sketch_shows_is_in_the_render():
    """Early entry keeps the sketch, late entry forgets it; outside the mask nothing changes."""
    pre = toy.scene(96, 96)
    damage = toy.damage(toy.building(28, 28, DamageLevel.MAJOR, 40), shape=(96, 96))
    first = sketch(pre.rgb(), pre.rgb(), damage, 3).astype(float)
    errors = []
    for entry in (0.02, 0.9):
        post = toy.generator(entry=entry).render(pre, damage, seed=3).rgb()
        errors.append(np.abs(post - first)[28:68, 28:68].mean())
        assert np.array_equal(post[:8], pre.rgb()[:8])
    assert errors[0] < errors[1]


@pytest.mark.parametrize("entry", [0.0, 1.0])
def test_an_entry_outside_the_bridge_is_refused(entry):
    with pytest.raises(BadParameter, match="entry must lie between"):
        RenderConfig(entry=entry)


def test_the_bridge_touches_no_more_of_a_roof_than_the_sketch():
    """Grain on a whole roof would tell a detector that it is damaged."""
    pre = toy.scene(96, 96)
    damage = toy.damage(toy.building(28, 28, DamageLevel.MINOR, 40), shape=(96, 96))
    generator = toy.generator()
    may = affected_mask(
        rasterize(damage.buildings, pre.shape), generator.config.radius, generator.config.feather
    )
    ground = draw_ground(pre.rgb(), damage, 3, within=may)
    first = sketch(pre.rgb(), ground, damage, 3)
    near = touched(first, ground) > 0
    changed = (generator.render(pre, damage, seed=3).rgb() != ground).any(-1)
    assert changed.any() and not changed[~near].any()
    assert not near[28:68, 28:68].all()
