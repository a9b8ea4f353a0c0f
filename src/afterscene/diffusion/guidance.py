"""Guidance: denoisers around denoisers; editing: a start; in-painting: a step around a step."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from afterscene.diffusion.loop import Denoiser, Method, Noise, Run, Stepped
from afterscene.diffusion.schedules import Level, Schedule, added_variance, posterior, spread


@dataclass(frozen=True, kw_only=True)
class ClassifierFree:
    """``x0_u + w (x0_c - x0_u)`` where ``low <= rho <= high``, plain x0_c elsewhere and at w = 1.

    x0_c knows the condition, x0_u has ``null`` (Ho and Salimans 2022, arXiv 2207.12598; interval:
    Kynkaanniemi et al. 2024, arXiv 2404.07724). Two evaluations inside, one outside.
    """

    denoiser: Denoiser
    scale: float
    null: Any = None
    low: float = 0.0
    high: float = math.inf

    def __call__(self, x: Tensor, t: Level, condition: Any = None) -> Tensor:
        x0 = self.denoiser(x, t, condition)
        if self.scale == 1 or not self.low <= t.rho <= self.high:
            return x0
        plain = self.denoiser(x, t, self.null)
        return plain + self.scale * (x0 - plain)


@dataclass(frozen=True, kw_only=True)
class Classifier:
    """``x0 + w sigma^2 / alpha grad log_prob(x_t, t, y)``, w = ``scale`` (arXiv 2105.05233)."""

    denoiser: Denoiser
    log_prob: Callable[[Tensor, Level, Any], Tensor]
    scale: float = 1.0

    def __call__(self, x: Tensor, t: Level, condition: Any = None) -> Tensor:
        with torch.enable_grad():
            leaf = x.detach().requires_grad_()
            (slope,) = torch.autograd.grad(self.log_prob(leaf, t, condition).sum(), leaf)
        over = t.over(x)
        return self.denoiser(x, t, condition) + self.scale * over.sigma**2 / over.alpha * slope


@dataclass(frozen=True, kw_only=True)
class Threshold:
    """x0 clamped to [-bound, bound]; with a ``quantile``, to that of each sample and rescaled.

    The second is Imagen's dynamic thresholding (arXiv 2205.11487), for x (batch, ...).
    """

    denoiser: Denoiser
    bound: float = 1.0
    quantile: float | None = None

    def __call__(self, x: Tensor, t: Level, condition: Any = None) -> Tensor:
        x0 = self.denoiser(x, t, condition)
        if self.quantile is None:
            return x0.clamp(-self.bound, self.bound)
        size = x0.flatten(1).abs().float().quantile(self.quantile, dim=1).clamp(min=self.bound)
        size = spread(size, x0)
        return x0.clamp(-size, size) * (self.bound / size)


@dataclass(frozen=True, kw_only=True)
class Keep:
    """The hard mix: x0 is ``known`` where ``keep`` is true, to the bit at the last step."""

    denoiser: Denoiser
    known: Tensor
    keep: Tensor

    def __call__(self, x: Tensor, t: Level, condition: Any = None) -> Tensor:
        return torch.where(self.keep, self.known, self.denoiser(x, t, condition))


@dataclass(frozen=True, kw_only=True)
class Repaint(Method, stochastic=True):
    """RePaint (arXiv 2201.09865): step, put in the known pixels noised, go back up, again."""

    inner: Method
    known: Tensor
    keep: Tensor
    resamples: int = 5

    def step(self, run: Run, x: Tensor, t: Level, s: Level, memory: Any) -> Stepped:
        for i in range(self.resamples if s.sigma > 0 else 1):
            if i:
                std = math.sqrt(added_variance(t, s))
                x = t.alpha / s.alpha * x + std * run.draw(x, 1000 * i)
            shifted = replace(run, shift=run.shift + 1000 * i + 2)
            x, x0, after = self.inner.step(shifted, x, t, s, memory)
            known = noised(self.known, s, run.draw(x, 1000 * i + 1)) if s.sigma > 0 else self.known
            x = torch.where(self.keep, known, x)
        return x, x0, after


def noised(x0: Tensor, t: Level, eps: Tensor) -> Tensor:
    """``alpha x0 + sigma eps``: SDEdit's start (arXiv 2108.01073) when the grid begins at ``t``."""
    t = t.over(x0)
    return t.alpha * x0 + t.sigma * eps


def encode(
    denoiser: Denoiser,
    schedule: Schedule,
    x0: Tensor,
    times: Tensor,
    noise: Noise,
    condition: Any = None,
) -> tuple[Tensor, Sequence[Tensor]]:
    """CycleDiffusion's noise space (arXiv 2210.05559): the start and each step's noise of ``x0``.

    They take ``Ddpm`` along a drawn path of the forward process: with ``replay(noises)`` it walks
    there again, under another condition to an edit. ``times`` fall and end above zero noise.
    """
    levels = schedule.levels(times)
    x = start = noised(x0, levels[0], noise(0, 0, x0))
    noises = []
    for step, (t, s) in enumerate(pairwise(levels)):
        a, b, var = posterior(t, s)
        after = a * x + b * x0 + math.sqrt(var) * noise(step + 1, 0, x0)
        noises.append((after - a * x - b * denoiser(x, t, condition)) / math.sqrt(var))
        x = after
    return start, noises


def replay(noises: Sequence[Tensor]) -> Noise:
    """A ``Noise`` that gives step k its recorded noise."""
    return lambda step, draw, like: noises[step - 1]
