"""The battery: every registered sampler meets its declared order on exact Gaussian data.

A sampler is tested by being listed. ``AdamsBashforth`` below is one that this file adds, in a dozen
lines; it goes through the same tests and appears in ``afterscene samplers list``.
"""

import json
import math
from dataclasses import dataclass
from itertools import pairwise

import pytest
import torch
from tests.diffusion.exact import MEAN, VAR, data, flow, impulses, randn
from typer.testing import CliRunner

from afterscene.cli.samplers import app
from afterscene.diffusion import grids
from afterscene.diffusion.analytic import gaussian
from afterscene.diffusion.loop import Method, no_noise, sample, trajectory
from afterscene.diffusion.samplers import (
    Ddim,
    Ddpm,
    Euler,
    Heun,
    Ode,
    make_sampler,
    samplers,
)
from afterscene.diffusion.schedules import DDPM, EDM, VE, VP, Cosine, RectifiedFlow, SubVP
from afterscene.errors import BadParameter, NotFinite, UnknownName
from afterscene.school.processes import GaussianChain


@dataclass(frozen=True, kw_only=True)
class AdamsBashforth(Method, name="test-adams-bashforth", order=2):
    """Two-step Adams-Bashforth on dy/drho = eps: a sampler that a user adds."""

    def step(self, run, x, t, s, memory):
        x0, h = run.x0(x, t), s.rho - t.rho
        eps = (x - t.alpha * x0) / t.sigma
        y = s.alpha * x0 + s.sigma * eps
        if memory is not None:
            last, before = memory
            y = y + s.alpha * h**2 / (2 * before) * (eps - last)
        return y, x0, (eps, h)


REAL = list(samplers())
LOW = 0.02
COUNTS = {1: (128, 256, 512), 2: (64, 128, 256), 5: (8, 12, 18)}


def grid(schedule, steps, high=20.0):
    return grids.karras(schedule, steps, rho_max=high, rho_min=LOW, to_zero=False)


def order_of(errors, counts):
    return -math.log(errors[-1] / errors[0]) / math.log(counts[-1] / counts[0])


@pytest.mark.parametrize("schedule", [EDM(sigma_max=80.0), VP()], ids=["edm", "vp"])
@pytest.mark.parametrize("name", REAL)
def test_declared_order(name, schedule):
    """Slope of the error in log-log: of the end point, or of the variance for stochastic ones."""
    method = make_sampler(name).fixed()
    counts, errors = COUNTS.get(method.order, (4, 16)), []
    for count in counts:
        times = grid(schedule, count)
        t, s = schedule.levels(times[[0, -1]])
        if method.stochastic:
            _, var = impulses(data(), schedule, times, method)
            errors.append(abs(var - s.alpha**2 * VAR - s.sigma**2))
        else:
            x = torch.linspace(-2, 2, 9, dtype=torch.float64)[:, None] * t.sigma
            end = sample(data(), schedule, x, times, method)
            errors.append((end - flow(x, t, s)).abs().max().item())
    if math.isinf(method.order):
        assert max(errors) < 1e-10, errors
    else:
        assert abs(order_of(errors, counts) - method.order) < 0.3, errors


@pytest.mark.parametrize("name", [n for n in REAL if make_sampler(n).stochastic])
def test_moments_by_monte_carlo(name):
    """The loop's draws against the exact recursion, within 4 standard errors."""
    method, schedule, count = make_sampler(name), VP(), 40_000
    times = grid(schedule, 12)
    mean, var = impulses(data(), schedule, times, method)
    t = schedule.levels(times[:1])[0]
    start = torch.full((count, 1), t.alpha * MEAN, dtype=torch.float64)
    noise = randn(1)
    start += (t.alpha**2 * VAR + t.sigma**2) ** 0.5 * noise(0, 0, start)
    end = sample(data(), schedule, start, times, method, noise=noise)
    assert abs(end.mean().item() - mean) < 4 * math.sqrt(var / count)
    assert abs(end.var().item() - var) < 4 * var * math.sqrt(2 / count)


@pytest.mark.parametrize("variance", ["small", "large"])
@pytest.mark.parametrize("schedule", [DDPM(), Cosine(), VE(sigma_max=20.0)], ids=repr)
def test_ancestral_variance_is_the_papers_recursion(schedule, variance):
    """``var_s = (a + b k)^2 var_t + noise``, from eqs. 6-7 and 11 written with betas."""
    times = grids.uniform(64, end=1 / 64)
    levels = schedule.levels(times)
    var = levels[0].alpha ** 2 * VAR + levels[0].sigma ** 2
    for t, s in pairwise(levels):
        beta = t.sigma**2 - (t.alpha / s.alpha) ** 2 * s.sigma**2
        shrink = t.alpha * VAR / (t.alpha**2 * VAR + t.sigma**2)
        gain = t.alpha / s.alpha * s.sigma**2 / t.sigma**2 + s.alpha * beta / t.sigma**2 * shrink
        var = gain**2 * var + (beta if variance == "large" else beta * s.sigma**2 / t.sigma**2)
    seen = impulses(data(), schedule, times, Ddpm(variance=variance))[1]
    torch.testing.assert_close(seen, var)
    torch.testing.assert_close(
        impulses(data(), schedule, times, Ddim(eta=1.0))[1],
        impulses(data(), schedule, times, Ddpm())[1],
    )


@pytest.mark.parametrize("name", REAL)
def test_evaluations_are_as_declared(name):
    """Calls of a run that ends above zero noise: ``evaluations`` a step, no more."""
    method, calls = make_sampler(name).fixed(), []

    class Counted:
        def __call__(self, x, t, condition):
            calls.append(t)
            return 0.5 * x

        def reverse(self, x, t, s, condition):
            return self(x, t, condition), 0 * x

    times = grid(VP(), 5)
    sample(Counted(), VP(), torch.ones(1, 1), times, method, noise=no_noise)
    assert len(calls) == 5 * method.evaluations


def test_churn_keeps_the_law():
    schedule, method = EDM(), Heun(s_churn=20.0)
    errors = [
        abs(impulses(data(), schedule, grid(schedule, n), method)[1] - VAR - LOW**2)
        for n in (64, 256)
    ]
    assert errors[1] < errors[0] / 3 and errors[1] < 1e-3


def test_adaptive_ode_meets_its_tolerance():
    schedule = VP()
    times = grid(schedule, 1)
    t, s = schedule.levels(times)
    x = torch.linspace(-2, 2, 9, dtype=torch.float64)[:, None]
    errors = []
    for tolerance in (1e-3, 1e-6, 1e-9):
        end = sample(data(), schedule, x, times, Ode(tolerance=tolerance))
        errors.append((end - flow(x, t, s)).abs().max().item())
        assert errors[-1] < 10 * tolerance
    assert errors[2] < errors[1] < errors[0]


def test_euler_ddim_and_heun_agree_where_they_should():
    """In EDM's clock Euler is DDIM; on a rectified flow too. On VP they are two methods."""
    x = torch.linspace(-2, 2, 5, dtype=torch.float64)[:, None]
    for schedule, same in ((EDM(), True), (RectifiedFlow(), True), (VP(), False)):
        times = grids.uniform(7, end=0.01)
        ends = [sample(data(), schedule, x, times, method) for method in (Euler(), Ddim())]
        assert torch.allclose(*ends, atol=1e-9) is same


SCHEDULES = [VP(), SubVP(), VE(sigma_max=30.0), EDM(), RectifiedFlow(), DDPM(), Cosine()]


@pytest.mark.parametrize("schedule", SCHEDULES, ids=repr)
@pytest.mark.parametrize("name", REAL)
def test_any_schedule_type_shape_and_count(name, schedule):
    """One and two steps work, to t = 0; types and leading shapes are kept."""
    method, noise = make_sampler(name), randn()
    for dtype in (torch.float32, torch.bfloat16, torch.float64):
        for steps in (1, 2, 3):
            x = torch.randn(2, 1, 3, 4, generator=torch.Generator().manual_seed(0)).to(dtype)
            start = min(1.0, schedule.level_of(80.0).time)
            times = grids.uniform(steps, start=start)
            x = x * schedule.level(start).sigma
            state = [*trajectory(gauss((3, 4), dtype), schedule, x, times, method, noise=noise)][-1]
            assert state.x.shape == x.shape and state.x.dtype == dtype
            assert state.step == steps - 1 and state.t.time == 0
            assert state.x.isfinite().all() and state.x0.dtype == dtype
    assert sample(gauss((), dtype), schedule, x[0, 0, 0, 0], times, method, noise=noise).ndim == 0


def gauss(shape, dtype):
    return gaussian(torch.full(shape, MEAN, dtype=dtype), VAR)


def test_the_loop_previews_cancels_and_repeats():
    calls = []

    def denoiser(x, t, condition):
        calls.append(condition)
        return 0.5 * x

    x, times = torch.ones(1, 2), grids.uniform(50)
    walk = trajectory(denoiser, VP(), x, times, Ddim(), condition="c")
    first = next(walk)
    assert first.step == 0 and torch.equal(first.x0, 0.5 * x) and calls == ["c"]
    next(walk)
    walk.close()
    assert len(calls) == 2
    again = next(trajectory(denoiser, VP(), x, times, Ddim()))
    assert torch.equal(again.x, first.x)


@pytest.mark.parametrize("name", REAL)
def test_nan_names_the_step(name):
    def denoiser(x, t, condition):
        return torch.full_like(x, math.nan) if t.time < 0.6 else 0 * x

    denoiser.reverse = lambda x, t, s, c: (denoiser(x, t, c), 0 * x)
    x, times = torch.ones(1, 2), grids.uniform(4)
    seen = []
    with pytest.raises(NotFinite, match=r"step [23] of 4|log rho"):
        for state in trajectory(denoiser, VP(), x, times, make_sampler(name), noise=no_noise):
            seen.append(state)
    assert len(seen) in (1, 2) and all(state.x.isfinite().all() for state in seen)


def test_refusals():
    x = torch.zeros(1, 1)
    with pytest.raises(BadParameter, match="pass noise="):
        next(trajectory(data(), VP(), x, grids.uniform(2), Ddpm()))
    with pytest.raises(BadParameter, match="times must"):
        next(trajectory(data(), VP(), x, torch.tensor([0.5, 0.7, 0.1]), Ddim()))
    with pytest.raises(BadParameter, match="ddpm"):
        next(trajectory(lambda *a: x, VP(), x, grids.uniform(2), GaussianChain(), noise=no_noise))
    with pytest.raises(BadParameter, match="small or large"):
        Ddpm(variance="huge")
    with pytest.raises(UnknownName, match="ddim"):
        make_sampler("magic")
    with pytest.raises(BadParameter, match="at least 1"):
        grids.uniform(0)
    with pytest.raises(TypeError):
        samplers()["x"] = Ddim


def test_two_of_one_name_are_refused():
    twin = type("Twin", (Ddim,), {"name": "ddim"})
    with pytest.raises(BadParameter, match="two samplers are named 'ddim'"):
        samplers()
    twin.name = "test-twin"
    assert samplers()["test-twin"] is twin
    del twin.name


def test_the_list_command_shows_them_all():
    shown = CliRunner().invoke(app, ["list", "--json"])
    assert shown.exit_code == 0, shown.output
    rows = {row["name"]: row for row in json.loads(shown.output)}
    assert set(rows) == set(samplers())
    assert rows["test-adams-bashforth"]["order"] == 2 and rows["gaussian-chain"]["order"] == "exact"
    assert rows["ddim"]["parameters"] == {"eta": 0.0} and not rows["ddim"]["stochastic"]
    text = CliRunner().invoke(app, ["list"])
    assert all(name in text.output for name in rows)
