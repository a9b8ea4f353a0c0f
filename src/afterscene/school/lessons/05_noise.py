# ---
# jupyter:
#   jupytext:
#     text_representation:
#       format_name: percent
# ---

# %% [markdown]
# # 05 Noise instead of removal
#
# Lesson 04 destroyed pictures by removing pixels and learned to put them back. Nothing in that
# loop says how to destroy. Here every pixel loses a little at once: it is mixed with noise,
#
# `x_t = sqrt(a_t) x_0 + sqrt(1 - a_t) eps`,
#
# where `a_t` falls from 1 to almost 0. One thing becomes simpler: squares are enough. Asked for
# the noise in `x_t`, a regressor answers an average, and its answer is only used as a direction:
# all but a little of the noise stays, so there is no fog.
#
# This is DDPM (Ho, Jain and Abbeel 2020, arXiv 2006.11239). Its two algorithms follow line by
# line; after that, the same with the library.

# %%
import torch

from afterscene.diffusion import grids
from afterscene.diffusion.denoisers import Predictor
from afterscene.diffusion.guidance import Threshold
from afterscene.diffusion.noise import generated
from afterscene.diffusion.samplers import Ddim, Ddpm, sample, trajectory
from afterscene.diffusion.schedules import DDPM
from afterscene.networks.unet import UNet, UNetConfig
from afterscene.school import lesson
from afterscene.school.autoregression import FitConfig, train_steps

SIZE, COUNT = lesson.budget(32, 16), 7
data = lesson.pictures(SIZE, lesson.budget(2400, 240))
T = lesson.budget(250, 40)
schedule = DDPM(beta_start=1e-4 * 1000 / T, beta_end=min(0.02 * 1000 / T, 0.5), steps=T)
beta = schedule.betas().float()
a = (1 - beta).cumprod(0)
lesson.note(f"{len(data.x)} pictures of {SIZE} pixels a side, {data.source}; {T} noise levels")
lesson.note(f"a_t falls from {a[0]:.4f} to {a[-1]:.5f}")

# %% [markdown]
# ## How a picture drowns

# %%
torch.manual_seed(0)
moments = torch.stack([(a.sqrt() - kept).abs().argmin() for kept in torch.linspace(1, 0.05, 7)])
kept = a[moments][:, None, None, None]
eps = torch.randn(7, 3, SIZE, SIZE)
drowning = [kept.sqrt() * data.x[k] + (1 - kept).sqrt() * eps for k in range(3)]

# %% [markdown]
# ## Algorithm 1: training
#
# 1. take a picture `x_0`, 2. a level `t`, 3. noise `eps`; 4. one gradient step on
# `| eps - network(x_t, t) |^2`; repeat. The network is a small U-Net, told `t` as a number in
# (0, 1].

# %%
network = UNet(
    UNetConfig(
        channels_in=3,
        channels_out=3,
        patch=2,
        widths=(lesson.budget(48, 32), lesson.budget(96, 48)),
        depths=(lesson.budget(2, 1), 2),
        embedding=64,
    )
)


def algorithm_1(x_0, _label, rng):
    """The loss of one training step."""
    t = torch.from_numpy(rng.integers(T, size=len(x_0)))
    eps = torch.from_numpy(rng.standard_normal(x_0.shape)).float()
    a_t = a[t][:, None, None, None]
    x_t = a_t.sqrt() * x_0 + (1 - a_t).sqrt() * eps
    return (eps - network(x_t, (t + 1) / T)).square().mean()


config = FitConfig(steps=lesson.budget(650, 160), batch=lesson.budget(32, 16), lr=3e-3)
losses = list(train_steps(network, data.x, config, loss=algorithm_1))
first, last = (sum(part) / len(part) for part in (losses[:20], losses[-20:]))
lesson.note(f"loss {first:.3f} -> {last:.3f} (1 is what the answer 'no noise' costs)")

# %% [markdown]
# ## Algorithm 2: sampling
#
# 1. begin with pure noise; 2. for t = T ... 1: 3. fresh noise z (none in the last step);
# 4. take the network's noise away, a little, and put a little fresh noise back:
#
# `x_{t-1} = (x_t - beta_t / sqrt(1 - a_t) * network(x_t, t)) / sqrt(1 - beta_t) + s_t z`
#
# with `s_t^2 = beta_t`, the larger of the two variances of the paper. The same line, written with
# the picture that the network believes in, `x_0 = (x_t - sqrt(1 - a_t) network) / sqrt(a_t)`, is a
# weighted mean of `x_0` and `x_t` (the paper's equation 7). It has one advantage, and the authors'
# program uses it: a picture has values in [-1, 1], so `x_0` may be clipped to them. Without that,
# a small error at the start is divided by `sqrt(a_T)`, which is almost 0.


# %%
@torch.no_grad()
def algorithm_2(count: int, seed: int):
    """Yield the state after each step."""
    generator = torch.Generator().manual_seed(seed)
    shape = (count, 3, SIZE, SIZE)
    x = torch.randn(shape, generator=generator)
    for t in range(T - 1, -1, -1):
        answer = network(x, torch.full((count,), (t + 1) / T))
        before = a[t - 1] if t > 0 else torch.tensor(1.0)
        x_0 = ((x - (1 - a[t]).sqrt() * answer) / a[t].sqrt()).clamp(-1, 1)
        x = (before.sqrt() * beta[t] * x_0 + (1 - beta[t]).sqrt() * (1 - before) * x) / (1 - a[t])
        if t > 0:
            x = x + beta[t].sqrt() * torch.randn(shape, generator=generator)
        yield x


states = list(algorithm_2(COUNT, seed=1))
by_hand = states[-1]
lesson.animation("05_noise", [*states[:: max(1, T // 40)], by_hand])

# %% [markdown]
# ## The same with the library
#
# `Predictor` makes the network an estimate of `x_0`, `Threshold` clips it, the schedule says which
# level is when, a sampler is one short step, and the loop exists once. With the same random numbers
# it must draw the same pictures.

# %%
denoiser = Threshold(denoiser=Predictor(network))
times = grids.uniform(T)
generator = torch.Generator().manual_seed(1)
noise = generated(generator)
start = noise(0, 0, by_hand)
with torch.no_grad():
    method = Ddpm(variance="large")
    library = sample(denoiser, schedule, start, times, method, noise=noise)
    gap = (library - by_hand).abs().max().item()
    lesson.note(f"largest difference between the lines above and the library: {gap:.1e}")

    few = {}
    for steps in (T // 4, T // 12):
        few[steps] = sample(denoiser, schedule, start, grids.uniform(steps), Ddim())
named = {f"DDPM, {T} steps": by_hand} | {f"DDIM, {k} steps": x for k, x in few.items()}
for name, drawn in named.items():
    far = lesson.texture_distance(drawn.clamp(-1, 1), data.x)
    lesson.note(f"{name}: texture distance {far:.4f}")
noise_alone = lesson.texture_distance(start.clamp(-1, 1), data.x)
lesson.note(f"pure noise, to compare: {noise_alone:.4f}")
if lesson.texture_distance(by_hand.clamp(-1, 1), data.x) > noise_alone / 3:
    lesson.note("These pictures are still near noise: this run was too short for the story.")

# %%
with torch.no_grad():
    walk = list(trajectory(denoiser, schedule, start, grids.uniform(24), Ddim()))
lesson.animation("05_ddim", [state.x for state in walk])
one = torch.stack([walk[k].x[0] for k in range(0, 24, 4)] + [walk[-1].x[0]])
believed = torch.stack([walk[k].x0[0] for k in range(0, 24, 4)] + [walk[-1].x0[0]])
grain = {"real pictures": data.x[:200], "first belief": believed[:1], "last belief": believed[-1:]}
for name, x in grain.items():
    rough = (x.diff(dim=2).abs().mean() + x.diff(dim=3).abs().mean()).item() / 2
    lesson.note(f"{name}: neighbours differ by {rough:.3f}")
rows = [(f"picture {k + 1},\ndrowning", x) for k, x in enumerate(drowning)]
rows += [("real", data.x[:COUNT]), (f"DDPM,\n{T} steps", by_hand)]
rows += [(f"DDIM,\n{steps} steps", x) for steps, x in few.items()]
rows += [("one picture\non its way", one), ("what the network\nbelieves it is", believed)]
lesson.figure("05_noise", rows)

# %% [markdown]
# The last two rows are the point of the lesson. As long as almost everything is noise, nothing
# tells which picture this will be, and the best belief under squares is the average of all: the fog
# of lesson 01. (A network that answers the noise reaches this only when trained for long: its
# belief divides every error by `sqrt(a_t)`. The figures above say how far this run got.) But the
# belief is only a direction. With every step the picture commits a little, less is open, and the
# average of what is still possible gets sharper.
#
# DDIM walks the same way without fresh noise, in fewer and larger steps. Why both are allowed is
# lesson 06.
