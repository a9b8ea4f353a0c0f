# ---
# jupyter:
#   jupytext:
#     text_representation:
#       format_name: percent
# ---

# %% [markdown]
# # 07 Architectures on one budget
#
# The process says *what* is asked of the network: this noisy picture, this much noise, what lies
# below? It does not say *how* the network looks at it. Four answers from eight years:
#
# - the **convolutional network of 2015** (Sohl-Dickstein et al., arXiv 1503.03585): the picture
#   averaged down to several scales, each convolved, all added; time enters as bumps at the end;
# - the **U-Net** (Ronneberger et al. 2015, arXiv 1505.04597; Ho et al. 2020): down to coarse scales
#   and up again, with skip connections between equal scales; every block is given the time;
# - the **ViT** (Dosovitskiy et al. 2021, arXiv 2010.11929): patches are tokens of one sequence, and
#   each token attends to every other; the time is a token, too;
# - the **U-ViT** (Bao et al. 2023, arXiv 2209.12152): the same with the U-Net's skip connections,
#   from early blocks to late ones.
#
# Papers compare them after weeks on many graphics cards. Here the question is a student's: which of
# them gets furthest on *my* budget? Same pictures, same noise, same loss, same seconds.

# %%
import torch

from afterscene.diffusion import grids
from afterscene.diffusion.denoisers import Predictor
from afterscene.diffusion.guidance import Threshold
from afterscene.diffusion.losses import denoising_loss, uniform_times
from afterscene.diffusion.samplers import Ddim, trajectory
from afterscene.diffusion.schedules import VP
from afterscene.networks.unet import UNet, UNetConfig
from afterscene.networks.uvit import UViT, UViTConfig
from afterscene.school import lesson
from afterscene.school.autoregression import FitConfig, train_steps
from afterscene.school.networks.multiscale import MultiScaleConfig, MultiScaleNetwork

SIZE = lesson.budget(32, 16)
SECONDS = lesson.budget(45, 600)
data, test = lesson.pictures(SIZE, lesson.budget(2400, 240)).split(lesson.budget(200, 40))
schedule = VP()
lesson.note(f"{len(data.x)} pictures of {SIZE} pixels a side, {data.source}")

# %% [markdown]
# ## Four networks of one kind of answer
#
# Each takes the noisy picture and the time and answers the noise. A network knows nothing of the
# schedule, so the four are interchangeable. ViT and U-ViT differ by one switch, `long_skips`.

# %%
WIDTH = lesson.budget(48, 24)


def tokens(long_skips: bool) -> UViT:
    """Patches of 4 x 4 pixels as tokens; with or without skip connections."""
    config = UViTConfig(
        channels_in=3,
        channels_out=3,
        size=(SIZE, SIZE),
        patch=4,
        width=lesson.budget(192, 48),
        depth=lesson.budget(6, 2),
        heads=lesson.budget(6, 2),
        long_skips=long_skips,
    )
    return UViT(config)


def build(name: str) -> torch.nn.Module:
    """The network of that name, with the same seed for all."""
    torch.manual_seed(0)
    if name == "CNN of 2015":
        return MultiScaleNetwork(MultiScaleConfig(channels_in=3, channels_out=3, width=WIDTH))
    if name == "U-Net":
        config = UNetConfig(
            channels_in=3, channels_out=3, widths=(WIDTH, 2 * WIDTH), depths=(2, 2), embedding=64
        )
        return UNet(config)
    return tokens(long_skips=name == "U-ViT")


class Two(torch.nn.Module):
    """``network(x, clock, condition)`` around a network without a condition."""

    def __init__(self, inner: torch.nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x, clock, condition):
        return self.inner(x, clock)


# %% [markdown]
# ## The same seconds for each
#
# Training ends after `seconds` of the processor, and the learning rate has fallen to zero by then.
# A cheap network takes more steps, an expensive one learns more from each.

# %%
RATES = {"CNN of 2015": 2e-3, "U-Net": 3e-3, "ViT": 1e-3, "U-ViT": 1e-3}
denoisers, steps_taken = {}, {}
for name, rate in RATES.items():
    denoiser = Predictor(Two(build(name)))

    def loss(x0, label, rng, denoiser=denoiser):
        """DDPM's loss at uniform times."""
        generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
        t = schedule.at(uniform_times(len(x0), generator))
        eps = torch.randn(x0.shape, generator=generator)
        return denoising_loss(denoiser, x0, t, eps).mean()

    limit = lesson.budget(10**6, 25)
    config = FitConfig(steps=limit, seconds=SECONDS, batch=lesson.budget(32, 16), lr=rate)
    losses = list(train_steps(denoiser, data.x, config, loss=loss))
    denoisers[name], steps_taken[name] = denoiser, len(losses)
    size = sum(p.numel() for p in denoiser.parameters()) / 1e6
    last = sum(losses[-20:]) / len(losses[-20:])
    lesson.note(f"{name}: {size:.2f} M parameters, {len(losses)} steps, loss at the end {last:.3f}")

# %% [markdown]
# ## Who removes noise best?
#
# Mean squared error of the noise on held-out crops, at five times. 1 is the answer "no noise".
# Little noise is the hard end (fine detail), much noise the easy one.

# %%
generator = torch.Generator().manual_seed(1)
eps = torch.randn(test.x.shape, generator=generator)
error = {}
with torch.no_grad():
    for name, denoiser in denoisers.items():
        parts = []
        for time in (0.1, 0.3, 0.5, 0.7, 0.9):
            t = schedule.at(torch.full((len(test.x),), time))
            parts.append(denoising_loss(denoiser, test.x, t, eps).mean().item())
        error[name] = sum(parts) / len(parts)
        listed = ", ".join(f"{value:.3f}" for value in parts)
        lesson.note(f"{name}: {listed}; mean {error[name]:.3f}")
order = sorted(error, key=error.__getitem__)
lesson.note(f"From best to worst on this budget: {', '.join(order)}.")
if error["U-ViT"] >= error["ViT"]:
    lesson.note(
        "The skip connections of the U-ViT did not pay here; they may need longer training."
    )
if order[0] != "U-ViT":
    lesson.note("The newest network is not the best one on this budget.")

# %% [markdown]
# ## What they draw
#
# All begin with the same noise and are sampled by DDIM, which adds none: whatever differs comes
# from the network. Patches that do not fit together show as a grid of 4 x 4 pixels, as is usual for
# a transformer early in training.

# %%
COUNT = lesson.budget(24, 6)
start = torch.randn(COUNT, 3, SIZE, SIZE, generator=generator)
times = grids.uniform(lesson.budget(50, 8))
walks, rows = {}, [("real", test.x[:6])]
for name, denoiser in denoisers.items():
    with torch.no_grad():
        clipped = Threshold(denoiser=denoiser)
        walks[name] = [s.x for s in trajectory(clipped, schedule, start, times, Ddim())]
    drawn = walks[name][-1].clamp(-1, 1)
    far = lesson.texture_distance(drawn, data.x)
    seam = (drawn[..., 4::4] - drawn[..., 3:-1:4]).abs().mean()
    inside = (drawn[..., 2::4] - drawn[..., 1::4]).abs().mean()
    lesson.note(f"{name}: texture distance {far:.4f}; seams are {seam / inside:.2f} x as rough")
    rows.append((name, drawn[:6]))
lesson.figure("07_architectures", rows)
side_by_side = zip(*walks.values(), strict=True)
lesson.animation("07_architectures", (torch.cat([x[:2] for x in four]) for four in side_by_side))

# %% [markdown]
# Two pictures of each network, from left to right in the order of the list. A convolution has it
# built in that neighbours belong together and that a roof is a roof wherever it stands. Tokens have
# to learn both, which costs data and time; in return nothing keeps them from seeing the whole
# picture at once. On a small budget the U-Net is hard to beat, which is why the generator of this
# project is one.
#
# The same comparison with DDPM, the chain of 2015 and U-ViT among twelve methods, on real pictures
# and with the distances that papers use, is the league (`afterscene course league`).
