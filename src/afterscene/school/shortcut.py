"""Flow matching, and a model that can go the whole way in one step.

A picture x0 and noise eps are joined by a straight line, ``x_t = (1 - t) x0 + t eps``, on which a
point moves with the velocity ``eps - x0``. Many lines run through a point; a network learns the
mean of their velocities (Lipman et al. 2023, arXiv 2210.02747; Liu et al. 2023, arXiv 2209.03003),
and following it from t = 1 to 0 in small steps draws a picture.

A single step would end at the mean of all pictures. A *shortcut* model (Frans et al. 2025, arXiv
2410.12557) is also given the length of the step, ``span``, and learns that a whole step must end
where its own two half steps end. This needs no second network and no finished pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor, nn

from afterscene.diffusion.schedules import spread

#: ``(x (N, ...), t (N,), span (N,)) -> (N, ...)``.
Network = Callable[[Tensor, Tensor, Tensor], Tensor]

#: How often the whole way is halved until the flow's own velocity stands for the halves.
HALVINGS = 5


def gaussian_velocity(t: Tensor, span: Tensor, variance: float) -> Tensor:
    """``k`` so that ``k x`` leads from t to t - span if the data are white noise of that variance.

    x_t has then the deviation ``s(t)^2 = (1 - t)^2 variance + t^2``, and every point moves in
    proportion: ``k = (1 - s(t - span) / s(t)) / span``; at span 0 its limit ``s'(t) / s(t)``.
    """

    def deviation(t: Tensor) -> Tensor:
        return ((1 - t) ** 2 * variance + t**2).sqrt()

    here = deviation(t)
    limit = (t - (1 - t) * variance) / here**2
    mean = (1 - deviation((t - span).clamp(min=0)) / here) / span.clamp(min=1e-6)
    return torch.where(span > 0, mean, limit)


class Leap(nn.Module):
    """The velocity that leads from x_t to x_{t - span}; span 0 is the flow's own.

    For white noise the velocity is known; ``network`` answers the difference to it.
    """

    def __init__(self, network: Network, variance: float) -> None:
        super().__init__()
        self.network, self.variance = network, variance

    def forward(self, x: Tensor, t: Tensor, span: Tensor) -> Tensor:
        return spread(gaussian_velocity(t, span, self.variance), x) * x + self.network(x, t, span)


def flow_loss(leap: Network, x0: Tensor, rng: np.random.Generator) -> Tensor:
    """Flow matching: squared error of the velocity on a random line at a random time."""
    t = torch.from_numpy(rng.uniform(size=len(x0))).float()
    x_t, velocity = _line(x0, t, rng)
    return (leap(x_t, t, torch.zeros_like(t)) - velocity).square().mean()


def shortcut_loss(leap: Network, x0: Tensor, rng: np.random.Generator) -> Tensor:
    """Half of the pictures as in :func:`flow_loss`, half for steps that must equal their halves."""
    half = len(x0) // 2
    return flow_loss(leap, x0[half:], rng) + agreement_loss(leap, x0[:half], rng)


def agreement_loss(leap: Network, x0: Tensor, rng: np.random.Generator) -> Tensor:
    """A whole step against two halves of it; its span is 1, 1/2, 1/4 ..., its end a multiple."""
    parts = 2 ** rng.integers(HALVINGS, size=len(x0))
    span = torch.from_numpy(1 / parts).float()
    t = torch.from_numpy(np.floor(rng.uniform(size=len(x0)) * parts) / parts).float() + span
    x_t, _ = _line(x0, t, rng)
    half = span / 2
    told = torch.where(half > 0.5**HALVINGS, half, 0.0)
    with torch.no_grad():
        first = leap(x_t, t, told)
        second = leap(x_t - spread(half, x_t) * first, t - half, told)
    return (leap(x_t, t, span) - (first + second) / 2).square().mean()


def _line(x0: Tensor, t: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """A point at time ``t`` of the line from each picture to fresh noise, and its velocity."""
    eps = torch.from_numpy(rng.standard_normal(x0.shape)).to(x0)
    at = spread(t, x0)
    return (1 - at) * x0 + at * eps, eps - x0


@torch.no_grad()
def leaps(leap: Network, x: Tensor, steps: int) -> Iterator[Tensor]:
    """From noise ``x`` to pictures in that many equal steps; yields the state after each."""
    span = torch.full((len(x),), 1 / steps)
    for step in range(steps):
        x = x - leap(x, 1 - step * span, span) / steps
        yield x
