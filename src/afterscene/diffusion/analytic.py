"""Denoisers without a network: exact for Gaussian mixtures, ideal for a finite set of images.

For data from ``sum_k w_k N(mu_k, v_k)`` everything is closed: ``x_t`` is a mixture too, x0 given
x_t is one with ``E_k = mu_k + alpha v_k / (alpha^2 v_k + sigma^2) (x_t - alpha mu_k)``, and its
mean is the best possible denoiser. With v = 0 the means are a data set, and this is the ideal
denoiser that a network with enough memory would learn (Karras et al. 2022, appendix B.3).
"""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from afterscene.diffusion.schedules import Level, posterior


@dataclass(frozen=True, kw_only=True, eq=False)
class Mixture:
    """A Gaussian mixture and its denoiser.

    ``means`` (K, *event); ``variances`` broadcast against them (0 for a finite set);
    ``weights`` (K,) or None for equal ones. x is (*batch, *event).
    """

    means: Tensor
    variances: Tensor | float = 0.0
    weights: Tensor | None = None

    def __call__(self, x: Tensor, t: Level, condition: Any = None) -> Tensor:
        """``E[x0 | x_t]``."""
        return self._moments(x, t)[0]

    def variance(self, x: Tensor, t: Level) -> Tensor:
        """``Var[x0 | x_t]`` of each pixel."""
        return self._moments(x, t)[1]

    def reverse(self, x: Tensor, t: Level, s: Level, condition: Any = None) -> tuple:
        """``E[x0 | x_t]`` and ``Var[x_s | x_t]`` of each pixel."""
        x0, var = self._moments(x, t)
        _, b, small = posterior(t, s)
        return x0, small + b**2 * var

    def log_prob(self, x: Tensor, t: Level) -> Tensor:
        """``log p(x_t)`` in nats, (*batch,)."""
        return self._log_joint(x, t).logsumexp(-1)

    def sample(self, count: int, generator: torch.Generator) -> Tensor:
        """``count`` draws of x0."""
        weights = torch.ones(len(self.means)) if self.weights is None else self.weights
        pick = torch.multinomial(weights, count, replacement=True, generator=generator)
        noise = torch.randn((count, *self.means.shape[1:]), generator=generator)
        std = torch.as_tensor(self.variances).sqrt().expand_as(self.means)
        return self.means[pick] + std[pick] * noise.to(self.means)

    def _parts(self, x: Tensor, t: Level) -> tuple[Tensor, Any, Any, Tensor, Tensor]:
        """x with an axis for the components, alpha and sigma that fit, Var[x0], Var[x_t]."""
        axis, t = -self.means.ndim, t.over(x)
        alpha, sigma = (
            v.unsqueeze(axis) if isinstance(v, Tensor) and v.ndim >= -axis else v
            for v in (t.alpha, t.sigma)
        )
        var = torch.as_tensor(self.variances, dtype=x.dtype, device=x.device)
        return x.unsqueeze(axis), alpha, sigma, var, alpha**2 * var + sigma**2

    def _log_joint(self, x: Tensor, t: Level) -> Tensor:
        x, alpha, _, _, total = self._parts(x, t)
        logs = -0.5 * ((x - alpha * self.means) ** 2 / total + (2 * math.pi * total).log())
        if self.means.ndim > 1:
            logs = logs.flatten(1 - self.means.ndim).sum(-1)
        weights = torch.ones(len(self.means)) if self.weights is None else self.weights
        return logs + (weights / weights.sum()).log().to(x)

    def _moments(self, x: Tensor, t: Level) -> tuple[Tensor, Tensor]:
        shares, axis = self._log_joint(x, t).softmax(-1), -self.means.ndim
        shares = shares.reshape(shares.shape + (1,) * (self.means.ndim - 1))
        x, alpha, sigma, var, total = self._parts(x, t)
        each = self.means + alpha * var / total * (x - alpha * self.means)
        mean = (shares * each).sum(axis)
        inner = var * sigma**2 / total + (each - mean.unsqueeze(axis)) ** 2
        return mean, (shares * inner).sum(axis)


def gaussian(mean: Tensor, variance: Tensor | float) -> Mixture:
    """The exact denoiser of one Gaussian with independent pixels."""
    return Mixture(means=mean[None], variances=variance)
