"""Orders of generation: which pixels are drawn together, and after which.

Pixels that are drawn in the same step cannot see each other. Far apart they are almost
independent given the rest, side by side they are not: drawing whole blocks at once fails, drawing
spread-out pixels works. So :class:`Spaced` adds one pixel first, then more and more per step, and
never two of the same step closer than ``spacing``. :class:`Raster`, :class:`Blocks`,
:class:`Random` (MAR, Li et al. 2024, arXiv 2406.11838) and :class:`Confidence` (MaskGIT, Chang et
al. 2022, arXiv 2202.04200) are the alternatives. "Remove" reads an order backwards.

A strategy is a record whose ``draw(size, rng)`` gives an :class:`Order`; adding one is a class and
a row in :data:`STRATEGIES`.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

import numpy as np

from afterscene.errors import BadParameter


@dataclass(frozen=True, kw_only=True)
class Order:
    """``ranks (H, W)`` int64: the step, from 0, in which each pixel is drawn.

    ``spacing`` is the smallest Euclidean distance in pixels between two pixels of one step that
    the maker declares (1 declares nothing). Every step draws at least one pixel.
    """

    ranks: np.ndarray
    spacing: float = 1.0

    def __post_init__(self) -> None:
        counts = np.bincount(self.ranks.ravel())
        if self.ranks.ndim != 2 or counts.min() < 1:
            raise BadParameter("an order needs (H, W) ranks without an empty step")

    @property
    def steps(self) -> int:
        """Network evaluations that a generation takes."""
        return int(self.ranks.max()) + 1

    @property
    def counts(self) -> np.ndarray:
        """Pixels of each step: ``(steps,)``."""
        return np.bincount(self.ranks.ravel())


def minimum_distance(order: Order) -> float:
    """Smallest distance between two pixels of one step; infinite where steps are single pixels."""
    best = math.inf
    for step in range(order.steps):
        places = np.argwhere(order.ranks == step)
        if len(places) > 1:
            gaps = ((places[:, None] - places[None]) ** 2).sum(axis=2)
            gaps[np.diag_indices(len(places))] = np.iinfo(gaps.dtype).max
            best = min(best, math.sqrt(gaps.min()))
    return best


def schedule(total: int, steps: int, power: float) -> np.ndarray:
    """Pixels per step, at least one each: after step k, ``(k / steps) ** power`` of all are there.

    ``power`` 1 is even; 2 and more begin with single pixels and end with many. A sum of exactly
    ``total``. Raises :class:`BadParameter` where there are more steps than pixels.
    """
    if not 1 <= steps <= total:
        raise BadParameter(f"steps must lie in 1..{total} (the pixels), got {steps}")
    reached = np.round(total * (np.arange(steps + 1) / steps) ** power).astype(np.int64)
    floor = np.arange(steps + 1)
    reached = np.minimum(np.maximum(reached, floor), total - floor[::-1])
    return np.diff(np.maximum.accumulate(np.maximum(reached, floor)))


class Strategy(ABC):
    """Makes orders.

    ``adaptive``: the sampler itself chooses, by confidence, ``counts[step]`` pixels in each step;
    :meth:`draw` then serves training and the counts.
    """

    adaptive: ClassVar[bool] = False

    def randomness(self, step: int, steps: int) -> float:
        """Scale of the Gumbel noise that an adaptive choice adds to log-probabilities."""
        return 0.0

    @abstractmethod
    def draw(self, size: tuple[int, int], rng: np.random.Generator) -> Order:
        """An order for a picture of ``size``; randomness comes from ``rng`` alone."""


@dataclass(frozen=True, kw_only=True)
class Raster(Strategy):
    """One pixel a step, row by row."""

    def draw(self, size: tuple[int, int], rng: np.random.Generator) -> Order:
        return Order(ranks=np.arange(size[0] * size[1]).reshape(size))


@dataclass(frozen=True, kw_only=True)
class Blocks(Strategy):
    """A block of ``side x side`` pixels a step, row by row: the order that fails.

    ``side`` is in pixels.
    """

    side: int = 4

    def __post_init__(self) -> None:
        if self.side < 1:
            raise BadParameter(f"side must be at least 1 pixel, got {self.side}")

    def draw(self, size: tuple[int, int], rng: np.random.Generator) -> Order:
        rows, cols = np.indices(size) // self.side
        return Order(ranks=rows * (math.ceil(size[1] / self.side)) + cols)


@dataclass(frozen=True, kw_only=True)
class Random(Strategy):
    """Pixels in random order, ``schedule(pixels, steps, power)`` of them a step (MAR style)."""

    steps: int = 64
    power: float = 2.0

    def draw(self, size: tuple[int, int], rng: np.random.Generator) -> Order:
        total = size[0] * size[1]
        counts = schedule(total, min(self.steps, total), self.power)
        ranks = np.empty(total, dtype=np.int64)
        ranks[rng.permutation(total)] = np.repeat(np.arange(len(counts)), counts)
        return Order(ranks=ranks.reshape(size))


@dataclass(frozen=True, kw_only=True)
class Confidence(Random):
    """The pixels of which the model is surest come first (MaskGIT style); trained as Random.

    ``noise`` scales the Gumbel noise on the log-probabilities; it falls to 0 along the way.
    """

    noise: float = 4.5
    adaptive: ClassVar[bool] = True

    def randomness(self, step: int, steps: int) -> float:
        return self.noise * (1 - (step + 1) / steps)


@dataclass(frozen=True, kw_only=True)
class Spaced(Strategy):
    """Pixels drawn together are at least ``spacing`` apart; one first, then more and more a step.

    The first steps throw darts: a random pixel, then random ones outside a disc around those of
    the step, the disc as wide as the count allows. The last ``ceil(spacing)**2`` steps each take
    what is left of one colour of the lattice ``(i mod s, j mod s)``: their pixels are ``s`` apart
    by construction, so every pixel is drawn within ``steps`` whatever the darts left over (fewer
    steps only where a colour has nothing left). ``spacing`` is in pixels.
    """

    steps: int = 64
    spacing: float = 2.0
    power: float = 2.0

    def __post_init__(self) -> None:
        if self.spacing < 1:
            raise BadParameter(f"spacing must be at least 1 pixel, got {self.spacing}")
        if self.steps < self._colours:
            raise BadParameter(
                f"spacing {self.spacing} needs at least {self._colours} steps, got {self.steps}"
            )

    @property
    def _colours(self) -> int:
        return math.ceil(self.spacing) ** 2

    def draw(self, size: tuple[int, int], rng: np.random.Generator) -> Order:
        total = size[0] * size[1]
        counts = schedule(total, min(self.steps, total), self.power)
        ranks = np.full(size, -1, dtype=np.int64)
        step = 0
        for step, count in enumerate(counts[: -self._colours]):
            _throw(ranks, step, int(count), self.spacing, rng)
        side = math.ceil(self.spacing)
        rows, cols = np.indices(size) % side
        following = step + 1 if len(counts) > self._colours else 0
        for colour in rng.permutation(self._colours):
            left = (ranks < 0) & (rows * side + cols == colour)
            if left.any():
                ranks[left] = following
                following += 1
        return Order(ranks=ranks, spacing=self.spacing)


def _throw(
    ranks: np.ndarray, step: int, count: int, spacing: float, rng: np.random.Generator
) -> None:
    """Write ``step`` into up to ``count`` free places of ``ranks``, none closer than spacing."""
    radius = max(spacing, 0.75 * math.sqrt(ranks.size / count))
    taken: list[np.ndarray] = []
    free = ranks < 0
    while len(taken) < count:
        places = np.flatnonzero(free)
        if len(places) == 0:
            if radius <= spacing:
                return
            radius = max(spacing, 0.8 * radius)
            free = ranks < 0
            for place in taken:
                free &= ~_disc(ranks.shape, place, radius)
            continue
        place = np.array(np.unravel_index(rng.choice(places), ranks.shape))
        ranks[tuple(place)] = step
        taken.append(place)
        free &= ~_disc(ranks.shape, place, radius)


def _disc(size: tuple[int, ...], place: np.ndarray, radius: float) -> np.ndarray:
    """The places closer than ``radius`` to ``place``."""
    rows = (np.arange(size[0]) - place[0]) ** 2
    cols = (np.arange(size[1]) - place[1]) ** 2
    return rows[:, None] + cols[None] < radius**2


#: Every strategy by the name that a command or a lesson uses.
STRATEGIES: Mapping[str, type[Strategy]] = MappingProxyType(
    {
        "raster": Raster,
        "blocks": Blocks,
        "random": Random,
        "confidence": Confidence,
        "spaced": Spaced,
    }
)
