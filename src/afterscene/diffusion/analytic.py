"""Denoisers without a network: exact for Gaussian mixtures, ideal for a finite set of images.

For data from ``sum_k w_k N(mu_k, v_k)`` everything has a closed form: ``x_t`` is a mixture too, x0
given x_t is one with ``E_k = mu_k + alpha v_k / (alpha^2 v_k + sigma^2) (x_t - alpha mu_k)``, and
its mean is the optimal denoiser. With v = 0 the means are a data set, and this is the ideal
denoiser that a network with enough capacity would learn (Karras et al. 2022, appendix B.3).
"""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from afterscene.diffusion.schedules import Level, posterior, spread


@dataclass(frozen=True, kw_only=True, eq=False)
class Mixture:
    """A Gaussian mixture and its denoiser.

    ``means`` (K, *event); ``variances`` broadcast against them (0: a finite set); ``weights`` (K,)
    or None for equal ones. x is (*batch, *event).
    """

    means: Tensor
    variances: Tensor | float = 0.0
    weights: Tensor | None = None

    def __call__(self, x: Tensor, t: Level, condition: Any = None) -> Tensor:
        """``E[x0 | x_t]``."""
        return self._moments(x, t)[0]

    def reverse(self, x: Tensor, t: Level, s: Level, condition: Any = None) -> tuple:
        """``E[x0 | x_t]`` and ``Var[x_s | x_t]`` of each pixel."""
        x0, var = self._moments(x, t)
        _, b, small = posterior(t, s)
        return x0, small + b**2 * var

    def log_prob(self, x: Tensor, t: Level) -> Tensor:
        """``log p(x_t)`` in nats, (*batch,)."""
        return self._components(x, t)[0].logsumexp(-1)

    def sample(self, count: int, generator: torch.Generator) -> Tensor:
        """``count`` draws of x0."""
        weights = torch.ones(len(self.means)) if self.weights is None else self.weights
        pick = torch.multinomial(weights, count, replacement=True, generator=generator)
        noise = torch.randn((count, *self.means.shape[1:]), generator=generator)
        std = torch.as_tensor(self.variances).sqrt().expand_as(self.means)
        return self.means[pick] + std[pick] * noise.to(self.means)

    def _components(self, x: Tensor, t: Level) -> tuple[Tensor, Tensor, Tensor]:
        """``log w_k p_k(x_t)`` (*batch, K); mean and variance of x0 by k (*batch, K, *event)."""
        x = x.unsqueeze(-self.means.ndim)
        t, var = t.over(x), torch.as_tensor(self.variances, dtype=x.dtype, device=x.device)
        gap, total = x - t.alpha * self.means, t.alpha**2 * var + t.sigma**2
        logs = -0.5 * (gap**2 / total + (2 * math.pi * total).log())
        if self.means.ndim > 1:
            logs = logs.flatten(1 - self.means.ndim).sum(-1)
        weights = torch.ones(len(self.means)) if self.weights is None else self.weights
        logs = logs + (weights / weights.sum()).log().to(x)
        return logs, self.means + t.alpha * var / total * gap, var * t.sigma**2 / total

    def _moments(self, x: Tensor, t: Level) -> tuple[Tensor, Tensor]:
        logs, means, variances = self._components(x, t)
        shares, axis = spread(logs.softmax(-1), means), -self.means.ndim
        mean = (shares * means).sum(axis)
        return mean, (shares * (variances + (means - mean.unsqueeze(axis)) ** 2)).sum(axis)


def gaussian(mean: Tensor, variance: Tensor | float) -> Mixture:
    """The exact denoiser of one Gaussian with independent pixels."""
    return Mixture(means=mean[None], variances=variance)
