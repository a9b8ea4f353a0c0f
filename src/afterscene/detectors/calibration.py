"""Chooses threshold, level biases and vote on a validation split, never on the test split.

The threshold maximises the localisation F1, from one histogram. The biases maximise the harmonic
mean of the four level F1s by coordinate ascent on a grid: four numbers from the pixels of many
thousand buildings, so there is little to overfit, yet the harmonic mean gains more from them than
from most changes of the network. Levels that the validation split lacks keep bias 0. If the mix of
levels at the target place is known, the validation pixels are weighted to that mix, and levels
below :data:`RARE` of it are left out of the mean (label shift, Saerens et al. 2002, Neural
Computation 14, 21-41: adjusting the posteriors of a classifier to another prior). F1 and harmonic
mean are those of :mod:`afterscene.metrics.xview2`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from afterscene.detectors.decision import Decision, vote
from afterscene.detectors.detector import Detector
from afterscene.geodata.damage import IGNORE
from afterscene.geodata.pair import LabelledPair
from afterscene.metrics.xview2 import f1, f1_of_table, harmonic_mean

BINS = 200
GRID = np.arange(-3.0, 3.01, 0.25)
ROUNDS = 3
#: One of so many building pixels is used; neighbouring pixels say the same.
STRIDE = 5
#: A level with a smaller share of the expected mix is not calibrated for.
RARE = 0.05
#: Shares of no damage, minor, major, destroyed.
Mix = tuple[float, float, float, float]


class _Seen(NamedTuple):
    """The network's output at assessed building pixels; levels as log-probabilities."""

    building: np.ndarray  # (n,)
    plain: np.ndarray  # (n, 4)
    voted: np.ndarray  # (n, 4)
    target: np.ndarray  # (n,) 1..4


def calibrate(
    detector: Detector, pairs: Sequence[LabelledPair], *, mix: Mix | None = None
) -> tuple[Decision, dict[str, float]]:
    """The decision with the best score on `pairs`, and its figures there (approximate).

    mix: expected shares of the four levels where the detector is used; None: those of `pairs`.
    """
    first, histogram = [], np.zeros((2, BINS))
    for pair in pairs:
        building, levels = detector.probabilities(pair.pre.rgb(), pair.post.rgb())
        histogram += _histogram(building, pair.known)
        first.append((building.astype(np.float16), levels.astype(np.float16)))
    threshold, located = best_threshold(histogram)
    parts = [
        _at_buildings(building.astype(np.float32), levels.astype(np.float32), target, threshold)
        for (building, levels), target in zip(first, (p.known for p in pairs), strict=True)
    ]
    target = np.concatenate([part.target for part in parts])
    found = np.concatenate([part.building for part in parts]) > threshold
    answers = []
    for voted in (True, False):
        scores = np.concatenate([part.voted if voted else part.plain for part in parts])
        bias, damage = best_bias(
            scores, target, found, None if mix is None else level_weights(target, mix)
        )
        answers.append((damage, voted, bias))
    damage, voted, bias = max(answers, key=lambda answer: answer[0])
    decision = Decision(threshold=threshold, level_bias=bias, vote=voted)
    figures = {"localization_f1": located, "damage_f1": damage}
    return decision, {k: round(v, 4) for k, v in figures.items()}


def best_threshold(histogram: np.ndarray) -> tuple[float, float]:
    """(threshold, F1) from (2, BINS) counts of background and building pixels by probability."""
    above = histogram[:, ::-1].cumsum(axis=1)[:, ::-1]
    figures = f1(above[1], histogram[1].sum(), above.sum(axis=0))
    index = int(np.clip(figures[1:].argmax() + 1, BINS // 20, BINS - BINS // 20))
    return index / BINS, float(figures[index])


def level_weights(target: np.ndarray, mix: Mix) -> np.ndarray:
    """(4,) weights that turn the shares of levels 1 to 4 in ``target`` into ``mix``."""
    shares = np.bincount(target, minlength=5)[1:5] / max(len(target), 1)
    return np.array(mix) / sum(mix) / np.maximum(shares, 1e-9)


def best_bias(
    scores: np.ndarray,
    target: np.ndarray,
    found: np.ndarray,
    weights: np.ndarray | None = None,
) -> tuple[tuple[float, float, float, float], float]:
    """(biases, harmonic mean of F1) for (n, 4) log-probabilities; `found` pixels are counted.

    The harmonic mean is over the levels in `target`, weighted by ``(4,)`` `weights`. The first
    level's bias stays 0, because adding one number to all four changes nothing.
    """
    bias = np.zeros(4, dtype=np.float32)
    best = harmonic_f1(scores, target, found, weights)
    for _ in range(ROUNDS):
        before = best
        for level in (1, 2, 3):
            if not (target == level + 1).any():
                continue
            for value in GRID:
                tried = bias.copy()
                tried[level] = value
                score = harmonic_f1(scores + tried, target, found, weights)
                if score > best:
                    best, bias = score, tried
        if best == before:
            break
    return (0.0, float(bias[1]), float(bias[2]), float(bias[3])), best


def harmonic_f1(
    scores: np.ndarray, target: np.ndarray, found: np.ndarray, weights: np.ndarray | None = None
) -> float:
    """Harmonic mean of the level F1s over the levels present in `target`, weighted pixels."""
    said = np.where(found, scores.argmax(axis=1) + 1, 0)
    table = np.bincount(target * 5 + said, minlength=25).reshape(5, 5).astype(np.float64)
    if weights is not None:
        table[1:] *= weights[:, None]
    there = table[1:].sum(axis=1)
    known = there > (0 if weights is None else RARE * there.sum())
    return float(harmonic_mean(f1_of_table(table)[known])) if known.any() else 0.0


def _histogram(building: np.ndarray, target: np.ndarray) -> np.ndarray:
    place = np.minimum((building * BINS).astype(np.int64), BINS - 1)
    counts = [
        np.bincount(place[mask], minlength=BINS)
        for mask in (target == 0, (target > 0) & (target != IGNORE))
    ]
    return np.stack(counts).astype(np.float64)


def _at_buildings(
    building: np.ndarray, levels: np.ndarray, target: np.ndarray, threshold: float
) -> _Seen:
    rows, cols = np.nonzero((target >= 1) & (target <= 4))
    rows, cols = rows[::STRIDE], cols[::STRIDE]
    voted = vote(levels, building > threshold)
    plain, voted = (
        np.log(np.maximum(p[:, rows, cols].T, 1e-6)).astype(np.float32) for p in (levels, voted)
    )
    return _Seen(building[rows, cols], plain, voted, target[rows, cols].astype(np.int64))
