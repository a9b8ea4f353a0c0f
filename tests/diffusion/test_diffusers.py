"""Trajectories equal diffusers' with the same network, in float32 to 1e-5."""

import pytest
import torch

from afterscene.diffusion import grids
from afterscene.diffusion.denoisers import Preconditioned, Predictor, index_clock
from afterscene.diffusion.loop import trajectory
from afterscene.diffusion.parameterization import Prediction
from afterscene.diffusion.samplers import Ddim, Ddpm, DpmPP2M, Euler, Heun
from afterscene.diffusion.schedules import DDPM, EDM, META_EARTH, Cosine, RectifiedFlow

diffusers = pytest.importorskip("diffusers")
CHAINS = {
    "linear": (DDPM(), dict(beta_schedule="linear")),
    "meta-earth": (
        META_EARTH,
        dict(beta_schedule="linear", beta_start=0.0015, beta_end=0.0155),
    ),
    "scaled": (
        DDPM(beta_start=0.00085, beta_end=0.012, power=2.0),
        dict(beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012),
    ),
    "cosine": (Cosine(), dict(beta_schedule="squaredcos_cap_v2")),
}
KINDS = {
    "epsilon": Prediction.EPS,
    "sample": Prediction.X0,
    "v_prediction": Prediction.V,
}
START = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))


def network(x, clock, condition=None):
    """Smooth, nonlinear, mixes pixels, knows the clock; near the eps of unit Gaussian data."""
    clock = torch.as_tensor(clock, dtype=torch.float32).reshape(-1, 1, 1, 1) / 1000
    gain = (1 - torch.exp(-10 * clock**2)).sqrt()
    return gain * x + 0.1 * torch.tanh(x.roll(1, -1)) + 0.05 * torch.sin(3 * clock)


def theirs(scheduler, x, seed=None):
    """The states of diffusers' scheduler, fed by ``network``."""
    generator, states = torch.Generator().manual_seed(seed or 0), []
    extra = {} if seed is None else dict(generator=generator)
    for t in scheduler.timesteps:
        fed = getattr(scheduler, "scale_model_input", lambda x, t: x)(x, t)
        x = scheduler.step(network(fed, t), t, x, **extra).prev_sample
        states.append(x)
    return states


def in_float64(scheduler, schedule):
    """Give diffusers the same table unrounded.

    It keeps alpha_bar in float32, where 1 - alpha_bar has three digits left at index 0: the only
    difference that a thousand steps, or x0 predictions on the cosine chain, can see.
    """
    t = torch.arange(1, 1001, dtype=torch.float64) / 1000
    exact = schedule.at(t).alpha ** 2
    torch.testing.assert_close(exact.float(), scheduler.alphas_cumprod, atol=1e-6, rtol=1e-4)
    scheduler.alphas_cumprod = exact


def assert_same(mine, their):
    assert len(mine) == len(their)
    for state, other in zip(mine, their, strict=True):
        torch.testing.assert_close(state.x, other, atol=1e-5, rtol=1e-5)


def same_noise(seed):
    generator = torch.Generator().manual_seed(seed)
    return lambda step, draw, like: torch.randn(like.shape, generator=generator)


@pytest.mark.parametrize("name", CHAINS)
def test_sigmas(name):
    schedule, options = CHAINS[name]
    scheduler = diffusers.DDPMScheduler(**options)
    t = torch.arange(1, 1001, dtype=torch.float64) / 1000
    alpha_bar = schedule.at(t).alpha.float() ** 2
    torch.testing.assert_close(alpha_bar, scheduler.alphas_cumprod, atol=1e-6, rtol=1e-4)
    euler = diffusers.EulerDiscreteScheduler(**options)
    euler.set_timesteps(20)
    index = torch.linspace(999, 0, 20, dtype=torch.float64)
    ours = schedule.at((index.float().double() + 1) / 1000).rho
    if name != "cosine":  # diffusers interpolates sigma between indices, we log alpha
        torch.testing.assert_close(ours.float(), euler.sigmas[:-1], atol=1e-5, rtol=3e-4)
    torch.testing.assert_close(
        schedule.at(t).rho.float()[[999, 499, 0]],
        ((1 - scheduler.alphas_cumprod) / scheduler.alphas_cumprod).sqrt()[[999, 499, 0]],
        atol=1e-5,
        rtol=1e-4,
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", CHAINS)
def test_ddim(name, kind):
    schedule, options = CHAINS[name]
    scheduler = diffusers.DDIMScheduler(
        **options, timestep_spacing="leading", prediction_type=kind, clip_sample=False
    )
    scheduler.set_timesteps(20)
    if name == "cosine":
        in_float64(scheduler, schedule)
    model = Predictor(network, KINDS[kind], index_clock(1000))
    times = grids.leading(20)
    assert_same(list(trajectory(model, schedule, START, times, Ddim())), theirs(scheduler, START))


@pytest.mark.parametrize("variance", ["small", "large"])
@pytest.mark.parametrize("steps", [25, 1000])
@pytest.mark.parametrize("name", ["linear", "meta-earth", "scaled"])
def test_ddpm(name, steps, variance):
    schedule, options = CHAINS[name]
    scheduler = diffusers.DDPMScheduler(
        **options, variance_type=f"fixed_{variance}", clip_sample=False
    )
    scheduler.set_timesteps(steps)
    if steps == 1000:
        in_float64(scheduler, schedule)
    model = Predictor(network, Prediction.EPS, index_clock(1000))
    mine = trajectory(
        model, schedule, START, grids.leading(steps), Ddpm(variance=variance), noise=same_noise(7)
    )
    assert_same(list(mine), theirs(scheduler, START, seed=7))


@pytest.mark.parametrize("name", ["linear", "meta-earth", "scaled"])
def test_dpmpp_2m(name):
    schedule, options = CHAINS[name]
    scheduler = diffusers.DPMSolverMultistepScheduler(**options)
    scheduler.set_timesteps(20)
    times = torch.cat(((scheduler.timesteps.double() + 1) / 1000, torch.zeros(1).double()))
    model = Predictor(network, Prediction.EPS, index_clock(1000))
    mine = list(trajectory(model, schedule, START, times, DpmPP2M()))
    assert_same(mine, theirs(scheduler, START))


@pytest.mark.parametrize("order", [1, 2])
def test_edm_heun_and_dpmpp(order):
    """EDM's preconditioning, Karras' grid; diffusers' Euler is order 1, its 2M order 2."""
    schedule = EDM()
    options = dict(sigma_min=0.002, sigma_max=80.0, sigma_data=0.5)
    kind = diffusers.EDMEulerScheduler if order == 1 else diffusers.EDMDPMSolverMultistepScheduler
    scheduler = kind(**options)
    scheduler.set_timesteps(18)
    times = grids.karras(schedule, 18)
    torch.testing.assert_close(
        schedule.at(times).sigma.float(), scheduler.sigmas.float(), atol=1e-5, rtol=1e-5
    )
    model = Preconditioned(network)
    mine = list(trajectory(model, schedule, 80 * START, times, (Euler(), DpmPP2M())[order - 1]))
    their = theirs(scheduler, 80 * START)
    for state, other in zip(mine, their, strict=True):
        torch.testing.assert_close(state.x, other, atol=1e-5, rtol=1e-5)


def test_heun():
    schedule, options = CHAINS["scaled"]
    scheduler = diffusers.HeunDiscreteScheduler(**options)
    scheduler.set_timesteps(10)
    # diffusers' states lie in x / alpha, and each second call ends a step.
    rho = scheduler.sigmas[::2].double()
    times = torch.cat((schedule.time_of(rho), torch.zeros(1).double()))
    clocks = scheduler.timesteps[::2]
    model = Predictor(
        lambda x, clock, c: network(x, clocks[(clocks - clock[0]).abs().argmin()]),
        Prediction.EPS,
        index_clock(1000),
    )
    x = START * schedule.levels(times[:1])[0].sigma
    mine = list(trajectory(model, schedule, x, times, Heun()))
    start = START * rho[0].float()
    torch.testing.assert_close(x / schedule.levels(times[:1])[0].alpha, start, atol=1e-5, rtol=1e-5)
    their = theirs(scheduler, start)
    ends = [*their[1::2], their[-1]]
    for state, other in zip(mine, ends, strict=True):
        torch.testing.assert_close(state.x / state.t.alpha, other, atol=1e-5, rtol=1e-5)


def test_flow_matching():
    scheduler = diffusers.FlowMatchEulerDiscreteScheduler()
    scheduler.set_timesteps(20)
    times = scheduler.sigmas.double()
    model = Predictor(network, Prediction.VELOCITY, lambda t: t.time * 1000)
    mine = list(trajectory(model, RectifiedFlow(), START, times, Euler()))
    assert_same(mine, theirs(scheduler, START))
