"""Batches of crops, a pure function of (pairs, config, seed, step).

Damage is rare: in xBD two of three buildings are untouched, and a uniform crop shows mostly trees.
So a crop is centred on a building of a level that is drawn first, each level as often as the
others (weighted by ``level_weights``); some crops lie anywhere, so that forests and car parks are
seen too. Real pairs are misregistered by a few pixels and lit differently, so post is shifted
against pre (the labels follow pre) and both are jittered on their own; flips and quarter turns
cost nothing from above.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor

from afterscene.detectors.config import DetectorConfig
from afterscene.detectors.pairs import TrainingPair
from afterscene.errors import BadParameter
from afterscene.geodata.damage import IGNORE, LEVELS


class Batch(NamedTuple):
    """pre, post: (N, 3, S, S) float32 in about [-1, 1]; target: (N, S, S) int64, 255 ignored."""

    pre: Tensor
    post: Tensor
    target: Tensor


@dataclass(frozen=True)
class _Pool:
    """Pairs of one kind (real or synthetic) and where their buildings are."""

    pairs: list[TrainingPair]
    chance: np.ndarray  # (pairs,) sums to 1
    spots: dict[int, np.ndarray]  # level -> (n, 3) pair index, row, column
    spot_chance: dict[int, np.ndarray]


class CropSampler:
    """``sampler.batch(step)``; the same (pairs, config, seed, step) gives the same batch."""

    def __init__(self, pairs: Sequence[TrainingPair], config: DetectorConfig, *, seed: int):
        if not pairs:
            raise BadParameter("no training pairs were given; check the folder and the split")
        self.config = config
        self.seed = seed
        real = [p for p in pairs if not p.synthetic]
        synthetic = [p for p in pairs if p.synthetic]
        self.real = _pool(real) if real else None
        self.synthetic = _pool(synthetic) if synthetic else None

    def batch(self, step: int, piece: slice = slice(None)) -> Batch:
        """The crops of optimiser step `step`, or a piece of them."""
        crops = [self._crop(step, index) for index in range(self.config.batch)[piece]]
        pre, post, target = (np.stack(part) for part in zip(*crops, strict=True))
        return Batch(_as_input(pre), _as_input(post), torch.from_numpy(target.astype(np.int64)))

    def _crop(self, step: int, index: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        rng = np.random.default_rng([self.seed, step, index])
        pair, row, col = self._place(rng, step)
        config = self.config
        side = max(8, round(config.crop * (1 + rng.uniform(-config.zoom, config.zoom))))
        dy, dx = rng.integers(-config.shift, config.shift + 1, size=2)
        quarter, mirror = int(rng.integers(4)), bool(rng.integers(2))
        pre = _jitter(_window(pair.pre, row, col, side, config.crop), rng, config.jitter)
        post = _window(pair.post, row + dy, col + dx, side, config.crop)
        post = _jitter(post, rng, config.jitter)
        pre, post = (_roughen(pixels, rng, config) for pixels in (pre, post))
        target = _window(pair.target, row, col, side, config.crop)
        return (
            _turn(pre, quarter, mirror),
            _turn(post, quarter, mirror),
            _turn(target, quarter, mirror),
        )

    def _place(self, rng: np.random.Generator, step: int) -> tuple[TrainingPair, int, int]:
        """A pair and the centre of a crop in it."""
        pool = self._choose_pool(rng, step)
        weights = np.array(
            [w if level in pool.spots else 0.0 for level, w in self._levels(pool)], dtype=np.float64
        )
        if rng.random() < self.config.background_share or not weights.sum():
            pair = pool.pairs[int(rng.choice(len(pool.pairs), p=pool.chance))]
            height, width = pair.target.shape
            return pair, int(rng.integers(height)), int(rng.integers(width))
        level = int(rng.choice(LEVELS, p=weights / weights.sum()))
        spots = pool.spots[level]
        which, row, col = spots[int(rng.choice(len(spots), p=pool.spot_chance[level]))]
        reach = int(0.4 * self.config.crop)
        dy, dx = rng.integers(-reach, reach + 1, size=2)
        return pool.pairs[which], int(row + dy), int(col + dx)

    def _choose_pool(self, rng: np.random.Generator, step: int) -> _Pool:
        draw = rng.random()  # drawn in any case, so that both arms of a comparison stay aligned
        if self.real is None or self.synthetic is None:
            pool = self.real or self.synthetic
        else:
            if self.config.order == "synthetic-first":
                draw = step / self.config.steps
            pool = self.synthetic if draw < self.config.synthetic_share else self.real
        assert pool is not None
        return pool

    def places(self) -> dict[int, int]:
        """How many buildings of each level the real pairs show."""
        return {level: len(rows) for level, rows in self.real.spots.items()} if self.real else {}

    def _levels(self, pool: _Pool) -> list[tuple[int, float]]:
        if pool is self.synthetic and self.config.synthetic_natural:
            return [(level, float(len(pool.spots.get(level, ())))) for level in LEVELS]
        return list(zip(LEVELS, self.config.level_weights, strict=True))


def _pool(pairs: list[TrainingPair]) -> _Pool:
    chance = np.array([pair.weight for pair in pairs], dtype=np.float64)
    found: dict[int, list[tuple[int, int, int]]] = {level: [] for level in LEVELS}
    for index, pair in enumerate(pairs):
        for level in LEVELS:
            mask = (pair.target == level).astype(np.uint8)
            if mask.any():
                centres = cv2.connectedComponentsWithStats(mask)[3][1:]
                found[level] += [(index, round(y), round(x)) for x, y in centres]
    spots = {level: np.array(rows, dtype=np.int64) for level, rows in found.items() if rows}
    spot_chance = {level: chance[rows[:, 0]] for level, rows in spots.items()}
    return _Pool(
        pairs, chance / chance.sum(), spots, {k: v / v.sum() for k, v in spot_chance.items()}
    )


def _window(array: np.ndarray, row: int, col: int, side: int, size: int) -> np.ndarray:
    """The `side` x `side` window centred at (row, col), resampled to `size`.

    A window that reaches over the edge is moved back inside; what a smaller picture lacks is
    repeated from its border (ignored in the target).
    """
    height, width = array.shape[:2]
    top = int(np.clip(row - side // 2, 0, max(0, height - side)))
    left = int(np.clip(col - side // 2, 0, max(0, width - side)))
    part = array[top : top + side, left : left + side]
    below, right = side - part.shape[0], side - part.shape[1]
    is_target = array.ndim == 2
    if below or right:
        kind = cv2.BORDER_CONSTANT if is_target else cv2.BORDER_REPLICATE
        part = cv2.copyMakeBorder(part, 0, below, 0, right, kind, value=(IGNORE,))
    if side != size:
        how = cv2.INTER_NEAREST if is_target else cv2.INTER_LINEAR
        part = cv2.resize(part, (size, size), interpolation=how)
    return part


def _jitter(pixels: np.ndarray, rng: np.random.Generator, amount: float) -> np.ndarray:
    """Gain, offset and colour cast, drawn up to `amount`; (S, S, 3) uint8 -> same."""
    gain = 1 + rng.uniform(-amount, amount) + rng.uniform(-amount, amount, size=3) / 3
    offset = 127.5 * (rng.uniform(-amount, amount) + 1 - gain)
    table = np.arange(256)[:, None] * gain + offset
    table = np.clip(np.rint(table), 0, 255).astype(np.uint8)
    return cv2.LUT(pixels, table[None])


def _roughen(pixels: np.ndarray, rng: np.random.Generator, config: DetectorConfig) -> np.ndarray:
    """Blur and noise, where the config has them; else nothing is drawn and nothing changed."""
    if config.blur and rng.random() < 0.5:
        pixels = cv2.GaussianBlur(pixels, (0, 0), rng.uniform(0.2, 0.2 + config.blur))
    if config.grain:
        noise = rng.normal(0, 255 * rng.uniform(0, config.grain), pixels.shape)
        pixels = np.clip(np.rint(pixels + noise), 0, 255).astype(np.uint8)
    return pixels


def _turn(array: np.ndarray, quarter: int, mirror: bool) -> np.ndarray:
    turned = np.rot90(array, quarter)
    return np.ascontiguousarray(turned[:, ::-1] if mirror else turned)


def _as_input(pixels: np.ndarray) -> Tensor:
    """(N, S, S, 3) uint8 -> (N, 3, S, S) float32 in [-1, 1], channels last in memory."""
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).float().div_(127.5).sub_(1.0)
