"""Diffusion between two images: x0 (after) at t = 0, x1 (before) at t = 1, noise in between.

A bridge is ``x_t = a(t) x0 + b(t) x1 + c(t) eps`` with a, b, c = 1, 0, 0 at t = 0 and 0, 1, 0 at
t = 1: I2SB's (arXiv 2302.05872) or any diffusion pinned to its end (DDBM, arXiv 2309.16948). As x1
is known, ``z = x_t - b x1 = a x0 + c eps`` is an ordinary diffusion with alpha = a, sigma = c. So
a bridge is a schedule and every sampler works on it: ancestral steps in z are I2SB's posterior,
DDIM steps are DBIM (arXiv 2405.15885). Only the first step is special, because z is 0 there.
I2SB's OT-ODE, which has no noise, is a ``RectifiedFlow`` with x1 in place of the noise.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from afterscene.diffusion.loop import Denoiser, Method, Run, State, Stepped, trajectory
from afterscene.diffusion.samplers import Ddpm
from afterscene.diffusion.schedules import Level, Schedule, spread
from afterscene.errors import BadParameter


class Bridge(Schedule):
    """A schedule in the pinned coordinate ``z = x_t - b x1``: alpha is a, sigma is c."""

    def weights(self, t: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """``a, b, c`` at times ``t`` of any shape."""
        raise NotImplementedError

    def x_t(self, x0: Tensor, x1: Tensor, t: Tensor, eps: Tensor) -> Tensor:
        """``a x0 + b x1 + c eps`` for images (batch, ...) and times ``t`` (batch,) or ()."""
        a, b, c = (spread(value, x0) for value in self.weights(t))
        return a * x0 + b * x1 + c * eps


@dataclass(frozen=True, kw_only=True)
class BrownianBridge(Bridge):
    """I2SB: ``(1 - w) x0 + w x1 + sigma_max sqrt(w (1 - w)) eps``, w the variance fraction at t.

    ``linear``: w = t; ``symmetric``: sqrt(beta) rises linearly from both ends to the middle, where
    beta is ``1 / floor`` times as large (I2SB: 3, and sigma_max about 0.44 for images in [-1, 1]).
    """

    sigma_max: float = 1.0
    shape: str = "symmetric"
    floor: float = 1 / 3

    def __post_init__(self) -> None:
        if self.shape not in ("symmetric", "linear"):
            raise BadParameter(f"shape '{self.shape}' is not known; choose symmetric or linear")
        if self.sigma_max <= 0 or not 0 < self.floor < 1:
            raise BadParameter(f"{self}: give sigma_max > 0 and a floor between 0 and 1")

    def interpolation(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """``w(t)`` and its derivative."""
        if self.shape == "linear":
            return t, torch.ones_like(t)
        low = self.floor**0.5
        root = low + (1 - low) * 2 * torch.minimum(t, 1 - t)
        half = (root**3 - low**3) / (2 * (1 - low**3))
        return torch.where(t <= 0.5, half, 1 - half), 3 * (1 - low) * root**2 / (1 - low**3)

    def weights(self, t: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        w, _ = self.interpolation(t)
        return 1 - w, w, self.sigma_max * (w * (1 - w)).sqrt()

    def coefficients(self, t: Tensor) -> tuple[Tensor, ...]:
        a, w, c = self.weights(t)
        slope = self.interpolation(t)[1]
        return a, c, -slope, self.sigma_max**2 * slope * (1 - 2 * w) / (2 * c), w

    def time_of(self, rho: Tensor) -> Tensor:
        w = 1 / (1 + (self.sigma_max / rho) ** 2)
        if self.shape == "linear":
            return w
        low = self.floor**0.5
        root = (low**3 + 2 * (1 - low**3) * torch.minimum(w, 1 - w)) ** (1 / 3)
        half = (root - low) / (2 * (1 - low))
        return torch.where(w <= 0.5, half, 1 - half)


@dataclass(frozen=True, kw_only=True)
class Crossing(Method, stochastic=True):
    """A step of ``inner`` in the pinned coordinate; at t = 1, a sample of ``q(x_s | x0, x1)``."""

    inner: Method
    x1: Tensor

    def step(self, run: Run, x: Tensor, t: Level, s: Level, memory: Any) -> Stepped:
        if t.sigma == 0:
            x0 = run.x0(x, t)
            return s.alpha * x0 + s.pull * self.x1 + s.sigma * run.draw(x), x0, None
        inner = replace(run, denoiser=lambda z, at, y: run.denoiser(z + at.pull * self.x1, at, y))
        z, x0, memory = self.inner.step(inner, x - t.pull * self.x1, t, s, memory)
        return z + s.pull * self.x1, x0, memory


def cross(
    denoiser: Denoiser,
    bridge: Bridge,
    x1: Tensor,
    times: Tensor,
    method: Method = Ddpm(),
    **more: Any,
) -> Iterator[State]:
    """Go from ``x1`` to an x0; ``more``: ``noise``, ``condition`` as in :func:`.loop.trajectory`.

    ``times`` decrease from 1. ``Ddpm()`` is I2SB's sampler; an ODE method is deterministic after
    the first step, which always draws noise. The denoiser sees x1 only through ``condition``.
    """
    return trajectory(denoiser, bridge, x1, times, Crossing(inner=method, x1=x1), **more)
