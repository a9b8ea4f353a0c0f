"""One loss, ``w(t) |x0_hat - x0|^2``, and the weights and times that make it everybody's.

Every loss of the field is a weighted error of x0 (Kingma and Gao 2023, arXiv 2303.00848): an eps
error is an x0 error times ``snr = alpha^2 / sigma^2``, a v error one times ``snr + 1``. So the
names below are functions of the level, for any parameterisation, and the choice of times is one
more factor in the weight.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor

from afterscene.diffusion.loop import Denoiser
from afterscene.diffusion.schedules import Level, Schedule

Weight = Callable[[Level], Any]


def snr(t: Level) -> Any:
    """``alpha^2 / sigma^2``."""
    return (t.alpha / t.sigma) ** 2


def simple(t: Level) -> Any:
    """DDPM's simple loss, the plain error of eps (arXiv 2006.11239, eq. 14)."""
    return snr(t)


def x0(t: Level) -> Any:
    """The plain error of x0."""
    return snr(t) ** 0


def v(t: Level) -> Any:
    """The plain error of v where alpha^2 + sigma^2 = 1 (arXiv 2202.00512)."""
    return snr(t) + 1


def min_snr(gamma: float = 5.0) -> Weight:
    """``min(snr, gamma)`` (Hang et al. 2023, arXiv 2303.09556)."""
    return lambda t: snr(t).clamp(max=gamma)


def edm(sigma_data: float = 0.5) -> Weight:
    """``1 / c_out^2`` of EDM: the network's own error, plain (arXiv 2206.00364)."""
    return lambda t: snr(t) + sigma_data**-2


def p2(k: float = 1.0, gamma: float = 1.0) -> Weight:
    """The simple loss over ``(k + snr)^gamma`` (Choi et al. 2022, arXiv 2204.00227)."""
    return lambda t: snr(t) / (k + snr(t)) ** gamma


def sigmoid(bias: float = -3.0) -> Weight:
    """The simple loss times ``sigmoid(bias - log snr)`` (Kingma and Gao 2023; Hoogeboom et al.)."""
    return lambda t: snr(t) * torch.sigmoid(bias - snr(t).log())


WEIGHTS: MappingProxyType[str, Callable[..., Weight]] = MappingProxyType(
    {
        "simple": lambda: simple,
        "x0": lambda: x0,
        "v": lambda: v,
        "min-snr": min_snr,
        "edm": edm,
        "p2": p2,
        "sigmoid": sigmoid,
    }
)
"""Name -> maker of a weight; its arguments are the weight's parameters."""


def denoising_loss(
    denoiser: Denoiser,
    x0: Tensor,
    t: Level,
    eps: Tensor,
    *,
    weight: Weight = simple,
    condition: Any = None,
) -> Tensor:
    """``w(t)`` times the mean squared error of x0, for each sample (batch,)."""
    over = t.over(x0)
    estimate = denoiser(over.alpha * x0 + over.sigma * eps, t, condition)
    return weight(t) * (estimate - x0).square().flatten(1).mean(1)


def uniform_times(count: int, generator: torch.Generator, *, low: float = 1e-3) -> Tensor:
    """Times uniform in [low, 1], one in each of ``count`` equal slices, shuffled."""
    slices = torch.randperm(count, generator=generator)
    return low + (1 - low) * (slices + torch.rand(count, generator=generator)) / count


def log_normal_times(
    schedule: Schedule, count: int, generator: torch.Generator, mean: float = -1.2, std: float = 1.2
) -> Tensor:
    """Times whose log rho is normal: EDM's."""
    normal = torch.randn(count, generator=generator, dtype=torch.float64)
    return schedule.time_of((mean + std * normal).exp()).clamp(0, 1).float()


def logit_normal_times(
    count: int, generator: torch.Generator, mean: float = 0.0, std: float = 1.0
) -> Tensor:
    """Times whose logit is normal: rectified flows' (Esser et al. 2024, arXiv 2403.03206)."""
    return torch.sigmoid(mean + std * torch.randn(count, generator=generator))
