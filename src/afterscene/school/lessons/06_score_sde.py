# ---
# jupyter:
#   jupytext:
#     text_representation:
#       format_name: percent
# ---

# %% [markdown]
# # 06 One family: the score SDE
#
# DDPM's chain has 1000 steps because somebody chose 1000. With steps that get smaller and smaller
# it becomes a stochastic differential equation (Song et al. 2021, arXiv 2011.13456), and the many
# ways to add noise become one family, `x_t = alpha(t) x_0 + sigma(t) eps`:
#
# - **VE**, variance exploding: `alpha = 1`, the noise only grows;
# - **VP**, variance preserving: `alpha^2 + sigma^2 = 1`, this is DDPM;
# - **sub-VP**: the same `alpha`, less noise.
#
# All that is needed to go back is the score, the slope of `log p(x_t)`. Here the data are points in
# a plane, eight Gaussian spots, and the score is known exactly: no network, so every error that we
# see belongs to the sampler.

# %%
import math

import torch

from afterscene.diffusion import grids
from afterscene.diffusion.analytic import Mixture
from afterscene.diffusion.likelihood import log_prob
from afterscene.diffusion.noise import generated
from afterscene.diffusion.samplers import (
    Ddim,
    Ddpm,
    Heun,
    Ode,
    PredictorCorrector,
    sample,
    trajectory,
)
from afterscene.diffusion.schedules import VE, VP, SubVP
from afterscene.school import lesson

COUNT = lesson.budget(20_000, 2_000)
turns = torch.arange(8) * (2 * math.pi / 8)
FULLNESS = torch.tensor([1.0, 2, 1, 2, 1, 2, 1, 2])
spots = Mixture(
    means=2 * torch.stack((turns.cos(), turns.sin()), dim=1).double(),
    variances=0.02,
    weights=FULLNESS,
)
data = spots.sample(COUNT, torch.Generator().manual_seed(0))
lesson.note("points in a plane instead of pictures: eight spots, every other one twice as full")

# %% [markdown]
# ## Three ways to drown
#
# VE keeps the spots where they are and shouts over them (its picture is zoomed out as the noise
# grows); VP and sub-VP draw everything to the middle.

# %%
family = {"VE": VE(sigma_max=20.0), "VP": VP(), "sub-VP": SubVP()}
eps = torch.randn(COUNT, 2, generator=torch.Generator().manual_seed(1)).double()
rows = []
for name, schedule in family.items():
    seen = []
    for time in (0.02, 0.2, 0.4, 0.6, 0.8, 1.0):
        level = schedule.level(time)
        x_t = level.alpha * data + level.sigma * eps
        seen.append(lesson.plane(x_t, reach=max(3.0, 3 * level.sigma)))
    rows.append((f"{name}: t = 0.02 ... 1", torch.stack(seen)))
    last = schedule.level(1.0)
    lesson.note(f"{name} at t = 1: alpha {last.alpha:.4f}, sigma {last.sigma:.3f}")

# %% [markdown]
# ## Back: with dice or without
#
# Backwards there is an SDE, which throws dice at each step, and an ODE with the same distribution
# at every time, which throws none. We count how far the shares of the eight spots are from the true
# ones (0 is perfect; the first row is what dice alone cause) and how many points lie between spots.


# %%
def judge(x: torch.Tensor) -> tuple[float, float]:
    """Half the sum of the differences of the shares, and the share of points off all spots."""
    distance, nearest = torch.cdist(x, spots.means).min(dim=1)
    shares = torch.bincount(nearest, minlength=8) / len(x)
    true = FULLNESS / FULLNESS.sum()
    return 0.5 * (shares - true).abs().sum().item(), (distance > 0.6).double().mean().item()


error, off = judge(data)
lesson.note(f"fresh data: shares off by {error:.3f}, {off:.1%} between the spots")
vp = family["VP"]
methods = {
    "DDPM, 20 steps": (Ddpm(), 20),
    "DDPM, 200 steps": (Ddpm(), 200),
    "predictor-corrector, 100": (PredictorCorrector(), 100),
    "DDIM (ODE), 20 steps": (Ddim(), 20),
    "Heun (ODE), 20 steps": (Heun(), 20),
    "adaptive ODE": (Ode(tolerance=1e-4), 4),
}
drawn = []
for name, (method, steps) in methods.items():
    noise = generated(torch.Generator().manual_seed(2))
    start = vp.level(1.0).sigma * noise(0, 0, data)
    times = grids.log_snr(vp, steps, rho_max=vp.level(1.0).rho * 0.999, rho_min=0.02)
    x = sample(spots, vp, start, times, method, noise=noise)
    error, off = judge(x)
    lesson.note(f"{name}: shares off by {error:.3f}, {off:.1%} between the spots")
    drawn.append(lesson.plane(x))
rows.append(("back by VP: DDPM 20,\nDDPM 200, PC 100,\nDDIM 20, Heun 20, ODE", torch.stack(drawn)))

# %% [markdown]
# ## One process
#
# Divided by alpha, all three are the same process and only their clocks differ. So the ODE, begun
# at the same point, must end at the same point for each of them.

# %%
shared = 15.0
start = torch.randn(200, 2, generator=torch.Generator().manual_seed(3)).double()
ends = {}
for name, schedule in family.items():
    level = schedule.level_of(shared)
    times = grids.log_snr(schedule, 4, rho_max=shared, rho_min=0.02, to_zero=False)
    x = sample(spots, schedule, level.sigma * start, times, Ode(tolerance=1e-7))
    ends[name] = x / schedule.level(times[-1].item()).alpha
for name in ("VP", "sub-VP"):
    far = (ends[name] - ends["VE"]).abs().max().item()
    lesson.note(f"{name} against VE: the end points differ by at most {far:.1e}")

# %% [markdown]
# ## How probable is this point?
#
# The ODE is a smooth map between data and noise, so it also says how probable a point is: the
# density of its noise, times how much the map has squeezed the plane on the way. Here the truth is
# known.

# %%
asked = data[:200]
low = vp.level(1e-3)
x = low.alpha * asked + low.sigma * eps[:200]
found = log_prob(spots, vp, x, span=(1e-3, 1.0), tolerance=1e-6)
truth = spots.log_prob(x, low)
gap = (found - truth).abs().max().item()
lesson.note(f"log density by the ODE against the formula: at most {gap:.1e} nats apart")
lesson.note(f"bits per dimension of the data: {-truth.mean().item() / (2 * math.log(2)):.3f}")

# %%
side = 128
axis = torch.linspace(-3, 3, side).double()
grid = torch.stack(torch.meshgrid(axis, -axis, indexing="xy"), dim=-1)
maps = []
for time in (0.02, 0.1, 0.2, 0.3, 0.5, 1.0):
    maps.append(lesson.shade(spots.log_prob(grid, vp.level(time)).exp().sqrt().float()))
rows.append(("density of x_t (VP),\nt = 0.02 ... 1", torch.stack(maps)))
lesson.figure("06_score_sde", rows, side=side)

# %%
pair = []
for method in (Ddpm(), Ddim()):
    noise = generated(torch.Generator().manual_seed(4))
    start = noise(0, 0, data)
    times = grids.log_snr(vp, 40, rho_max=vp.level(1.0).rho * 0.999, rho_min=0.02)
    pair.append([s.x for s in trajectory(spots, vp, start, times, method, noise=noise)])
states = [torch.stack([lesson.plane(x) for x in both]) for both in zip(*pair, strict=True)]
lesson.animation("06_score_sde", states, side=192)

# %% [markdown]
# Left in the animation is the way with dice, right the one without: single points move quite
# differently, the cloud as a whole moves the same. That is why a model trained once may be sampled
# by any of these methods, and why the number of steps is a choice made afterwards.
#
# With a real picture the score comes from a network (lesson 05: the noise it answers is the score
# times `-sigma`), and the errors of the network come on top of these.
