"""Label fidelity: does an independent damage assessor find the damage that was asked for?

The assessor, trained on real pairs alone, sees the real pre image and a candidate post image, and
gets the real footprints, so that only the levels are judged. Its answer is scored against the asked
levels by the pixel rules of xView2: F1 of each level over all tiles, and their harmonic mean (DF1).
RSEdit judges edits this way; the share of the way from no drawing at all (pre-as-post) to the real
post image, on the same tiles with the same assessor, takes the assessor's own mistakes out:

    gap closed = (F1 of ours - F1 of pre-as-post) / (F1 of real post - F1 of pre-as-post).

A level with fewer than 20 asked buildings is named and left out of the mean: one roof would decide
it. Whoever trains a generator against this assessor makes the figure worthless.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from afterscene.geodata.damage import LEVELS, Building, DamageLevel
from afterscene.geodata.scene import Scene
from afterscene.judging.buildings import Assessor, building_table
from afterscene.lab.candidates import Place
from afterscene.metrics.score import Confusion

FEWEST = 20
REPLICATES = 1000
CONFIDENCE = 0.95


@dataclass(frozen=True, kw_only=True)
class Recovered:
    """What the assessor found in one picture: pixel counts, and buildings asked by found (4, 4)."""

    pixels: Confusion
    buildings: np.ndarray

    def __add__(self, other: Recovered) -> Recovered:
        return Recovered(
            pixels=self.pixels + other.pixels, buildings=self.buildings + other.buildings
        )


def recover(assessor: Assessor, place: Place, post: Scene) -> Recovered:
    """Let the assessor judge one picture. Un-classified buildings are not counted."""
    found = assessor.predict(place.pre, post, footprints=place.buildings)
    pixels = Confusion().add(found.localization, found.damage, place.target)
    return Recovered(
        pixels=pixels, buildings=building_table(found, place.buildings, place.pre.shape)
    )


def asked_buildings(places: Sequence[Sequence[Building]]) -> dict[str, int]:
    """Buildings by level word over all places, un-classified ones too."""
    counts = {level.word: 0 for level in DamageLevel}
    for buildings in places:
        for building in buildings:
            if building.level is not None:
                counts[building.level.word] += 1
    return counts


def counted_levels(asked: Mapping[str, int], fewest: int = FEWEST) -> tuple[str, ...]:
    """Level words with at least `fewest` asked buildings."""
    return tuple(level.word for level in LEVELS if asked.get(level.word, 0) >= fewest)


def level_f1(pixels: Confusion) -> dict[str, float]:
    """F1 of each level word by the rules of xView2."""
    return dict(pixels.result().damage_f1_by_level)


def mean_f1(f1: Mapping[str, float], levels: Sequence[str]) -> float | None:
    """Harmonic mean over `levels` as xView2 takes it; None where there is no level."""
    if not levels:
        return None
    return len(levels) / sum(1 / (f1[word] + 1e-6) for word in levels)


def gap_figures(
    ours: Sequence[Recovered],
    floor: Sequence[Recovered],
    ceiling: Sequence[Recovered],
    levels: Sequence[str],
    *,
    seed: int = 0,
) -> dict[str, Any]:
    """Gap closed over the levels' mean, for each level, and its bootstrap interval over tiles.

    `gap_closed` is of the harmonic mean, which one level that is never found takes to 0;
    `gap_closed_plain` is of the plain mean of the same levels and says what the others do.
    The three sequences are of the same tiles in the same order. `interval` is the central 95% of
    1000 draws of tiles with replacement; draws that lose a level, or in which the ceiling is not
    above the floor, are thrown away, and where they are more than half it is None.
    """
    chosen = [k for k, level in enumerate(LEVELS) if level.word in levels]
    if not chosen:
        nothing = dict.fromkeys(("gap_closed", "gap_closed_plain", "interval"))
        return {**nothing, "by_level": {}, "tiles": len(ours)}
    tallies = [tally(s)[:, chosen] for s in (ours, floor, ceiling)]
    sums = [t.sum(axis=0) for t in tallies]
    gaps = _gaps(*(_f1(s)[None] for s in sums))
    by_level = {
        LEVELS[k].word: _known(_gaps(*(_f1(s)[None, n : n + 1] for s in sums))[0])
        for n, k in enumerate(chosen)
    }
    return {
        "gap_closed": _known(gaps[0]),
        "gap_closed_plain": _known(float(_share(*(_f1(s).mean() for s in sums)))),
        "by_level": by_level,
        "interval": _interval(tallies, seed),
        "tiles": len(ours),
    }


def tally(tiles: Sequence[Recovered]) -> np.ndarray:
    """(tiles, 4, 3) pixels of each level: found rightly, missed, found wrongly (xView2 rules)."""
    counts = np.stack([tile.pixels.counts for tile in tiles])[:, 1:5]  # (n, level, 2, 2, found)
    found = counts[:, :, :, 1].sum(axis=2)[..., 1:]
    right = np.diagonal(found, axis1=1, axis2=2)
    missed = counts.sum(axis=(2, 3, 4)) - right
    return np.stack([right, missed, found.sum(axis=1) - right], axis=2)


def _f1(sums: np.ndarray) -> np.ndarray:
    """(..., levels, 3) -> (..., levels)."""
    right, missed, wrong = np.moveaxis(sums.astype(np.float64), -1, 0)
    return 2 * right / np.maximum(2 * right + missed + wrong, 1)


def _gaps(ours: np.ndarray, floor: np.ndarray, ceiling: np.ndarray) -> np.ndarray:
    """(draws, levels) F1 three times -> (draws,) gap closed by the harmonic mean, NaN without."""
    means = (f1.shape[1] / (1 / (f1 + 1e-6)).sum(axis=1) for f1 in (ours, floor, ceiling))
    return _share(*means)


def _share(ours: np.ndarray, floor: np.ndarray, ceiling: np.ndarray) -> np.ndarray:
    """0 at the floor, 1 at the ceiling, NaN where that is not above the floor."""
    return (ours - floor) / np.where(ceiling > floor, ceiling - floor, np.nan)


def _interval(tallies: Sequence[np.ndarray], seed: int) -> list[float] | None:
    tiles = len(tallies[0])
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(tiles, np.full(tiles, 1 / tiles), size=REPLICATES)
    sums = [np.einsum("dt,tlk->dlk", drawn, t) for t in tallies]
    asked = sums[0][..., :2].sum(axis=2)
    gaps = _gaps(*(_f1(s) for s in sums))
    gaps = gaps[(asked > 0).all(axis=1) & np.isfinite(gaps)]
    if tiles < 2 or len(gaps) < REPLICATES // 2:
        return None
    tail = (1 - CONFIDENCE) / 2
    return [round(float(q), 4) for q in np.quantile(gaps, [tail, 1 - tail])]


def _known(value: float) -> float | None:
    return round(float(value), 4) if np.isfinite(value) else None
