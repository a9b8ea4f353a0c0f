"""The autoencoder: sizes, its Gaussian against torch.distributions, calibration, learning."""

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from afterscene.networks.autoencoder import Autoencoder, AutoencoderConfig, Gaussian

SMALL = AutoencoderConfig(widths=(8, 12, 16, 16))


def test_eight_times_smaller():
    network = Autoencoder(SMALL)
    latent = network.encode(torch.randn(2, 3, 32, 48)).mean
    assert latent.shape == (2, 4, 4, 6)
    assert network.decode(latent).shape == (2, 3, 32, 48)
    with pytest.raises(ValueError, match="multiples of 8"):
        network.encode(torch.randn(1, 3, 30, 32))


def test_gaussian():
    torch.manual_seed(0)
    posterior = Gaussian(torch.randn(3, 2, 4, 4), torch.randn(3, 2, 4, 4))
    normal = Normal(posterior.mean, (0.5 * posterior.log_variance).exp())
    expected = kl_divergence(normal, Normal(0.0, 1.0)).sum(dim=(1, 2, 3))
    torch.testing.assert_close(posterior.kl(), expected)
    noise = torch.randn(3, 2, 4, 4)
    torch.testing.assert_close(posterior.sample(noise), normal.loc + normal.scale * noise)


def test_calibrated_latents_have_unit_variance_and_decode_to_the_same():
    torch.manual_seed(0)
    network = Autoencoder(SMALL)
    x = torch.rand(8, 3, 32, 32) * 2 - 1
    network.calibrate(x)
    latent = network.encode_latent(x)
    torch.testing.assert_close(latent.mean(dim=(0, 2, 3)), torch.zeros(4), atol=1e-4, rtol=0)
    torch.testing.assert_close(latent.std(dim=(0, 2, 3)), torch.ones(4), atol=1e-3, rtol=0)
    torch.testing.assert_close(
        network.decode_latent(latent), network.decode(network.encode(x).mean), atol=1e-4, rtol=1e-4
    )
    assert {"shift", "scale"} <= set(network.state_dict())


def test_it_learns_to_see_colours():
    torch.manual_seed(0)
    network = Autoencoder(SMALL)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-2)
    x = (torch.rand(16, 3, 2, 2) * 2 - 1).repeat_interleave(8, 2).repeat_interleave(8, 3)
    losses = []
    for _ in range(60):
        loss = network.loss(x, torch.randn(16, 4, 2, 2))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]


def test_the_pull_grows_with_its_weight():
    network = Autoencoder(SMALL)
    x, noise = torch.rand(2, 3, 16, 16), torch.randn(2, 4, 2, 2)
    free, pulled = network.loss(x, noise, kl_weight=0.0), network.loss(x, noise, kl_weight=1.0)
    expected = network.encode(x).kl().mean() / (3 * 16 * 16)
    torch.testing.assert_close(pulled - free, expected)
