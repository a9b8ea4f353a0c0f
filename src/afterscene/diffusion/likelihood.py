"""The exact log-likelihood of an image by the probability-flow ODE.

Along the ODE of ``ode.py`` ``d log p / du = -div`` (arXiv 2011.13456, eq. 39).
"""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from afterscene.diffusion.loop import Denoiser
from afterscene.diffusion.ode import integrate
from afterscene.diffusion.schedules import Level, Schedule

Divergence = Callable[[Callable[[Tensor], Tensor], Tensor], tuple[Tensor, Tensor]]


def exact(f: Callable[[Tensor], Tensor], y: Tensor) -> tuple[Tensor, Tensor]:
    """``f(y)`` and the sum of its ``df_i/dy_i`` (batch,): one backward pass a dimension."""
    signs = torch.eye(y[0].numel()).to(y).reshape(-1, 1, *y.shape[1:]).expand(-1, *y.shape)
    parts = [hutchinson(sign)(f, y) for sign in signs]
    return parts[0][0], torch.stack([part for _, part in parts]).sum(0)


def hutchinson(probe: Tensor) -> Divergence:
    """``f`` and ``probe . J probe``: unbiased for random signs ``probe``, one backward pass."""

    def estimate(f: Callable[[Tensor], Tensor], y: Tensor) -> tuple[Tensor, Tensor]:
        with torch.enable_grad():
            y = y.detach().requires_grad_()
            out = f(y)
            (pulled,) = torch.autograd.grad((out * probe).sum(), y)
        return out.detach(), (pulled * probe).flatten(1).sum(1)

    return estimate


def standard(x: Tensor, t: Level) -> Tensor:
    """``log N(x; 0, sigma^2)`` in nats, (batch,)."""
    logs = (x / t.sigma) ** 2 + math.log(2 * math.pi * t.sigma**2)
    return -0.5 * logs.flatten(1).sum(1)


def log_prob(
    denoiser: Denoiser,
    schedule: Schedule,
    x: Tensor,
    *,
    span: tuple[float, float],
    divergence: Divergence = exact,
    tolerance: float = 1e-5,
    prior: Callable[[Tensor, Level], Tensor] = standard,
    condition: Any = None,
) -> Tensor:
    """``log p(x)`` in nats (batch,) for ``x`` (batch, ...) at time ``span[0]``, by the ODE.

    ``span``: from just above zero noise to the end, both with alpha > 0 and sigma > 0.
    ``prior(x, level)`` is the log density at the end; :func:`standard` is ``N(0, sigma^2)``.
    """
    low, high = schedule.levels(torch.tensor(span, dtype=torch.float64))

    def slope(state: Tensor, u: float) -> Tensor:
        level = schedule.level_of(math.exp(u))
        y = state[:, :-1].reshape(x.shape)
        drift, change = divergence(lambda y: y - denoiser(level.alpha * y, level, condition), y)
        return torch.cat((drift.flatten(1), change[:, None]), 1)

    state = torch.cat((x.flatten(1) / low.alpha, x.new_zeros(len(x), 1)), 1)
    state = integrate(slope, state, math.log(low.rho), math.log(high.rho), tolerance)
    scale = x[0].numel() * math.log(high.alpha / low.alpha)
    return prior(high.alpha * state[:, :-1].reshape(x.shape), high) + state[:, -1] + scale
