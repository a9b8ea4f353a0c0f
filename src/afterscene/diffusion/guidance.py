"""Guidance and inpainting wrap a denoiser in another one; editing starts from a noised image."""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from afterscene.diffusion.loop import Denoiser
from afterscene.diffusion.schedules import Level, spread


@dataclass(frozen=True, kw_only=True)
class ClassifierFree:
    """``x0_u + w (x0_c - x0_u)`` where ``low <= rho <= high``, plain x0_c elsewhere and at w = 1.

    x0_c is conditioned, x0_u gets ``null`` (Ho and Salimans 2022, arXiv 2207.12598; interval:
    Kynkaanniemi et al. 2024, arXiv 2404.07724). Two evaluations inside the interval, one outside.
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
    """Replaces x0 by ``known`` where ``keep`` is true; exact to the bit after the last step."""

    denoiser: Denoiser
    known: Tensor
    keep: Tensor

    def __call__(self, x: Tensor, t: Level, condition: Any = None) -> Tensor:
        return torch.where(self.keep, self.known, self.denoiser(x, t, condition))


def noised(x0: Tensor, t: Level, eps: Tensor) -> Tensor:
    """``alpha x0 + sigma eps``: SDEdit's start (arXiv 2108.01073) when the grid begins at ``t``."""
    t = t.over(x0)
    return t.alpha * x0 + t.sigma * eps
