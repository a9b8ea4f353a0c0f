"""The autoencoder's recipe: it learns, goes on after a stop to the same bits, and is calibrated."""

import pytest
import torch

from afterscene.errors import BadParameter
from afterscene.generators.checkpoint import load_weights
from afterscene.generators.latent import AutoencoderRun, AutoencoderTask
from afterscene.networks.autoencoder import Autoencoder, AutoencoderConfig
from afterscene.recipes import autoencoder
from afterscene.recipes.registry import KINDS, recipe
from afterscene.training.processes import Group
from afterscene.weightfiles import load_into
from tests.generators import toy

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
    data = [toy.tile(0)], [toy.tile(1)]
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
        latent = model.encode_latent(AutoencoderTask(CONFIG, data[0]).draw(0, slice(None)).x)
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
