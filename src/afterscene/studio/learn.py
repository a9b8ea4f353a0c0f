"""A diffusion model that answers while a slider moves: two crescents of points in the plane.

Its denoiser is exact (:class:`~afterscene.diffusion.analytic.Mixture`), so that what is seen comes
from noise level, steps, sampler and guidance alone, not from a network that learned badly.
"""

import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor

from afterscene.diffusion.analytic import Mixture
from afterscene.diffusion.grids import karras
from afterscene.diffusion.guidance import ClassifierFree, noised
from afterscene.diffusion.loop import trajectory
from afterscene.diffusion.noise import generated
from afterscene.diffusion.samplers import make_sampler, samplers
from afterscene.diffusion.schedules import EDM, Level

EACH, WALKERS = 24, 60
VARIANCE, CLEAN = 0.002, 0.02
#: The one chooses its own steps, the other needs a denoiser that knows its variance.
OTHERS = ("ode", "gaussian-chain")
SAMPLERS = tuple(name for name in samplers() if name not in OTHERS)


@cache
def crescents() -> Tensor:
    """(2, EACH, 2): the points of both classes."""
    angle = torch.linspace(0, math.pi, EACH, dtype=torch.float64)
    upper = torch.stack([angle.cos() - 0.5, angle.sin() - 0.25], dim=1)
    lower = torch.stack([0.5 - angle.cos(), 0.25 - angle.sin()], dim=1)
    return torch.stack([upper, lower])


@dataclass(frozen=True)
class Crescents:
    """Condition 0 or 1: one class; None: both."""

    def __call__(self, x: Tensor, t: Level, condition: Any = None) -> Tensor:
        means = crescents().flatten(0, 1) if condition is None else crescents()[condition]
        return Mixture(means=means, variances=VARIANCE)(x, t)


def walk(*, noise: float, steps: int, guidance: float, sampler: str, seed: int) -> dict[str, Any]:
    """Data, data under ``noise``, and the ways of points from that noise to the upper crescent.

    ``guidance`` 1 is none. Raises UnknownName: the sampler.
    """
    rng = torch.Generator().manual_seed(seed)
    schedule = EDM(sigma_max=max(noise, 2 * CLEAN))
    times = karras(schedule, steps, rho_max=schedule.sigma_max, rho_min=CLEAN)
    data = crescents().flatten(0, 1)
    (start,) = schedule.levels(times[:1])
    under = noised(data, start, torch.randn(data.shape, generator=rng, dtype=data.dtype))
    x = noised(
        Mixture(means=data, variances=VARIANCE).sample(WALKERS, rng).double(),
        start,
        torch.randn((WALKERS, 2), generator=rng, dtype=torch.float64),
    )
    denoiser = ClassifierFree(denoiser=Crescents(), scale=guidance)
    method, states = make_sampler(sampler), [x]
    for state in trajectory(
        denoiser, schedule, x, times, method, noise=generated(rng), condition=0
    ):
        states.append(state.x)
    return {
        "data": _rounded(data),
        "noised": _rounded(under),
        "paths": _rounded(torch.stack(states, dim=1)),
    }


def _rounded(x: Tensor) -> Any:
    return (x * 1000).round().div(1000).tolist()
