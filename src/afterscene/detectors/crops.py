"""Batches of crops, a pure function of (pairs, config, seed, step).

The position of a crop is drawn by :mod:`afterscene.training.crops`: each level as often as the
others (weighted by ``level_weights``), and some crops anywhere. Real pairs are misregistered by a
few pixels and differ in light, so post is shifted against pre (the labels follow pre) and both are
jittered independently.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from torch import Tensor

from afterscene.detectors.config import DetectorConfig
from afterscene.errors import BadParameter
from afterscene.geodata.pair import LabelledPair
from afterscene.tensors import MIDDLE, from_numbers, from_pixels
from afterscene.training.crops import WAYS, corner, cut, turned
from afterscene.training.spots import Spots

#: A window's offset from its building is at most this share of the window's side.
BESIDE = 0.4


class DetectorBatch(NamedTuple):
    """pre, post: (N, 3, S, S) float32 in about [-1, 1]; target: (N, S, S) int64, 255 ignored."""

    pre: Tensor
    post: Tensor
    target: Tensor


@dataclass(frozen=True)
class _Pool:
    """Pairs of one kind (real or synthetic): pre, post and target of each; their buildings."""

    pictures: list[tuple[np.ndarray, np.ndarray, np.ndarray]]
    spots: Spots
    chances: np.ndarray

    @classmethod
    def of(cls, pairs: Sequence[LabelledPair], config: DetectorConfig) -> _Pool | None:
        """None without pairs."""
        if not pairs:
            return None
        spots = Spots.of(pairs)
        natural = pairs[0].synthetic and config.synthetic_natural
        weights = np.array(spots.counts if natural else config.level_weights, np.float64)
        weights = np.where(np.array(spots.counts) > 0, weights, 0.0)
        share = config.background_share if weights.any() else 1.0
        levels = (1 - share) * weights / max(weights.sum(), 1e-9)
        pictures = [(p.pre.picture, p.post.picture, p.known) for p in pairs]
        return cls(pictures, spots, spots.chances([*levels, share]))


class DetectorCrops:
    """``sampler.batch(step)``; the same (pairs, config, seed, step) gives the same batch."""

    def __init__(self, pairs: Sequence[LabelledPair], config: DetectorConfig, *, seed: int):
        if not pairs:
            raise BadParameter("no training pairs were given; check the folder and the split")
        self.config = config
        self.seed = seed
        self.real = _Pool.of([p for p in pairs if not p.synthetic], config)
        self.synthetic = _Pool.of([p for p in pairs if p.synthetic], config)

    def batch(self, step: int, piece: slice = slice(None)) -> DetectorBatch:
        """The crops of optimiser step `step`, or a piece of them."""
        crops = [self._crop(step, index) for index in range(self.config.batch)[piece]]
        pre, post, target = (np.stack(part) for part in zip(*crops, strict=True))
        return DetectorBatch(from_pixels(pre), from_pixels(post), from_numbers(target))

    def _crop(self, step: int, index: int) -> tuple[np.ndarray, ...]:
        rng = np.random.default_rng([self.seed, step, index])
        config = self.config
        pool = self._choose_pool(rng, step)
        number, middle = pool.spots.draw(rng, pool.chances, BESIDE * config.crop)
        pictures = pool.pictures[number]
        side = max(8, round(config.crop * (1 + rng.uniform(-config.zoom, config.zoom))))
        shift = rng.integers(-config.shift, config.shift + 1, size=2)
        way = int(rng.integers(WAYS))
        shape = pool.spots.shapes[number]
        pre, post, target = (
            cut(one, *corner(at, side, shape), side, config.crop)
            for one, at in zip(pictures, (middle, middle + shift, middle), strict=True)
        )
        pre, post = (_jitter(pixels, rng, config.jitter) for pixels in (pre, post))
        pre, post = (_roughen(pixels, rng, config) for pixels in (pre, post))
        return tuple(turned(one, way) for one in (pre, post, target))

    def _choose_pool(self, rng: np.random.Generator, step: int) -> _Pool:
        draw = rng.random()  # always drawn, so that both arms of a comparison stay aligned
        if self.real is None or self.synthetic is None:
            pool = self.real or self.synthetic
        else:
            if self.config.order == "synthetic-first":
                draw = step / self.config.steps
            pool = self.synthetic if draw < self.config.synthetic_share else self.real
        assert pool is not None
        return pool


def _jitter(pixels: np.ndarray, rng: np.random.Generator, amount: float) -> np.ndarray:
    """Gain, offset and colour cast, drawn up to `amount`; (S, S, 3) uint8 -> same."""
    gain = 1 + rng.uniform(-amount, amount) + rng.uniform(-amount, amount, size=3) / 3
    offset = MIDDLE * (rng.uniform(-amount, amount) + 1 - gain)
    table = np.arange(256)[:, None] * gain + offset
    table = np.clip(np.rint(table), 0, 255).astype(np.uint8)
    return cv2.LUT(pixels, table[None])


def _roughen(pixels: np.ndarray, rng: np.random.Generator, config: DetectorConfig) -> np.ndarray:
    """Blur and noise, if the config has them; else nothing is drawn and nothing changed."""
    if config.blur and rng.random() < 0.5:
        pixels = cv2.GaussianBlur(pixels, (0, 0), rng.uniform(0.2, 0.2 + config.blur))
    if config.grain:
        noise = rng.normal(0, 255 * rng.uniform(0, config.grain), pixels.shape)
        pixels = np.clip(np.rint(pixels + noise), 0, 255).astype(np.uint8)
    return pixels
