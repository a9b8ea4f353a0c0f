"""What a generator learns from: tiles, and the examples that are cropped out of them.

Two kinds of example train the two modes of rendering:

* *reacquire*: the target is the real post image, registered to the pre image, which may differ
  everywhere; its style (``Condition.style``) is given with random changes, so that the network
  follows it instead of guessing;
* *edit*: the target is the pre image, with the real post image in the style of the pre image inside
  a feathered area around the damaged buildings, and wherever water, ash or silt lies; outside
  nothing changes.

:mod:`.crops` draws them on a processor, :mod:`.devicecrops` on a graphics card.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from afterscene.conditioning import Condition
from afterscene.errors import BadParameter
from afterscene.generators.colour import to_opponent
from afterscene.tensors import to_unit
from afterscene.training.spots import Placed

#: For an *edit* example: radius in whole pixels (the upper bound is never drawn) and feather of its
#: area, and the weight of a pixel outside it.
RADII, FEATHERS, OUTSIDE = (3, 14), (2.0, 6.0), 0.15
#: A window's offset from its building is at most the window's side divided by this.
BESIDE = 3


#: A crop may be finer than its tile by this factor at most: detail that is not there cannot be
#: learned.
FINER = 1.25


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainingTile:
    """What a generator learns from a pair; pictures are ``(H, W, 3)`` uint8.

    Attributes:
        name: The id of the pair.
        hazard: Its name; empty if it is not known.
        gsd: Metres per pixel.
        places: Where the buildings are.
        style: ``(6,)`` style of the post relative to the pre image
            (:func:`.appearance.measure_style`).
        middle: ``(3,)`` mean of the post image where the hazard changed nothing, 0..255.
        tone: ``(6,)`` of the pre image (:func:`.appearance.tone_of`).
        pre: The pre image under the water, ash or silt that its post image shows, painted as at
            the beginning of a rendering.
        covered: ``(H, W)`` bool, where that was painted.
        registered: The post image registered to ``pre``.
        matched: The same in the style of ``pre``.
        levels: ``(H, W)`` uint8, 0 background, 1-4, 255 un-classified, unlabelled or without data.
    """

    name: str
    hazard: str
    gsd: float = 0.5
    places: Placed
    style: np.ndarray
    middle: np.ndarray
    tone: np.ndarray
    pre: np.ndarray
    covered: np.ndarray
    registered: np.ndarray
    matched: np.ndarray
    levels: np.ndarray

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) in pixels."""
        return self.pre.shape[:2]

    @property
    def changed(self) -> np.ndarray:
        """``(H, W)`` bool: damaged buildings, and where something lies on the ground."""
        return ((self.levels >= 2) & (self.levels <= 4)) | self.covered


@dataclass(frozen=True, kw_only=True)
class CropConfig:
    """How training crops are drawn.

    Attributes:
        shapes: Side in pixels and number of the crops of a step, alternating from step to step:
            small ones show many buildings, large ones their surroundings.
        level_weights: Probability of a crop around no-damage, minor, major, destroyed, anywhere.
        edit_share: Share of *edit* examples; the rest are *reacquire*.
        drop: Probability that hazard, levels, style or pixel size is not given (independently).
        jitter: Largest relative gain and offset of the randomly changed styles.
        turned: Share of crops rotated by any angle (on graphics cards only).
        resampled: Share of crops resampled to a pixel size drawn from ``gsd``; the others keep
            that of their tile, and are scaled a little where they are rotated by any angle.
        gsd: Smallest and largest metres per pixel of resampled crops; those of a coarse tile are
            not finer than the tile itself, by more than a fifth.
    """

    shapes: tuple[tuple[int, int], ...] = ((64, 18), (96, 8))
    level_weights: tuple[float, ...] = (0.08, 0.26, 0.22, 0.36, 0.08)
    edit_share: float = 0.85
    drop: float = 0.1
    jitter: float = 0.15
    turned: float = 0.0
    resampled: float = 0.0
    gsd: tuple[float, float] = (0.4, 1.2)

    def __post_init__(self) -> None:
        if len(self.level_weights) != 5 or min(self.level_weights) < 0:
            raise ValueError(f"level_weights needs five numbers >= 0, got {self.level_weights}")
        if not self.shapes or min(min(shape) for shape in self.shapes) < 1:
            raise ValueError(f"shapes needs pairs of side and number >= 1, got {self.shapes}")
        if len(self.gsd) != 2 or not 0 < self.gsd[0] <= self.gsd[1]:
            raise ValueError(f"gsd needs a smaller and a larger number > 0, got {self.gsd}")

    def shape(self, step: int) -> tuple[int, int]:
        """Side and number of the crops of ``step``."""
        return self.shapes[step % len(self.shapes)]

    def check(self, tiles: Sequence[TrainingTile]) -> None:
        """Raise BadParameter if there is nothing to crop, or a tile is smaller than a crop."""
        if not tiles:
            raise BadParameter("there are no pairs to train on; check the data folder's splits")
        side = max(side for side, _ in self.shapes)
        for tile in tiles:
            if min(tile.shape) < side:
                size = tile.shape
                raise BadParameter(
                    f"{tile.name}: {size} is smaller than a crop of {side}; leave it out"
                )

    def steps_of(self, tile: TrainingTile, size: int) -> tuple[float, float]:
        """Fewest and most pixels of the tile per pixel of a resampled crop of that size."""
        low = max(self.gsd[0] / tile.gsd, 1 / FINER)
        high = min(self.gsd[1] / tile.gsd, min(tile.shape) / size)
        return low, max(low, high)


@dataclass(frozen=True, kw_only=True)
class Batch:
    """``target (N, 3, H, W)`` in opponent colours, its condition, the loss weight of pixels."""

    target: torch.Tensor
    condition: Condition
    weight: torch.Tensor

    def those(self, chosen: torch.Tensor) -> Batch:
        """The crops where ``chosen`` ``(N,)`` bool is true."""
        return self._each(lambda part: part[chosen])

    def to(self, device: torch.device) -> Batch:
        """The same batch on ``device``."""
        return self._each(lambda part: part.to(device))

    def _each(self, change: Callable[[torch.Tensor], torch.Tensor]) -> Batch:
        given = {k: change(v) for k, v in vars(self.condition).items() if v is not None}
        return Batch(
            target=change(self.target),
            condition=replace(self.condition, **given),
            weight=change(self.weight),
        )


def pictures_of(stack: torch.Tensor) -> torch.Tensor:
    """``(N, H, W, 3)`` RGB in 0..255 to ``(N, 3, H, W)`` opponent colours."""
    return to_opponent(to_unit(stack.float().clamp(0, 255)).permute(0, 3, 1, 2))
