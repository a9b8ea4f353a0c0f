"""VAE, GAN and flow: what each of them promises of its z."""

import math

import numpy as np
import pytest
import torch

from afterscene.errors import BadParameter
from afterscene.school.autoregression import FitConfig, train_steps
from afterscene.school.latent import Flow, Gan, LatentConfig, Vae, latents

LEVELS = 4


def sizes(**other):
    return LatentConfig(**{"size": 8, "levels": LEVELS, "latent": 4, "width": 4, **other})


def loud(model, std=0.3):
    """Weights that are not those of the start, where a coupling does nothing."""
    torch.manual_seed(1)
    for parameter in model.parameters():
        parameter.data += std * torch.randn_like(parameter)
    return model.double()


def noise_pictures(count, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).integers(LEVELS, size=(count, 3, 8, 8)))


def test_a_flow_finds_its_way_back():
    torch.manual_seed(0)
    flow = loud(Flow(sizes(latent=192, classes=2), depth=2), std=0.1)
    x, label = torch.rand(3, 3, 8, 8).double() * 2 - 1, torch.tensor([0, 1, -1])
    z, _ = flow.encode(x, label)
    assert z.shape == (3, 192)
    torch.testing.assert_close(flow.decode(z, label), x)
    assert not torch.allclose(flow.decode(z, label.flip(0)), x, atol=1e-2)


def test_the_density_of_a_flow_is_that_of_its_noise_times_the_stretch():
    torch.manual_seed(0)
    flow = loud(Flow(sizes(latent=192), depth=1), std=0.1)
    x = torch.rand(1, 3, 8, 8).double() * 2 - 1
    jacobian = torch.autograd.functional.jacobian(lambda y: flow.encode(y)[0], x).view(192, 192)
    z, stretched = flow.encode(x)
    torch.testing.assert_close(stretched[0], torch.linalg.slogdet(jacobian)[1])
    normal = torch.distributions.Normal(0.0, 1.0).log_prob(z).sum()
    torch.testing.assert_close(flow.log_prob(x)[0], normal + stretched[0])


def test_no_code_is_shorter_than_the_entropy_and_training_comes_near_it():
    """Pictures of pure noise with four values cost two bits a value, whatever codes them."""
    x, fresh = noise_pictures(256), noise_pictures(64, seed=1)
    torch.manual_seed(0)
    vae = Vae(sizes())

    def bits():
        with torch.no_grad():
            nats = vae.nats(fresh, None, np.random.default_rng(0)).mean().item()
        return nats / (192 * math.log(2))

    before = bits()
    list(train_steps(vae, x, FitConfig(steps=150, batch=32, lr=1e-2)))
    assert 2.0 < bits() < min(before, 2.1)


def test_the_bins_of_a_vae_hold_all_probability():
    vae = Vae(sizes()).double()
    centre = torch.full((1, 3, 8, 8), 0.3).double()
    shares = [
        vae._log_prob(torch.full((1, 3, 8, 8), value), centre).div(192).exp().item()
        for value in range(LEVELS)
    ]
    assert sum(shares) == pytest.approx(1.0)


def test_each_player_of_a_gan_learns_from_its_own_loss_alone():
    torch.manual_seed(0)
    gan = Gan(sizes())
    rows = gan.labels(None, 6)
    real, drawn = torch.rand(6, 3, 8, 8), gan.decode(latents(0, 6, 4))
    gan._generator_loss(real, drawn, rows).backward()
    assert all(p.grad is None for p in gan.discriminator.parameters())
    assert any(p.grad.abs().max() > 0 for p in gan.generator.convs.parameters())
    gan.zero_grad()
    gan._discriminator_loss(real, drawn.detach(), rows).backward()
    assert all(p.grad is None for p in gan.generator.parameters())
    assert any(p.grad.abs().max() > 0 for p in gan.discriminator.convs.parameters())


@pytest.mark.parametrize(("kind", "steps", "lr"), [(Vae, 80, 1e-2), (Gan, 150, 3e-3)])
def test_what_is_drawn_for_a_label_looks_like_its_pictures(kind, steps, lr):
    """Label 0 is dark, label 1 bright."""
    label = torch.arange(64) % 2
    x = noise_pictures(64) // 2 + 2 * label[:, None, None, None]
    torch.manual_seed(0)
    model = kind(sizes(classes=2))
    list(train_steps(model, x, FitConfig(steps=steps, batch=16, lr=lr), label=label))
    dark, bright = (model.sample(torch.full((16,), k), seed=0).float().mean() for k in (0, 1))
    assert dark + 0.5 < bright


def test_a_latent_is_the_same_in_any_batch():
    assert torch.equal(latents(3, 5, 7)[:2], latents(3, 2, 7))
    assert not torch.equal(latents(3, 2, 7), latents(4, 2, 7))
    with pytest.raises(BadParameter, match="multiple of 8"):
        sizes(size=12)
