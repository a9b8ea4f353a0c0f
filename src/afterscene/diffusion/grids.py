"""Step grids: n + 1 decreasing times, float64 on the CPU, given by schedule and count alone."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from afterscene.diffusion.schedules import Schedule
from afterscene.errors import BadParameter


def uniform(steps: int, *, start: float = 1.0, end: float = 0.0) -> Tensor:
    """``steps + 1`` equally spaced times."""
    return torch.linspace(start, end, _at_least_1(steps) + 1, dtype=torch.float64)


def karras(schedule: Schedule, steps: int, *, power: float = 7.0, **ends: Any) -> Tensor:
    """EDM's grid: ``rho^(1/power)`` equally spaced (arXiv 2206.00364, eq. 5).

    ``ends``: ``rho_max`` 80, ``rho_min`` 0.002, and ``to_zero`` (true) for a last step to t = 0.
    """
    return _spaced(schedule, steps, lambda rho: rho ** (1 / power), lambda r: r**power, **ends)


def log_snr(schedule: Schedule, steps: int, **ends: Any) -> Tensor:
    """Equal spacing in log rho, half the log signal-to-noise ratio; ``ends`` as in karras."""
    return _spaced(schedule, steps, torch.log, torch.exp, **ends)


def leading(steps: int, *, chain: int = 1000, offset: int = 0) -> Tensor:
    """Every ``chain // steps``-th index n, t = (n + 1) / chain, from 0 up: DDPM's and DDIM's."""
    stride = chain // _at_least_1(steps)
    index = torch.arange(steps - 1, -1, -1, dtype=torch.float64) * stride + offset
    return torch.cat(((index + 1) / chain, index.new_zeros(1)))


def _spaced(
    schedule: Schedule,
    steps: int,
    warp: Callable,
    back: Callable,
    *,
    rho_max: float = 80.0,
    rho_min: float = 0.002,
    to_zero: bool = True,
) -> Tensor:
    high, low = warp(torch.tensor([rho_max, rho_min], dtype=torch.float64)).tolist()
    count = _at_least_1(steps) + (not to_zero)
    times = schedule.time_of(back(torch.linspace(high, low, count, dtype=torch.float64)))
    return torch.cat((times, times.new_zeros(int(to_zero))))


def _at_least_1(steps: int) -> int:
    if steps < 1:
        raise BadParameter(f"steps {steps}: give at least 1")
    return steps
