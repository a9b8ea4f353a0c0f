"""Label fidelity: does an independent damage assessor find the requested damage?

The assessor, a detector trained on real pairs only, gets the real pre image, a candidate post image
and the real footprints, so only the levels are scored. Its levels are compared with the requested
ones by the pixel rules of xView2: F1 of each level over all tiles, and their harmonic mean (DF1).
RSEdit scores edits this way. Scaling between no change at all (pre-as-post) and the real post
image, on the same tiles with the same assessor, cancels the assessor's own mistakes:

    gap closed = (F1 of ours - F1 of pre-as-post) / (F1 of real post - F1 of pre-as-post).

A level with fewer than 20 requested buildings is named and left out of the mean, since single roofs
would decide it. The figure is worthless for a generator trained against this assessor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from afterscene.geodata.damage import LEVEL_WORDS, Building, DamageLevel
from afterscene.geodata.pair import LabelledPair
from afterscene.geodata.scene import Scene
from afterscene.judging.assessor import Assessor
from afterscene.metrics.bootstrap import Spread, resample
from afterscene.metrics.buildings import asked_and_found
from afterscene.metrics.confusion import Confusion
from afterscene.metrics.xview2 import f1_of_table, harmonic_mean, level_table, shown

FEWEST = 20


@dataclass(frozen=True, kw_only=True)
class Recovered:
    """The assessor's result on one image: pixel counts; (4, 4) buildings, requested by found."""

    pixels: Confusion
    buildings: np.ndarray

    def __add__(self, other: Recovered) -> Recovered:
        return Recovered(
            pixels=self.pixels + other.pixels, buildings=self.buildings + other.buildings
        )


def recover(assessor: Assessor, pair: LabelledPair, post: Scene) -> Recovered:
    """Assess one image. Un-classified buildings are not counted."""
    found = assessor.predict(pair.pre, post, footprints=pair.buildings)
    pixels = Confusion().add(found.localization, found.damage, pair.known)
    buildings = asked_and_found(pair.buildings, found.localization, found.damage)
    return Recovered(pixels=pixels, buildings=buildings)


def asked_buildings(places: Sequence[Sequence[Building]]) -> dict[str, int]:
    """Buildings by level word over all places, including un-classified ones."""
    counts = {level.word: 0 for level in DamageLevel}
    for buildings in places:
        for building in buildings:
            if building.level is not None:
                counts[building.level.word] += 1
    return counts


def counted_levels(asked: Mapping[str, int], fewest: int = FEWEST) -> tuple[str, ...]:
    """Level words with at least `fewest` requested buildings."""
    return tuple(word for word in LEVEL_WORDS if asked.get(word, 0) >= fewest)


def gap_figures(
    ours: Sequence[Recovered],
    floor: Sequence[Recovered],
    ceiling: Sequence[Recovered],
    levels: Sequence[str],
    *,
    events: Sequence[str],
    seed: int = 0,
) -> dict[str, Any]:
    """Gap closed for the mean of the levels and for each level, with an interval over tiles.

    `gap_closed` uses the harmonic mean, which is 0 if one level is never found;
    `gap_closed_plain` uses the arithmetic mean of the same levels. The three sequences belong to
    the same tiles in the same order, `events` too. `interval` is that of
    :mod:`afterscene.metrics.bootstrap`, without draws whose ceiling is not above the floor; it is
    None if these are more than half, or for a single tile.
    """
    chosen = [k for k, word in enumerate(LEVEL_WORDS) if word in levels]
    if not chosen:
        nothing = dict.fromkeys(("gap_closed", "gap_closed_plain", "interval"))
        return {**nothing, "by_level": {}, "tiles": len(ours)}
    counts = [np.stack([tile.pixels.counts for tile in tiles]) for tiles in (ours, floor, ceiling)]
    draws = resample(shown(counts[0])[:, chosen], events, seed=seed)
    spreads = [
        draws.spread(lambda c: f1_of_table(level_table(c))[..., chosen], one[None])
        for one in counts
    ]
    by_level = _share(*(one.value for one in spreads))
    drawn = _share(*(harmonic_mean(one.drawn) for one in spreads))
    return {
        "gap_closed": _known(_share(*(harmonic_mean(one.value) for one in spreads))),
        "gap_closed_plain": _known(_share(*(one.value.mean() for one in spreads))),
        "by_level": {LEVEL_WORDS[k]: _known(gap) for k, gap in zip(chosen, by_level, strict=True)},
        "interval": _interval(drawn) if len(ours) > 1 else None,
        "tiles": len(ours),
    }


def _share(ours: np.ndarray, floor: np.ndarray, ceiling: np.ndarray) -> np.ndarray:
    """0 at the floor, 1 at the ceiling; NaN where the ceiling is not above the floor."""
    return np.asarray((ours - floor) / np.where(ceiling > floor, ceiling - floor, np.nan))


def _interval(drawn: np.ndarray) -> list[float] | None:
    known = drawn[np.isfinite(drawn)]
    if 2 * len(known) < len(drawn):
        return None
    (span,) = Spread(value=np.zeros(1), drawn=known).intervals()
    return [round(span.low, 4), round(span.high, 4)]


def _known(value: np.ndarray) -> float | None:
    return round(float(value), 4) if np.isfinite(value) else None
