"""The walk of a scene: its step grid, its sampler, and how far from a house it may draw."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from afterscene.errors import BadParameter, UnknownName
from afterscene.generators.checkpoint import save_weights
from afterscene.generators.crops import affected_mask
from afterscene.generators.generator import DRAWN
from afterscene.generators.loading import load
from afterscene.generators.render import RenderConfig
from afterscene.geodata.damage import DamageLevel, rasterize
from tests.generators import toy


@pytest.mark.parametrize("steps", [1, 2, 3, 12])
def test_the_grid_begins_at_the_pre_image_and_ends_without_noise(steps):
    config, bridge = RenderConfig(steps=steps, rho=(1.5, 0.02)), toy.model().bridge
    times = config.times(bridge)
    assert len(times) == steps + 1
    assert (times[0], times[-1]) == (1, 0)
    assert (times.diff() < 0).all()
    if steps > 2:
        ends = [bridge.level(float(t)).rho for t in times[[1, -2]]]
        assert ends == pytest.approx([1.5, 0.02], rel=1e-6)


@pytest.mark.parametrize(("entry", "short", "steps"), [(0.002, 2, 12), (0.3, 4, 3), (0.05, 1, 1)])
def test_a_sketch_enters_at_its_time_and_walks_no_more_than_short_steps(entry, short, steps):
    config = RenderConfig(entry=entry, short=short, steps=steps)
    times = config.times_of_sketch(toy.model().bridge)
    assert len(times) == min(short, steps) + 1
    assert float(times[0]) == pytest.approx(entry, rel=1e-6)
    assert times[-1] == 0
    assert (times.diff() < 0).all()


@pytest.mark.parametrize("rho", [(0.01, 2.0), (1.0, 1.0), (1.0, 0.0), (1.0,)])
def test_a_grid_that_does_not_fall_is_refused(rho):
    with pytest.raises(BadParameter, match="rho"):
        RenderConfig(rho=rho)


def test_the_sampler_is_chosen_by_name():
    pre, damaged = toy.scene(), toy.damage(toy.building(8, 8, DamageLevel.DESTROYED))
    made = {
        name: toy.generator(steps=6, sampler=name, sketch=False).render(pre, damaged, seed=1).pixels
        for name in ("ddpm", "dpmpp-2m-sde", "dpmpp-2m")
    }
    assert len({pixels.tobytes() for pixels in made.values()}) == 3
    with pytest.raises(UnknownName, match="no-such"):
        toy.generator(sampler="no-such").render(pre, damaged, seed=1)


def test_fire_is_drawn_near_the_house_and_wind_farther():
    pre = toy.scene()
    damaged = toy.damage(toy.building(24, 24, DamageLevel.DESTROYED, 12))
    generator = toy.generator(radius=14, close=3, feather=2.0, sketch=False)
    levels = rasterize(damaged.buildings, pre.shape)
    for hazard, reach in (("wildfire", 3), ("volcano", 14), ("wind", 14)):
        post = generator.render(pre, replace(damaged, hazard=hazard), seed=1)
        changed = (post.pixels != pre.pixels).any(0)
        mask = affected_mask(levels, reach, 2.0) > 0
        assert not changed[~mask].any()
        assert changed[mask].mean() > 0.5


def test_a_drawn_look_is_followed_in_part_and_a_told_one_wholly():
    pre = toy.scene(128, 128)
    untouched = toy.damage(toy.building(8, 8, DamageLevel.NO_DAMAGE), shape=(128, 128))
    generator = toy.generator(sketch=False)
    style = np.array([0.3, 0.3, 0.3, 0, 0, 0], np.float32)
    generator = replace(generator, styles={"wind": style[None]})
    drawn = generator.render(pre, untouched, seed=1, mode="reacquire")
    told = generator.render(pre, untouched, seed=1, mode="reacquire", style=DRAWN * style)
    whole = generator.render(pre, untouched, seed=1, mode="reacquire", style=style)
    assert np.array_equal(drawn.pixels, told.pixels)
    assert whole.pixels.mean() > drawn.pixels.mean() + 5


def test_a_model_is_rendered_as_its_folder_says(tmp_path):
    config = {
        "kind": "bridge",
        "model": {**vars(toy.TINY)},
        "render": {"steps": 5, "power": 3.0, "rho": [1.0, 0.1]},
        "styles": {},
        "scenes": {},
    }
    save_weights(tmp_path, toy.model().state_dict(), config, dtype=torch.float32)
    made = load(tmp_path).config
    assert (made.power, made.rho) == (3.0, (1.0, 0.1))
