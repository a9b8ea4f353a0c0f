"""Training: it learns, resumes to the bit, and never loads a damaged state."""

import json

import numpy as np
import pytest
import torch

from afterscene.conditioning import Condition
from afterscene.diffusion.losses import WEIGHTS
from afterscene.errors import BadWeights, MissingFile, UnknownName
from afterscene.generators import load
from afterscene.generators.bridge import BridgeModel
from afterscene.generators.checkpoint import load_weights, save_weights
from afterscene.generators.crops import CropSampler, affected_mask
from afterscene.generators.examples import CropConfig
from afterscene.generators.render import RenderConfig, scene_states
from afterscene.generators.training import (
    BridgeTask,
    TrainConfig,
    bridge_trainer,
    noise,
)
from afterscene.training.loop import Trainer
from afterscene.training.states import states
from afterscene.weightfiles import weights_hash
from tests.generators import toy


def config(steps: int, **more) -> TrainConfig:
    crops = CropConfig(shapes=((32, 4),))
    plain = {"precision": "fp32", "warmup": 2, "save_every": 5, "validate_every": 1000}
    return TrainConfig(model=toy.TINY, crops=crops, steps=steps, **{**plain, **more})


def run(trainer: Trainer, until: int | None = None) -> list[dict]:
    records = []
    for record in trainer.run():
        records.append(record)
        if record["step"] == until:
            break
    return records


def test_it_learns_which_buildings_turn_white(tmp_path):
    """Destroyed squares are white in every toy post image, untouched ones are not."""
    tile = toy.tile()
    trainer = bridge_trainer(config(150, lr=5e-3, ema_gamma=8.0), [tile], tmp_path)
    run(trainer)
    trainer.model.load_state_dict(trainer.average)
    batch = CropSampler([tile], CropConfig(shapes=((64, 8),), edit_share=0, drop=0, jitter=0), 9)(0)
    pre = batch.condition.pre
    with torch.inference_mode():
        change = trainer.model.eval()(pre, torch.ones(8), batch.condition) - pre
    wanted, levels = (batch.target - pre)[:, 0], batch.condition.levels
    destroyed, untouched = levels == 4, levels == 1
    assert change[:, 0][destroyed].mean() > 0.5 * wanted[destroyed].mean() > 0.1
    assert change[:, 0][untouched].abs().mean() < 0.25 * wanted[destroyed].mean()


def test_resumed_run_ends_with_the_same_bits(tmp_path):
    whole = bridge_trainer(config(12), [toy.tile()], tmp_path / "a")
    run(whole)
    run(bridge_trainer(config(12), [toy.tile()], tmp_path / "b"), until=7)  # saved at 5, then cut
    resumed = bridge_trainer(config(12), [toy.tile()], tmp_path / "b")
    assert resumed.resume() == [] and resumed.step == 5
    run(resumed)
    assert weights_hash(resumed.model.state_dict()) == weights_hash(whole.model.state_dict())
    assert weights_hash(resumed.average) == weights_hash(whole.average)


def test_damaged_newest_state_falls_back_with_a_warning(tmp_path):
    run(bridge_trainer(config(10), [toy.tile()], tmp_path))
    newest = states(tmp_path)[-1]
    data = bytearray(newest.read_bytes())
    data[len(data) // 2] ^= 1
    newest.write_bytes(bytes(data))
    again = bridge_trainer(config(10), [toy.tile()], tmp_path)
    (warning,) = again.resume()
    assert newest.name in warning and again.step == 5


def test_resume_without_a_state_is_an_error(tmp_path):
    with pytest.raises(MissingFile, match="no complete training state"):
        bridge_trainer(config(1), [toy.tile()], tmp_path).resume()


def test_bad_steps_are_counted_and_leave_the_average_clean(tmp_path):
    trainer = bridge_trainer(config(3), [toy.tile()], tmp_path)
    run(trainer, until=1)
    before = weights_hash(trainer.average)
    with torch.no_grad():
        trainer.model.network.head.bias[0] = torch.nan
    record = trainer._train_step()
    assert not record["finite"] and weights_hash(trainer.average) == before


def test_the_loss_is_edms_weight_of_the_error_of_x0():
    """From the bridge's own signal and noise at each time."""
    model, batch = toy.model(), CropSampler([toy.tile()], CropConfig(shapes=((32, 4),)), 0)(0)
    t, eps = noise((4, 3, 32, 32), 0, 0)
    with torch.inference_mode():
        unit = model.loss(batch.target, t, eps, batch.condition)
        x_t = model.bridge.x_t(batch.target, batch.condition.pre, t, eps)
        error = (model(x_t, t, batch.condition) - batch.target).square()
    signal, _, sigma = (w[:, None, None, None] for w in model.bridge.weights(t))
    snr = (signal / sigma).square()
    own = WEIGHTS["edm"](sigma_data=toy.TINY.sigma_data)(snr)
    torch.testing.assert_close(own * error, unit, rtol=1e-3, atol=1e-6)


def test_validation_pictures_show_what_rendering_draws():
    crops = CropConfig(shapes=((32, 3),), edit_share=0.0, drop=0.0)
    settings = TrainConfig(model=toy.TINY, crops=crops, steps=1, precision="fp32")
    task = BridgeTask(settings, [toy.tile()], validation=[toy.tile(1)])
    task.model.load_state_dict(toy.model().state_dict())
    condition = task.validation.batch(0).condition
    drawn = task._sample(condition).detach()
    for seed in range(3):
        parts = {k: v[seed : seed + 1] for k, v in vars(condition).items()}
        own = RenderConfig(precision="fp32")
        *_, last = scene_states(task.model, Condition(**parts), seed=seed, config=own)
        torch.testing.assert_close(drawn[seed], last.x[0], atol=1e-4, rtol=1e-4)
    assert task.pictures().shape == (3 * 34, 3 * 34, 3)


def test_batch_is_a_function_of_seed_and_step():
    sampler = CropSampler([toy.tile()], CropConfig(shapes=((32, 4),)), 3)
    other = CropSampler([toy.tile()], CropConfig(shapes=((32, 4),)), 3)
    assert torch.equal(sampler(9).target, other(9).target)
    assert not torch.equal(sampler(9).target, sampler(10).target)


def test_edit_crops_change_only_the_affected_area():
    sampler = CropSampler([toy.tile()], CropConfig(shapes=((48, 8),), edit_share=1.0, drop=0.0), 0)
    batch = sampler(0)
    still = (batch.condition.affected == 0).expand_as(batch.target)
    assert still.any() and torch.equal(batch.target[still], batch.condition.pre[still])
    assert (batch.condition.affected > 0).any()


def test_affected_mask_has_the_asked_width():
    levels = np.zeros((41, 41), np.uint8)
    levels[20, 20] = 4
    mask = affected_mask(levels, 6, 0)
    rows, cols = np.nonzero(mask)
    distance = np.hypot(rows - 20, cols - 20)
    assert distance.max() < 6.5 and mask[20, 26] == 1 and mask[20, 27] == 0
    soft = affected_mask(levels, 6, 4)
    assert ((soft > 0) == (mask > 0)).all() and 0 < soft[20, 26] < 0.5
    levels[20, 20] = 1
    assert not affected_mask(levels, 6, 0).any()


def save(folder, **config_more):
    model = toy.model()
    settings = {"model": vars(toy.TINY), "render": {}, "scenes": {}}
    about = {**settings, "styles": {"wind": [[0.0] * 6]}, **config_more}
    save_weights(folder, model.state_dict(), about, dtype=torch.float32)
    return model


def test_saved_weights_load_and_render_alike(tmp_path):
    model = save(tmp_path)
    generator = load(tmp_path)
    assert generator.hash == weights_hash(model.state_dict())
    assert isinstance(generator.model, BridgeModel)


def test_the_order_of_the_hazards_belongs_to_the_weights(tmp_path):
    """Another order is another model: a hazard asks for its place in the order of the file."""
    order = tuple(reversed(toy.TINY.hazards))
    save(tmp_path, model=vars(toy.TINY) | {"hazards": order})
    assert load(tmp_path).model.config.hazards == order
    save(tmp_path, model={k: v for k, v in vars(toy.TINY).items() if k != "hazards"})
    with pytest.raises(BadWeights, match=r"model\.hazards"):
        load(tmp_path)


def test_unknown_generator_says_what_there_is(tmp_path):
    with pytest.raises(UnknownName, match="neither shipped"):
        load(tmp_path / "nothing")


@pytest.mark.parametrize("harm", ["truncate", "payload", "missing", "key", "shape", "json", "nan"])
def test_bad_weights_are_named(tmp_path, harm):
    save(tmp_path)
    shard, about = tmp_path / "weights-00.safetensors", tmp_path / "config.json"
    state, settings = load_weights(tmp_path)
    settings.pop("shards")
    if harm == "truncate":
        shard.write_bytes(shard.read_bytes()[:-100])
    elif harm == "payload":
        shard.write_bytes(b"\x80\x04cposix\nsystem\n(S'touch canary'\ntR.")
    elif harm == "missing":
        shard.unlink()
    elif harm == "json":
        about.write_text("{")
    elif harm == "nan":
        state["network.head.bias"][0] = torch.nan
        with pytest.raises(BadWeights, match=r"network\.head\.bias.*not finite"):
            save_weights(tmp_path, state, settings, dtype=torch.float32)
        return
    elif harm == "key":
        state.pop("network.head.bias")
        save_weights(tmp_path, state, settings, dtype=torch.float32)
    else:
        state["network.head.bias"] = torch.zeros(5)
        save_weights(tmp_path, state, settings, dtype=torch.float32)
    wanted = {"key": r"network\.head\.bias", "shape": r"has shape \(5,\)", "json": "damaged"}
    with pytest.raises((BadWeights, MissingFile), match=wanted.get(harm, "weights-00")):
        load(tmp_path)
    assert not list(tmp_path.glob("canary"))


def test_weights_are_cut_into_small_files(tmp_path):
    big = {f"w{i}": torch.randn(1_000_000) for i in range(9)}
    save_weights(tmp_path, big, {}, dtype=torch.float32)
    shards = sorted(tmp_path.glob("*.safetensors"))
    assert len(shards) == 3 and all(s.stat().st_size < 16_000_000 for s in shards)
    state, about = load_weights(tmp_path)
    assert about["shards"] == 3 and all(torch.equal(state[k], v) for k, v in big.items())
    assert json.loads((tmp_path / "config.json").read_text())["shards"] == 3
