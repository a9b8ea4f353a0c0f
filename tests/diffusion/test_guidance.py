"""Guidance moves the law as promised; kept pixels are kept; noise spaces lead back."""

import math

import pytest
import torch
from tests.diffusion.exact import MEAN, VAR, data, flow, randn

from afterscene.diffusion import grids
from afterscene.diffusion.analytic import gaussian
from afterscene.diffusion.guidance import (
    Classifier,
    ClassifierFree,
    Keep,
    Repaint,
    Threshold,
    encode,
    noised,
    replay,
)
from afterscene.diffusion.loop import sample, trajectory
from afterscene.diffusion.samplers import Ddim, Ddpm, Heun
from afterscene.diffusion.schedules import EDM, VP


def conditional(x, t, condition):
    """N(condition, VAR), and N(0, 1) for no condition."""
    mean, var = (0.0, 1.0) if condition is None else (condition, VAR)
    return gaussian(torch.full((1,), mean, dtype=x.dtype), var)(x, t)


def test_classifier_free_is_the_formula():
    t, x = VP().level(0.3), torch.tensor([[0.5]], dtype=torch.float64)
    plain, told = conditional(x, t, None), conditional(x, t, 2.0)
    for scale in (0.0, 1.0, 3.0):
        guided = ClassifierFree(denoiser=conditional, scale=scale)(x, t, 2.0)
        torch.testing.assert_close(guided, plain + scale * (told - plain))


def test_guidance_only_inside_its_interval_and_free_at_one():
    calls = []

    def counted(x, t, condition):
        calls.append(condition)
        return conditional(x, t, condition)

    t, x = EDM().level_of(1.0), torch.ones(1, 1, dtype=torch.float64)
    for scale, low, high, expected in ((3, 0, 9, 2), (3, 2, 9, 1), (3, 0, 0.5, 1), (1, 0, 9, 1)):
        calls.clear()
        guided = ClassifierFree(denoiser=counted, scale=scale, low=low, high=high)(x, t, 2.0)
        assert len(calls) == expected
        assert torch.equal(guided, conditional(x, t, 2.0)) is (expected == 1)


@pytest.mark.parametrize("scale", [0.0, 1.0])
def test_classifier_guidance_samples_the_posterior(scale):
    """Prior N(0, 1), y = x0 + N(0, 0.5): guided samples follow p(x0 | y)."""
    y, spread, schedule = 1.4, 0.5, EDM()

    def log_prob(x, t, condition):
        mean = x / (1 + t.sigma**2)
        var = t.sigma**2 / (1 + t.sigma**2) + spread
        return -0.5 * (condition - mean) ** 2 / var

    guided = Classifier(
        denoiser=lambda x, t, c: conditional(x, t, None), log_prob=log_prob, scale=scale
    )
    times = grids.karras(schedule, 60)
    noise = randn(0)
    x = 80 * noise(0, 0, torch.zeros(20_000, 1, dtype=torch.float64))
    mean, var = (y / 1.5, 1 / 3) if scale else (0.0, 1.0)
    end = sample(guided, schedule, x + mean, times, Heun(), condition=y)
    assert abs(end.mean() - mean) < 4 * math.sqrt(var / 20_000)
    assert abs(end.var() - var) < 4 * var * math.sqrt(2 / 20_000) + 2e-3


def test_thresholds():
    t = VP().level(0.5)
    x0 = torch.linspace(-3, 3, 101).repeat(2, 1)
    x0[1] /= 6
    static = Threshold(denoiser=lambda x, t, c: x0)(x0, t)
    assert static.abs().max() == 1 and torch.equal(static[1], x0[1])
    dynamic = Threshold(denoiser=lambda x, t, c: x0, quantile=0.9)(x0, t)
    assert dynamic.abs().max() <= 1 + 1e-6 and torch.equal(dynamic[1], x0[1])
    torch.testing.assert_close(dynamic[0, 50:90], x0[0, 50:90] / 2.7, atol=1e-2, rtol=0)


KNOWN = torch.tensor([0.123456789, -0.4, 0.77, 0.1])
MASK = torch.tensor([True, True, False, False])


@pytest.mark.parametrize("steps", [1, 2, 10])
@pytest.mark.parametrize("way", ["keep", "repaint"])
def test_kept_pixels_come_back_to_the_bit(way, steps):
    x = torch.randn(3, 4, generator=torch.Generator().manual_seed(0))
    denoiser = gaussian(torch.full((4,), 0.5), 0.1)
    method = Ddpm()
    if way == "keep":
        denoiser = Keep(denoiser=denoiser, known=KNOWN, keep=MASK)
    else:
        method = Repaint(inner=method, known=KNOWN, keep=MASK, resamples=3)
    end = sample(denoiser, VP(), x, grids.uniform(steps), method, noise=randn())
    assert torch.equal(end[:, :2], KNOWN[:2].expand(3, 2))
    assert not torch.equal(end[0, 2:], end[1, 2:])


def test_resampling_brings_the_two_sides_together():
    """Two pixels of correlation 0.9, one known: RePaint's repetitions find the other's mean."""
    cov = torch.tensor([[1.0, 0.9], [0.9, 1.0]], dtype=torch.float64)

    def joint(x, t, condition):
        gain = t.alpha * cov @ torch.linalg.inv(t.alpha**2 * cov + t.sigma**2 * torch.eye(2))
        return x @ gain.T

    known = torch.tensor([1.5, 0.0], dtype=torch.float64)
    keep = torch.tensor([True, False])
    times = grids.karras(VP(), 25, rho_max=50.0)
    means = []
    for resamples in (1, 12):
        method = Repaint(inner=Ddpm(), known=known, keep=keep, resamples=resamples)
        noise = randn(1)
        x = noise(0, 0, torch.zeros(4000, 2, dtype=torch.float64))
        means.append(sample(joint, VP(), x, times, method, noise=noise)[:, 1].mean().item())
    assert abs(means[1] - 1.35) < 0.08 < abs(means[0] - 1.35)


def test_editing_from_a_noised_start():
    """SDEdit from t = 0.3: the law at the end, given the start, is the exact flow's."""
    schedule, times = VP(), grids.uniform(400, start=0.3, end=0.001)
    t, s = schedule.levels(times[[0, -1]])
    x0 = torch.linspace(-1, 1, 5, dtype=torch.float64)[:, None]
    x = noised(x0, t, torch.full_like(x0, 0.3))
    torch.testing.assert_close(x, t.alpha * x0 + t.sigma * 0.3)
    end = sample(data(), schedule, x, times, Heun())
    torch.testing.assert_close(end, flow(x, t, s), atol=1e-4, rtol=0)
    assert (end.diff(dim=0) > 0).all() and (end - MEAN).abs().max() < (x0 - MEAN).abs().max()


@pytest.mark.parametrize(("method", "bound"), [(Ddim(), 0.05), (Heun(), 1e-3)], ids=str)
def test_inversion_is_the_loop_upwards(method, bound):
    schedule = VP()
    times = grids.log_snr(schedule, 200, rho_max=50.0, rho_min=0.01, to_zero=False)
    x = torch.linspace(-1, 1, 5, dtype=torch.float64)[:, None]
    s, t = schedule.levels(times[[-1, 0]])
    up = sample(data(), schedule, x, times.flip(0), method)
    torch.testing.assert_close(up, flow(x, s, t), atol=bound, rtol=0)
    down = sample(data(), schedule, up, times, method)
    torch.testing.assert_close(down, x, atol=bound, rtol=0)


def test_cycle_diffusion_noise_leads_back_and_edits():
    x0 = torch.randn(2000, 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    x0 = MEAN + math.sqrt(VAR) * x0
    excess = []
    for steps in (100, 400):
        times = grids.log_snr(VP(), steps, rho_max=50.0, rho_min=0.02, to_zero=False)
        start, noises = encode(conditional, VP(), x0, times, randn(), condition=MEAN)
        again = dict(noise=replay(noises))
        *_, last = trajectory(conditional, VP(), start, times, Ddpm(), condition=MEAN, **again)
        assert (last.x - last.t.alpha * x0).abs().max() < 5 * last.t.sigma
        excess.append(torch.stack(noises).var() - 1)
        edit = sample(conditional, VP(), start, times, Ddpm(), condition=MEAN + 1, **again)
        torch.testing.assert_close((edit - last.x).mean().item(), 1.0, atol=0.05, rtol=0)
        assert (edit - last.x).std() < 0.1
    # The recorded noise carries x0 as well: white only as steps grow.
    assert excess[0] < 0.2 and abs(excess[1] - excess[0] / 4) < 0.02
