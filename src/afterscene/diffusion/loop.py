"""The one loop from noise to image: a generator that yields each state.

A method moves ``x`` from level ``t`` to ``s``; what it remembers goes in and comes out as
``memory``. The caller handles progress, preview and cancelling: ``for state in trajectory(...)``.
Coefficients are Python floats, computed before the loop: no step waits for the device.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor

from afterscene.diffusion.schedules import Level, Schedule
from afterscene.errors import BadParameter, NotFinite

Denoiser = Callable[[Tensor, Level, Any], Tensor]
"""``(x_t, t, condition) -> estimate of x0``."""

Noise = Callable[[int, int, Tensor], Tensor]
"""``(step, draw, like) -> standard normal`` shaped and typed as ``like``; step 0 is the start."""

Stepped = tuple[Tensor, Tensor, Any]
"""``(x at s, estimate of x0, memory for the next step)``."""


@dataclass(frozen=True, slots=True)
class Run:
    """What a step may use: the denoiser, the schedule, and fresh noise of its own."""

    denoiser: Denoiser
    schedule: Schedule
    noise: Noise
    condition: Any
    step: int
    steps: int
    shift: int = 0

    def x0(self, x: Tensor, t: Level) -> Tensor:
        """The denoiser's estimate of x0."""
        return self.denoiser(x, t, self.condition)

    def draw(self, like: Tensor, index: int = 0) -> Tensor:
        """Noise number ``index`` of this step, counted from ``shift``."""
        return self.noise(self.step + 1, self.shift + index, like)


class State(NamedTuple):
    """What the loop yields: ``x`` at level ``t`` after step ``step``, and the estimate of x0."""

    x: Tensor
    t: Level
    x0: Tensor
    step: int


@dataclass(frozen=True, kw_only=True)
class Method:
    """A sampler's step: a frozen dataclass whose fields are its parameters.

    ``class Mine(Method, name="mine", order=2)`` registers it. ``order``: order of the error in the
    step size, at the end point or, if ``stochastic``, in mean and variance; infinity means exact.
    ``evaluations``: network calls per step.
    """

    name: ClassVar[str] = ""
    order: ClassVar[float]
    stochastic: ClassVar[bool] = False
    evaluations: ClassVar[int] = 1
    source: ClassVar[str] = ""

    def __init_subclass__(cls, **traits: Any) -> None:
        for trait in traits:
            setattr(cls, trait, traits[trait])

    def fixed(self) -> "Method":
        """The same method with one step per grid interval, for which ``order`` is stated."""
        return self

    def step(self, run: Run, x: Tensor, t: Level, s: Level, memory: Any) -> Stepped:
        """``(x at s, estimate of x0, memory for the next step)``."""
        raise NotImplementedError


def trajectory(
    denoiser: Denoiser,
    schedule: Schedule,
    x: Tensor,
    times: Tensor,
    method: Method,
    *,
    noise: Noise | None = None,
    condition: Any = None,
) -> Iterator[State]:
    """Walk ``x`` down ``times`` (n + 1, from noisy to clean) and yield the state after each step.

    ``x``: any shape and floating type, at level ``times[0]``. ``noise`` is needed by stochastic
    methods. With increasing times (``grids.uniform(n, end=0.001).flip(0)``) an ODE method goes from
    image to noise: DDIM inversion. Raises :class:`NotFinite` with the step of the first NaN.
    """
    if method.stochastic and noise is None:
        raise BadParameter(f"{type(method).__name__} draws noise; pass noise=")
    levels = schedule.levels(times)
    ways = {(s.time > t.time) - (s.time < t.time) for t, s in pairwise(levels)}
    if ways not in ({1}, {-1}):
        raise BadParameter("times must decrease or increase, with at least two of them; see grids")
    memory: Any = None
    steps, unseen = len(levels) - 1, []
    for step, (t, s) in enumerate(pairwise(levels)):
        run = Run(denoiser, schedule, noise or no_noise, condition, step, steps)
        x, x0, memory = method.step(run, x, t, s, memory)
        unseen.append((x.sum(dtype=torch.float32), step))
        # An accelerator is checked one step late, so as not to wait for the step in progress.
        while len(unseen) > (x.device.type != "cpu" and step + 1 < steps):
            total, at = unseen.pop(0)
            if not math.isfinite(total):
                raise NotFinite(f"NaN or infinity at step {at + 1} of {steps}; check the network")
        yield State(x, s, x0, step)


def sample(*args: Any, **kwargs: Any) -> Tensor:
    """The last ``x`` of a :func:`trajectory`; the same arguments."""
    for state in trajectory(*args, **kwargs):
        x = state.x
    return x


def no_noise(step: int, draw: int, like: Tensor) -> Tensor:
    """Zero noise, for a deterministic run."""
    return torch.zeros_like(like)
