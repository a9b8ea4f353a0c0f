"""How probable is an image: exactly by the ODE, and bounded by the chain, in bits a dimension.

Along the ODE of ``ode.py`` ``d log p / du = -div`` (arXiv 2011.13456, eq. 39). The bound is DDPM's
(arXiv 2006.11239, eq. 5): a prior term, one KL of Gaussians a step, and a discretised decoder.
"""

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from afterscene.diffusion.loop import Denoiser, Noise
from afterscene.diffusion.ode import integrate
from afterscene.diffusion.schedules import Level, Schedule, posterior

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


def dequantised(pixels: Tensor, generator: torch.Generator) -> Tensor:
    """uint8 pixels as ``(pixel + u) / 128 - 1`` with u uniform in [0, 1)."""
    return (pixels + torch.rand(pixels.shape, generator=generator).to(pixels.device)) / 128 - 1


def bits_per_dim(log_prob: Tensor, dims: int) -> Tensor:
    """Bits a dimension of 8-bit pixels from nats of dequantised ones in [-1, 1)."""
    return -log_prob / (dims * math.log(2)) + math.log2(128)


def variational_bound(
    denoiser: Denoiser,
    schedule: Schedule,
    x0: Tensor,
    times: Tensor,
    noise: Noise,
    condition: Any = None,
) -> Tensor:
    """DDPM's bound in bits a dimension: (steps + 1, batch), prior's, each step's, decoder's term.

    ``x0``: 8-bit pixels as ``pixel / 127.5 - 1``. ``times`` fall to 0. With a ``reverse`` (learned
    variance) the model's variance is used, else the posterior's.
    """
    levels = schedule.levels(times)
    terms = [_kl((levels[0].alpha * x0) ** 2, levels[0].sigma ** 2, 1.0)]
    for step, (t, s) in enumerate(pairwise(levels)):
        x = t.alpha * x0 + t.sigma * noise(step + 1, 0, x0)
        terms.append(bound_term(denoiser, x0, x, t, s, condition))
    return torch.stack(terms) / (x0[0].numel() * math.log(2))


def bound_term(
    denoiser: Any, x0: Tensor, x: Tensor, t: Level, s: Level, condition: Any = None
) -> Tensor:
    """``KL(q(x_s | x_t, x0) | p(x_s | x_t))``, or the decoder's at zero noise, in nats (batch,)."""
    _, b, small = posterior(t, s)
    if hasattr(denoiser, "reverse"):
        estimate, var = denoiser.reverse(x, t, s, condition)
    else:
        estimate, var = denoiser(x, t, condition), small
    if s.sigma > 0:
        return _kl((b * (estimate - x0)) ** 2, small, var)
    # Bins of 8-bit pixels; the first and the last reach to infinity. DDPM's decoder has beta_1.
    var = torch.as_tensor(var, dtype=x0.dtype, device=x0.device)
    std = torch.where(var > 0, var, t.sigma**2).sqrt()
    above, below = (torch.special.ndtr((x0 + edge / 255 - estimate) / std) for edge in (1, -1))
    inside = torch.where(x0 > 0.999, 1.0, above) - torch.where(x0 < -0.999, 0.0, below)
    return -inside.clamp(min=1e-12).log().flatten(1).sum(1)


def _kl(square: Tensor, var: Any, model: Any) -> Tensor:
    """KL of two Gaussians whose means differ by the root of ``square``, (batch,)."""
    ratio = torch.as_tensor(var / model)
    return 0.5 * (square / model + ratio - 1 - ratio.log()).flatten(1).sum(1)
