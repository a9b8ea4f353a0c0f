"""How much noise at which time: ``x_t = alpha(t) x0 + sigma(t) eps``, t = 0 clean, t = 1 noise.

Written as ``x_t / alpha = x0 + rho eps`` with ``rho = sigma / alpha`` they are all one process
(arXiv 2206.00364); a schedule says when which rho is reached: ``coefficients(t)`` and its inverse,
``time_of(rho)``. The SDE's drift and diffusion (arXiv 2011.13456) are ``f = alpha'/alpha`` and
``g^2 = sigma^2 d/dt log rho^2``. A step from ``t`` to ``s`` only sees two :class:`Level` records.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import torch
from torch import Tensor

from afterscene.errors import BadParameter


class Level(NamedTuple):
    """A schedule at one time: Python floats in a sampler, tensors in training.

    ``d_alpha``, ``d_sigma``: time derivatives; ``pull``: the weight of x1 on a bridge.
    """

    time: Any
    alpha: Any
    sigma: Any
    d_alpha: Any
    d_sigma: Any
    pull: Any = 0.0

    @property
    def rho(self) -> Any:
        """``sigma / alpha``, the noise in the variance-exploding view; infinite at alpha = 0."""
        known = isinstance(self.alpha, Tensor) or self.alpha > 0
        return self.sigma / self.alpha if known else math.inf

    def eps(self, x: Tensor, x0: Tensor) -> Tensor:
        """The noise in ``x`` if its image is ``x0``: ``(x - alpha x0) / sigma``."""
        return (x - self.alpha * x0) / self.sigma

    def over(self, x: Tensor) -> "Level":
        """The same level with tensors of shape (batch, 1, ...) and a type that can scale ``x``."""
        tensors = isinstance(self.alpha, Tensor)
        return Level(*(spread(value, x) for value in self)) if tensors else self


def spread(value: Any, x: Tensor) -> Any:
    """One value per sample as (batch, 1, ...) with the type of ``x``; a float stays a float."""
    if not isinstance(value, Tensor) or value.ndim == 0:
        return value
    return value.to(x).reshape(value.shape + (1,) * (x.ndim - value.ndim))


def added_variance(t: Level, s: Level) -> Any:
    """The variance that the forward process adds from s to t: DDPM's beta for this step."""
    return t.sigma**2 - (t.alpha / s.alpha) ** 2 * s.sigma**2


def posterior(t: Level, s: Level) -> tuple[Any, Any, Any]:
    """``a, b, var`` of ``q(x_s | x_t, x0) = N(a x_t + b x0, var)`` (DDPM eq. 6-7, any schedule)."""
    added, share = added_variance(t, s), (s.sigma / t.sigma) ** 2
    return t.alpha / s.alpha * share, s.alpha * added / t.sigma**2, share * added


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """alpha(t) and sigma(t) of a process; subclasses give ``coefficients`` and ``time_of``."""

    def coefficients(self, t: Tensor) -> tuple[Tensor, ...]:
        """``alpha, sigma, alpha', sigma'`` (a bridge: and ``b``) at times ``t`` of any shape."""
        raise NotImplementedError

    def time_of(self, rho: Tensor) -> Tensor:
        """The time at which ``sigma / alpha`` is ``rho`` (float64, any shape)."""
        raise NotImplementedError

    def at(self, t: Tensor) -> Level:
        """The level at times ``t`` (one for each sample, say), as tensors."""
        return Level(t, *self.coefficients(t))

    def levels(self, times: Tensor) -> list[Level]:
        """The levels at ``times`` (n,) as records of Python floats, computed in float64."""
        times = torch.as_tensor(times, dtype=torch.float64, device="cpu")
        rows = torch.stack(torch.broadcast_tensors(*map(torch.as_tensor, self.at(times))))
        return [Level(*row) for row in rows.T.tolist()]

    def level(self, time: float) -> Level:
        """The level at one time."""
        return self.levels(torch.tensor([time], dtype=torch.float64))[0]

    def level_of(self, rho: float) -> Level:
        """The level whose ``sigma / alpha`` is ``rho``."""
        return self.levels(self.time_of(torch.tensor([rho], dtype=torch.float64)))[0]


class VariancePreserving(Schedule):
    """``alpha^2 + sigma^2 = 1``: subclasses give log alpha with its slope, and its inverse."""

    log_alpha: Callable[[Tensor], tuple[Tensor, Tensor]]
    time_of_log_alpha: Callable[[Tensor], Tensor]

    def coefficients(self, t: Tensor) -> tuple[Tensor, ...]:
        log_alpha, slope = self.log_alpha(t)
        alpha, sigma = log_alpha.exp(), (-torch.expm1(2 * log_alpha)).sqrt()
        return alpha, sigma, slope * alpha, -slope * alpha**2 / sigma

    def time_of(self, rho: Tensor) -> Tensor:
        return self.time_of_log_alpha(-0.5 * torch.log1p(rho**2))


@dataclass(frozen=True, kw_only=True)
class VP(VariancePreserving):
    """Score SDE's VP: ``beta(t)`` linear, ``log alpha = -1/2 int beta`` (arXiv 2011.13456)."""

    beta_min: float = 0.1
    beta_max: float = 20.0

    def log_alpha(self, t: Tensor) -> tuple[Tensor, Tensor]:
        low, rise = self.beta_min, self.beta_max - self.beta_min
        return -0.5 * (low * t + 0.5 * rise * t**2), -0.5 * (low + rise * t)

    def time_of_log_alpha(self, log_alpha: Tensor) -> Tensor:
        low, rise, area = self.beta_min, self.beta_max - self.beta_min, -2 * log_alpha
        return 2 * area / (low + (low**2 + 2 * rise * area).sqrt())


class SubVP(VP):
    """Score SDE's sub-VP: VP's alpha with the smaller ``sigma = 1 - alpha^2``."""

    def coefficients(self, t: Tensor) -> tuple[Tensor, ...]:
        alpha, sigma, slope, _ = super().coefficients(t)
        return alpha, sigma**2, slope, -2 * alpha * slope

    def time_of(self, rho: Tensor) -> Tensor:
        return self.time_of_log_alpha((2 / (rho + (rho**2 + 4).sqrt())).log())


class Chain(VariancePreserving):
    """``alpha^2 = prod (1 - beta)`` at t = i / T, log alpha linear between; i = index + 1."""

    betas: Callable[[], Tensor]

    @cached_property
    def table(self) -> Tensor:
        """``log alpha`` at t = 0, 1/T, ..., 1; float64."""
        return torch.cat((torch.zeros(1), 0.5 * torch.log1p(-self.betas()).cumsum(0)))

    def log_alpha(self, t: Tensor) -> tuple[Tensor, Tensor]:
        table, last = self.table.to(t), len(self.table) - 1
        i = (t * last).floor().clamp(0, last - 1).long()
        rise = table[i + 1] - table[i]
        return table[i] + (t * last - i) * rise, rise * last

    def time_of_log_alpha(self, log_alpha: Tensor) -> Tensor:
        table, last = self.table.to(log_alpha), len(self.table) - 1
        i = torch.searchsorted(-table, -log_alpha).clamp(1, last) - 1
        return (i + (log_alpha - table[i]) / (table[i + 1] - table[i])) / last


@dataclass(frozen=True, kw_only=True)
class DDPM(Chain):
    """Betas linear in ``beta^(1/power)`` (arXiv 2006.11239); 2: Stable Diffusion's "scaled"."""

    beta_start: float = 1e-4
    beta_end: float = 0.02
    steps: int = 1000
    power: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.beta_start <= self.beta_end < 1 or self.steps < 1:
            raise BadParameter(f"{self}: give 0 < beta_start <= beta_end < 1 and steps >= 1")

    def betas(self) -> Tensor:
        start, end = self.beta_start ** (1 / self.power), self.beta_end ** (1 / self.power)
        return torch.linspace(start, end, self.steps, dtype=torch.float64) ** self.power


META_EARTH = DDPM(beta_start=0.0015, beta_end=0.0155)  # Yu et al. 2024, arXiv 2405.13570


@dataclass(frozen=True, kw_only=True)
class Cosine(Chain):
    """``alpha ~ cos(pi/2 (t + s) / (1 + s))``, betas capped (arXiv 2102.09672)."""

    s: float = 0.008
    steps: int = 1000
    cap: float = 0.999

    def betas(self) -> Tensor:
        t = torch.linspace(0, 1, self.steps + 1, dtype=torch.float64)
        alpha_bar = torch.cos((t + self.s) / (1 + self.s) * torch.pi / 2) ** 2
        return (1 - alpha_bar[1:] / alpha_bar[:-1]).clamp(max=self.cap)


@dataclass(frozen=True, kw_only=True)
class VE(Schedule):
    """Score SDE's VE: alpha = 1, sigma geometric from ``sigma_min`` (at t = 0) to ``sigma_max``."""

    sigma_min: float = 0.01
    sigma_max: float = 50.0

    def coefficients(self, t: Tensor) -> tuple[Tensor, ...]:
        ratio = math.log(self.sigma_max / self.sigma_min)
        sigma = self.sigma_min * torch.exp(ratio * t)
        return torch.ones_like(t), sigma, torch.zeros_like(t), ratio * sigma

    def time_of(self, rho: Tensor) -> Tensor:
        return (rho / self.sigma_min).log() / math.log(self.sigma_max / self.sigma_min)


@dataclass(frozen=True, kw_only=True)
class EDM(Schedule):
    """EDM: alpha = 1 and sigma grows linearly, ``sigma = sigma_max t`` (arXiv 2206.00364)."""

    sigma_max: float = 80.0

    def coefficients(self, t: Tensor) -> tuple[Tensor, ...]:
        return torch.ones_like(t), self.sigma_max * t, 0 * t, torch.full_like(t, self.sigma_max)

    def time_of(self, rho: Tensor) -> Tensor:
        return rho / self.sigma_max


class RectifiedFlow(Schedule):
    """A straight line from image to noise: alpha = 1 - t, sigma = t (arXiv 2209.03003)."""

    def coefficients(self, t: Tensor) -> tuple[Tensor, ...]:
        return 1 - t, t, -torch.ones_like(t), torch.ones_like(t)

    def time_of(self, rho: Tensor) -> Tensor:
        return 1 / (1 + 1 / rho)
