"""Rendering a whole scene: a denoiser that works window by window inside the common loop.

All windows of a step are evaluated before the next step begins, each with a halo as wide as the
network's reach: the estimate at a pixel is then the same from any window, so there is no seam. All
windows of a scene have the same size, because kernels are chosen by size and round differently: so
any window gives the same bits in bfloat16, too. Windows are evaluated one at a time, and the noise
of a pixel is a function of (seed, step, position): batch, order and workers do not change the
image.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from afterscene.computing import PRECISIONS
from afterscene.conditioning import Condition
from afterscene.diffusion.bridges import Bridge, Crossing, cross
from afterscene.diffusion.grids import karras
from afterscene.diffusion.loop import Method, trajectory
from afterscene.diffusion.noise import TileNoise
from afterscene.diffusion.samplers import State, make_sampler
from afterscene.diffusion.schedules import Level
from afterscene.errors import BadParameter
from afterscene.generators.bridge import BridgeModel
from afterscene.generators.colour import to_opponent, to_rgb
from afterscene.generators.windows import CORE, crop, halo_of, needed, patches
from afterscene.geodata.tiles import Window
from afterscene.tensors import from_numbers, from_pixels, to_pixels

if TYPE_CHECKING:
    from afterscene.depiction import Depiction


Watch = Callable[[np.ndarray, int], None]
"""Sees ``(H, W, 3)`` uint8 after that many steps of a scene; an error that it raises ends it."""


@dataclass(frozen=True, kw_only=True)
class RenderConfig:
    """How a scene is rendered.

    Attributes:
        steps: Network evaluations per window.
        radius: Pixels around a damaged building that *edit* may change.
        close: The same for hazards whose damage is drawn close to the houses.
        feather: Width in pixels of the blending edge inside that border.
        sampler: Name of the method, see ``afterscene samplers list``. With few steps, a method of
            first order such as ``ddpm`` smears.
        rho: Largest and smallest ratio of noise to signal of the step grid, whose first step
            starts at the pre image and whose last step ends at no noise.
        power: Exponent of the grid in between (Karras et al. 2022, eq. 5).
        learned: Hazards whose damage was learned from enough examples: it is not painted first.
        covered: Hazards whose water, ash or silt was learned as well: the network redraws it where
            it was painted.
        sketch: Whether any damage is painted first; False is for study only.
        entry: Time at which a sketch enters the bridge: 0 keeps it unchanged, 1 forgets it.
        short: Largest number of network evaluations if a sketch enters, as few are needed then.
        precision: ``auto`` (see :mod:`afterscene.computing`), ``bf16`` or ``fp32``.
        origin: Pixels by which window borders are moved up and left, 0 to ``CORE`` - 1, rounded
            down to the network's stride. No pixel depends on it, which tests check.
    """

    steps: int = 4
    radius: int = 12
    close: int = 6
    feather: float = 4.0
    sampler: str = "dpmpp-2m-sde"
    rho: tuple[float, float] = (2.0, 0.01)
    power: float = 3.0
    learned: tuple[str, ...] = ()
    covered: tuple[str, ...] = ()
    sketch: bool = True
    entry: float = 0.002
    short: int = 1
    precision: str = "auto"
    origin: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "learned", tuple(self.learned))
        object.__setattr__(self, "covered", tuple(self.covered))
        object.__setattr__(self, "rho", tuple(self.rho))
        if len(self.rho) != 2 or not 0 < self.rho[1] < self.rho[0]:
            raise BadParameter(f"rho must be a larger and a smaller number > 0, got {self.rho}")
        for name in ("steps", "short"):
            if getattr(self, name) < 1:
                raise BadParameter(f"{name} must be at least 1, got {getattr(self, name)}")
        if not 0 < self.entry < 1:
            raise BadParameter(f"entry must be between 0 and 1, got {self.entry}")
        make_sampler(self.sampler)  # raises UnknownName before anything is drawn
        if self.precision not in PRECISIONS:
            raise BadParameter(f"precision must be auto, bf16 or fp32, got '{self.precision}'")
        if not 0 <= self.origin < CORE:
            raise BadParameter(f"origin must be between 0 and {CORE - 1}, got {self.origin}")

    def times(self, bridge: Bridge) -> Tensor:
        """The step grid, decreasing from 1 to 0: ``(steps + 1,)`` float64."""
        if self.steps == 1:
            return torch.tensor([1.0, 0.0], dtype=torch.float64)
        high, low = self.rho
        rest = karras(bridge, self.steps - 1, power=self.power, rho_max=high, rho_min=low)
        return torch.cat([rest.new_ones(1), rest])

    def times_of_sketch(self, bridge: Bridge) -> Tensor:
        """The grid from ``entry`` to 0, with at most ``short`` steps."""
        high = bridge.level(self.entry).rho
        low = min(self.rho[1], high / 3)
        count = min(self.steps, self.short)
        return karras(bridge, count, power=self.power, rho_max=high, rho_min=low)

    def reach(self, depiction: Depiction) -> int:
        """Pixels around a damaged building that *edit* may change."""
        return self.close if depiction.close else self.radius

    def begins_with_sketch(self, hazard: str, depiction: Depiction) -> bool:
        """Whether the damage of ``hazard`` is painted first, for the network to refine."""
        unlearned = depiction.smeared or hazard not in self.learned
        return self.sketch and unlearned and depiction.sketch is not None

    @property
    def method(self) -> Method:
        """The sampler with that name."""
        return make_sampler(self.sampler)


@dataclass(frozen=True)
class SceneDenoiser:
    """``(x_t (1, 3, H, W), level, condition) -> estimate of x0`` for scenes of any size.

    Height and width are multiples of the network's stride. Windows where nothing may change are not
    evaluated.
    """

    model: BridgeModel
    config: RenderConfig

    @torch.inference_mode()
    def __call__(self, x_t: Tensor, level: Level, condition: Condition) -> Tensor:
        stride, halo = self.model.network.config.stride, halo_of(self.model)
        estimate = condition.pre.clone()
        area = needed(condition.affected, halo, stride)
        inside, x_t, view = crop(condition, area), x_t[..., *area], estimate[..., *area]
        origin = self.config.origin // stride * stride
        for patch in patches(x_t.shape[-2], x_t.shape[-1], halo, origin):
            part = crop(inside, patch.outer)
            if part.affected is None or part.affected.any():
                x0 = self._window(x_t[..., *patch.outer], level.time, part)
                view[..., *patch.keep] = x0[..., *patch.inner]
        return estimate

    def _window(self, x_t: Tensor, time: float, condition: Condition) -> Tensor:
        t = torch.full((x_t.shape[0],), time, dtype=torch.float32)
        return self.model(x_t, t, condition)


def scene_states(
    model: BridgeModel,
    condition: Condition,
    *,
    seed: int,
    config: RenderConfig,
    sketch: Tensor | None = None,
) -> Iterator[State]:
    """States of one scene from its pre image to its post image; the last one is the result.

    With a ``sketch`` ``(1, 3, H, W)`` of the post image sampling starts inside the bridge, at
    ``config.entry``, from the noised sketch (SDEdit, Meng et al. 2022).
    The precision is that of the model's weights (:func:`afterscene.computing.prepared`).
    """
    height, width = condition.pre.shape[-2:]
    noise = TileNoise(seeds=seed, windows=[Window(0, 0, height, width)])
    more: dict = {"noise": noise, "condition": condition}
    denoiser = SceneDenoiser(model, config)
    if sketch is None:
        times = config.times(model.bridge)
        return cross(denoiser, model.bridge, condition.pre, times, config.method, **more)
    times = config.times_of_sketch(model.bridge)
    eps = noise(config.steps, 1, sketch)  # belongs to no step of the sampler
    x = model.bridge.x_t(sketch, condition.pre, times[0].float(), eps)
    method = Crossing(inner=config.method, x1=condition.pre)
    return trajectory(denoiser, model.bridge, x, times, method, **more)


def scene_condition(
    pre: np.ndarray,
    levels: np.ndarray,
    *,
    hazard: int,
    style: np.ndarray | None,
    affected: np.ndarray | None,
    gsd: float | None = None,
    stride: int = 1,
) -> Condition:
    """The condition of one scene from arrays.

    Args:
        pre: ``(H, W, 3)`` uint8.
        levels: ``(H, W)`` uint8 damage levels.
        hazard: Its class (:func:`afterscene.conditioning.class_of`), -1: not given.
        style: ``(6,)`` style of the post image, zeros for the style of the pre image.
        affected: ``(H, W)`` in [0, 1], where the image may change; ``None``: everywhere.
        gsd: Metres per pixel; ``None``: not given.
        stride: Height and width are padded to multiples of it, at the bottom and on the right.
    """
    grow = grown(pre.shape[:2], stride)
    area = None if affected is None else from_numbers(np.pad(affected, grow))[None, None]
    return Condition(
        pre=to_opponent(picture_tensor(pre, stride)),
        levels=from_numbers(np.pad(levels, grow))[None],
        affected=area,
        hazard=torch.tensor([hazard]),
        style=None if style is None else from_numbers(style)[None],
        gsd=None if gsd is None else torch.tensor([gsd]),
    )


def grown(shape: tuple[int, int], stride: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """The padding of height and width that makes both multiples of ``stride``."""
    height, width = shape
    return (0, -height % stride), (0, -width % stride)


def picture_tensor(picture: np.ndarray, stride: int = 1) -> Tensor:
    """``(H, W, 3)`` uint8 as ``(1, 3, H, W)`` in [-1, 1], mirrored to multiples of ``stride``."""
    larger = np.pad(picture, (*grown(picture.shape[:2], stride), (0, 0)), mode="symmetric")
    return from_pixels(larger)[None]


def draw_scene(
    model: BridgeModel,
    picture: np.ndarray,
    condition: Condition,
    *,
    seed: int,
    config: RenderConfig,
    sketch: np.ndarray | None = None,
    watch: Watch | None = None,
) -> np.ndarray:
    """Run a prepared bridge from ``picture`` ``(H, W, 3)`` uint8 to its end, of the same shape.

    ``condition`` is made from ``picture`` (:func:`scene_condition`) with the model's stride; a
    ``sketch`` is an approximation of the post image; ``watch`` sees the estimate after each step.
    Raises NotFinite.
    """
    begun = None
    if sketch is not None:
        begun = to_opponent(picture_tensor(sketch, model.config.stride))

    def pixels(x: Tensor) -> np.ndarray:
        return to_pixels(to_rgb(x)[0])[: picture.shape[0], : picture.shape[1]].copy()

    for state in scene_states(model, condition, seed=seed, config=config, sketch=begun):
        x0 = state.x
        if watch is not None:
            watch(pixels(state.x0), state.step + 1)
    return pixels(x0)
