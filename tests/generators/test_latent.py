"""The autoencoder's recipe: it learns, goes on after a stop to the same bits, and is calibrated."""

import dataclasses

import pytest
import torch

from afterscene import generators
from afterscene.conditioning import Condition
from afterscene.errors import BadParameter, BadWeights
from afterscene.generators.bridge import BridgeConfig, BridgeModel
from afterscene.generators.checkpoint import load_weights, save_weights
from afterscene.generators.crops import CropConfig
from afterscene.generators.latent import AutoencoderRun, AutoencoderTask
from afterscene.generators.training import TrainConfig, bridge_trainer
from afterscene.geodata.damage import DamageLevel
from afterscene.networks.autoencoder import Autoencoder, AutoencoderConfig
from afterscene.recipes import autoencoder, generator
from afterscene.recipes.average import write_average
from afterscene.recipes.registry import KINDS, recipe
from afterscene.training.processes import Group
from afterscene.weightfiles import load_into
from tests.generators import toy
from tests.generators.launch import Command, toy_pairs

CONFIG = AutoencoderRun(
    model=AutoencoderConfig(widths=(8, 12, 16, 16)),
    steps=30,
    lr=3e-3,
    side=32,
    crops=4,
    precision="fp32",
    save_every=20,
    tensorboard=False,
)


def trained(out, *, stop=None, resume=False):
    data = toy.data_of(out, [toy.tile(0)], [toy.tile(1)])
    trainer = autoencoder.make_trainer(CONFIG, data, out, device="cpu", group=Group())
    if resume:
        assert trainer.resume() == []
    log = []
    for record in trainer.run(lambda: int(stop is not None and len(log) >= stop)):
        log.append(record)
    return trainer, log, data


def test_it_learns_and_goes_on_to_the_same_bits(tmp_path):
    whole, log, data = trained(tmp_path / "a")
    assert log[-1]["loss"] < 0.7 * log[0]["loss"]
    trained(tmp_path / "b", stop=7)
    again, rest, _ = trained(tmp_path / "b", resume=True)
    assert rest[0]["step"] > 1
    for name, value in whole.average.items():
        assert torch.equal(value, again.average[name]), name
    autoencoder.finish(tmp_path / "a", tmp_path / "model", CONFIG, data)
    weights, about = load_weights(tmp_path / "model")
    model = Autoencoder(AutoencoderConfig(**about["model"])).eval()
    load_into(model, weights, "model")
    with torch.inference_mode():
        latent = model.encode_latent(AutoencoderTask(CONFIG, data.train).draw(0, slice(None)).x)
    assert about["kind"] == "autoencoder" and latent.shape[-1] == 4
    torch.testing.assert_close(latent.std((0, 2, 3)), torch.ones(4), atol=0.4, rtol=0)


def test_parts_of_a_step_are_the_step():
    task = AutoencoderTask(CONFIG, [toy.tile(0)])
    whole = task.draw(3, slice(None))
    for part in (slice(0, 1), slice(1, 4)):
        for one, other in zip(task.draw(3, part), whole, strict=True):
            assert torch.equal(one, other[part])
    sums = sum(task.sums(task.draw(3, part)) for part in (slice(0, 1), slice(1, 4)))
    torch.testing.assert_close(sums, task.sums(whole))


def test_the_recipe_is_eight_times_smaller_and_refuses_what_cannot_be():
    assert recipe("autoencoder").model.stride == 8
    assert KINDS[AutoencoderRun] is autoencoder
    with pytest.raises(BadParameter, match="multiple of 8"):
        AutoencoderRun(side=60)
    with pytest.raises(BadParameter, match="crop of 256"):
        AutoencoderTask(AutoencoderRun(side=256), [toy.tile(0)])


CODER = AutoencoderConfig(widths=(4, 6, 8, 8))
LATENT = BridgeConfig(patch=1, widths=(8, 16), depths=(1, 1), embedding=16, coder=CODER)


def latent_run(folder, **more):
    return TrainConfig(
        model=LATENT,
        crops=CropConfig(shapes=((32, 4), (64, 2))),
        autoencoder=str(folder) if folder else "",
        steps=5,
        precision="fp32",
        snapshot_every=2,
        tensorboard=False,
        **more,
    )


@pytest.fixture(scope="module")
def coder(tmp_path_factory):
    """The model folder of an autoencoder."""
    folder = tmp_path_factory.mktemp("coder")
    torch.manual_seed(0)
    model = Autoencoder(CODER)
    model.scale.fill_(0.5)
    save_weights(folder, model.state_dict(), {"kind": "autoencoder"}, dtype=torch.float32)
    return folder


@pytest.fixture(scope="module")
def bridge(coder, tmp_path_factory):
    """``(run, model folder, weights before)`` of a bridge on its latents."""
    run = tmp_path_factory.mktemp("bridge")
    tiles = [toy.tile(0), toy.tile(1)]
    trainer = bridge_trainer(latent_run(coder), tiles, run, validation=tiles[:1])
    before = {k: v.clone() for k, v in trainer.model.state_dict().items()}
    losses = [record["loss"] for record in trainer.run()]
    with torch.inference_mode():
        assert len(losses) == 5 and trainer.task.pictures().shape[0] > 64
    generator.finish(run, run / "model", latent_run(coder), toy.data_of(run, tiles))
    return run, run / "model", before


def test_conditions_come_to_the_size_of_the_latents():
    levels = torch.zeros(1, 16, 32, dtype=torch.int64)
    levels[0, :8, :4], levels[0, 8:, 24:] = 4, 255
    affected = torch.zeros(1, 1, 16, 32)
    affected[..., :8, :8] = 1
    condition = Condition(pre=torch.rand(1, 3, 16, 32), levels=levels, affected=affected)
    model = BridgeModel(LATENT)
    inside = model.inside(condition)
    assert inside.pre.shape == (1, 4, 2, 4) and inside.picture().shape == (1, 4 + 7, 2, 4)
    shares = inside.shares()[0]
    assert shares[:, 0, 0].tolist() == [0.5, 0, 0, 0, 0.5, 0]
    assert shares[:, 1, 3].tolist() == [0, 0, 0, 0, 0, 1]
    assert inside.affected.flatten().tolist() == [1] + [0] * 7
    assert model.inside(Condition(pre=condition.pre)).shares()[0, 5].eq(1).all()
    assert model.outward(inside.pre).shape == condition.pre.shape
    plain = BridgeModel(BridgeConfig(widths=(8,), depths=(1,), embedding=16))
    assert plain.inside(condition) is condition and plain.inward(condition.pre) is condition.pre


def test_a_latent_bridge_trains_without_its_autoencoder_and_renders_as_any_other(bridge):
    _, folder, before = bridge
    made = generators.load(folder)
    after = made.model.state_dict()
    for name, value in before.items():
        moved = not torch.allclose(after[name], value, atol=1e-3)
        assert not (moved and name.startswith("coder.")), name
    assert not torch.equal(after["network.head.weight"], before["network.head.weight"])
    scene, damage = toy.scene(72, 88), toy.damage(toy.building(20, 20, DamageLevel.DESTROYED))
    post = made.render(scene, damage, seed=1, steps=2)
    changed = (post.pixels != scene.pixels).any(axis=0)
    assert 0 < changed.sum() < changed.size and post.pixels.shape == scene.pixels.shape
    assert (post.pixels == made.render(scene, damage, seed=1, steps=2).pixels).all()


def test_another_average_of_a_latent_bridge_keeps_the_autoencoder(bridge, tmp_path):
    run, folder, _ = bridge
    write_average(run, 0.2, tmp_path / "other")
    own, other = load_weights(folder)[0], load_weights(tmp_path / "other")[0]
    for name, value in own.items():
        assert not name.startswith("coder.") or torch.equal(value, other[name]), name
    assert any(not torch.equal(v, other[k]) for k, v in own.items())


def test_a_latent_bridge_without_its_autoencoder_is_refused(coder, tmp_path):
    tiles = [toy.tile(0)]
    with pytest.raises(BadParameter, match="autoencoder=FOLDER"):
        bridge_trainer(latent_run(None), tiles, tmp_path)
    other = AutoencoderConfig(widths=(4, 6, 8, 12))
    wrong = dataclasses.replace(LATENT, coder=other)
    with pytest.raises(BadWeights, match="has shape"):
        bridge_trainer(dataclasses.replace(latent_run(coder), model=wrong), tiles, tmp_path)
    with pytest.raises(BadParameter, match="no multiple of 16"):
        dataclasses.replace(latent_run(coder), crops=CropConfig(shapes=((40, 2),)))


def test_the_two_commands_of_the_docs(tmp_path):
    """``train autoencoder``, then ``train generator-latent`` on what it left."""
    data, logs = toy_pairs(tmp_path / "pairs"), tmp_path / "logs"

    def words(recipe, *settings):
        common = ("precision=fp32", "tensorboard=false", "validate_every=99")
        sets = [word for pair in (*common, *settings) for word in ("--set", pair)]
        start = ["train", recipe, "--data", data, "--out", tmp_path / recipe, "--steps", 2]
        return [str(word) for word in (*start, *sets, "--json", "--quiet")]

    small = ("widths=4,6,8,8",)
    coder = words("autoencoder", *(f"model.{s}" for s in small), "side=32", "crops=2")
    folder = Command(coder, logs).result()["model"]
    bridge = [f"model.coder.{s}" for s in small]
    bridge += ["model.widths=8,16", "model.depths=1,1", "crops.shapes=[32,2]"]
    made = Command(words("generator-latent", *bridge, f"autoencoder={folder}"), logs).result()
    assert generators.load(made["model"]).model.coder is not None
    refused = Command(words("generator-latent", *bridge), logs)
    assert refused.codes() == [2] and "autoencoder=FOLDER" in refused.stderr
