"""From a hazard's depiction to the picture: what is painted, what the network is left and told."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from afterscene.depiction import Depiction, blow, strip
from afterscene.errors import BadParameter
from afterscene.generators import frame as frames
from afterscene.generators.crops import affected_mask
from afterscene.generators.frame import depict, prepare_frame, touched
from afterscene.generators.render import RenderConfig
from afterscene.geodata.damage import DamageLevel, rasterize
from afterscene.geodata.scene import Scene
from afterscene.hazards import HAZARDS
from afterscene.recipes.export import learned_of
from tests.generators import toy


def prepared(pre, damage, mode="edit", seed=3, **config):
    return prepare_frame(pre, damage, mode=mode, seed=seed, config=toy.generator(**config).config)


def test_a_generator_that_saw_no_fire_sketches_it():
    tiles = [training_tile("wind", [2] * 30), training_tile("wildfire", [1] * 30 + [4] * 5)]
    assert begun(learned_of(tiles)) == set(HAZARDS) - {"flood"}
    tiles.append(training_tile("wildfire", [4] * 20))
    assert begun(learned_of(tiles)) == set(HAZARDS) - {"flood", "wildfire"}
    assert begun((), sketch=False) == set()


def training_tile(hazard, levels):
    return SimpleNamespace(hazard=hazard, places=SimpleNamespace(levels=np.array(levels)))


def begun(learned, **more):
    config = RenderConfig(learned=learned, **more)
    return {n for n, kind in HAZARDS.items() if config.begins_with_sketch(n, kind.depiction)}


def test_edit_changes_the_ground_no_farther_than_it_may():
    light = np.random.default_rng(0).uniform(0.5, 1.5, (24, 24, 1)).repeat(4, 0).repeat(4, 1)
    pre = Scene.of_rgb((light * (40, 70, 35)).astype(np.uint8), "leaves")
    damage = toy.damage(toy.building(28, 28, DamageLevel.NO_DAMAGE, 40), shape=pre.shape)
    above = np.zeros(pre.shape, np.float32)
    above[:20] = 1
    anew = strip(pre.rgb(), damage, 3)
    part = depict(replace(prepared(pre, damage), area=above)).start
    assert np.array_equal(part[20:], pre.rgb()[20:]) and np.array_equal(part[:20], anew[:20])
    whole = depict(prepared(pre, damage, mode="reacquire")).start
    assert np.array_equal(whole, anew) and not np.array_equal(anew, pre.rgb())


def test_what_the_sketch_shows_is_in_the_render():
    """Early entry keeps the sketch, late entry forgets it; outside the mask nothing changes."""
    pre = toy.scene(96, 96)
    damage = toy.damage(toy.building(28, 28, DamageLevel.MAJOR, 40), shape=(96, 96))
    first = blow(pre.rgb(), damage, 3).astype(float)
    errors = []
    for entry in (0.02, 0.9):
        post = toy.generator(entry=entry).render(pre, damage, seed=3).rgb()
        errors.append(np.abs(post - first)[28:68, 28:68].mean())
        assert np.array_equal(post[:8], pre.rgb()[:8])
    assert errors[0] < errors[1]


@pytest.mark.parametrize("entry", [0.0, 1.0])
def test_an_entry_outside_the_bridge_is_refused(entry):
    with pytest.raises(BadParameter, match="entry must be between"):
        RenderConfig(entry=entry)


def test_the_bridge_touches_no_more_of_a_roof_than_the_sketch():
    """Grain on a whole roof would tell a detector that it is damaged."""
    pre = toy.scene(96, 96)
    damage = toy.damage(toy.building(28, 28, DamageLevel.MINOR, 40), shape=(96, 96))
    frame = depict(prepared(pre, damage))
    near = touched(frame.sketch, frame.start) > 0
    post = toy.generator().render(pre, damage, seed=3).rgb()
    changed = (post != frame.start).any(-1)
    assert changed.any() and not changed[~near].any()
    assert not near[28:68, 28:68].all()


@pytest.mark.parametrize("hazard", HAZARDS)
def test_the_network_draws_from_the_level_that_it_learned(hazard):
    """A flooded house stays as it was, in water; wind is drawn from minor on."""
    least = HAZARDS[hazard].depiction.learned_from
    pre, generator = toy.scene(), toy.generator(sketch=False)
    for level in (DamageLevel.MINOR, DamageLevel.MAJOR, DamageLevel.DESTROYED):
        struck = replace(toy.damage(toy.building(24, 24, level, 16)), hazard=hazard)
        changed = (generator.render(pre, struck, seed=1).pixels != pre.pixels).any()
        assert changed == (least is not None and level >= least)
    others = {"flood": None, "tsunami": DamageLevel.MAJOR}
    assert least == others.get(hazard, DamageLevel.MINOR)


def test_where_it_may_draw_is_the_surroundings_of_what_it_learned():
    pre = toy.scene()
    houses = toy.building(4, 4, DamageLevel.MINOR), toy.building(44, 44, DamageLevel.DESTROYED)
    struck = replace(toy.damage(*houses), hazard="tsunami")
    frame = prepared(pre, struck, radius=5, feather=2.0)
    drowned = rasterize(houses[1:], pre.shape)
    assert np.array_equal(frame.area, affected_mask(drowned, 5, 2.0))


def test_what_is_redrawn_leaves_pixels_without_data():
    valid = np.arange(96) >= 30
    pre = toy.scene(96, 96).replace(valid=np.broadcast_to(valid, (96, 96)).copy())
    house = toy.damage(toy.building(60, 8, DamageLevel.MINOR), shape=(96, 96))
    frame = prepared(pre, house, mode="redraw")
    post = frames.compose(frame, np.full_like(frame.start, 255))
    assert np.array_equal(post[:, ~valid], pre.rgb()[:, ~valid])
    assert (post[:, valid] == 255).all()


def told(monkeypatch, hazard):
    """The class of hazard that the network is given in a rendering."""
    seen, real = [], frames.draw_scene

    def spy(model, picture, condition, **more):
        seen.append(int(condition.hazard))
        return real(model, picture, condition, **more)

    monkeypatch.setattr(frames, "draw_scene", spy)
    struck = replace(toy.damage(toy.building(24, 24, DamageLevel.DESTROYED, 16)), hazard=hazard)
    generator = toy.generator()
    generator.render(toy.scene(), struck, seed=1)
    (index,) = seen
    name = toy.TINY.hazards[index] if index >= 0 else "not said"
    assert generator.drawn_as(hazard) == name
    return name


@pytest.mark.parametrize("hazard", ["earthquake", "tornado", "tsunami"])
def test_broken_houses_without_real_pairs_are_drawn_as_those_of_wind(hazard, monkeypatch):
    assert told(monkeypatch, hazard) == "wind"


@pytest.mark.parametrize("hazard", ["wind", "wildfire", "volcano"])
def test_a_hazard_with_real_pairs_is_drawn_as_itself(hazard, monkeypatch):
    assert told(monkeypatch, hazard) == hazard


def test_an_unknown_hazard_is_not_said(monkeypatch):
    assert told(monkeypatch, "locusts") == "not said"
    assert HAZARDS.get("locusts") is None and Depiction().drawn_as == ""
