"""The bridge to diffusion: the same loop, with "remove" swapped for "add noise".

Generalized auto-regression destroys a picture by taking pixels away and learns to put them back.
Nothing in the loop says what destruction is: :func:`restoration_loss` and :func:`undo` are
written once, :class:`Remove` and :class:`AddNoise` are the two ways to destroy. The second half of
the course is about one difference. With removal a regressor answers the average of what could be
there, and its answer is kept. With noise its answer is only a direction, since all but a little of
the noise stays, and squared error is enough to draw from a distribution.

Pictures are floats ``x0 (N, C, H, W)`` in [-1, 1], time runs from 0 (whole) to 1 (destroyed).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from afterscene.school.autoregression.orders import Strategy

#: ``(seen (N, C + 1, H, W), t (N,)) -> estimate of x0 (N, C, H, W)``.
Restorer = Callable[[Tensor, Tensor], Tensor]


class Corruption(Protocol):
    """A way to destroy pictures by degrees. What the network sees has one more channel."""

    def corrupt(self, x0: Tensor, t: Tensor, rng: np.random.Generator) -> Tensor:
        """The picture destroyed to degree ``t (N,)``: ``(N, C + 1, H, W)``."""
        ...

    def step(self, seen: Tensor, x0: Tensor, t: float, s: float) -> Tensor:
        """From degree t to the lower s, given the estimate ``x0`` of the whole picture."""
        ...


@dataclass(frozen=True, kw_only=True)
class Remove:
    """Take pixels away, last drawn first, by the orders of ``strategy``.

    The channel on top of the picture is the generation step of each pixel, as the share of all
    steps (known: below ``1 - t``), negative where the pixel is gone.
    """

    strategy: Strategy

    def corrupt(self, x0: Tensor, t: Tensor, rng: np.random.Generator) -> Tensor:
        order = self.strategy.draw((x0.shape[-2], x0.shape[-1]), rng)
        share = torch.from_numpy((order.ranks + 0.5) / order.steps).to(x0)
        known = share[None, None] < 1 - t[:, None, None, None]
        return torch.cat([x0 * known, torch.where(known, share, -share)], dim=1)

    def step(self, seen: Tensor, x0: Tensor, t: float, s: float) -> Tensor:
        share, known = seen[:, -1:].abs(), seen[:, -1:] > 0
        now = share < 1 - s
        picture = torch.where(known, seen[:, :-1], x0) * now
        return torch.cat([picture, torch.where(now, share, -share)], dim=1)


@dataclass(frozen=True, kw_only=True)
class AddNoise:
    """``x_t = cos(pi t / 2) x0 + sin(pi t / 2) eps``; a step keeps the estimated noise.

    The step is DDIM's (Song et al. 2021, arXiv 2010.02502); the channel on top is t.
    """

    def corrupt(self, x0: Tensor, t: Tensor, rng: np.random.Generator) -> Tensor:
        eps = torch.from_numpy(rng.standard_normal(x0.shape)).to(x0)
        angle = (0.5 * math.pi * t)[:, None, None, None]
        x_t = angle.cos() * x0 + angle.sin() * eps
        return torch.cat([x_t, t[:, None, None, None].expand_as(x_t[:, :1])], dim=1)

    def step(self, seen: Tensor, x0: Tensor, t: float, s: float) -> Tensor:
        x_t = seen[:, :-1]
        eps = (x_t - math.cos(0.5 * math.pi * t) * x0) / math.sin(0.5 * math.pi * t)
        x_s = math.cos(0.5 * math.pi * s) * x0 + math.sin(0.5 * math.pi * s) * eps
        return torch.cat([x_s, torch.full_like(x_s[:, :1], s)], dim=1)


def restoration_loss(
    network: Restorer, corruption: Corruption, x0: Tensor, rng: np.random.Generator
) -> Tensor:
    """Mean squared error of restoring, in one step, what was destroyed to a random degree."""
    t = torch.from_numpy(rng.uniform(1e-3, 1.0, size=len(x0))).to(x0)
    return (network(corruption.corrupt(x0, t, rng), t) - x0).square().mean()


@torch.no_grad()
def undo(
    network: Restorer,
    corruption: Corruption,
    shape: tuple[int, int, int, int],
    *,
    steps: int,
    rng: np.random.Generator,
) -> Iterator[Tensor]:
    """Begin with total destruction and undo it in ``steps`` steps; yields ``(N, C, H, W)``."""
    seen = corruption.corrupt(torch.zeros(shape), torch.ones(shape[0]), rng)
    times = np.linspace(1.0, 0.0, steps + 1)
    for t, s in pairwise(times):
        estimate = network(seen, torch.full((shape[0],), float(t)))
        seen = corruption.step(seen, estimate, float(t), float(s))
        yield seen[:, :-1]
