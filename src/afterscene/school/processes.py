"""Processes that the course tells of and the product does not use.

The schedule and the two chains of the first diffusion model (Sohl-Dickstein et al. 2015, arXiv
1503.03585), and the bridge of DDBM. Importing this module registers the chains beside the samplers
of :mod:`afterscene.diffusion.samplers`.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import torch
from torch import Tensor

from afterscene.diffusion.bridges import Bridge
from afterscene.diffusion.loop import Method, Run, Stepped
from afterscene.diffusion.schedules import Level, Schedule, VariancePreserving, posterior
from afterscene.errors import BadParameter


class Erasing(VariancePreserving):
    """The 2015 chain, ``beta_i = 1 / (T - i + 1)``: ``alpha^2 = 1 - t`` (arXiv 1503.03585)."""

    def log_alpha(self, t: Tensor) -> tuple[Tensor, Tensor]:
        return 0.5 * torch.log1p(-t), -0.5 / (1 - t)

    def time_of_log_alpha(self, log_alpha: Tensor) -> Tensor:
        return -torch.expm1(2 * log_alpha)


@dataclass(frozen=True, kw_only=True)
class DoobBridge(Bridge):
    """Any diffusion pinned to x1 at t = 1 (DDBM, arXiv 2309.16948, eq. 8).

    With ``r = (rho(t) / rho(1))^2``: ``a = alpha (1 - r)``, ``b = r alpha(t) / alpha(1)``,
    ``c = sigma sqrt(1 - r)``. Over a VE schedule it is a Brownian bridge with ``w = r``.
    """

    base: Schedule

    @cached_property
    def end(self) -> Level:
        """The base level at t = 1."""
        end = self.base.level(1.0)
        if end.alpha <= 0:
            raise BadParameter(f"{self.base} keeps nothing of x0 at t = 1; no bridge starts there")
        return end

    def weights(self, t: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        alpha, sigma, _, _ = self.base.coefficients(t)
        r = ((sigma / alpha / self.end.rho) ** 2).clamp(max=1)
        return alpha * (1 - r), r * alpha / self.end.alpha, sigma * (1 - r).sqrt()

    def coefficients(self, t: Tensor) -> tuple[Tensor, ...]:
        alpha, sigma, d_alpha, d_sigma = self.base.coefficients(t)
        a, b, c = self.weights(t)
        r = b * self.end.alpha / alpha
        slope, root = 2 * r * (d_sigma / sigma - d_alpha / alpha), (1 - r).sqrt()
        d_a, d_c = d_alpha * (1 - r) - alpha * slope, d_sigma * root - sigma * slope / (2 * root)
        return a, c, d_a, d_c, b

    def time_of(self, rho: Tensor) -> Tensor:
        return self.base.time_of((rho**-2 + self.end.rho**-2) ** -0.5)


class GaussianChain(
    Method, name="gaussian-chain", order=math.inf, stochastic=True, source="arXiv 1503.03585"
):
    """The 2015 chain: mean and variance by ``denoiser.reverse(x, t, s, condition)``."""

    def step(self, run: Run, x: Tensor, t: Level, s: Level, memory: Any) -> Stepped:
        if not hasattr(run.denoiser, "reverse"):
            raise BadParameter("this denoiser knows no variance; use sampler 'ddpm' instead")
        x0, var = run.denoiser.reverse(x, t, s, run.condition)
        a, b, _ = posterior(t, s)
        return a * x + b * x0 + var.sqrt() * run.draw(x), x0, None


class BinomialChain(GaussianChain, name="binomial-chain"):
    """The 2015 chain of bits, each kept with chance alpha^2 or tossed; x0 is p(x0 = 1 | x_t)."""

    bits: ClassVar[bool] = True

    def step(self, run: Run, x: Tensor, t: Level, s: Level, memory: Any) -> Stepped:
        x0 = run.x0(x, t)
        same = (2 * x - 1) * (t.alpha / s.alpha) ** 2  # q(x_t | x_s) = (1 +- same) / 2
        # p(x_s = 1 | x_t, x0) by Bayes, for x0 = 1 and 0: p(x_s = 1 | x0) is (1 +- alpha_s^2) / 2.
        one, zero = ((1 + same) * (1 + a) / (1 + a * same) / 2 for a in (s.alpha**2, -(s.alpha**2)))
        chance = x0 * one + (1 - x0) * zero
        tossed = torch.special.ndtr(run.draw(x)) < chance
        return torch.where(chance.isnan(), chance, tossed), x0, None  # the loop must see a NaN
