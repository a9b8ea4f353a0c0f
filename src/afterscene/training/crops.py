"""How training crops are drawn on a processor: position, quarter turns and resampling.

Damage is rare: two of three buildings are undamaged, and a random crop shows mostly trees. So a
level is drawn first, then a building of that level, then a window near it; some windows are placed
anywhere, so that forests and car parks are seen too. Images from above may be flipped and turned by
90 degrees freely. Changes to the pixels of a crop are up to its user.

:class:`Spots` draws one crop after the other, some hundred per second, from images of any size.
:mod:`afterscene.training.devicecrops` draws a whole batch on a graphics card by the same rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np

from afterscene.geodata.damage import IGNORE, LEVELS

#: Weights are those of the four levels, then that of a window anywhere.
ANYWHERE = 4
#: The symmetries of the square.
WAYS = 8
#: Pixels of the picture per pixel of the crop from which on they are averaged: interpolated between
#: single ones, fine texture would alias.
AVERAGED = 1.25


class Placed(Protocol):
    """Size of a picture, and of its buildings the level ``(n,)`` and the middle ``(n, 2)``.

    A :class:`~afterscene.geodata.pair.LabelledPair` is one.
    """

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) in pixels."""

    @property
    def levels(self) -> np.ndarray:
        """1 to 4; other values are not counted."""

    @property
    def centres(self) -> np.ndarray:
        """Row and column, float32."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Places:
    """A :class:`Placed` that holds no picture."""

    shape: tuple[int, int]
    levels: np.ndarray
    centres: np.ndarray

    @classmethod
    def of(cls, other: Placed) -> Places:
        """The places of another one alone."""
        return cls(shape=other.shape, levels=other.levels, centres=other.centres)


@dataclass(frozen=True, eq=False)
class Spots:
    """Where the buildings in a set of images are.

    Attributes:
        shapes: (H, W) of each picture.
        pictures: For each level the picture of each of its buildings, ``(n,)``.
        centres: Their middles, ``(n, 2)`` float32 row and column.
    """

    shapes: tuple[tuple[int, int], ...]
    pictures: tuple[np.ndarray, ...]
    centres: tuple[np.ndarray, ...]

    @classmethod
    def of(cls, pairs: Sequence[Placed]) -> Spots:
        """All buildings of a known level."""
        levels = [pair.levels for pair in pairs]
        owner = np.repeat(np.arange(len(pairs)), [len(one) for one in levels])
        level = np.concatenate([*levels, np.zeros(0, np.uint8)])
        centre = np.concatenate([*(pair.centres for pair in pairs), np.zeros((0, 2), np.float32)])
        return cls(
            shapes=tuple(pair.shape for pair in pairs),
            pictures=tuple(owner[level == one] for one in LEVELS),
            centres=tuple(centre[level == one] for one in LEVELS),
        )

    @property
    def counts(self) -> tuple[int, ...]:
        """Buildings of each level."""
        return tuple(len(one) for one in self.pictures)

    def chances(self, weights: Sequence[float]) -> np.ndarray:
        """(5,) probability of a building of each level, and of anywhere; 0 for absent levels.

        ``weights`` are those of the same five; if none remains, all crops are placed anywhere.
        """
        there = np.array([*(n > 0 for n in self.counts), True])
        chances = np.where(there, weights, 0.0)
        if not chances.any():
            chances[ANYWHERE] = 1.0
        return chances / chances.sum()

    def draw(
        self, rng: np.random.Generator, chances: np.ndarray, reach: float
    ) -> tuple[int, np.ndarray]:
        """An image, and the centre (row, column) of a window within ``reach`` of a building."""
        kind = int(rng.choice(len(chances), p=chances))
        if kind == ANYWHERE:
            picture = int(rng.integers(len(self.shapes)))
            return picture, rng.uniform((0, 0), self.shapes[picture])
        one = rng.integers(len(self.pictures[kind]))
        middle = self.centres[kind][one] + rng.uniform(-reach, reach, 2)
        return int(self.pictures[kind][one]), middle


def corner(middle: np.ndarray, side: int, shape: tuple[int, int]) -> tuple[int, int]:
    """First row and column of the window around ``middle``, moved inside the picture."""
    limit = np.maximum(np.array(shape) - side, 0)
    row, col = np.clip(np.round(middle - side / 2), 0, limit).astype(int)
    return int(row), int(col)


def cut(picture: np.ndarray, row: int, col: int, side: int, size: int | None = None) -> np.ndarray:
    """The ``side`` x ``side`` window that begins there, resampled to ``size``.

    (H, W, C) are pixels: interpolated linearly, and averaged where the crop is much coarser; a
    smaller image is padded by repeating its border.
    (H, W) are levels: the nearest one is used; padding gets the value "ignore".
    """
    size = side if size is None else size
    levels = picture.ndim == 2
    part = np.ascontiguousarray(picture[row : row + side, col : col + side])
    below, right = side - part.shape[0], side - part.shape[1]
    if below or right:
        kind = cv2.BORDER_CONSTANT if levels else cv2.BORDER_REPLICATE
        part = cv2.copyMakeBorder(part, 0, below, 0, right, kind, value=(IGNORE,))
    if side != size:
        pixels = cv2.INTER_AREA if side >= AVERAGED * size else cv2.INTER_LINEAR
        how = cv2.INTER_NEAREST if levels else pixels
        part = cv2.resize(part, (size, size), interpolation=how)
    return part


def turned(picture: np.ndarray, way: int) -> np.ndarray:
    """One of the eight symmetries of the square: quarter turns, with or without a flip."""
    turned = np.rot90(picture, way % 4)
    return np.ascontiguousarray(turned[::-1] if way >= WAYS // 2 else turned)
