"""What a network may predict: x0, eps, v, score or velocity, in one table.

Each is a row ``out = p x0 + q eps``. With ``x_t = alpha x0 + sigma eps`` these are two equations
for two unknowns, solved by ``x0 = (q x_t - sigma out) / (alpha q - sigma p)``. v: arXiv 2202.00512;
velocity: ``dx_t/dt`` at fixed x0 and eps (arXiv 2210.02747); score: ``grad log p(x_t)``.
"""

import enum
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

from torch import Tensor

from afterscene.diffusion.schedules import Level

Prediction = enum.StrEnum("Prediction", ["X0", "EPS", "V", "SCORE", "VELOCITY"])
"""What a network's output estimates."""

ROWS: MappingProxyType[Prediction, Callable[[Level], tuple[Any, Any]]] = MappingProxyType(
    {
        Prediction.X0: lambda t: (1.0, 0.0),
        Prediction.EPS: lambda t: (0.0, 1.0),
        Prediction.V: lambda t: (-t.sigma, t.alpha),
        Prediction.SCORE: lambda t: (0.0, -1 / t.sigma),
        Prediction.VELOCITY: lambda t: (t.d_alpha, t.d_sigma),
    }
)


def to_x0(out: Tensor, x: Tensor, t: Level, kind: Prediction) -> Tensor:
    """x0 from a network's output ``out`` at ``x`` = x_t; ``t`` broadcasts (``t.over(x)``)."""
    if kind is Prediction.X0:
        return out
    p, q = ROWS[kind](t)
    return (q * x - t.sigma * out) / (t.alpha * q - t.sigma * p)


def from_x0(x0: Tensor, x: Tensor, t: Level, kind: Prediction) -> Tensor:
    """The output of kind ``kind`` that means ``x0``; needs sigma > 0 except for x0 itself."""
    if kind is Prediction.X0:
        return x0
    p, q = ROWS[kind](t)
    return p * x0 + q * t.eps(x, x0)


def convert(out: Tensor, x: Tensor, t: Level, source: Prediction, target: Prediction) -> Tensor:
    """An output of one kind, expressed as another kind."""
    return from_x0(to_x0(out, x, t, source), x, t, target)
