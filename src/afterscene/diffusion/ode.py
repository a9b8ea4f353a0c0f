"""Dormand and Prince's Runge-Kutta pair 5(4), with a fixed or an adaptive step.

For the probability-flow ODE in ``y = x / alpha`` and ``u = log rho``, ``dy/du = y - x0(y, u)``
(from arXiv 2206.00364, eq. 1): smooth, the same for every schedule, for sampling and likelihood.
"""

import math
from collections.abc import Callable

from torch import Tensor

from afterscene.errors import NotFinite

STAGES: tuple[tuple[float, ...], ...] = (
    (),
    (1 / 5,),
    (3 / 40, 9 / 40),
    (44 / 45, -56 / 15, 32 / 9),
    (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
    (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
    (35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84),
)
GAP = (71 / 57600, 0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40)

Field = Callable[[Tensor, float], Tensor]


def dormand_prince(field: Field, y: Tensor, u: float, h: float) -> tuple[Tensor, Tensor]:
    """A step of size ``h``: the fifth-order value, and its difference from the fourth-order one."""
    slopes: list[Tensor] = []
    for weights in STAGES:
        here = y + sum(h * weight * k for weight, k in zip(weights, slopes, strict=True))
        slopes.append(field(here, u + sum(weights) * h))
    return here, sum((h * weight * k for weight, k in zip(GAP, slopes, strict=True)), 0 * y)


def integrate(field: Field, y: Tensor, u: float, end: float, tolerance: float | None) -> Tensor:
    """``y`` at ``end``; ``tolerance``: relative and absolute, worst sample; None: one step."""
    h = end - u
    while u != end:
        new, gap = dormand_prince(field, y, u, h)
        ratio = 0.0
        if tolerance is not None:
            error = gap / (tolerance * (1 + new.abs().maximum(y.abs())))
            ratio = error.square().flatten(min(1, y.ndim - 1)).mean(-1).max().sqrt().item()
        if not math.isfinite(ratio) or abs(h) < 1e-10:
            raise NotFinite(f"no finite slope of the ODE near log rho = {u:.4g}; check the network")
        if ratio <= 1:
            y, u = new, (end if abs(end - u - h) < 1e-12 else u + h)
        h *= min(5.0, max(0.2, 0.9 * max(ratio, 1e-10) ** -0.2))
        h = math.copysign(min(abs(h), abs(end - u)), end - u)
    return y
