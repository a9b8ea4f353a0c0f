"""Where the buildings of a set of pictures are, and how crops are placed near them.

Damage is rare: two of three buildings are undamaged, and a random crop shows mostly trees. So a
level is drawn first, then a building of that level, then a window near it; some windows are placed
anywhere, so that forests and car parks are seen too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from afterscene.geodata.levels import LEVELS

#: Weights are those of the four levels, then that of a window anywhere.
ANYWHERE = 4


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
