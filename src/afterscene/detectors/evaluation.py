"""Scores a detector on a set of labelled pairs, with all figures from one pass over the tiles.

Besides the official score: the same per event; the levels of whole buildings (each assessed
footprint gets the level of most of its detected pixels, so that a warehouse counts no more than a
shed); the 5 x 5 confusion of pixels; the calibration of the probabilities (expected calibration
error, Guo et al. 2017, arXiv 1706.04599: the mean gap between confidence and accuracy over ten
bins); and intervals (:mod:`afterscene.metrics.bootstrap`). Un-classified buildings, and pixels
where an image has no data, are left out everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from afterscene.detectors.detector import Detector
from afterscene.errors import MissingFile
from afterscene.geodata.damage import LEVEL_WORDS, layers
from afterscene.geodata.pair import LabelledPair, read_pair, with_post
from afterscene.geodata.xbd import Pair
from afterscene.metrics.bootstrap import resample
from afterscene.metrics.buildings import match_buildings
from afterscene.metrics.confusion import Confusion
from afterscene.metrics.xview2 import (
    FIGURES,
    all_undamaged,
    f1_of_table,
    figures,
    level_table,
    shown,
)

BINS = 10


@dataclass(frozen=True, kw_only=True)
class Tile:
    """The counts of one tile.

    counts: as in :class:`Confusion`; objects: (5, 5) buildings by true and predicted level; bins:
    (3, BINS) pixels, summed confidence and correct predictions by confidence.
    """

    event: str
    counts: np.ndarray
    objects: np.ndarray
    bins: np.ndarray


@dataclass(frozen=True, kw_only=True)
class DetectorScores:
    """Tiles and their sums; ``as_json`` is what ``afterscene detect score`` prints."""

    tiles: tuple[Tile, ...]

    def as_json(self) -> dict[str, Any]:
        """The official keys, then the rest."""
        counts = np.stack([tile.counts for tile in self.tiles])
        total = Confusion(counts=counts.sum(axis=0))
        undamaged = Confusion(counts=all_undamaged(total.counts))
        return {
            **total.result().as_json(),
            "all_undamaged_score": undamaged.result().score,
            "pairs": len(self.tiles),
            "events": {name: self._event(name) for name in sorted({t.event for t in self.tiles})},
            "objects": object_figures(sum_of(tile.objects for tile in self.tiles)),
            "confusion": confusion_json(level_table(total.counts)),
            "calibration": calibration(sum_of(tile.bins for tile in self.tiles)),
            "intervals": self.intervals(counts),
        }

    def _event(self, event: str) -> dict[str, Any]:
        mine = [tile for tile in self.tiles if tile.event == event]
        found = Confusion(counts=sum_of(tile.counts for tile in mine)).result()
        objects = object_figures(sum_of(tile.objects for tile in mine))
        return {**found.as_json(), "pairs": len(mine), "object_f1": objects["macro_f1"]}

    def intervals(self, counts: np.ndarray) -> dict[str, list[float]]:
        """Low and high of each official figure, from the bootstrap over tiles."""
        events = [tile.event for tile in self.tiles]
        spread = resample(shown(counts), events).spread(figures, counts[None])
        spans = zip(FIGURES, spread.intervals(), strict=True)
        return {name: [span.low, span.high] for name, span in spans}


def sum_of(parts: Iterable[np.ndarray]) -> np.ndarray:
    """The sum of arrays of the same shape."""
    return np.sum(list(parts), axis=0)


def score_pairs(
    detector: Detector,
    pairs: Sequence[Pair],
    *,
    flips: bool = False,
    advance: Callable[[int], None] = lambda _: None,
) -> DetectorScores:
    """Predict and score every pair that has a post image and a label or target.

    Raises:
        MissingFile: there is none.
        BadImage, BadLabel: a pair cannot be used.
    """
    tiles = []
    for pair in with_post(pairs):
        tiles.append(_tile(detector, read_pair(pair), flips))
        advance(1)
    if not tiles:
        raise MissingFile("no pair has a post image and its label; check the folder and the split")
    return DetectorScores(tiles=tuple(tiles))


def _tile(detector: Detector, pair: LabelledPair, flips: bool) -> Tile:
    found = detector.predict(pair.pre, pair.post, flips=flips)
    rasters = tuple(layers(pair.buildings, pair.shape))
    return Tile(
        event=pair.event,
        counts=Confusion().add(found.localization, found.damage, pair.known).counts,
        objects=match_buildings(rasters, np.array([0, *pair.levels]), found.target),
        bins=confidence_bins(found.probabilities[1:], pair.known),
    )


def object_figures(objects: np.ndarray) -> dict[str, Any]:
    """F1 of each level over buildings, their mean over the levels present, and the table."""
    f1, wanted = f1_of_table(objects), objects[1:].sum(axis=1)
    present = wanted > 0
    found = objects[1:, 1:].sum()
    return {
        "f1": {word: float(value) for word, value in zip(LEVEL_WORDS, f1, strict=True)},
        "macro_f1": float(f1[present].mean()) if present.any() else None,
        "found": int(found),
        "buildings": int(wanted.sum()),
        "invented": int(objects[0].sum()),
        "confusion": confusion_json(objects),
    }


def confusion_json(counts: np.ndarray) -> dict[str, dict[str, int]]:
    """(5, 5) counts as {true: {predicted: n}}; "none": no building, or not found."""
    words = ("none", *LEVEL_WORDS)
    return {
        true: {said: int(n) for said, n in zip(words, row, strict=True)}
        for true, row in zip(words, counts, strict=True)
    }


def confidence_bins(joint: np.ndarray, target: np.ndarray) -> np.ndarray:
    """(3, BINS) over assessed building pixels: count, summed confidence, number correct.

    `joint` (4, H, W) are the joint probabilities of building and level; the confidence is that of
    the most probable level, given that there is a building.
    """
    levels = joint[:, (target >= 1) & (target <= 4)]
    truth = target[(target >= 1) & (target <= 4)]
    share = levels / np.maximum(levels.sum(axis=0), 1e-9)
    sure, right = share.max(axis=0), share.argmax(axis=0) + 1 == truth
    place = np.minimum((sure * BINS).astype(int), BINS - 1)
    weights: tuple[np.ndarray | None, ...] = (None, sure, right.astype(float))
    return np.stack([np.bincount(place, w, minlength=BINS).astype(float) for w in weights])


def calibration(bins: np.ndarray) -> dict[str, Any]:
    """ECE of the network's level probabilities (before any threshold), and the bins."""
    count, sure, right = bins
    total = max(count.sum(), 1)
    rows: list[Mapping[str, float]] = [
        {"confidence": float(s / n), "accuracy": float(r / n), "pixels": int(n)}
        for n, s, r in zip(count, sure, right, strict=True)
        if n
    ]
    return {"ece": float(np.abs(sure - right).sum() / total), "bins": rows}
