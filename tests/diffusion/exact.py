"""Shared by the tests: Gaussian data with a known law at every time, impulses, seeded noise."""

import torch

from afterscene.diffusion.analytic import gaussian
from afterscene.diffusion.loop import sample

MEAN, VAR = 0.3, 0.25


def data(size=1, dtype=torch.float64):
    """The exact denoiser of N(MEAN, VAR) for events of one number."""
    return gaussian(torch.full((size,), MEAN, dtype=dtype), VAR)


def flow(x, t, s):
    """Where the probability-flow ODE takes x from level t to level s, exactly."""
    spread = ((s.alpha**2 * VAR + s.sigma**2) / (t.alpha**2 * VAR + t.sigma**2)) ** 0.5
    return s.alpha * MEAN + spread * (x - t.alpha * MEAN)


def randn(seed=0):
    """A Noise in the order of a generator, in float64."""
    generator = torch.Generator().manual_seed(seed)
    return lambda step, draw, like: torch.randn(
        like.shape, generator=generator, dtype=torch.float64
    ).to(like)


def impulses(denoiser, schedule, times, method, draws=3):
    """Mean and variance of the end point of a linear chain, exactly, in one run.

    The end is ``c + k x_T + sum k_j eps_j``. Sample 0 sees no noise, sample 1 a unit start, each
    of the others one unit of one draw of one step: their differences to sample 0 are the k.
    """
    steps = len(times) - 1
    start = schedule.levels(times[:1])[0]
    count = 2 + draws * steps

    def noise(step, draw, like):
        assert draw < draws
        unit = torch.zeros_like(like)
        unit[1 + (step - 1) * draws + draw + 1] = 1.0
        return unit

    x = torch.full((count, 1), start.alpha * MEAN, dtype=torch.float64)
    x[1] += (start.alpha**2 * VAR + start.sigma**2) ** 0.5
    x = sample(denoiser, schedule, x, times, method, noise=noise)
    return x[0, 0].item(), ((x[1:] - x[0]) ** 2).sum().item()
