"""Training crops drawn one at a time on a processor.

Where they lie says :mod:`afterscene.training.spots`, what they are :mod:`.examples`. The crop of
(seed, step, item) is a pure function: order, workers and resuming change nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from afterscene.conditioning import Condition, class_of
from afterscene.generators.examples import (
    BESIDE,
    FEATHERS,
    OUTSIDE,
    RADII,
    Batch,
    CropConfig,
    TrainingTile,
    pictures_of,
)
from afterscene.geodata.levels import IGNORE
from afterscene.tensors import MIDDLE, as_they_are, from_numbers
from afterscene.training.crops import WAYS, corner, cut, turned
from afterscene.training.spots import Spots


def affected_mask(levels: np.ndarray, radius: int, feather: float) -> np.ndarray:
    """Feathered area around damaged buildings: ``(H, W)`` float32 in [0, 1].

    Args:
        levels: ``(H, W)`` uint8 damage levels; 2, 3 and 4 count as damaged.
        radius: Pixels by which each damaged building is enlarged.
        feather: Width in pixels of the soft edge inside that border (0 = hard).
    """
    return around((levels >= 2) & (levels <= 4), radius, feather)


def around(changed: np.ndarray, radius: int, feather: float) -> np.ndarray:
    """The same around ``changed`` ``(H, W)`` bool."""
    damaged: np.ndarray = changed.astype(np.uint8)
    if radius > 0:
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
        damaged = cv2.dilate(damaged, kernel)
    if feather <= 0:
        return damaged.astype(np.float32)
    # Distance to the background alone: it does not decrease towards the window's edge.
    distance = cv2.distanceTransform(damaged, cv2.DIST_L2, 3)
    return np.minimum(distance / feather, 1.0).astype(np.float32)


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
        changed = tile.changed
        edit = bool(rng.random() < config.edit_share)
        edit &= bool(changed[row : row + side, col : col + side].any())
        style = tile.style.copy()
        if edit:
            radius = round(int(rng.integers(*RADII)) * step)
            margin = radius + 1
            top, left = max(row - margin, 0), max(col - margin, 0)
            wide = changed[top : row + side + margin, left : col + side + margin]
            mask = around(wide, radius, float(rng.uniform(*FEATHERS)) * step)
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


def _shake(jitter: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Random gain and offset (in 0..255) of three channels, mostly shared by them."""
    gain = np.exp(rng.uniform(-jitter, jitter) + rng.uniform(-jitter, jitter, 3) / 3)
    offset = MIDDLE * (rng.uniform(-jitter, jitter) + rng.uniform(-jitter, jitter, 3) / 3)
    return gain, offset
