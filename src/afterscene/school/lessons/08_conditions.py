# ---
# jupyter:
#   jupytext:
#     text_representation:
#       format_name: percent
# ---

# %% [markdown]
# # 08 Conditions and guidance
#
# Until now the model drew whatever it liked. To say what to draw, the network is given a
# **condition** beside the noisy picture: a class, a text, numbers such as the date, a sketch, a
# mask. What changes is only the input. In training the condition is left out now and then, so that
# one network learns both: to draw this, and to draw anything at all.
#
# "Left out" is a value of its own, never zero: zero may be a real class, date or longitude.

# %%
import math

import torch

from afterscene.diffusion import grids
from afterscene.diffusion.analytic import Mixture
from afterscene.diffusion.denoisers import Preconditioned
from afterscene.diffusion.guidance import ClassifierFree, Keep
from afterscene.diffusion.losses import WEIGHTS, denoising_loss, log_normal_times
from afterscene.diffusion.noise import generated
from afterscene.diffusion.samplers import Heun, sample, trajectory
from afterscene.diffusion.schedules import EDM
from afterscene.networks.unet import UNet, UNetConfig
from afterscene.school import lesson
from afterscene.school.autoregression import FitConfig, train_steps

# %% [markdown]
# ## Guidance where everything is known
#
# Two kinds of points in a plane that overlap in the middle, and the exact denoisers of each kind
# and of both together. **Guidance** with weight w takes the step
#
# `x0_all + w (x0_kind - x0_all)`
#
# w = 0 ignores the condition, w = 1 obeys it, w > 1 exaggerates: it goes on in the direction that
# tells this kind from the rest.

# %%
turns = torch.arange(6) * (math.pi / 3)
ring = torch.stack((turns.cos(), turns.sin()), dim=1).double()
kinds = [Mixture(means=1.2 * ring + torch.tensor([dx, 0.0]), variances=0.05) for dx in (-0.8, 0.8)]
everything = Mixture(means=torch.cat([kind.means for kind in kinds]), variances=0.05)


def exact(x, t, condition=None):
    """The best denoiser for one kind, or for both together."""
    return (everything if condition is None else kinds[condition])(x, t)


M = lesson.budget(8000, 1500)
schedule = EDM()
clouds, weights = [], (0.0, 1.0, 2.0, 4.0)
start = 80 * torch.randn(M, 2, generator=torch.Generator().manual_seed(0)).double()
times = grids.karras(schedule, 18)
for weight in weights:
    guided = ClassifierFree(denoiser=exact, scale=weight)
    x = sample(guided, schedule, start, times, Heun(), condition=1)
    clean = schedule.level_of(0.05)
    sure = torch.sigmoid(kinds[1].log_prob(x, clean) - kinds[0].log_prob(x, clean)).mean()
    lesson.note(
        f"w = {weight:g}: {sure:.1%} sure to be of the kind asked for, "
        f"spread {x.std(dim=0).mean():.2f}"
    )
    clouds.append(lesson.plane(x))
truth = lesson.plane(kinds[1].sample(M, torch.Generator().manual_seed(1)))
rows = [("true kind, then\nw = 0, 1, 2, 4", torch.stack([truth, *clouds]))]

# %% [markdown]
# More guidance: surer and narrower. With w above 1 the points no longer have the distribution of
# their kind. A data set made with strong guidance is too clean.
#
# ## A network that is given a class, a sketch, or nothing
#
# The small U-Net gets the class through its embedding (-1 is "not said") and a sketch as two more
# channels: the outlines of the picture, and whether a sketch is given at all.

# %%
SIZE = lesson.budget(32, 16)
data = lesson.pictures(SIZE, lesson.budget(2400, 240))
CLASSES = len(data.names)
lesson.note(f"{len(data.x)} pictures of {SIZE} pixels a side, {data.source}: {data.names}")


def sketch_of(x: torch.Tensor) -> torch.Tensor:
    """Where brightness changes: ``(N, 3, H, W) -> (N, 1, H, W)`` of zeros and ones."""
    grey = x.mean(dim=1, keepdim=True)
    down = torch.nn.functional.pad(grey.diff(dim=2), (0, 0, 0, 1)).abs()
    across = torch.nn.functional.pad(grey.diff(dim=3), (0, 1, 0, 0)).abs()
    return (down + across > 0.3).float()


class Told(torch.nn.Module):
    """The U-Net as ``network(x, clock, (label, sketch))``; either may be None."""

    def __init__(self) -> None:
        super().__init__()
        config = UNetConfig(
            channels_in=5,
            channels_out=3,
            patch=2,
            widths=(lesson.budget(48, 32), lesson.budget(96, 48)),
            depths=(lesson.budget(2, 1), 2),
            embedding=64,
            classes=CLASSES,
        )
        self.unet = UNet(config)

    def forward(self, x, clock, condition):
        label, sketch = condition or (None, None)
        given = sketch is not None
        lines = sketch if sketch is not None else torch.zeros_like(x[:, :1])
        said = torch.full_like(x[:, :1], float(given))
        return self.unet(torch.cat([x, lines, said], dim=1), clock, label=label)


torch.manual_seed(0)
SIGMA = data.x.std().item()
denoiser = Preconditioned(Told(), sigma_data=SIGMA)


def loss(x0, label, rng):
    """A denoising loss; class and sketch are left out at random, each for itself."""
    generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
    t = schedule.at(log_normal_times(schedule, len(x0), generator))
    eps = torch.randn(x0.shape, generator=generator)
    label = torch.where(torch.rand(len(x0), generator=generator) < 0.2, -1, label)
    sketch = sketch_of(x0) if rng.random() < 0.5 else None
    weight = WEIGHTS["edm"](sigma_data=SIGMA)
    return denoising_loss(denoiser, x0, t, eps, weight=weight, condition=(label, sketch)).mean()


config = FitConfig(steps=lesson.budget(650, 100), batch=lesson.budget(32, 16), lr=3e-3)
losses = list(train_steps(denoiser, data.x, config, label=data.label, loss=loss))
first, last = (sum(part) / len(part) for part in (losses[:20], losses[-20:]))
lesson.note(f"loss {first:.3f} -> {last:.3f}")

# %%
COUNT = lesson.budget(6, 4)
noise = generated(torch.Generator().manual_seed(5))
start = 80 * noise(0, 0, data.x[:COUNT])
times = grids.karras(schedule, lesson.budget(18, 8))
pictures, walks = [("real", data.x[:COUNT])], []
with torch.no_grad():
    for index, name in enumerate(data.names):
        asked = (torch.full((COUNT,), index), None)
        for weight in (1.0, 3.0):
            guided = ClassifierFree(denoiser=denoiser, scale=weight)
            walk = list(trajectory(guided, schedule, start, times, Heun(), condition=asked))
            x = walk[-1].x
            real = data.x[data.label == index].mean(dim=(0, 2, 3))
            far = (x.mean(dim=(0, 2, 3)) - real).abs().mean().item()
            lesson.note(f"{name}, w = {weight:g}: mean colour off by {far:.3f}")
            pictures.append((f"{name}\nw = {weight:g}", x))
        walks.append([state.x[:1] for state in walk])

# %% [markdown]
# ## A sketch says where, a mask says what stays
#
# The sketch is one more input. A mask needs no training at all: wherever it says "keep", the
# estimate of the picture is replaced by what is known, at each step (`Keep`), so the kept pixels
# stay exactly as they were.

# %%
drawn_from = data.x[-COUNT:]
lines = sketch_of(drawn_from)
nobody = torch.full((COUNT,), -1)
keep = torch.ones(1, 1, SIZE, SIZE, dtype=torch.bool)
keep[..., SIZE // 4 : 3 * SIZE // 4, SIZE // 4 : 3 * SIZE // 4] = False
with torch.no_grad():
    told = (nobody, lines)
    by_sketch = list(trajectory(denoiser, schedule, start, times, Heun(), condition=told))
    sketched = by_sketch[-1].x
    other = sample(denoiser, schedule, start, times, Heun(), condition=(nobody, lines.flip(0)))
    kept = Keep(denoiser=denoiser, known=drawn_from, keep=keep)
    states = list(trajectory(kept, schedule, start, times, Heun(), condition=(nobody, None)))
filled = states[-1].x


def agreement(x: torch.Tensor) -> float:
    """Correlation of the picture's own outlines with the sketch."""
    both = torch.stack([sketch_of(x).flatten(), lines.flatten()])
    return both.corrcoef()[0, 1].nan_to_num().item()


right, wrong = agreement(sketched), agreement(other)
lesson.note(
    f"outlines agree with the sketch by {right:.2f}; when given another sketch: {wrong:.2f}"
)
if right <= wrong + 0.05:
    lesson.note("The sketch was not obeyed: this run was too short for the story.")
same = torch.equal(filled[..., 0, :], drawn_from[..., 0, :])
lesson.note(f"kept pixels exactly unchanged: {same}")

# %%
walks += [[state.x[:2] for state in by_sketch], [state.x[:2] for state in states]]
lesson.note("moving: a picture of each kind (w = 3), two from a sketch, two with a filled middle")
lesson.animation("08_conditions", (torch.cat(x) for x in zip(*walks, strict=True)), pause=200)
pictures += [
    ("sketch", 1 - 2 * lines.expand(-1, 3, -1, -1)),
    ("drawn from it", sketched),
    ("middle removed", torch.where(keep, drawn_from, 1.0)),
    ("and filled", filled),
]
lesson.figure("08_conditions", pictures)
lesson.figure("08_guidance", rows, side=128)

# %% [markdown]
# A text works the same way: a sentence encoder makes a vector of it, and the vector is one more
# condition. So are longitude, date and pixel size. For disasters the condition that matters is the
# damage map: which building, which level. A word cannot say where (in `afterscene synthesize` the
# hazard decides the map, and the map is the condition).
