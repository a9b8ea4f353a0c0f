"""How a training crop is drawn: where it lies, how it is turned and resampled.

Damage is rare: two of three buildings are untouched, and a uniform crop shows mostly trees. So a
level is drawn first, then a building of that level, then a window near it; some windows lie
anywhere, so that forests and car parks are seen too. Flips and quarter turns cost nothing from
above. What is done to the pixels of a crop is its owner's business.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from afterscene.geodata.damage import IGNORE, LEVELS
from afterscene.geodata.pair import LabelledPair

#: Weights are of the four levels, then of anywhere.
ANYWHERE = 4
#: The symmetries of the square.
WAYS = 8


@dataclass(frozen=True, eq=False)
class Spots:
    """Where the buildings of a set of pictures are.

    Attributes:
        shapes: (H, W) of each picture.
        pictures: For each level the picture of each of its buildings, ``(n,)``.
        centres: Their middles, ``(n, 2)`` float32 row and column.
    """

    shapes: tuple[tuple[int, int], ...]
    pictures: tuple[np.ndarray, ...]
    centres: tuple[np.ndarray, ...]

    @classmethod
    def of(cls, pairs: Sequence[LabelledPair]) -> Spots:
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
        """(5,) chance of a building of each level, and of anywhere; 0 for a level that is absent.

        ``weights`` are of the same five; where none is left, all crops lie anywhere.
        """
        there = np.array([*(n > 0 for n in self.counts), True])
        chances = np.where(there, weights, 0.0)
        if not chances.any():
            chances[ANYWHERE] = 1.0
        return chances / chances.sum()

    def draw(
        self, rng: np.random.Generator, chances: np.ndarray, reach: float
    ) -> tuple[int, np.ndarray]:
        """A picture, and the middle (row, column) of a window within ``reach`` of a building."""
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

    (H, W, C) are pixels: between them the values are linear, and what a smaller picture lacks is
    repeated from its border. (H, W) are levels: the nearest counts, and what lacks is ignored.
    """
    size = side if size is None else size
    levels = picture.ndim == 2
    part = np.ascontiguousarray(picture[row : row + side, col : col + side])
    below, right = side - part.shape[0], side - part.shape[1]
    if below or right:
        kind = cv2.BORDER_CONSTANT if levels else cv2.BORDER_REPLICATE
        part = cv2.copyMakeBorder(part, 0, below, 0, right, kind, value=(IGNORE,))
    if side != size:
        how = cv2.INTER_NEAREST if levels else cv2.INTER_LINEAR
        part = cv2.resize(part, (size, size), interpolation=how)
    return part


def turned(picture: np.ndarray, way: int) -> np.ndarray:
    """One of the eight symmetries of the square: quarter turns, then perhaps upside down."""
    turned = np.rot90(picture, way % 4)
    return np.ascontiguousarray(turned[::-1] if way >= WAYS // 2 else turned)
