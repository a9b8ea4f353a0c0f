"""The league's diffusion model of 2015: its network, its bound as the loss, its chain.

The chain has no density; its figure is the variational bound of arXiv 1503.03585, summed over its
steps.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from afterscene.diffusion import grids
from afterscene.diffusion.schedules import Level, added_variance, posterior
from afterscene.school.autoregression import dequantize
from afterscene.school.league.contestant import Contestant, LeagueConfig
from afterscene.school.league.diffusers import (
    FIRST,
    SCHEDULE,
    Counted,
    normal,
    uniformly_dequantized,
    walker,
)
from afterscene.school.networks.multiscale import (
    MultiScaleConfig,
    MultiScaleNetwork,
    reverse_kernel,
)
from afterscene.school.processes import GaussianChain


class ClassConditioned(nn.Module):
    """The 2015 network with the label as eight channels that are the same everywhere."""

    def __init__(self, config: MultiScaleConfig, classes: int) -> None:
        super().__init__()
        self.network = MultiScaleNetwork(config)
        self.label = nn.Embedding(classes + 1, config.channels_in - 3)
        self.classes = classes

    def forward(self, x: Tensor, t: Tensor, label: Tensor | None = None) -> Tensor:
        rows = torch.full((len(x),), self.classes) if label is None else label
        planes = self.label(rows)[:, :, None, None].expand(-1, -1, *x.shape[-2:])
        return self.network(torch.cat([x, planes], dim=1), t)


class Chain2015(nn.Module):
    """The reverse kernel of 2015 as a denoiser that knows its variance.

    ``mean = (x_t - z_mu)(1 - var) + z_mu``, ``var = sigmoid(z_sigma + logit beta)``. ``z_mu`` is
    the network's output over ``sqrt(beta)``: one network serves large and small steps.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = Counted(network)

    def kernel(self, x: Tensor, t: Level, s: Level, label: Tensor | None) -> tuple[Tensor, Tensor]:
        """Mean and variance of x_s given x_t; levels hold one tensor entry a picture."""
        beta = torch.as_tensor(added_variance(t, s), dtype=x.dtype).expand(len(x))
        clock = torch.as_tensor(t.time, dtype=x.dtype).expand(len(x))
        z_mu, z_sigma = self.network(x, clock, label).chunk(2, dim=1)
        z_mu = z_mu / beta.sqrt()[:, None, None, None]
        return reverse_kernel(x, torch.cat([z_mu, z_sigma], dim=1), beta)

    def reverse(self, x: Tensor, t: Level, s: Level, label: Any) -> tuple[Tensor, Tensor]:
        """What ``GaussianChain`` asks for; the last step goes to the mean, without noise."""
        mean, var = self.kernel(x, t, s, label)
        a, b, _ = posterior(t, s)
        return (mean - a * x) / b, var if s.time > FIRST / 2 else torch.zeros_like(var)


def chain_2015(config: LeagueConfig, classes: int) -> Contestant:
    """The first diffusion model: its network, its bound as the loss, its chain."""
    network = ClassConditioned(
        MultiScaleConfig(channels_in=11, channels_out=6, width=config.width), classes
    )
    chain = Chain2015(network)
    times = torch.cat(
        [grids.uniform(config.steps - 1, end=FIRST), torch.zeros(1, dtype=torch.float64)]
    )

    def loss(x: Tensor, label: Tensor | None, rng: np.random.Generator) -> Tensor:
        step = torch.from_numpy(rng.integers(config.steps - 1, size=len(x)))
        t, s = SCHEDULE.at(times[step]), SCHEDULE.at(times[step + 1])
        x0 = uniformly_dequantized(x, config.levels, rng)
        return config.steps * _step_nats(chain, x0, t, s, label, normal(x0, rng)).mean()

    return Contestant(
        title="diffusion of 2015",
        model=chain,
        loss=loss,
        walk=walker(chain, config, GaussianChain(), times),
        evaluations=lambda: config.steps,
        bits=_bound(chain, config, times),
        how="bound",
    )


def _step_nats(
    chain: Chain2015, x0: Tensor, t: Level, s: Level, label: Tensor | None, eps: Tensor
) -> Tensor:
    """``KL(q(x_s | x_t, x0) | p(x_s | x_t))`` in nats a value, ``(N,)``; levels as tensors."""
    here, there = t.over(x0), s.over(x0)
    x = here.alpha * x0 + here.sigma * eps
    a, b, small = posterior(here, there)
    mean, var = chain.kernel(x, t, s, label)
    ratio = small / var
    nats = 0.5 * ((a * x + b * x0 - mean) ** 2 / var + ratio - 1 - ratio.log())
    return nats.flatten(1).mean(dim=1)


def _bound(
    chain: Chain2015, config: LeagueConfig, times: Tensor
) -> Callable[[Tensor, Tensor], Tensor]:
    def bits(x: Tensor, label: Tensor) -> Tensor:
        rng = np.random.default_rng(config.seed)
        x0 = dequantize(x, config.levels)
        last = SCHEDULE.level(1.0)
        prior = 0.5 * (
            (last.alpha * x0) ** 2 + last.sigma**2 - 1 - 2 * math.log(last.sigma)
        ).flatten(1).mean(dim=1)
        total = prior
        for t, s in pairwise(times[:-1].expand(len(x), -1).unbind(dim=1)):
            levels = SCHEDULE.at(t), SCHEDULE.at(s)
            total = total + _step_nats(chain, x0, *levels, label, normal(x0, rng))
        total = total + _decoder(chain, x0, label, config.levels, normal(x0, rng))
        return total / math.log(2)

    return bits


def _decoder(chain: Chain2015, x0: Tensor, label: Tensor, levels: int, eps: Tensor) -> Tensor:
    """Nats a value of the bins given the first noisy state: a Gaussian cut at their edges."""
    t, s = SCHEDULE.level(FIRST), SCHEDULE.level(0.0)
    x = t.alpha * x0 + t.sigma * eps
    mean, var = chain.kernel(x, t, s, label)
    above, below = (
        torch.special.ndtr((x0 + edge / levels - mean) / var.sqrt()) for edge in (1, -1)
    )
    top, bottom = x0 > 1 - 1.5 / levels, x0 < -1 + 1.5 / levels
    inside = torch.where(top, 1.0, above) - torch.where(bottom, 0.0, below)
    return -inside.clamp(min=1e-12).log().flatten(1).mean(dim=1)
