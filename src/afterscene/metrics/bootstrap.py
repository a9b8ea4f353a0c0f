"""A mean over seeds, and how far it may be trusted: the paired bootstrap over seeds and tiles.

Two trainings that differ only in their seed differ by half a point of score, and 24 test tiles are
few; a gain without an interval says nothing. Each replicate draws seeds with replacement, and for
every drawn seed tiles with replacement (Efron and Tibshirani 1993, chapter 6), the same ones for
every arm, so that hard tiles and lucky seeds cancel in the difference. The interval is the central
share of the replicates' differences. Tiles are drawn within their event, because a set without its
volcano is another set; a draw that loses a whole damage level, and with it the harmonic mean, is
drawn again, and how often is reported.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from afterscene.errors import BadParameter
from afterscene.metrics.score import Confusion

_REDRAWS = 200


@dataclass(frozen=True, kw_only=True)
class Interval:
    """mean over seeds on all tiles; low and high: the bootstrap's central `confidence`."""

    mean: float
    low: float
    high: float
    confidence: float

    @property
    def excludes_zero(self) -> bool:
        """True where the whole interval lies on one side of 0."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Scores of each arm and their differences to the first; redrawn: lost levels, per draw."""

    scores: tuple[Interval, ...]
    gains: tuple[Interval, ...]
    redrawn: float


def score(counts: np.ndarray) -> float:
    """The official score of summed counts."""
    return Confusion(counts=counts).result().score


def compare(
    counts: np.ndarray,
    events: Sequence[str],
    *,
    seed: int,
    replicates: int = 1000,
    confidence: float = 0.95,
    figure: Callable[[np.ndarray], float] = score,
    levels: Sequence[int] = (1, 2, 3, 4),
) -> Comparison:
    """Intervals for (arms, seeds, tiles, ...) pixel counts as :class:`Confusion` keeps them.

    `figure` is what is compared, a function of summed counts; a draw of tiles has to show each of
    `levels` (1 to 4) that all tiles show.
    `events` names the event of each tile. Raises BadParameter for shapes that do not fit.
    """
    arms, seeds, tiles = counts.shape[:3]
    if len(events) != tiles or not 0 < confidence < 1 or replicates < 1:
        raise BadParameter(
            f"{len(events)} events for {tiles} tiles, {replicates} replicates, confidence "
            f"{confidence}; give one event a tile, at least 1 replicate, and 0 < confidence < 1"
        )
    rng = np.random.default_rng(seed)
    whole = np.array([[figure(run.sum(axis=0)) for run in arm] for arm in counts])
    drawn, again = np.empty((replicates, arms)), 0
    strata = [np.flatnonzero(np.array(events) == event) for event in sorted(set(events))]
    needed = _levels(counts[0, 0].sum(axis=0)) & np.isin(np.arange(1, 5), levels)
    for replicate in range(replicates):
        total = np.zeros((arms, seeds))
        for place in range(seeds):
            which = int(rng.integers(seeds))
            subset, tries = _draw_tiles(rng, strata, counts[0, 0], needed)
            again += tries
            for arm in range(arms):
                total[arm, place] = figure(counts[arm, which][subset].sum(axis=0))
        drawn[replicate] = total.mean(axis=1)
    means = whole.mean(axis=1)
    return Comparison(
        scores=tuple(_interval(means[a], drawn[:, a], confidence) for a in range(arms)),
        gains=tuple(
            _interval(means[a] - means[0], drawn[:, a] - drawn[:, 0], confidence)
            for a in range(arms)
        ),
        redrawn=again / (replicates * seeds),
    )


def _levels(counts: np.ndarray) -> np.ndarray:
    """(4,) bool: levels of which the target has a pixel."""
    return counts[1:5].sum(axis=(1, 2, 3)) > 0


def _draw_tiles(
    rng: np.random.Generator, strata: list[np.ndarray], counts: np.ndarray, needed: np.ndarray
) -> tuple[np.ndarray, int]:
    """Tile indices, as many from each stratum as it has, and how many draws were thrown away."""
    for tries in range(_REDRAWS):
        subset = np.concatenate([rng.choice(part, size=len(part)) for part in strata])
        if (_levels(counts[subset].sum(axis=0)) >= needed).all():
            return subset, tries
    return np.concatenate(strata), _REDRAWS


def _interval(mean: float, draws: np.ndarray, confidence: float) -> Interval:
    low, high = np.quantile(draws, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(mean=float(mean), low=float(low), high=float(high), confidence=confidence)
