"""Learning rates: linear warm-up, then a named decay, down to a floor.

``cosine`` is that of SGDR without restarts (Loshchilov and Hutter 2017, arXiv 1608.03983),
``inverse-sqrt`` that of EDM2 (Karras et al. 2024, arXiv 2312.02696, constant for the first tenth),
``trapezoid`` is constant and decreases linearly in the last fifth, so that a run may be extended
(Zhai et al. 2022, arXiv 2106.04560).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

#: Name -> the rate (0 to 1) as a function of the progress of the run (0 to 1).
SHAPES: Mapping[str, Callable[[float], float]] = MappingProxyType(
    {
        "constant": lambda progress: 1.0,
        "cosine": lambda progress: (1 + math.cos(math.pi * progress)) / 2,
        "inverse-sqrt": lambda progress: max(1.0, progress / 0.1) ** -0.5,
        "linear": lambda progress: 1 - progress,
        "trapezoid": lambda progress: min(1.0, (1 - progress) / 0.2),
    }
)


def learning_rate(shape: str, step: int, progress: float, *, warmup: int, floor: float) -> float:
    """The rate of ``step`` (from 0) at that progress of the run, as a factor of the peak."""
    rise = min(1.0, (step + 1) / max(1, warmup))
    return rise * (floor + (1 - floor) * SHAPES[shape](min(max(progress, 0.0), 1.0)))
