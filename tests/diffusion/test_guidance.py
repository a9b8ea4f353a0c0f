"""Guidance moves the law as promised; kept pixels are kept; the loop leads back upwards."""

import pytest
import torch
from tests.diffusion.exact import MEAN, VAR, data, flow, randn

from afterscene.diffusion import grids
from afterscene.diffusion.analytic import gaussian
from afterscene.diffusion.guidance import (
    ClassifierFree,
    Keep,
    Threshold,
    noised,
)
from afterscene.diffusion.loop import sample
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
def test_kept_pixels_come_back_to_the_bit(steps):
    x = torch.randn(3, 4, generator=torch.Generator().manual_seed(0))
    denoiser = gaussian(torch.full((4,), 0.5), 0.1)
    denoiser = Keep(denoiser=denoiser, known=KNOWN, keep=MASK)
    end = sample(denoiser, VP(), x, grids.uniform(steps), Ddpm(), noise=randn())
    assert torch.equal(end[:, :2], KNOWN[:2].expand(3, 2))
    assert not torch.equal(end[0, 2:], end[1, 2:])


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
