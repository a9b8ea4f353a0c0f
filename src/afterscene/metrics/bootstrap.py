"""Confidence intervals: one bootstrap, with one stratification, for every interval.

Two trainings that differ only in their seed differ by half a point of score, and two dozen test
tiles are few; a figure without an interval says little. Each replicate draws seeds with replacement
if there are several, and for every drawn seed as many tiles of each event as the event has (Efron
and Tibshirani 1993, chapter 6), since a set without one of its events is a different set. Arms,
candidates and figures that are compared share the same draws, so that difficult tiles and lucky
seeds cancel in their difference. A draw that loses a damage level, and with it the harmonic mean,
is repeated; how often is reported. The interval is the central share of the draws.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from afterscene.errors import BadParameter

REPLICATES = 1000
CONFIDENCE = 0.95
_REDRAWS = 200

#: From summed counts (..., 6, 2, 2, 5) to one or several figures (...) or (..., n).
Figure = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, kw_only=True)
class Interval:
    """``mean`` over seeds on all tiles; ``low``, ``high``: the central 95% of the bootstrap."""

    mean: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether the whole interval is on one side of 0."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, kw_only=True, eq=False)
class Spread:
    """A figure () or several (n,) on all tiles, and on each draw: (draws,) or (draws, n)."""

    value: np.ndarray
    drawn: np.ndarray

    def __sub__(self, other: "Spread") -> "Spread":
        return Spread(value=self.value - other.value, drawn=self.drawn - other.drawn)

    def intervals(self) -> list[Interval]:
        """One for each figure."""
        ends = np.quantile(self.drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2], axis=0)
        rows = (self.value.ravel().tolist(), *(end.ravel().tolist() for end in ends))
        return [Interval(mean=m, low=low, high=high) for m, low, high in zip(*rows, strict=True)]


@dataclass(frozen=True, kw_only=True, eq=False)
class Draws:
    """Drawn seeds (replicates, seeds), and how often each tile (replicates, seeds, tiles).

    `redrawn`: repeated draws (those that lost a level) per draw that is kept.
    """

    seeds: np.ndarray
    tiles: np.ndarray
    redrawn: float

    def sums(self, counts: np.ndarray) -> np.ndarray:
        """(replicates, seeds, ...) sums of (seeds, tiles, ...) counts over each draw's tiles."""
        flat = counts.reshape(*counts.shape[:2], -1).astype(np.float64)
        out = np.empty((*self.seeds.shape, flat.shape[2]))
        for run, values in enumerate(flat):
            mine = self.seeds == run
            out[mine] = self.tiles[mine] @ values
        return out.reshape(*self.seeds.shape, *counts.shape[2:])

    def spread(self, figure: Figure, counts: np.ndarray) -> Spread:
        """The figure of (seeds, tiles, 6, 2, 2, 5) counts, its mean over the seeds."""
        return Spread(
            value=figure(counts.sum(axis=1)).mean(axis=0),
            drawn=figure(self.sums(counts)).mean(axis=1),
        )


def resample(
    shown: np.ndarray,
    events: Sequence[str],
    *,
    seeds: int = 1,
    seed: int = 0,
    replicates: int = REPLICATES,
) -> Draws:
    """Draw seeds, then tiles within their event.

    Args:
        shown: (tiles, levels) pixels of each level that matters; see
            :func:`afterscene.metrics.xview2.shown`.
        events: The event of each tile.
        seeds: Number of runs of everything that is compared.
        seed: Seed of the draws.
        replicates: Number of draws.

    Raises:
        BadParameter: the events do not match the tiles, or there is nothing to draw.
    """
    if len(events) != len(shown) or min(len(events), seeds, replicates) < 1:
        raise BadParameter(
            f"{len(events)} events for {len(shown)} tiles, {seeds} seeds, {replicates} replicates; "
            "give one event per tile, and at least 1 of each"
        )
    rng, names = np.random.default_rng(seed), np.array(events)
    strata = [np.flatnonzero(names == event) for event in sorted(set(events))]
    which = rng.integers(seeds, size=(replicates, seeds))
    needed = shown[:, shown.sum(axis=0) > 0] > 0
    tiles = _draw(rng, strata, replicates * seeds)
    lost, again = _lost(tiles, needed), 0
    for _ in range(_REDRAWS):
        if not lost.any():
            break
        again += int(lost.sum())
        tiles[lost] = _draw(rng, strata, int(lost.sum()))
        lost = _lost(tiles, needed)
    tiles[lost] = 1
    return Draws(
        seeds=which, tiles=tiles.reshape(replicates, seeds, -1), redrawn=again / len(tiles)
    )


def _draw(rng: np.random.Generator, strata: Sequence[np.ndarray], count: int) -> np.ndarray:
    """(count, tiles): how often each tile was drawn; as many draws per stratum as it has tiles."""
    times = np.zeros((count, sum(map(len, strata))), np.int64)
    for part in strata:
        times[:, part] = rng.multinomial(len(part), [1 / len(part)] * len(part), count)
    return times


def _lost(tiles: np.ndarray, needed: np.ndarray) -> np.ndarray:
    return np.asarray((tiles @ needed == 0).any(axis=1))
