"""Distillation: two evaluations draw the texture of real pictures, where squared errors blur it."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from afterscene.errors import BadParameter
from afterscene.generators import load
from afterscene.generators.crops import CropSampler
from afterscene.generators.distillation import DistilConfig
from afterscene.generators.examples import CropConfig
from afterscene.generators.render import RenderConfig
from afterscene.generators.training import BridgeBatch, TrainConfig, bridge_trainer, noise
from afterscene.recipes.export import finish_bridge
from afterscene.recipes.initial import initial
from afterscene.recipes.registry import recipe
from afterscene.recipes.run import TrainRun
from tests.generators import toy

CROPS = CropConfig(shapes=((32, 4),), edit_share=0.5, drop=0.0, jitter=0.0)


def bridging(steps: int, **more) -> TrainConfig:
    plain = {"precision": "fp32", "warmup": 2, "save_every": 1000, "validate_every": 1000}
    return TrainConfig(model=toy.TINY, crops=CROPS, steps=steps, **{**plain, **more})


def rough_tile():
    """The toy tile, whose destroyed squares are rubble: every second pixel, at random, is white."""
    tile = toy.tile()
    destroyed = (tile.levels == 4)[..., None]
    rubble = np.random.default_rng(5).choice([60, 250], tile.pre.shape[:2])[..., None]
    pictures = {
        name: np.where(destroyed, rubble, getattr(tile, name)).astype(np.uint8)
        for name in ("registered", "matched")
    }
    return replace(tile, **pictures)


def taught(tmp_path, steps: int):
    """A trained bridge as a model folder, and its configuration."""
    config = bridging(steps, lr=5e-3, ema_gamma=8.0)
    trainer = bridge_trainer(config, [rough_tile()], tmp_path)
    list(trainer.run())
    toy.data_of(tmp_path, [rough_tile()])
    finish_bridge(tmp_path, tmp_path / "model", config, [rough_tile()])
    return tmp_path / "model", config


def texture(task, tile) -> tuple[float, float]:
    """Deviation within destroyed squares: drawn in two evaluations, and real."""
    batch = CropSampler([tile], replace(CROPS, shapes=((64, 8),), edit_share=0.0), 9)(0)
    t, eps = noise((8, 3, 64, 64), 3, 0)
    with torch.no_grad():
        drawn = task.drawn(BridgeBatch(batch, t, eps))
    destroyed = batch.condition.levels == 4
    return float(drawn[:, 0][destroyed].std()), float(batch.target[:, 0][destroyed].std())


def test_it_learns_the_roughness_that_a_mean_has_not(tmp_path):
    folder, config = taught(tmp_path / "first", 150)
    tile = rough_tile()
    distil = DistilConfig.of(replace(config, steps=800))
    distil = replace(distil, lr=2e-3, critic_lr=2e-4, smooth=10.0)
    trainer = bridge_trainer(distil, [tile], tmp_path / "second")
    trainer.start_from(initial(folder, distil), str(folder))
    before, real = texture(trainer.task, tile)
    records = list(trainer.run())
    after, _ = texture(trainer.task, tile)
    assert before < 0.1 * real and after > 2.5 * before
    assert all(np.isfinite([r["critic"], r["generator"], r["penalty"]]).all() for r in records)


def test_the_model_folder_holds_the_generator_alone_and_draws_in_two(tmp_path):
    folder, config = taught(tmp_path / "first", 3)
    distil = DistilConfig.of(replace(config, steps=6, save_every=3))
    trainer = bridge_trainer(distil, [rough_tile()], tmp_path / "second")
    trainer.start_from(initial(folder, distil), str(folder))
    list(trainer.run())
    toy.data_of(tmp_path / "second", [rough_tile()])
    finish_bridge(tmp_path / "second", tmp_path / "second" / "model", distil, [rough_tile()])
    made = load(tmp_path / "second" / "model")
    assert made.config.steps == 2 and made.config.rho[0] == distil.rho
    names = set(trainer.model.generator.state_dict())
    assert set(made.model.state_dict()) == names
    times = made.config.times(made.model.bridge)
    assert float(times[1]) == pytest.approx(trainer.task.second)


def test_a_killed_run_goes_on_with_the_same_bits(tmp_path):
    folder, config = taught(tmp_path / "first", 3)
    distil = DistilConfig.of(replace(config, steps=8, save_every=2))

    def begun(out):
        trainer = bridge_trainer(distil, [rough_tile()], out)
        trainer.start_from(initial(folder, distil), str(folder))
        return trainer

    whole = begun(tmp_path / "whole")
    list(whole.run())
    for record in begun(tmp_path / "killed").run():
        if record["step"] == 3:
            break
    again = bridge_trainer(distil, [rough_tile()], tmp_path / "killed")
    assert again.resume() == [] and again.step == 2
    list(again.run())
    assert all(torch.equal(again.average[k], v) for k, v in whole.average.items())


def test_pieces_of_a_step_add_up_to_the_whole(tmp_path):
    _, config = taught(tmp_path / "first", 2)
    distil = DistilConfig.of(config)
    task = distil.task([rough_tile()])
    whole = task.draw(4, slice(None))
    parts = [task.draw(4, slice(k, k + 1)) for k in range(4)]
    assert sum(len(part[1].t) for part in parts) == len(whole[1].t) == 3
    with torch.no_grad():
        total = sum(task.sums(part) for part in parts)
        torch.testing.assert_close(total, task.sums(whole), rtol=1e-4, atol=1e-5)


def test_pixel_sizes_begin_without_effect(tmp_path):
    folder, config = taught(tmp_path / "first", 3)
    knowing = replace(config, model=replace(config.model, gsd=True))
    trainer = bridge_trainer(knowing, [rough_tile()], tmp_path / "second")
    trainer.start_from(initial(folder, knowing), str(folder))
    batch = CropSampler([rough_tile()], CROPS, 1)(0)
    old = load(folder).model.float()
    half = torch.full((4,), 0.5)
    with torch.no_grad():
        one = trainer.model.eval()(batch.target, half, batch.condition)
        other = old(batch.target, half, batch.condition)
    torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4)


def test_without_initial_weights_it_says_what_is_missing(tmp_path):
    run = TrainRun(config=recipe("generator-distilled"), folders=None, out=tmp_path / "run")
    with pytest.raises(BadParameter, match="--init"):
        run.prepare()


def test_settings_of_the_bridge_are_kept():
    distil = DistilConfig.of(bridging(100, ema_gamma=3.0))
    assert (distil.model, distil.ema_gamma, distil.steps) == (toy.TINY, 3.0, 50)
    assert isinstance(distil.render(), RenderConfig)
    with pytest.raises(BadParameter, match="multiples of 16"):
        DistilConfig.of(replace(bridging(10), crops=CropConfig(shapes=((40, 4),))))
    assert json.dumps(distil.crops.shapes)
