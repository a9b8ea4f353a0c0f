"""Learning rates: a linear rise, then a shape out of a table, down to a floor.

``cosine`` is that of SGDR without restarts (Loshchilov and Hutter 2017, arXiv 1608.03983),
``inverse-sqrt`` that of EDM2 (Karras et al. 2024, arXiv 2312.02696, constant for the first tenth),
``trapezoid`` is constant and falls linearly in the last fifth, so that a run may be prolonged
(Zhai et al. 2022, arXiv 2106.04560).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

#: Name -> the rate, 0 to 1, at the share of the decay that is behind.
SHAPES: Mapping[str, Callable[[float], float]] = MappingProxyType(
    {
        "constant": lambda share: 1.0,
        "cosine": lambda share: (1 + math.cos(math.pi * share)) / 2,
        "inverse-sqrt": lambda share: max(1.0, share / 0.1) ** -0.5,
        "linear": lambda share: 1 - share,
        "trapezoid": lambda share: min(1.0, (1 - share) / 0.2),
    }
)


def learning_rate(shape: str, step: int, share: float, *, warmup: int, floor: float) -> float:
    """The rate of ``step`` (from 0) as a factor of the peak; ``share`` of the decay is behind."""
    rise = min(1.0, (step + 1) / max(1, warmup))
    return rise * (floor + (1 - floor) * SHAPES[shape](min(max(share, 0.0), 1.0)))
