"""Likelihoods against exact ones: a mixture's density, bins of a Gaussian, and the bound above."""

import math

import pytest
import torch
from tests.diffusion.exact import randn

from afterscene.diffusion import grids, likelihood
from afterscene.diffusion.analytic import Mixture, gaussian
from afterscene.diffusion.denoisers import LearnedVariance
from afterscene.diffusion.schedules import DDPM, EDM, VP, RectifiedFlow

MIXTURE = Mixture(
    means=torch.tensor([[-1.0, 0.5], [0.8, -0.3], [0.1, 1.2]], dtype=torch.float64),
    variances=torch.tensor([[0.05, 0.2], [0.1, 0.1], [0.02, 0.3]], dtype=torch.float64),
    weights=torch.tensor([0.5, 0.2, 0.3], dtype=torch.float64),
)


@pytest.mark.parametrize("schedule", [VP(), EDM(), RectifiedFlow(), DDPM()], ids=repr)
def test_mixture_within_half_a_percent(schedule):
    span = (schedule.level_of(0.01).time, schedule.level_of(60.0).time)
    x = MIXTURE.sample(64, torch.Generator().manual_seed(0)) * schedule.level(span[0]).alpha
    found = likelihood.log_prob(MIXTURE, schedule, x, span=span)
    exact = MIXTURE.log_prob(x, schedule.level(span[0]))
    assert abs(found.mean() / exact.mean() - 1) < 0.005
    assert (found - exact).abs().max() < 0.03


def test_the_prior_is_an_argument():
    """With the exact density at the end the span may be short, and the answer exact."""
    x = MIXTURE.sample(8, torch.Generator().manual_seed(0))
    found = likelihood.log_prob(
        MIXTURE, VP(), x, span=(0.05, 0.3), prior=MIXTURE.log_prob, tolerance=1e-8
    )
    torch.testing.assert_close(found, MIXTURE.log_prob(x, VP().level(0.05)), atol=1e-5, rtol=0)


def test_hutchinson_is_unbiased():
    x = MIXTURE.sample(1, torch.Generator().manual_seed(0)).repeat(400, 1)
    generator = torch.Generator().manual_seed(1)
    probe = torch.randint(0, 2, x.shape, generator=generator).double() * 2 - 1
    args = dict(span=(VP().level_of(0.05).time, 0.9), tolerance=1e-4)
    found = likelihood.log_prob(MIXTURE, VP(), x, divergence=likelihood.hutchinson(probe), **args)
    exact = likelihood.log_prob(MIXTURE, VP(), x[:1], **args)
    assert found.std() > 0
    assert abs(found.mean() - exact.item()) < 4 * found.std() / 20


def test_dequantised_pixels_and_bits():
    """Independent pixels N(0, 0.3): bits of the density near the entropy of the bins."""
    generator = torch.Generator().manual_seed(0)
    values = 0.3**0.5 * torch.randn(20, 3, 8, 8, generator=generator, dtype=torch.float64)
    pixels = ((values.clamp(-1, 1) + 1) * 128).floor().clamp(0, 255)
    x = likelihood.dequantised(pixels, generator)
    assert torch.equal(((x + 1) * 128).floor(), pixels)
    logs = likelihood.standard(x, EDM().level_of(0.3**0.5))
    bits = likelihood.bits_per_dim(logs, x[0].numel()).mean()
    edges = torch.special.ndtr((torch.stack((pixels, pixels + 1)) / 128 - 1) / 0.3**0.5)
    exact = -(edges[1] - edges[0]).log2().mean()
    assert abs(bits - exact) < 0.01


def test_the_bound_is_above_and_tightens():
    """DDPM's bound for discretised Gaussian pixels: over the entropy, nearer with more steps."""
    generator = torch.Generator().manual_seed(0)
    values = 0.2 + 0.2 * torch.randn(200, 1, 8, 8, generator=generator, dtype=torch.float64)
    pixels = (((values + 1) / 2) * 255).round().clamp(0, 255)
    x0 = pixels / 127.5 - 1
    edges = torch.special.ndtr((torch.stack((x0 - 1 / 255, x0 + 1 / 255)) - 0.2) / 0.2)
    entropy = -(edges[1] - edges[0]).log2().mean().item()
    denoiser = gaussian(torch.full((1, 8, 8), 0.2, dtype=torch.float64), 0.04)
    totals = {}
    for name, model in (("exact", denoiser), ("plain", lambda x, t, c: denoiser(x, t))):
        for steps in (25, 400):
            times = grids.log_snr(VP(), steps, rho_max=100.0, rho_min=0.01)
            terms = likelihood.variational_bound(model, VP(), x0, times, noise=randn())
            assert terms.shape == (steps + 1, 200) and (terms.mean(1) > -1e-9).all()
            totals[name, steps] = terms.sum(0).mean().item()
    assert all(abs(totals["exact", steps] - entropy) < 0.06 for steps in (25, 400))  # four errors
    assert entropy < totals["plain", 400] < totals["plain", 25] - 0.1


def test_learned_variance_trains_by_a_term():
    """The bound's gradient in the variance channel points to the exact variance."""
    t, s = DDPM().level(0.3), DDPM().level(0.2)
    exact = gaussian(torch.zeros(1, 4, 4, dtype=torch.float64), 0.25)
    generator = torch.Generator().manual_seed(0)
    x0 = exact.sample(3000, generator)
    x = t.alpha * x0 + t.sigma * torch.randn(x0.shape, generator=generator, dtype=torch.float64)
    place = torch.tensor(0.0, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([place], max_iter=20)

    def network(x, clock, condition):
        eps = (x - t.alpha * exact(x, t)) / t.sigma
        return torch.cat((eps, place.expand_as(eps)), 1)

    model = LearnedVariance(network)

    def closure():
        optimiser.zero_grad()
        loss = likelihood.bound_term(model, x0, x, t, s).mean()
        loss.backward()
        return loss

    optimiser.step(closure)
    found = model.reverse(x[:1], t, s, None)[1].mean().item()
    assert math.isclose(found, exact.reverse(x[:1], t, s)[1].mean().item(), rel_tol=0.02)


def test_decoder_bins_sum_to_one():
    """The decoder's probabilities of all 256 values, edges included, make 1."""
    t, s = DDPM().level(0.001), DDPM().level(0.0)
    values = (torch.arange(256, dtype=torch.float64) / 127.5 - 1)[:, None]
    for centre in (-1.0, 0.3, 0.999):
        logs = -likelihood.bound_term(
            lambda x, t, c, at=centre: torch.full_like(x, at), values, values, t, s
        )
        assert abs(logs.exp().sum() - 1) < 1e-6
