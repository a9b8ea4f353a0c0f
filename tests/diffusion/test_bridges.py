"""Bridges against the exact law of Gaussian pairs: x0 | x1 ~ N(gain x1 + shift, var)."""

import math

import pytest
import torch

from afterscene.diffusion import grids
from afterscene.diffusion.bridges import (
    BrownianBridge,
    cross,
)
from afterscene.diffusion.denoisers import Preconditioned, time_clock
from afterscene.diffusion.losses import uniform_times
from afterscene.diffusion.samplers import Ddim, Ddpm, Heun, trajectory
from afterscene.diffusion.schedules import RectifiedFlow
from afterscene.errors import BadParameter

GAIN, SHIFT, VAR = 0.7, 0.4, 0.09
BRIDGES = [
    BrownianBridge(sigma_max=0.5),
    BrownianBridge(sigma_max=1.0, shape="linear"),
]


def exact(bridge):
    """E[x0 | x_t, x1] of the Gaussian pair; ``condition`` is x1."""

    def denoiser(x, t, condition):
        a, b, c = (w.item() for w in bridge.weights(torch.tensor(t.time, dtype=torch.float64)))
        mean = GAIN * condition + SHIFT
        total = a**2 * VAR + c**2
        gain = a * VAR / total if total > 0 else 0.0
        return mean + gain * (x - a * mean - b * condition)

    return denoiser


def gaussian(seed=0):
    generator = torch.Generator().manual_seed(seed)
    return lambda step, draw, like: torch.randn(like.shape, dtype=like.dtype, generator=generator)


@pytest.mark.parametrize("bridge", BRIDGES, ids=str)
def test_ends_and_slopes(bridge):
    t = torch.tensor([0.0, 1.0], dtype=torch.float64)
    a, b, c = bridge.weights(t)
    torch.testing.assert_close(a, a.new_tensor([1, 0]), atol=1e-4, rtol=0)
    torch.testing.assert_close(b, a.new_tensor([0, 1]), atol=1e-4, rtol=0)
    torch.testing.assert_close(c, a.new_tensor([0, 0]), atol=1e-4, rtol=0)
    t, h = torch.linspace(0.05, 0.95, 10, dtype=torch.float64), 1e-6
    level, up, down = bridge.at(t), bridge.at(t + h), bridge.at(t - h)
    torch.testing.assert_close(level.d_alpha, (up.alpha - down.alpha) / (2 * h), atol=1e-5, rtol=0)
    torch.testing.assert_close(level.d_sigma, (up.sigma - down.sigma) / (2 * h), atol=1e-5, rtol=0)
    torch.testing.assert_close(bridge.time_of(level.rho), t)


def test_brownian_is_i2sb():
    """The paper's own chain: sums of betas from both ends, symmetric with linear sqrt(beta)."""
    half = torch.linspace(1e-4**0.5, 3e-4**0.5, 5000, dtype=torch.float64) ** 2
    beta = torch.cat((half, half.flip(0)))
    forward, backward = beta.cumsum(0), beta.sum() - beta.cumsum(0)
    bridge = BrownianBridge(sigma_max=beta.sum().sqrt().item())
    a, b, c = bridge.weights(torch.arange(1, 10001, dtype=torch.float64) / 10000)
    torch.testing.assert_close(a, backward / (forward + backward), atol=2e-4, rtol=0)
    torch.testing.assert_close(b, forward / (forward + backward), atol=2e-4, rtol=0)
    std = (forward * backward / (forward + backward)).clamp(min=0).sqrt()
    torch.testing.assert_close(c, std, atol=2e-3, rtol=0)


def test_stochastic_step_is_the_posterior():
    """One step of I2SB: N(w_s/w_t x_t + (1 - w_s/w_t) x0, sigma^2 w_s (w_t - w_s) / w_t)."""
    bridge, sigma = BrownianBridge(sigma_max=0.8, shape="linear"), 0.8
    x1, x0 = torch.full((200_000,), 2.0).double(), -1.0
    times = torch.tensor([1.0, 0.7, 0.3], dtype=torch.float64)
    first, second = cross(
        lambda x, t, c: torch.full_like(x, x0), bridge, x1, times, noise=gaussian()
    )
    torch.testing.assert_close(first.x.mean().item(), 0.7 * 2 - 0.3, atol=4e-3, rtol=0)
    rest = second.x - 3 / 7 * first.x
    assert abs(rest.mean().item() - (1 - 3 / 7) * x0) < 4e-3
    assert abs(rest.var().item() - sigma**2 * 0.3 * 0.4 / 0.7) < 4 * 0.11 * math.sqrt(2 / 200_000)
    assert abs(torch.corrcoef(torch.stack((rest, first.x)))[0, 1]) < 0.01


def impulses(bridge, method, steps):
    """Mean and variance of the end point by unit impulses: exact, for the chain is linear.

    Squared times step evenly in rho near the image; even times cost a factor log(steps) there.
    """
    times = grids.uniform(steps) ** 2
    x1 = torch.full((steps + 1,), 1.5, dtype=torch.float64)

    def noise(step, draw, like):
        return torch.eye(steps + 1, dtype=like.dtype)[step]

    for state in cross(exact(bridge), bridge, x1, times, method, noise=noise, condition=x1):
        last = state.x
    return last[0].item(), ((last[1:] - last[0]) ** 2).sum().item()


@pytest.mark.parametrize("bridge", BRIDGES, ids=str)
@pytest.mark.parametrize("method", [Ddpm(), Ddim(eta=0.5), Ddim()], ids=str)
def test_crossing_reaches_the_pair(bridge, method):
    """Mean and variance of x0 | x1 converge at first order for stochastic and ODE crossings."""
    errors = []
    for steps in (128, 256, 512):
        mean, var = impulses(bridge, method, steps)
        assert abs(mean - (GAIN * 1.5 + SHIFT)) < 1e-3
        errors.append(abs(var - VAR))
    assert errors[-1] < 0.05 * VAR
    slopes = [math.log2(errors[i] / errors[i + 1]) for i in (0, 1)]
    assert all(abs(slope - 1) < 0.3 for slope in slopes), slopes


def test_monte_carlo_meets_the_impulses():
    bridge, count = BRIDGES[0], 100_000
    mean, var = impulses(bridge, Ddpm(), 16)
    x1 = torch.full((count,), 1.5, dtype=torch.float64)
    *_, last = cross(
        exact(bridge), bridge, x1, grids.uniform(16) ** 2, noise=gaussian(3), condition=x1
    )
    assert abs(last.x.mean().item() - mean) < 4 * math.sqrt(var / count)
    assert abs(last.x.var().item() - var) < 4 * var * math.sqrt(2 / count)


def test_the_ot_ode_is_a_rectified_flow_from_x1():
    """No noise and an exact pair x0 = f(x1): I2SB's OT-ODE arrives, on a straight line."""
    x1 = torch.linspace(-1, 1, 7, dtype=torch.float64)
    x0 = 3 * x1 - 1
    for state in trajectory(lambda x, t, c: x0, RectifiedFlow(), x1, grids.uniform(5), Ddim()):
        torch.testing.assert_close(state.x, state.t.alpha * x0 + state.t.sigma * x1)
        mean, _ = BrownianBridge(shape="linear").weights(torch.tensor(state.t.time))[:2]
        assert abs(mean.item() - state.t.alpha) < 1e-6
    torch.testing.assert_close(state.x, x0)


def test_training_pieces():
    bridge = BrownianBridge(sigma_max=1.0)
    generator = torch.Generator().manual_seed(0)
    t = uniform_times(1000, generator)
    x0, x1, eps = torch.randn(3, 1000, 3, 8, 8, generator=generator)
    x1 = 0.8 * x0 + 0.6 * x1
    x_t = bridge.x_t(x0, x1, t, eps)
    seen = []
    network = lambda x, time, condition: seen.append((x, time)) or torch.zeros_like(x)  # noqa: E731
    model = Preconditioned(network, 1.0, time_clock, sigma_end=1.0, cov=0.8)
    estimate = model(x_t, bridge.at(t))
    skip, out, _ = model.scales(bridge.at(t).over(x_t))
    assert abs(seen[0][0].var() - 1) < 0.02 and seen[0][1].shape == (1000,)
    target = (x0 - skip * x_t) / out
    assert abs(target.var() - 1) < 0.02
    assert abs((target * seen[0][0]).mean()) < 0.02
    torch.testing.assert_close(estimate, skip * x_t)


@pytest.mark.parametrize("bridge", BRIDGES, ids=str)
def test_any_sampler_crosses(bridge):
    """Heun crosses at second order: from the first step on, the conditional law's exact flow."""
    x1, errors = torch.full((4,), 1.5, dtype=torch.float64), []
    mean = GAIN * 1.5 + SHIFT
    for steps in (64, 128):
        times = torch.cat((torch.ones(1), grids.uniform(steps, start=0.9, end=0.05) ** 2))
        states = cross(exact(bridge), bridge, x1, times, Heun(), noise=gaussian(1), condition=x1)
        first, *_, last = states
        (t, s) = (state.t for state in (first, last))
        spread = (s.alpha**2 * VAR + s.sigma**2) ** 0.5 / (t.alpha**2 * VAR + t.sigma**2) ** 0.5
        there = first.x - t.alpha * mean - t.pull * x1
        expected = s.alpha * mean + s.pull * x1 + spread * there
        errors.append((last.x - expected).abs().max().item())
    assert abs(math.log2(errors[0] / errors[1]) - 2) < 0.3, errors


def test_refusals():
    with pytest.raises(BadParameter, match="symmetric or linear"):
        BrownianBridge(shape="round")
    with pytest.raises(BadParameter, match="noise"):
        next(cross(lambda x, t, c: x, BRIDGES[0], torch.zeros(3), grids.uniform(2)))
