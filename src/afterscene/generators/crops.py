"""Training crops for the generator: small windows around buildings, drawn by damage level.

Position and rotation of a crop are drawn by :mod:`afterscene.training.crops`. Two kinds of example
train the two modes of rendering:

* *reacquire*: the target is the real post image, registered to the pre image, which may differ
  everywhere; its style (``Condition.style``) is given with random changes, so that the network
  follows it instead of guessing;
* *edit*: the target is the pre image, with the real post image in the style of the pre image inside
  a feathered area around the damaged buildings; outside nothing changes.

The crop of (seed, step, item) is a pure function: order, workers and resuming change nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np
import torch

from afterscene.conditioning import Condition, class_of
from afterscene.errors import BadParameter
from afterscene.generators.colour import to_opponent
from afterscene.geodata.damage import IGNORE
from afterscene.tensors import MIDDLE, as_they_are, from_numbers, to_unit
from afterscene.training.crops import WAYS, Placed, Spots, corner, cut, turned

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
        pre: The pre image.
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
    pre: np.ndarray
    registered: np.ndarray
    matched: np.ndarray
    levels: np.ndarray

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) in pixels."""
        return self.pre.shape[:2]


def affected_mask(levels: np.ndarray, radius: int, feather: float) -> np.ndarray:
    """Feathered area around damaged buildings: ``(H, W)`` float32 in [0, 1].

    Args:
        levels: ``(H, W)`` uint8 damage levels; 2, 3 and 4 count as damaged.
        radius: Pixels by which each damaged building is enlarged.
        feather: Width in pixels of the soft edge inside that border (0 = hard).
    """
    damaged: np.ndarray = ((levels >= 2) & (levels <= 4)).astype(np.uint8)
    if radius > 0:
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
        damaged = cv2.dilate(damaged, kernel)
    if feather <= 0:
        return damaged.astype(np.float32)
    # Distance to the background alone: it does not decrease towards the window's edge.
    distance = cv2.distanceTransform(damaged, cv2.DIST_L2, 3)
    return np.minimum(distance / feather, 1.0).astype(np.float32)


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

    def to(self, device: torch.device) -> Batch:
        """The same batch on ``device``."""
        parts = {k: v.to(device) for k, v in vars(self.condition).items() if v is not None}
        return Batch(
            target=self.target.to(device),
            condition=replace(self.condition, **parts),
            weight=self.weight.to(device),
        )


@dataclass(frozen=True)
class CropSampler:
    """Draws the batch of a step from tiles: ``sampler(step) -> Batch``.

    ``hazards`` is the order of the class condition; a hazard that is not in it is "not given".
    """

    tiles: Sequence[TrainingTile]
    config: CropConfig
    seed: int
    hazards: Sequence[str] = ()

    @cached_property
    def _spots(self) -> Spots:
        return Spots.of([tile.places for tile in self.tiles])

    def __call__(self, step: int) -> Batch:
        return self.batch(step)

    def shape(self, step: int) -> tuple[int, int]:
        """Side and number of the crops of ``step``."""
        return self.config.shape(step)

    def batch(self, step: int, piece: slice = slice(None)) -> Batch:
        """A piece of the batch of ``step``; equal arguments give equal crops, in any process."""
        size, count = self.shape(step)
        numbers = range(count)[piece]
        items = [self._item(size, np.random.default_rng((self.seed, step, n))) for n in numbers]
        columns = {key: np.stack([item[key] for item in items]) for key in items[0]}
        condition = Condition(
            pre=pictures_of(as_they_are(columns["pre"])),
            levels=from_numbers(columns["levels"]),
            affected=from_numbers(columns["affected"])[:, None],
            hazard=from_numbers(columns["hazard"]),
            style=from_numbers(columns["style"]),
            gsd=from_numbers(columns["gsd"]),
        )
        weight = from_numbers(columns["weight"])[:, None]
        return Batch(
            target=pictures_of(as_they_are(columns["target"])),
            condition=condition,
            weight=weight,
        )

    def _item(self, size: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
        config, spots = self.config, self._spots
        number, middle = spots.draw(rng, spots.chances(config.level_weights), size / BESIDE)
        tile = self.tiles[number]
        kind = class_of(tile.hazard, self.hazards)
        side = self._side(tile, size, rng)
        step = side / size
        row, col = corner(middle, side, spots.shapes[number])
        pre, levels, matched, registered = (
            cut(one, row, col, side, size)
            for one in (tile.pre, tile.levels, tile.matched, tile.registered)
        )
        has_damage = bool(((levels >= 2) & (levels <= 4)).any())
        edit = bool(rng.random() < config.edit_share) and has_damage
        style = tile.style.copy()
        if edit:
            radius = round(int(rng.integers(*RADII)) * step)
            margin = radius + 1
            top, left = max(row - margin, 0), max(col - margin, 0)
            wide = tile.levels[top : row + side + margin, left : col + side + margin]
            mask = affected_mask(wide, radius, float(rng.uniform(*FEATHERS)) * step)
            mask = cut(mask[..., None], row - top, col - left, side, size).reshape(size, size)
            before = pre.astype(np.float32)
            target = before + mask[..., None] * (matched - before)
            style[:] = 0
        else:
            mask = np.ones((size, size), np.float32)
            gain, offset = _shake(config.jitter, rng)
            target = (registered - tile.middle) * gain + tile.middle + offset
            style += np.concatenate([offset / MIDDLE, np.log(gain)])
        # The same gain and offset for both images: another sensor, the same change.
        gain, offset = _shake(config.jitter, rng)
        pre, target = ((p - MIDDLE) * gain + MIDDLE + offset for p in (pre, target))
        style[:3] *= gain
        way = int(rng.integers(WAYS))
        pictures = [turned(one, way) for one in (pre, target, levels, mask)]
        return {
            "pre": pictures[0],
            "target": pictures[1],
            "levels": np.full_like(levels, IGNORE) if rng.random() < config.drop else pictures[2],
            "affected": pictures[3],
            "hazard": np.array(-1 if rng.random() < config.drop else kind),
            "style": np.full_like(style, np.nan) if rng.random() < config.drop else style,
            "weight": OUTSIDE + (1 - OUTSIDE) * pictures[3],
            "gsd": np.array(np.nan if rng.random() < config.drop else tile.gsd * step, np.float32),
        }

    def _side(self, tile: TrainingTile, size: int, rng: np.random.Generator) -> int:
        """Pixels of the tile across a crop of ``size`` pixels."""
        if not self.config.resampled or rng.random() >= self.config.resampled:
            return size
        low, high = np.log(self.config.steps_of(tile, size))
        return max(1, round(size * float(np.exp(rng.uniform(low, high)))))


def pictures_of(stack: torch.Tensor) -> torch.Tensor:
    """``(N, H, W, 3)`` RGB in 0..255 to ``(N, 3, H, W)`` opponent colours."""
    return to_opponent(to_unit(stack.float().clamp(0, 255)).permute(0, 3, 1, 2))


def _shake(jitter: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Random gain and offset (in 0..255) of three channels, mostly shared by them."""
    gain = np.exp(rng.uniform(-jitter, jitter) + rng.uniform(-jitter, jitter, 3) / 3)
    offset = MIDDLE * (rng.uniform(-jitter, jitter) + rng.uniform(-jitter, jitter, 3) / 3)
    return gain, offset
