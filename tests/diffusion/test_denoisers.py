"""Conversions cycle to themselves; a denoiser means the same x0 on every schedule."""

import itertools
import math

import pytest
import torch
from tests.diffusion.exact import data

from afterscene.diffusion.denoisers import (
    Preconditioned,
    Predictor,
    index_clock,
    rho_clock,
)
from afterscene.diffusion.parameterization import Prediction, convert, from_x0, to_x0
from afterscene.diffusion.schedules import (
    DDPM,
    EDM,
    META_EARTH,
    VE,
    VP,
    Cosine,
    RectifiedFlow,
    SubVP,
)
from afterscene.errors import BadParameter

SCHEDULES = [
    *(VP(), SubVP(), VE(), EDM(), RectifiedFlow()),
    *(DDPM(), META_EARTH, DDPM(beta_start=0.00085, beta_end=0.012, power=2.0), Cosine()),
]


@pytest.mark.parametrize("schedule", SCHEDULES, ids=repr)
def test_slopes_and_inverse(schedule):
    t, h = torch.linspace(0.0505, 0.9505, 10, dtype=torch.float64), 1e-7
    level, up, down = schedule.at(t), schedule.at(t + h), schedule.at(t - h)
    for name in ("alpha", "sigma"):
        slope = (getattr(up, name) - getattr(down, name)) / (2 * h)
        torch.testing.assert_close(getattr(level, "d_" + name), slope, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(schedule.time_of(level.rho), t)
    one = schedule.level_of(level.rho[3].item())
    assert math.isclose(one.time, t[3].item(), rel_tol=1e-9)
    assert (level.rho.diff() > 0).all()


def test_schedules_are_the_papers():
    t = torch.linspace(0, 1, 1001, dtype=torch.float64)
    for schedule, last in ((DDPM(), 0.02), (META_EARTH, 0.0155)):
        beta = torch.linspace(1e-4 if last == 0.02 else 0.0015, last, 1000, dtype=torch.float64)
        torch.testing.assert_close(schedule.at(t).alpha[1:] ** 2, (1 - beta).cumprod(0))
    beta = 0.1 + 19.9 * t
    integral = torch.cumulative_trapezoid(beta, t)
    torch.testing.assert_close(VP().at(t).alpha[1:], torch.exp(-integral / 2))
    torch.testing.assert_close(SubVP().at(t).sigma[1:], 1 - torch.exp(-integral))
    cosine = torch.cos((t + 0.008) / 1.008 * math.pi / 2) ** 2
    torch.testing.assert_close(Cosine().at(t[:-1]).alpha ** 2, (cosine / cosine[0])[:-1])
    for schedule in (DDPM(), VP(), Cosine()):
        level = schedule.at(t)
        torch.testing.assert_close(level.alpha**2 + level.sigma**2, torch.ones_like(t))


@pytest.mark.parametrize("schedule", SCHEDULES, ids=repr)
@pytest.mark.parametrize("path", itertools.permutations(Prediction, 2), ids=str)
def test_every_cycle_is_the_identity(schedule, path):
    """x0 -> first -> second -> x0, in float64 to 1e-6, at ten levels at once."""
    generator = torch.Generator().manual_seed(0)
    x0, eps = torch.randn(2, 10, 3, 4, 4, generator=generator, dtype=torch.float64)
    t = schedule.at(torch.linspace(0.01, 0.99, 10, dtype=torch.float64)).over(x0)
    x = t.alpha * x0 + t.sigma * eps
    first, second = path
    answer = convert(from_x0(x0, x, t, first), x, t, first, second)
    torch.testing.assert_close(to_x0(answer, x, t, second), x0, atol=1e-6, rtol=0)
    torch.testing.assert_close(answer, from_x0(x0, x, t, second), atol=1e-6, rtol=1e-6)


def test_rows_mean_what_they_say():
    level = VP().level(0.4)
    x0, eps = torch.tensor([0.7, -1.1], dtype=torch.float64)
    x = level.alpha * x0 + level.sigma * eps
    told = {kind: from_x0(x0, x, level, kind).item() for kind in Prediction}
    assert math.isclose(told[Prediction.EPS], -1.1, rel_tol=1e-9)
    assert math.isclose(told[Prediction.V], level.alpha * -1.1 - level.sigma * 0.7, rel_tol=1e-9)
    assert math.isclose(told[Prediction.SCORE], 1.1 / level.sigma, rel_tol=1e-9)
    h = 1e-6
    up, down = VP().level(0.4 + h), VP().level(0.4 - h)
    moved = ((up.alpha - down.alpha) * x0 + (up.sigma - down.sigma) * eps) / (2 * h)
    assert math.isclose(told[Prediction.VELOCITY], moved.item(), rel_tol=1e-6)


@pytest.mark.parametrize("kind", Prediction, ids=str)
def test_predictor_is_exact_for_an_exact_network(kind):
    """A network that answers the exact x0 in kind's words makes the exact denoiser."""
    schedule, exact = VP(), data()
    x = torch.randn(5, 1, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    times = torch.linspace(0.1, 0.9, 5, dtype=torch.float64)
    level = schedule.at(times)
    seen = []

    def network(inside, clock, condition):
        seen.append((clock, condition))
        return from_x0(exact(inside, level), inside, level.over(inside), kind)

    model = Predictor(network, kind, index_clock(1000))
    torch.testing.assert_close(model(x, level, "c"), exact(x, level))
    clock, condition = seen[0]
    assert clock.dtype == torch.float32 and condition == "c"
    torch.testing.assert_close(clock, (times * 1000 - 1).float())


@pytest.mark.parametrize("schedule", SCHEDULES, ids=repr)
def test_preconditioning_keeps_unit_variance(schedule):
    generator = torch.Generator().manual_seed(0)
    x0, eps = torch.randn(2, 4, 3, 100, 100, generator=generator, dtype=torch.float64)
    x0 = 0.5 * x0
    level = schedule.at(torch.tensor([0.03, 0.3, 0.6, 0.97], dtype=torch.float64))
    t = level.over(x0)
    x = t.alpha * x0 + t.sigma * eps
    fed = []
    zero = Preconditioned(lambda x, c, _: fed.append((x, c)) or 0 * x)(x, level)
    one = Preconditioned(lambda x, c, _: 1 + 0 * x)(x, level)
    target = (x0 - zero) / (one - zero)
    for sample in (*fed[0][0], *target):
        assert abs(sample.var() - 1) < 0.04
    assert (target * fed[0][0]).mean().abs() < 0.02
    torch.testing.assert_close(fed[0][1], rho_clock(level).float())
    t = schedule.level(0.5)
    rho, x = t.rho, x / 3
    skip, out, inner = 0.25 / (rho**2 + 0.25), rho * 0.5 / (rho**2 + 0.25) ** 0.5, (rho**2 + 0.25)
    paper = skip * x / t.alpha + out * torch.tanh(x / t.alpha / inner**0.5)
    torch.testing.assert_close(Preconditioned(lambda x, c, _: torch.tanh(x))(x, t), paper)


def test_preconditioning_survives_both_ends():
    model = Preconditioned(lambda x, c, _: x + c[:, None])
    for level in (RectifiedFlow().level(1.0), RectifiedFlow().level(0.0)):
        assert model(torch.ones(2, 1), level).isfinite().all()
    torch.testing.assert_close(
        model(torch.ones(2, 1), RectifiedFlow().level(0.0)), torch.ones(2, 1)
    )


def test_refusals():
    with pytest.raises(BadParameter, match="beta"):
        DDPM(beta_start=0.5, beta_end=0.1)
    with pytest.raises(BadParameter, match="sigma_data"):
        Preconditioned(lambda *a: a, sigma_data=0.0)
