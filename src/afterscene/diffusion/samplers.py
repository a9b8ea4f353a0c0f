"""The samplers: each one is a short pure step and declares the order of its error.

A subclass of :class:`Method` with a name is registered, here or in a package that names its module
under the entry point ``afterscene.samplers``; the tests measure its order. Steps run on every
schedule; those in rho take a DDIM step away from alpha = 0 and to sigma = 0.
"""

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor

from afterscene.diffusion.loop import Method, Run, State, Stepped, sample, trajectory
from afterscene.diffusion.ode import integrate
from afterscene.diffusion.schedules import Level, added_variance, posterior
from afterscene.errors import BadParameter, UnknownName
from afterscene.registry import installed

__all__ = ["Method", "Run", "State", "make_sampler", "sample", "samplers", "trajectory"]


@dataclass(frozen=True, kw_only=True)
class Ddpm(Method, name="ddpm", order=1, stochastic=True, source="arXiv 2006.11239"):
    """DDPM's ancestral step; ``variance``: small is the posterior's, large the forward step's."""

    variance: str = "small"

    def __post_init__(self) -> None:
        if self.variance not in ("small", "large"):
            raise BadParameter(f"variance '{self.variance}' is not known; choose small or large")

    def step(self, run: Run, x: Tensor, t: Level, s: Level, memory: Any) -> Stepped:
        x0 = run.x0(x, t)
        a, b, var = posterior(t, s)
        if self.variance == "large" and s.sigma > 0:
            var = added_variance(t, s)
        x = a * x + b * x0
        return (x + math.sqrt(var) * run.draw(x) if var > 0 else x), x0, None


@dataclass(frozen=True, kw_only=True)
class Ddim(Method, name="ddim", order=1, source="arXiv 2010.02502"):
    """DDIM: reuse the estimated noise, ``eta`` sets how much is fresh; 0 is an ODE, 1 is DDPM."""

    eta: float = 0.0
    stochastic = property(lambda self: self.eta > 0)

    def step(self, run: Run, x: Tensor, t: Level, s: Level, memory: Any) -> Stepped:
        x0 = run.x0(x, t)
        fresh = self.eta**2 * posterior(t, s)[2] if self.eta else 0.0
        # kept * (x - alpha x0) is the old noise at its new strength, eps = (x - alpha x0) / sigma.
        kept = math.sqrt(max(s.sigma**2 - fresh, 0.0)) / t.sigma
        y = kept * x + (s.alpha - kept * t.alpha) * x0
        return (y + math.sqrt(fresh) * run.draw(x) if fresh > 0 else y), x0, None


class Euler(Method, name="euler", order=1, source="arXiv 2011.13456, 2210.02747"):
    """Euler's step on ``dx/dt = alpha' x0 + sigma' eps``; the sampler of flow matching."""

    def step(self, run: Run, x: Tensor, t: Level, s: Level, memory: Any) -> Stepped:
        x0 = run.x0(x, t)
        return x + (s.time - t.time) * (t.d_alpha * x0 + t.d_sigma * t.eps(x, x0)), x0, None


@dataclass(frozen=True, kw_only=True)
class Heun(Method, name="heun", order=2, evaluations=2, source="arXiv 2206.00364"):
    """EDM's algorithm 2: churn up to ``rho_hat``, Euler in rho, then the mean of both slopes."""

    s_churn: float = 0.0
    s_min: float = 0.0
    s_max: float = math.inf
    s_noise: float = 1.0
    stochastic = property(lambda self: self.s_churn > 0)

    def step(self, run: Run, x: Tensor, t: Level, s: Level, memory: Any) -> Stepped:
        if self.s_churn > 0 and self.s_min <= t.rho <= self.s_max and t.alpha > 0:
            gamma = min(self.s_churn / run.steps, math.sqrt(2) - 1)
            hat = run.schedule.level_of(t.rho * (1 + gamma))
            spread = self.s_noise * math.sqrt(hat.rho**2 - t.rho**2)
            x, t = hat.alpha * (x / t.alpha + spread * run.draw(x)), hat
        x0 = run.x0(x, t)
        eps = t.eps(x, x0)
        y = s.alpha * x0 + s.sigma * eps
        if s.sigma > 0 and t.alpha > 0:
            y = y + s.alpha * (s.rho - t.rho) / 2 * (s.eps(y, run.x0(y, s)) - eps)
        return y, x0, None


class DpmPP2M(Method, name="dpmpp-2m", order=2, source="arXiv 2211.01095"):
    """DPM-Solver++(2M): linear part solved exactly, x0 extrapolated by half a step (eq. 18)."""

    def step(self, run: Run, x: Tensor, t: Level, s: Level, memory: Any) -> Stepped:
        x0 = ahead = run.x0(x, t)
        h = math.inf if s.sigma == 0 or t.alpha == 0 else math.log(t.rho / s.rho)
        if memory is not None and h < math.inf:
            last, before = memory
            ahead = x0 + h / (2 * before) * (x0 - last)
        # The SDE forgets twice as fast as the ODE, and what it forgets is fresh noise.
        kept = math.exp(-h) if self.stochastic else 1.0
        gone = -math.expm1(-(1 + self.stochastic) * h)
        x = s.sigma / t.sigma * kept * x + s.alpha * gone * ahead
        if self.stochastic and s.sigma > 0:
            x = x + s.sigma * math.sqrt(gone) * run.draw(x)
        return x, x0, (x0, h)


class DpmPP2MSde(DpmPP2M, name="dpmpp-2m-sde", order=2, stochastic=True, source=DpmPP2M.source):
    """SDE-DPM-Solver++(2M): the same for the reverse SDE."""


@dataclass(frozen=True, kw_only=True)
class PredictorCorrector(
    Method, name="pc", order=1, stochastic=True, evaluations=2, source="arXiv 2011.13456"
):
    """Score SDE's sampler: a reverse-diffusion step, then Langevin steps at the new level."""

    snr: float = 0.16
    corrections: int = 1

    def step(self, run: Run, x: Tensor, t: Level, s: Level, memory: Any) -> Stepped:
        x0 = run.x0(x, t)
        if s.sigma == 0:
            return s.alpha * x0, x0, None
        added = added_variance(t, s)
        score = -t.eps(x, x0) / t.sigma
        x = (2 - t.alpha / s.alpha) * x + added * score + math.sqrt(added) * run.draw(x)
        # The paper's step size with expected norms: a sample does not depend on its batch.
        h = 2 * (self.snr * s.sigma) ** 2
        for i in range(1, self.corrections + 1):
            score = -s.eps(x, run.x0(x, s)) / s.sigma
            x = x + h * score + math.sqrt(2 * h) * run.draw(x, i)
        return x, x0, None


@dataclass(frozen=True, kw_only=True)
class Ode(Method, name="ode", order=5, evaluations=7, source="arXiv 2011.13456"):
    """The probability-flow ODE in log rho by Dormand-Prince 5(4) to a ``tolerance``."""

    tolerance: float | None = 1e-4  # relative and absolute; None: one step per grid interval

    def fixed(self) -> "Ode":
        return replace(self, tolerance=None)

    def step(self, run: Run, x: Tensor, t: Level, s: Level, memory: Any) -> Stepped:
        if t.alpha == 0 or s.sigma == 0:
            return Ddim().step(run, x, t, s, memory)
        # Half precision cannot resolve its own error: integrate in float32, ask for no more.
        wide = x.to(torch.promote_types(x.dtype, torch.float32))
        tolerance = self.tolerance and max(self.tolerance, 10 * torch.finfo(x.dtype).eps)
        first, start = run.x0(x, t), math.log(t.rho)

        def slope(y: Tensor, u: float) -> Tensor:
            if u == start:
                return y - first
            level = run.schedule.level_of(math.exp(u))
            return y - run.x0((level.alpha * y).to(x.dtype), level)

        y = integrate(slope, wide / t.alpha, start, math.log(s.rho), tolerance)
        return (s.alpha * y).to(x.dtype), first, None


def samplers() -> Mapping[str, type[Method]]:
    """Every named method by name, with those of installed packages; read only."""
    installed(group="afterscene.samplers", path=tuple(sys.path))  # importing a method registers it
    found: dict[str, type[Method]] = {}
    kinds = Method.__subclasses__()
    for kind in kinds:
        kinds += kind.__subclasses__()  # the loop goes on to these
        name = kind.__dict__.get("name")
        if name and found.setdefault(name, kind) is not kind:
            raise BadParameter(f"two samplers are named '{name}'; rename one of them")
    return MappingProxyType(found)


def make_sampler(name: str, **parameters: Any) -> Method:
    """The sampler with that name; :class:`UnknownName` lists the names."""
    known = samplers()
    if name not in known:
        raise UnknownName(f"sampler '{name}' is not known; choose one of: {', '.join(known)}")
    return known[name](**parameters)
