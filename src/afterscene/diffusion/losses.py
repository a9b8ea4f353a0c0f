"""One loss, ``w(t) |x0_hat - x0|^2``; its weights and times give the losses of the literature.

Every diffusion loss is a weighted error of x0 (Kingma and Gao 2023, arXiv 2303.00848): an eps
error is an x0 error times ``snr = alpha^2 / sigma^2``, a v error one times ``snr + 1``. So a name
in ``WEIGHTS`` is a function of snr, for any network; the choice of times is one more factor.
"""

from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor

from afterscene.diffusion.loop import Denoiser
from afterscene.diffusion.schedules import Level, Schedule

Weight = Callable[[Tensor], Any]

WEIGHTS: MappingProxyType[str, Callable[..., Weight]] = MappingProxyType(
    {
        # DDPM's (arXiv 2006.11239, eq. 14), x0's and v's (2202.00512), then 2303.09556, 2206.00364
        # (1 / c_out^2), 2204.00227, 2303.00848.
        "simple": lambda: lambda snr: snr,
        "x0": lambda: torch.ones_like,
        "v": lambda: lambda snr: snr + 1,
        "min-snr": lambda gamma=5.0: lambda snr: snr.clamp(max=gamma),
        "edm": lambda sigma_data=0.5: lambda snr: snr + sigma_data**-2,
        "p2": lambda k=1.0, gamma=1.0: lambda snr: snr / (k + snr) ** gamma,
        "sigmoid": lambda bias=-3.0: lambda snr: snr * torch.sigmoid(bias - snr.log()),
    }
)
"""Name -> function that makes a weight; its arguments are the weight's parameters."""
SIMPLE = WEIGHTS["simple"]()


def denoising_loss(
    denoiser: Denoiser,
    x0: Tensor,
    t: Level,
    eps: Tensor,
    *,
    weight: Callable = SIMPLE,
    condition: Any = None,
) -> Tensor:
    """``w(snr)`` times the mean squared error of x0, for each sample (batch,)."""
    over = t.over(x0)
    estimate = denoiser(over.alpha * x0 + over.sigma * eps, t, condition)
    return weight((t.alpha / t.sigma) ** 2) * (estimate - x0).square().flatten(1).mean(1)


def uniform_times(count: int, generator: torch.Generator, *, low: float = 1e-3) -> Tensor:
    """Times uniform in [low, 1], one in each of ``count`` equal slices, shuffled."""
    slices = torch.randperm(count, generator=generator)
    return low + (1 - low) * (slices + torch.rand(count, generator=generator)) / count


def log_normal_times(
    schedule: Schedule, count: int, generator: torch.Generator, mean: float = -1.2, std: float = 1.2
) -> Tensor:
    """Times whose log rho is normal, as in EDM."""
    normal = torch.randn(count, generator=generator, dtype=torch.float64)
    return schedule.time_of((mean + std * normal).exp()).clamp(0, 1).float()
