# ---
# jupyter:
#   jupytext:
#     text_representation:
#       format_name: percent
# ---

# %% [markdown]
# # 12 Straight lines and one step
#
# Diffusion draws in many small steps, and each of them costs an evaluation of the network. What
# prevents one large step? **Flow matching** makes the path as simple as it can be, a straight line
# from noise to picture,
#
# `x_t = (1 - t) x_0 + t eps`, with the velocity `eps - x_0`.
#
# The network answers the velocity and sampling follows it (Lipman et al. 2023, arXiv 2210.02747;
# Liu et al. 2023, arXiv 2209.03003). It is diffusion with another clock: the library has it as the
# schedule `RectifiedFlow` with the answer `velocity`.

# %%
import copy
import math

import torch

from afterscene.diffusion import grids
from afterscene.diffusion.analytic import Mixture
from afterscene.diffusion.denoisers import Predictor
from afterscene.diffusion.parameterization import Prediction
from afterscene.diffusion.samplers import Euler, sample, trajectory
from afterscene.diffusion.schedules import RectifiedFlow
from afterscene.lab.features import default_features
from afterscene.metrics.distances import frechet_distance
from afterscene.networks.unet import UNet, UNetConfig
from afterscene.school import lesson
from afterscene.school.autoregression import FitConfig, quantize, train_steps
from afterscene.school.league.judge import described
from afterscene.school.shortcut import Leap, flow_loss, leaps, shortcut_loss

# %% [markdown]
# ## Straight lines, bent paths
#
# Here the data are eight spots in a plane, and the velocity is known exactly. The lines of training
# join any noise with any spot, so they cross. Where they cross, the best answer under squares is
# the mean of their velocities, and a point that follows this mean takes a bent path. Bent paths
# need small steps. **One** step from pure noise, where all lines start, leads to the mean of all
# spots: lesson 01 again.

# %%
COUNT = lesson.budget(4000, 800)
turns = torch.arange(8) * (2 * math.pi / 8)
spots = Mixture(means=2 * torch.stack((turns.cos(), turns.sin()), 1).double(), variances=0.02)
flow = RectifiedFlow()
eps = torch.randn(COUNT, 2, generator=torch.Generator().manual_seed(0)).double()
x0 = spots.sample(COUNT, torch.Generator().manual_seed(1))
moments = torch.linspace(0, 1, 129, dtype=torch.float64)[:, None, None]
lines = (1 - moments) * x0[:150] + moments * eps[:150]
states = [eps] + [s.x for s in trajectory(spots, flow, eps, grids.uniform(128), Euler())]
paths = torch.stack(states)[:, :150]
ends = {n: sample(spots, flow, eps, grids.uniform(n), Euler()) for n in (1, 2, 4, 16)}
for steps, x in ends.items():
    between = (torch.cdist(x, spots.means).min(dim=1).values > 0.6).double().mean()
    lesson.note(f"{steps} steps: {between:.0%} of the points end between the spots")
clouds = [lines.flatten(0, 1), paths.flatten(0, 1), x0, *ends.values()]
planes = [
    lesson.plane(x, side=side) for x, side in zip(clouds, (128, 128, *5 * (64,)), strict=True)
]
seen = [
    ("lines of training | paths of the flow", torch.stack(planes[:2])),
    ("the spots | 1, 2, 4, 16 steps", torch.stack(planes[2:])),
]
lesson.figure("12_lines", seen, side=128)

# %% [markdown]
# ## Flow matching on pictures
#
# Take a picture, noise and a time, and train the network's answer at `x_t` towards `eps - x_0`:
# this is `flow_loss`. If the data were white noise, the velocity would be known; `Leap` lets the
# network answer only the difference to it.

# %%
SIZE = 16
data, test = lesson.pictures(SIZE, lesson.budget(2800, 240)).split(lesson.budget(400, 60))
lesson.note(f"{len(data.x)} crops of {SIZE} pixels a side, {data.source}")


class Spanned(torch.nn.Module):
    """The U-Net as ``network(x, t, span)``; it is told the span of the step as a number."""

    def __init__(self) -> None:
        super().__init__()
        config = UNetConfig(
            channels_in=3,
            channels_out=3,
            patch=2,
            widths=(lesson.budget(32, 24), lesson.budget(64, 32)),
            depths=(1, 2),
            embedding=64,
            vector=1,
        )
        self.unet = UNet(config)

    def forward(self, x, t, span):
        return self.unet(x, t, vector=span[:, None])


torch.manual_seed(0)
first = Leap(Spanned(), variance=data.x.var().item())
config = FitConfig(steps=lesson.budget(1600, 40), batch=lesson.budget(48, 32), lr=3e-3)
losses = list(train_steps(first, data.x, config, loss=lambda x, _, rng: flow_loss(first, x, rng)))
lesson.note(f"loss {losses[0]:.3f} -> {sum(losses[-20:]) / 20:.3f}")

# %% [markdown]
# ## A step that knows its length
#
# The flow answers the velocity at one moment. A **shortcut** model is also given the length of the
# step and answers the mean velocity over that step (Frans et al. 2025, arXiv 2410.12557). Nobody
# knows this velocity, but the model can teach itself: one whole step must end where two half steps
# end, and a half step where two quarter steps end. Half of every batch trains the flow, half this
# agreement.
#
# Both go on from the same weights for the same number of steps: the flow with its old loss, the
# shortcut model with the new one. (An agreement step evaluates the network three times, so at equal
# steps the shortcut model has cost more time.)

# %%
on, short = copy.deepcopy(first), copy.deepcopy(first)
config = FitConfig(steps=lesson.budget(1000, 20), batch=lesson.budget(48, 32), lr=2e-3, seed=1)
tasks = {
    "flow": (on, lambda x, _, rng: flow_loss(on, x, rng)),
    "shortcut": (short, lambda x, _, rng: shortcut_loss(short, x, rng)),
}
for name, (model, loss) in tasks.items():
    losses = list(train_steps(model, data.x, config, loss=loss))
    lesson.note(f"{name}: loss {sum(losses[:20]) / 20:.3f} -> {sum(losses[-20:]) / 20:.3f}")

# %% [markdown]
# ## 1, 2, 4 and 16 evaluations
#
# All start from the same noise. The Fréchet distance to held-out crops is taken in the features of
# an image classifier (where the extra `encoders` is installed), the texture distance compares the
# differences between neighbouring pixels.

# %%
M = lesson.budget(192, 16)
start = torch.randn(M, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(2))
space = default_features()
real = described(quantize(test.x, 256), 256, space) if space else None


def judge(x: torch.Tensor) -> str:
    """Both distances, as text."""
    far = f"texture distance {lesson.texture_distance(x.clamp(-1, 1), test.x):.4f}"
    if space is None or real is None:
        return far
    features = described(quantize(x, 256), 256, space)
    return f"Fréchet distance {frechet_distance(features, real):.0f}, {far}"


def velocity(x, clock, _condition):
    """The flow as a network of the library: its span is always 0."""
    return on(x, clock, torch.zeros_like(clock))


lesson.note(f"as many training crops: {judge(data.x[:M])}")
denoiser = Predictor(velocity, Prediction.VELOCITY)
drawn = {}
with torch.no_grad():
    for steps in (1, 2, 4, 16):
        drawn["flow", steps] = sample(denoiser, flow, start, grids.uniform(steps), Euler())
        drawn["shortcut", steps] = list(leaps(short, start, steps))[-1]
titled = {f"{name}, evaluations: {steps}": x for (name, steps), x in sorted(drawn.items())}
for title, x in titled.items():
    lesson.note(f"{title}; {judge(x)}")

# %%
with torch.no_grad():
    path = trajectory(denoiser, flow, start[:4], grids.uniform(16), Euler())
    both = zip([s.x for s in path], leaps(short, start[:4], 16), strict=True)
    lesson.animation("12_one_step", [torch.cat(pair) for pair in both], pause=150)
rows = [("real", test.x[:7])] + [(title, x[:7]) for title, x in titled.items()]
lesson.figure("12_one_step", rows)

# %% [markdown]
# The film shows 16 steps of the flow (the four pictures on the left) and of the shortcut model
# (right), from the same noise.
#
# In one step the flow draws fog, the mean of all pictures, as it did in the plane. The shortcut
# model draws a picture in one step, and nearly the same picture in 2, 4 or 16: it has learned to
# agree with itself.
#
# How good is that one step? When this was written, on real crops, its Fréchet distance was 1165,
# against 1576 for one step of the flow. From two evaluations on the flow was ahead (1071, 1041 and
# 998 for 2, 4 and 16, against 1144, 1087 and 1045), perhaps because all of its training went into
# one task; the shortcut pictures have too much contrast and grain. So the agreement paid for a
# single step and for nothing else here. That was one training of four minutes: it says nothing
# about who is ahead after a long one.
#
# Lesson 13 shortens the way in another manner: it starts from a picture instead of noise.
