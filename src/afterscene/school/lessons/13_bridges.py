# ---
# jupyter:
#   jupytext:
#     text_representation:
#       format_name: percent
# ---

# %% [markdown]
# # 13 Bridges: from image to image
#
# Until now every drawing began with noise. Often an image is given and another one is wanted: a
# sharp one for a coarse one, or the place after a disaster for the place before it. There are three
# ways:
#
# - **regression**: one evaluation from the given image to the answer, trained with squares, as in
#   lesson 01;
# - **guided diffusion**: a model of images alone, whose estimate is corrected in each step by what
#   is known;
# - **a bridge**: a diffusion that starts from the given image instead of noise.
#
# The task of this lesson is small and can be checked: given are the mean colours of blocks of
# 4 x 4 pixels, wanted is the image. Fifteen of sixteen numbers are lost.

# %%
import torch

from afterscene.diffusion import grids
from afterscene.diffusion.bridges import BrownianBridge, cross
from afterscene.diffusion.denoisers import Preconditioned, time_clock
from afterscene.diffusion.guidance import noised
from afterscene.diffusion.losses import WEIGHTS, denoising_loss, log_normal_times
from afterscene.diffusion.noise import generated
from afterscene.diffusion.samplers import DpmPP2M, sample, trajectory
from afterscene.diffusion.schedules import EDM
from afterscene.networks.unet import UNet, UNetConfig
from afterscene.school import lesson
from afterscene.school.autoregression import FitConfig, train_steps
from afterscene.school.restoration import Agree, BlockMeans

SIZE = lesson.budget(32, 16)
data, test = lesson.pictures(SIZE, lesson.budget(2400, 240)).split(lesson.budget(96, 24))
degrade = BlockMeans(side=4)
answer, given = test.x, degrade(test.x)
lesson.note(f"{len(data.x)} crops of {SIZE} pixels a side, {data.source}")

# %% [markdown]
# ## Between two images
#
# A bridge mixes the answer `x_0`, the given image `x_1` and noise,
#
# `x_t = (1 - t) x_0 + t x_1 + s sqrt(t (1 - t)) eps`.
#
# At t = 0 this is the answer and at t = 1 the given image, both exactly. There is noise only in
# between (I2SB, Liu et al. 2023, arXiv 2302.05872). The first row of the figure shows such a path.

# %%
bridge = BrownianBridge(sigma_max=0.3, shape="linear")
eps = torch.randn(7, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0))
one, start = (x[:1].expand(7, -1, -1, -1) for x in (answer, given))
between = bridge.x_t(one, start, torch.linspace(0, 1, 7), eps)

# %% [markdown]
# ## Three networks of one kind
#
# The same small U-Net is trained three times, for the same number of steps. The regressor and the
# bridge see the given image in three additional channels. The third network does not see it: it is
# a model of images and knows nothing of this task.


# %%
class Beside(torch.nn.Module):
    """The U-Net as ``network(x, clock, given)``; ``given`` is an image or None."""

    def __init__(self, *, given: bool) -> None:
        super().__init__()
        config = UNetConfig(
            channels_in=6 if given else 3,
            channels_out=3,
            patch=2,
            widths=(lesson.budget(32, 24), lesson.budget(64, 32)),
            depths=(1, 2),
            embedding=64,
        )
        self.unet = UNet(config)

    def forward(self, x, clock, given):
        return self.unet(x if given is None else torch.cat([x, given], dim=1), clock)


x1 = degrade(data.x)
moments = {
    "sigma_data": data.x.square().mean().sqrt().item(),
    "sigma_end": x1.square().mean().sqrt().item(),
    "cov": (data.x * x1).mean().item(),
}


def made(*, given: bool) -> Preconditioned:
    """A network with the scales of the bridge, or of noise alone; the same seed each time."""
    torch.manual_seed(0)
    if given:
        return Preconditioned(Beside(given=True), clock=time_clock, **moments)
    return Preconditioned(Beside(given=False), sigma_data=moments["sigma_data"])


def bridge_loss(denoiser, x0, t, rng):
    """The error of the estimated ``x_0`` at ``x_t``, in units of the network's own output."""
    x1, level = degrade(x0), bridge.at(t)
    eps = torch.from_numpy(rng.standard_normal(x0.shape)).float()
    _, scale, _ = denoiser.scales(level.over(x0))
    estimate = denoiser(bridge.x_t(x0, x1, t, eps), level, x1)
    return ((estimate - x0) / scale).square().mean()


def at_the_end(x0, _label, rng):
    """The regressor: always at t = 1, where ``x_t`` is the given image."""
    return bridge_loss(regressor, x0, torch.ones(len(x0)), rng)


def on_the_way(x0, _label, rng):
    """The bridge: at a random time."""
    t = torch.from_numpy(rng.uniform(1e-3, 1.0, size=len(x0))).float()
    return bridge_loss(walker, x0, t, rng)


def from_noise(x0, _label, rng):
    """The diffusion model: noise of a random strength, no condition."""
    generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
    t = schedule.at(log_normal_times(schedule, len(x0), generator))
    eps = torch.randn(x0.shape, generator=generator)
    weight = WEIGHTS["edm"](sigma_data=moments["sigma_data"])
    return denoising_loss(painter, x0, t, eps, weight=weight).mean()


schedule = EDM()
regressor, walker, painter = made(given=True), made(given=True), made(given=False)
config = FitConfig(steps=lesson.budget(1200, 40), batch=16, lr=3e-3)
for name, model, loss in (
    ("regression", regressor, at_the_end),
    ("bridge", walker, on_the_way),
    ("diffusion", painter, from_noise),
):
    losses = list(train_steps(model, data.x, config, loss=loss))
    first, last = (sum(part) / len(part) for part in (losses[:20], losses[-20:]))
    lesson.note(f"{name}: loss {first:.3f} -> {last:.3f}")

# %% [markdown]
# ## What comes out
#
# Three figures, on held-out crops. The **error** is the distance to the true image, pixel by pixel
# (root mean square). The **texture distance** asks whether neighbouring pixels differ as they do in
# real images. And the answer should **agree** with what was given: its block means are known.


# %%
STRONGEST = 10.0


def walk(steps: int, seed: int = 1):
    """The states of the bridge, from the given images on."""
    noise = generated(torch.Generator().manual_seed(seed))
    return cross(walker, bridge, given, grids.uniform(steps), noise=noise, condition=given)


def guided(seed: int = 1):
    """From pure noise; each estimate gets the known means."""
    start = STRONGEST * generated(torch.Generator().manual_seed(seed))(0, 0, given)
    held = Agree(denoiser=painter, given=given, means=degrade)
    return trajectory(
        held, schedule, start, grids.karras(schedule, 16, rho_max=STRONGEST), DpmPP2M()
    )


def noised_and_denoised(rho: float, seed: int = 1) -> torch.Tensor:
    """SDEdit (arXiv 2108.01073): noise of strength ``rho`` onto the given image, then denoise."""
    noise = generated(torch.Generator().manual_seed(seed))(0, 0, given)
    times = grids.karras(schedule, 16, rho_max=rho)
    start = noised(given, schedule.level_of(rho), noise)
    return sample(painter, schedule, start, times, DpmPP2M())


with torch.no_grad():
    crossing, painting = [state.x for state in walk(16)], [state.x for state in guided()]
    answers = {
        "regression": regressor(given, bridge.level(1.0), given),
        "bridge, 1 step": list(walk(1))[-1].x,
        "bridge, 4 steps": list(walk(4))[-1].x,
        "bridge, 16 steps": crossing[-1],
        "bridge, other noise": list(walk(16, seed=2))[-1].x,
        "guided diffusion, 16 steps": painting[-1],
        "noise and denoise (SDEdit)": noised_and_denoised(0.5),
    }
for name, x in {"given": given, **answers}.items():
    error = (x - answer).square().mean().sqrt().item()
    far = lesson.texture_distance(x, answer)
    off = (degrade(x) - given).abs().mean().item()
    lesson.note(f"{name}: error {error:.3f}, texture distance {far:.4f}, block means off {off:.4f}")

# %%
two = answers["bridge, 16 steps"], answers["bridge, other noise"]
apart = (two[0] - two[1]).square().mean().sqrt().item()
mean = ((two[0] + two[1]) / 2 - answer).square().mean().sqrt().item()
lesson.note(
    f"two answers of the bridge differ by {apart:.3f}; their mean has an error of {mean:.3f}"
)
states = (torch.cat([a[:3], b[:3]]) for a, b in zip(crossing, painting, strict=True))
lesson.animation("13_bridges", states, pause=150)
shown = {"true image": answer, "given": given, **answers}
rows = [("a path of the bridge: t = 0 ... 1", between)]
lesson.figure("13_bridges", rows + [(name, x[:7]) for name, x in shown.items()])

# %% [markdown]
# In the film: the bridge in the three pictures on the left, guided diffusion on the right.
#
# When this was written, on real crops, **regression** had the smallest error (0.157) and blurred:
# it answers the mean of all images with these block means. In one step the bridge does the same
# (0.159). In 16 steps its error is larger (0.193), and its texture distance is less than half of
# the regression's (0.025 against 0.058). Both are right answers, to different questions: which
# image has the smallest expected error, and which image could it have been?
#
# Another noise gives another image; two of them differed by 0.158. Their mean has a smaller error
# than either (0.177): averaged, the answers of the bridge go back towards the regression.
#
# **Guided diffusion** agrees with the given means exactly, because they are put into each estimate,
# and needs no training for the task: the same network would serve other blocks or a mask. But its
# error was the largest (0.240), its images are grainy, and seams of the blocks show. **Adding noise
# and removing it** (SDEdit) keeps only what the noise has left over: its block means were off by
# 0.060.
#
# These are single trainings of a minute each. The generator of this package is such a bridge, from
# the place before a disaster to the place after it (`afterscene synthesize`): most of the answer is
# already in the given image, and the bridge starts there.
