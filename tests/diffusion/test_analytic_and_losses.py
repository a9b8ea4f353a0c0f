"""The exact denoisers against numbers found another way; the losses against their papers."""

import math

import pytest
import torch
from tests.diffusion.exact import MEAN, VAR, data

from afterscene.diffusion import losses
from afterscene.diffusion.analytic import Mixture, gaussian
from afterscene.diffusion.denoisers import Predictor
from afterscene.diffusion.parameterization import Prediction
from afterscene.diffusion.schedules import DDPM, EDM, VP, RectifiedFlow, posterior

MIXTURE = Mixture(
    means=torch.tensor([[-1.0, 0.5], [0.8, -0.3], [0.1, 1.2]], dtype=torch.float64),
    variances=torch.tensor([[0.05, 0.2], [0.1, 0.1], [0.02, 0.3]], dtype=torch.float64),
    weights=torch.tensor([0.5, 0.2, 0.3], dtype=torch.float64),
)


@pytest.mark.parametrize("time", [0.05, 0.3, 0.7])
def test_tweedie(time):
    """``x_t + sigma^2 grad log p(x_t) = alpha E[x0 | x_t]``: density and denoiser agree."""
    t = VP().level(time)
    x = torch.randn(7, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    x.requires_grad_()
    (score,) = torch.autograd.grad(MIXTURE.log_prob(x, t).sum(), x)
    torch.testing.assert_close((x + t.sigma**2 * score) / t.alpha, MIXTURE(x, t))
    for i in range(2):
        (row,) = torch.autograd.grad(MIXTURE(x, t)[:, i].sum(), x)
        s = VP().level(time / 2)
        _, b, small = posterior(t, s)
        var = (MIXTURE.reverse(x, t, s)[1][:, i] - small) / b**2
        torch.testing.assert_close(row[:, i] * t.sigma**2 / t.alpha, var)


def test_density_sums_to_one():
    t = VP().level(0.2)
    axis = torch.linspace(-6, 6, 601, dtype=torch.float64)
    grid = torch.stack(torch.meshgrid(axis, axis, indexing="ij"), -1)
    assert abs(MIXTURE.log_prob(grid, t).exp().sum() * 0.02**2 - 1) < 1e-4


def test_samples_have_the_moments():
    drawn = MIXTURE.sample(200_000, torch.Generator().manual_seed(0))
    weights = MIXTURE.weights[:, None]
    mean = (weights * MIXTURE.means).sum(0)
    var = (weights * (MIXTURE.variances + MIXTURE.means**2)).sum(0) - mean**2
    torch.testing.assert_close(drawn.mean(0), mean, atol=0.01, rtol=0)
    torch.testing.assert_close(drawn.var(0), var, atol=0.01, rtol=0)


def test_batched_levels_are_single_ones():
    x = torch.randn(4, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    times = torch.linspace(0.1, 0.9, 4, dtype=torch.float64)
    each = torch.stack([MIXTURE(x[i], VP().level(times[i].item())) for i in range(4)])
    torch.testing.assert_close(MIXTURE(x, VP().at(times)), each)
    wide = Mixture(means=torch.randn(3, 2, 4, 4, dtype=torch.float64), variances=0.3)
    x = torch.randn(5, 6, 2, 4, 4, dtype=torch.float64)
    assert wide(x, VP().level(0.5)).shape == x.shape
    assert wide.log_prob(x, VP().level(0.5)).shape == (5, 6)


def test_ideal_denoiser_of_a_finite_set():
    """With little noise the nearest image, with much the mean of all."""
    images = torch.randn(5, 3, 4, 4, generator=torch.Generator().manual_seed(0)).double()
    ideal = Mixture(means=images)
    low, high = EDM().level_of(1e-3), EDM(sigma_max=1e5).level_of(1e4)
    torch.testing.assert_close(ideal(images + 1e-3, low), images)
    torch.testing.assert_close(ideal(0 * images[:1], high)[0], images.mean(0), atol=1e-4, rtol=0)


def test_gaussian_by_hand():
    t, x = VP().level(0.3), torch.tensor([[0.9]], dtype=torch.float64)
    total = t.alpha**2 * VAR + t.sigma**2
    by_hand = MEAN + t.alpha * VAR / total * (0.9 - t.alpha * MEAN)
    assert math.isclose(data()(x, t).item(), by_hand)
    log = -0.5 * ((0.9 - t.alpha * MEAN) ** 2 / total + math.log(2 * math.pi * total))
    assert math.isclose(data().log_prob(x, t).item(), log)
    assert gaussian(torch.zeros(3), 1.0)(torch.zeros(2, 3), t).shape == (2, 3)


LEVEL = VP().at(torch.linspace(0.05, 0.95, 6, dtype=torch.float64))


def test_simple_x0_and_v_are_plain_errors():
    """The weighted error of x0 is the plain error of what the name says."""
    generator = torch.Generator().manual_seed(0)
    x0, eps, out = torch.randn(3, 6, 2, 3, generator=generator, dtype=torch.float64)
    t = LEVEL.over(x0)
    target = {
        "simple": (Prediction.EPS, eps),
        "x0": (Prediction.X0, x0),
        "v": (Prediction.V, t.alpha * eps - t.sigma * x0),
    }
    for name, (kind, truth) in target.items():
        model = Predictor(lambda x, clock, condition: out, kind)
        loss = losses.denoising_loss(model, x0, LEVEL, eps, weight=losses.WEIGHTS[name]())
        torch.testing.assert_close(loss, (out - truth).square().flatten(1).mean(1))


def test_weights_are_the_papers():
    snr = LEVEL.rho**-2
    eps_weight = {name: make()(snr) / snr for name, make in losses.WEIGHTS.items()}
    torch.testing.assert_close(eps_weight["min-snr"], torch.clamp(snr, max=5) / snr)
    torch.testing.assert_close(eps_weight["p2"], 1 / (1 + snr))
    torch.testing.assert_close(eps_weight["sigmoid"], 1 / (1 + torch.exp(snr.log() + 3)))
    rho = LEVEL.rho
    edm = (rho**2 + 0.25) / (rho * 0.5) ** 2
    torch.testing.assert_close(losses.WEIGHTS["edm"]()(snr), edm)


def test_the_exact_denoiser_minimises_the_loss():
    """At the minimum the loss is w(t) Var[x0 | x_t]; anything else is worse."""
    generator = torch.Generator().manual_seed(0)
    count = 100_000
    x0 = data().sample(count, generator).double()
    eps = torch.randn(count, 1, generator=generator, dtype=torch.float64)
    level = RectifiedFlow().at(torch.full((count,), 0.4, dtype=torch.float64))
    best = losses.denoising_loss(data(), x0, level, eps, weight=losses.WEIGHTS["x0"]()).mean()
    var = VAR * 0.16 / (0.36 * VAR + 0.16)
    assert abs(best - var) < 4 * var * math.sqrt(2 / count)
    worse = losses.denoising_loss(
        lambda x, t, c: data()(x, t) + 0.1, x0, level, eps, weight=losses.WEIGHTS["x0"]()
    )
    assert abs(worse.mean() - best - 0.01) < 0.005


def test_time_samplers():
    generator = torch.Generator().manual_seed(0)
    even = losses.uniform_times(1000, generator)
    assert even.min() >= 1e-3 and even.max() <= 1 and abs(even.mean() - 0.5005) < 1e-3
    assert even.sort().values.diff().max() < 2.1e-3 and even[:10].diff().abs().max() > 0.05
    times = losses.log_normal_times(EDM(), 100_000, generator)
    logs = EDM().at(times.double()).sigma.log()
    assert abs(logs.mean() + 1.2) < 0.02 and abs(logs.std() - 1.2) < 0.02
    assert losses.log_normal_times(DDPM(), 50, generator).max() <= 1
