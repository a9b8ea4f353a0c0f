"""The laws of rendering: keep, seed, batch, tiling."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from affine import Affine

from afterscene import computing
from afterscene.diffusion.schedules import Level
from afterscene.errors import AftersceneError
from afterscene.generators import windows
from afterscene.generators.bridge import BridgeModel
from afterscene.generators.crops import affected_mask
from afterscene.generators.render import SceneDenoiser, scene_condition
from afterscene.generators.windows import halo_of, patches
from afterscene.geodata.damage import DamageLevel, rasterize
from tests.generators import toy


def test_edit_keeps_every_pixel_outside_the_affected_area():
    pre = toy.scene()
    damaged = toy.damage(
        toy.building(8, 8, DamageLevel.DESTROYED), toy.building(40, 40, DamageLevel.NO_DAMAGE)
    )
    generator = toy.generator(radius=4, feather=2.0)
    post = generator.render(pre, damaged, seed=1)
    mask = affected_mask(rasterize(damaged.buildings, pre.shape), 4, 2.0) > 0
    changed = (post.pixels != pre.pixels).any(0)
    assert not changed[~mask].any()
    assert changed[mask].mean() > 0.5
    assert not mask[40:50, 40:50].any()


def test_edit_without_damage_returns_the_pre_image():
    pre = toy.scene()
    untouched = toy.damage(toy.building(8, 8, DamageLevel.NO_DAMAGE))
    assert np.array_equal(toy.generator().render(pre, untouched, seed=1).pixels, pre.pixels)


def test_equal_seeds_equal_pixels_and_other_seeds_other_pixels():
    pre, damaged = toy.scene(), toy.damage(toy.building(8, 8, DamageLevel.MAJOR))
    generator = toy.generator()
    first = generator.render(pre, damaged, seed=1).pixels
    assert np.array_equal(first, generator.render(pre, damaged, seed=1).pixels)
    assert not np.array_equal(first, generator.render(pre, damaged, seed=2).pixels)


@pytest.mark.parametrize("shape", [(64, 64), (37, 51), (16, 16), (1, 1), (3, 200)])
def test_any_size_keeps_its_grid(shape):
    pre = toy.scene(*shape)
    damaged = toy.damage(toy.building(0, 0, DamageLevel.DESTROYED, 6), shape=shape)
    for mode in ("edit", "reacquire"):
        assert toy.generator().render(pre, damaged, seed=0, mode=mode).pixels.shape == (3, *shape)


def test_windows_give_what_the_whole_scene_gives(monkeypatch):
    """With a halo as wide as the network's reach a window cannot know that it is one."""
    pre = toy.scene(160, 160, seed=3)
    levels = rasterize([toy.building(30, 60, DamageLevel.DESTROYED, 40)], pre.shape)
    condition = scene_condition(pre.rgb(), levels, hazard=1, style=np.zeros(6), affected=None)
    denoiser = SceneDenoiser(toy.model(), toy.generator().config)
    level = Level(torch.tensor(0.5).item(), *[0.5] * 4, 0.5)
    whole = denoiser(condition.pre, level, condition)
    monkeypatch.setattr(windows, "WHOLE", 32)
    monkeypatch.setattr(windows, "CORE", 32)
    assert len(patches(160, 160, halo_of(denoiser.model))) == 9
    torch.testing.assert_close(denoiser(condition.pre, level, condition), whole, atol=1e-5, rtol=0)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_where_the_borders_of_windows_lie_changes_no_bit(precision, monkeypatch):
    pre = toy.scene(224, 192, seed=3)
    levels = rasterize([toy.building(30, 60, DamageLevel.DESTROYED, 40)], pre.shape)
    condition = scene_condition(pre.rgb(), levels, hazard=1, style=np.zeros(6), affected=None)
    model = computing.prepared(toy.model(), precision)
    level = Level(0.5, *[0.5] * 4, 0.5)
    monkeypatch.setattr(windows, "WHOLE", 32)
    monkeypatch.setattr(windows, "CORE", 32)
    drawn = [
        SceneDenoiser(model, toy.generator(origin=origin).config)(condition.pre, level, condition)
        for origin in (0, 4, 16, 30)
    ]
    borders = {patches(224, 192, halo_of(model), origin)[0].keep[0].stop for origin in (0, 4, 16)}
    assert len(borders) == 3 and all(torch.equal(drawn[0], other) for other in drawn[1:])


def test_untouched_surroundings_are_not_evaluated_and_do_not_matter():
    """The box around the affected area, with its halo, gives what the whole scene gives."""
    pre = toy.scene(320, 320, seed=4)
    levels = rasterize([toy.building(200, 120, DamageLevel.DESTROYED, 20)], pre.shape)
    mask = affected_mask(levels, 4, 0)
    condition = scene_condition(pre.rgb(), levels, hazard=1, style=np.zeros(6), affected=mask)
    config = toy.generator().config
    model, level = toy.model(), Level(0.5, *[0.5] * 4, 0.5)
    shapes = []

    def spy(x_t, t, part):
        shapes.append(x_t.shape)
        return model(x_t, t, part)

    spy.network = model.network
    x0 = SceneDenoiser(spy, config)(condition.pre, level, condition)
    with torch.inference_mode():
        whole = model(condition.pre, torch.full((1,), 0.5), condition)
    inside = torch.from_numpy(mask > 0).expand_as(x0)
    torch.testing.assert_close(x0[inside], whole[inside], atol=1e-5, rtol=0)
    assert shapes[0][-1] < 200 and torch.equal(x0[..., :40, :40], condition.pre[..., :40, :40])


def test_declared_reach_is_not_exceeded():
    network = toy.model().network
    size, reach = 192, network.config.reach
    x = torch.randn(1, network.config.channels_in, size, size)
    moved = x.clone()
    moved[..., size // 2, size // 2] += 1.0
    with torch.inference_mode():
        changed = (network(moved, torch.ones(1)) != network(x, torch.ones(1))).any(1)[0]
    rows, cols = changed.nonzero(as_tuple=True)
    far = max((rows - size // 2).abs().max(), (cols - size // 2).abs().max())
    assert reach / 3 < far <= reach


@pytest.mark.parametrize("origin", [0, 8, 384, 760])
@pytest.mark.parametrize("height,width", [(100, 100), (1152, 1152), (1153, 40), (2000, 1700)])
def test_patches_keep_each_pixel_once_and_have_one_size(height, width, origin):
    seen, halo = np.zeros((height, width), np.uint8), 128
    found = patches(height, width, halo, origin)
    for patch in found:
        seen[patch.keep] += 1
        for axis, length in enumerate((height, width)):
            outer, keep, inner = (part[axis] for part in (patch.outer, patch.keep, patch.inner))
            assert keep == slice(outer.start + inner.start, outer.start + inner.stop)
            assert outer.start == 0 or keep.start - outer.start >= halo
            assert outer.stop == length or outer.stop - keep.stop >= halo
    assert (seen == 1).all() and len({seen[patch.outer].shape for patch in found}) == 1


@pytest.mark.parametrize("origin", [-1, windows.CORE])
def test_an_origin_outside_a_window_is_refused(origin):
    with pytest.raises(AftersceneError, match="origin must be between 0 and 767"):
        toy.generator(origin=origin)


def test_reacquire_leaves_nodata_alone():
    pre = toy.scene()
    valid = pre.valid.copy()
    valid[:, :20] = False
    pre = pre.replace(valid=valid)
    post = toy.generator().render(
        pre, toy.damage(toy.building(30, 8, DamageLevel.MINOR)), seed=0, mode="reacquire"
    )
    assert not post.rgb()[:, :20].any() and np.array_equal(post.valid, valid)
    assert (post.pixels[:, :, 20:] != pre.pixels[:, :, 20:]).mean() > 0.9


def test_unknown_mode_is_named():
    with pytest.raises(AftersceneError, match="'repaint' is not known; choose one of: edit"):
        toy.generator().render(toy.scene(), toy.damage(), seed=0, mode="repaint")


@pytest.mark.parametrize("native", [True, False])
def test_the_fast_model_draws_the_same_picture(native, monkeypatch):
    """Cast once where there are units for it: a grey level or so from plain float32."""
    monkeypatch.setattr(computing, "has_native_bfloat16", lambda: native)
    pre, damaged = toy.scene(), toy.damage(toy.building(8, 8, DamageLevel.MAJOR))
    plain = toy.generator().render(pre, damaged, seed=1, mode="reacquire").pixels
    generator = toy.generator(precision="auto")
    before = {k: v.clone() for k, v in generator.model.state_dict().items()}
    fast = generator.render(pre, damaged, seed=1, mode="reacquire").pixels
    gap = np.abs(fast.astype(int) - plain)
    assert gap.max() <= (16 if native else 1) and gap.mean() < (1.5 if native else 0.01)
    assert all(torch.equal(v, before[k]) for k, v in generator.model.state_dict().items())


def test_the_network_is_prepared_once_whatever_the_steps(monkeypatch):
    calls = []
    prepare = computing.prepared
    monkeypatch.setattr(
        "afterscene.generators.generator.prepared",
        lambda m, p, **more: calls.append(p) or prepare(m, p, **more),
    )
    generator = toy.generator()
    damaged = toy.damage(toy.building(8, 8, DamageLevel.DESTROYED))
    for steps in (1, 2, None):
        generator.render(toy.scene(), damaged, seed=0, steps=steps)
    assert calls == ["fp32"]


def test_a_look_is_drawn_among_pairs_whose_pre_image_had_this_tone():
    rng = np.random.default_rng(0)
    styles = {"wind": rng.normal(0, 0.1, (30, 6)).astype(np.float32), "flood": np.ones((2, 6))}
    scenes = {"wind": np.repeat(np.arange(30.0)[:, None], 6, axis=1), "flood": np.full((2, 6), 50)}
    few = {"wind": scenes["wind"][:8]}
    plain = replace(toy.generator(), styles=styles)
    knowing = replace(plain, scenes=scenes)

    def drawn(generator, hazard, tone):
        return {tuple(generator.draw_style(hazard, seed, tone)) for seed in range(300)}

    tone = np.full(6, 29.4, np.float32)
    assert drawn(knowing, "wind", tone) == {tuple(row) for row in styles["wind"][-7:]}
    everywhere = {tuple(row) for row in styles["wind"]}
    assert drawn(knowing, "wind", None) == drawn(plain, "wind", tone) == everywhere
    assert len(drawn(replace(knowing, styles=few, scenes=few), "wind", tone)) == 3
    assert tuple(np.ones(6)) in drawn(knowing, "earthquake", np.full(6, 60.0))
    assert tuple(np.zeros(6)) in drawn(plain, "earthquake", tone)


def test_black_padding_without_a_mask_stays_black():
    pixels = toy.scene(96, 96).pixels.copy()
    pixels[:, :, :30] = 0
    pre = toy.scene(96, 96).replace(pixels=pixels)
    house = toy.damage(toy.building(60, 8, DamageLevel.MINOR), shape=(96, 96))
    post = toy.generator().render(pre, house, seed=0, mode="reacquire")
    assert pre.valid.all() and post.valid.all()
    assert not post.pixels[:, :, :30].any() and post.pixels[:, :, 34:].std() > 20


def test_a_scene_is_drawn_at_its_own_pixel_size_where_the_weights_know_it():
    """Metres per pixel come from the scene's place; weights without them draw as ever."""
    torch.manual_seed(0)
    knowing = BridgeModel(replace(toy.TINY, gsd=True)).eval()
    with torch.no_grad():
        for parameter in knowing.parameters():
            parameter.normal_(0, 0.08)
    before = toy.damage(toy.building(20, 20, DamageLevel.DESTROYED))
    scenes = [
        toy.scene().replace(crs="EPSG:32616", transform=Affine.scale(g, -g)) for g in (0.5, 1)
    ]
    scenes.append(toy.scene())
    for model, different in ((knowing, 3), (toy.model(), 1)):
        made = replace(toy.generator(), model=model)
        drawn = {made.render(s, before, seed=1).pixels.tobytes() for s in scenes}
        assert len(drawn) == different
