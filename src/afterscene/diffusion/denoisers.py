"""A network becomes a denoiser: ``(x_t, t, condition) -> estimate of x0``.

It is called as ``network(x, clock, condition)``, ``clock`` (batch,) float32; it knows no schedule.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from afterscene.diffusion.parameterization import Prediction, to_x0
from afterscene.diffusion.schedules import Level
from afterscene.errors import BadParameter


def time_clock(t: Level) -> Any:
    """The network's time input is the time in [0, 1]."""
    return t.time


def index_clock(steps: int) -> Callable[[Level], Any]:
    """The network's time input is the index 0 .. steps - 1 of a discrete chain."""
    return lambda t: t.time * steps - 1


def rho_clock(t: Level) -> Tensor:
    """EDM's ``ln(rho) / 4``, clamped to [-5, 5] for no noise (rho = 0) and pure noise."""
    return (torch.as_tensor(t.rho).log() / 4).clamp(-5, 5)


class Predictor(nn.Module):
    """A network that predicts ``kind`` (x0, eps, v, score, velocity) for x_t (batch, ...)."""

    def __init__(
        self, network: Callable, kind: Prediction = Prediction.EPS, clock: Callable = time_clock
    ) -> None:
        super().__init__()
        self.network, self.kind, self.clock = network, kind, clock

    def ask(self, x: Tensor, t: Level, condition: Any) -> Tensor:
        """The network's output for its input ``x``, with the clock as (batch,)."""
        tick = self.clock(t)
        if isinstance(tick, Tensor):
            tick = tick.to(x.device, torch.float32).reshape(-1).expand(len(x))
        else:
            tick = torch.full((len(x),), tick, dtype=torch.float32, device=x.device)
        return self.network(x, tick, condition)

    def forward(self, x: Tensor, t: Level, condition: Any = None) -> Tensor:
        """The estimate of x0."""
        return to_x0(self.ask(x, t, condition), x, t.over(x), self.kind)


class Preconditioned(Predictor):
    """``x0 = c_skip x + c_out F(c_in x, clock)``: F's input and target have variance 1.

    EDM's (arXiv 2206.00364, table 1, for x / alpha) on any schedule, DDBM's (arXiv 2309.16948) on
    a bridge. ``sigma_data``, ``sigma_end``, ``cov``: second moments of x0 and x1 about 0.
    """

    def __init__(
        self,
        network: Callable,
        sigma_data: float = 0.5,
        clock: Callable = rho_clock,
        sigma_end: float = 0.5,
        cov: float = 0.0,
    ) -> None:
        super().__init__(network, clock=clock)
        if min(sigma_data, sigma_end) <= 0 or abs(cov) >= sigma_data * sigma_end:
            raise BadParameter(f"{sigma_data=}, {sigma_end=}, {cov=} are not a covariance matrix")
        self.sigma_data, self.sigma_end, self.cov = sigma_data, sigma_end, cov

    def scales(self, t: Level) -> tuple[Any, Any, Any]:
        """``c_skip, c_out, c_in`` at a level; the loss weight of EDM is ``1 / c_out^2``."""
        a, b, c, cov = t.alpha, t.pull, t.sigma, self.cov
        v0, v1 = self.sigma_data**2, self.sigma_end**2
        total = a**2 * v0 + b**2 * v1 + 2 * a * b * cov + c**2
        out = (b**2 * (v0 * v1 - cov**2) + c**2 * v0) / total
        return (a * v0 + b * cov) / total, out**0.5, total**-0.5

    def forward(self, x: Tensor, t: Level, condition: Any = None) -> Tensor:
        """The estimate of x0; ``x`` (batch, ...)."""
        skip, out, inner = self.scales(t.over(x))
        return skip * x + out * self.ask(inner * x, t, condition)
