"""Step grids: n + 1 falling times from noise to image, as float64 tensors on the CPU.

A grid is a function of the schedule and a count, never a property of a sampler. The last time is
``end`` (0 unless told), where most schedules have no noise left.
"""

from __future__ import annotations

import torch
from torch import Tensor

from afterscene.diffusion.schedules import Schedule
from afterscene.errors import BadParameter


def uniform(steps: int, *, start: float = 1.0, end: float = 0.0) -> Tensor:
    """``steps + 1`` times at equal distance."""
    _check(steps)
    return torch.linspace(start, end, steps + 1, dtype=torch.float64)


def karras(
    schedule: Schedule,
    steps: int,
    *,
    rho_max: float = 80.0,
    rho_min: float = 0.002,
    power: float = 7.0,
    to_zero: bool = True,
) -> Tensor:
    """EDM's grid, ``rho^(1/power)`` at equal distance (arXiv 2206.00364, eq. 5), then zero.

    ``to_zero``: the last step goes from ``rho_min`` to t = 0; otherwise the grid ends at it.
    """
    return _of_rho(schedule, steps, to_zero, rho_max, rho_min, lambda r: r ** (1 / power), power)


def log_snr(
    schedule: Schedule,
    steps: int,
    *,
    rho_max: float = 80.0,
    rho_min: float = 0.002,
    to_zero: bool = True,
) -> Tensor:
    """Equal distance in log rho, half the log signal-to-noise ratio; then zero as in karras."""
    return _of_rho(schedule, steps, to_zero, rho_max, rho_min, torch.log, None)


def _of_rho(schedule, steps, to_zero, rho_max, rho_min, warp, power) -> Tensor:
    _check(steps)
    high, low = warp(torch.tensor([rho_max, rho_min], dtype=torch.float64)).tolist()
    points = torch.linspace(high, low, steps + (not to_zero), dtype=torch.float64)
    times = schedule.time_of(points.exp() if power is None else points**power)
    return torch.cat((times, times.new_zeros(1))) if to_zero else times


def leading(steps: int, *, chain: int = 1000, offset: int = 0) -> Tensor:
    """Every ``chain // steps``-th index of a discrete chain, from its clean side, then zero.

    DDPM's and DDIM's habit: index n is t = (n + 1) / chain, and the noisiest are not reached.
    """
    _check(steps, chain)
    index = torch.arange(steps - 1, -1, -1, dtype=torch.float64) * (chain // steps) + offset
    return torch.cat(((index + 1) / chain, index.new_zeros(1)))


def trailing(steps: int, *, chain: int = 1000) -> Tensor:
    """Indices of a discrete chain counted down from its noisy end, then zero (arXiv 2305.08891)."""
    _check(steps, chain)
    count = torch.arange(steps, 0, -1, dtype=torch.float64) * (chain / steps)
    return torch.cat((count.round() / chain, count.new_zeros(1)))


def _check(steps: int, chain: int | None = None) -> None:
    if steps < 1 or (chain is not None and steps > chain):
        raise BadParameter(f"steps {steps}: give at least 1" + (f", at most {chain}" * bool(chain)))
