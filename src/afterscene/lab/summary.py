"""From the figures of all tiles to one record per candidate, as JSON values.

A level counts if its group (all tiles, a hazard, an event) requests at least 20 buildings of it;
the others are in ``levels_left_out`` with their number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any

import numpy as np

from afterscene.geodata.damage import LEVEL_WORDS
from afterscene.lab.candidates import CEILING, FLOOR, OURS
from afterscene.lab.fidelity import (
    FEWEST,
    Recovered,
    counted_levels,
    gap_figures,
)
from afterscene.lab.tilefigures import (
    TileFigures,
    likeness,
    outside_change,
    set_distances,
)
from afterscene.lab.woods import woods_figures
from afterscene.metrics.xview2 import harmonic_mean

OVERALL = "overall"
Tiles = Mapping[str, Sequence[TileFigures]]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Requested buildings by level word: in total, by hazard and by event."""

    buildings: Mapping[str, int]
    by_hazard: Mapping[str, Mapping[str, int]]
    by_event: Mapping[str, Mapping[str, int]]


def summarise(tiles: Tiles, asked: Asked, *, seed: int) -> dict[str, Any]:
    """All candidates; `label_fidelity_gap_closed` is the overall figure of ours-edit."""
    groups = {OVERALL: asked.buildings, **asked.by_hazard}
    gaps = {
        name: {
            group: _gap([tiles[n] for n in (name, FLOOR, CEILING)], group, counts, seed)
            for group, counts in groups.items()
        }
        for name in tiles
        if name not in (FLOOR, CEILING)
    }
    levels = counted_levels(asked.buildings)
    return {
        "label_fidelity_gap_closed": gaps[OURS[0]][OVERALL]["gap_closed"],
        "label_fidelity_gap_closed_of": gaps,
        "tiles": len(tiles[CEILING]),
        "buildings": dict(asked.buildings),
        "levels_counted": list(levels),
        "levels_left_out": left_out(asked.buildings),
        "fewest_buildings": FEWEST,
        "unclassified": "ignore",
        "by_hazard": {
            h: {"buildings": dict(c), "levels_counted": list(counted_levels(c))}
            for h, c in asked.by_hazard.items()
        },
        "candidates": {
            name: _candidate(found, tiles[CEILING], asked) for name, found in tiles.items()
        },
    }


def left_out(counts: Mapping[str, int]) -> dict[str, int]:
    """Level words that do not count, with their number of requested buildings."""
    counted = counted_levels(counts)
    return {word: counts.get(word, 0) for word in LEVEL_WORDS if word not in counted}


def _gap(
    sets: Sequence[Sequence[TileFigures]], group: str, counts: Mapping[str, int], seed: int
) -> dict[str, Any]:
    mine = [[t for t in s if group in (OVERALL, t.hazard)] for s in sets]
    ours, floor, ceiling = ([t.recovered for t in s] for s in mine)
    events = [t.event for t in mine[0]]
    return gap_figures(ours, floor, ceiling, counted_levels(counts), events=events, seed=seed)


def _of(hazard: str, *sets: Sequence[TileFigures]) -> list[list[TileFigures]]:
    """The tiles of one hazard from each set."""
    return [[t for t in one if t.hazard == hazard] for one in sets]


def _candidate(
    found: Sequence[TileFigures], real: Sequence[TileFigures], asked: Asked
) -> dict[str, Any]:
    return {
        **recovered_figures([t.recovered for t in found], asked.buildings),
        "by_hazard": {
            name: recovered_figures([t.recovered for t in found if t.hazard == name], counts)
            for name, counts in asked.by_hazard.items()
        },
        "by_event": {
            name: recovered_figures([t.recovered for t in found if t.event == name], counts)
            for name, counts in asked.by_event.items()
        },
        "distances": set_distances(found, real),
        "distances_by_hazard": {
            name: set_distances(*_of(name, found, real)) for name in asked.by_hazard
        },
        "woods": {
            name: woods_figures([t.woods for t in _of(name, found)[0]]) for name in asked.by_hazard
        },
        "unaffected_buildings": likeness(found),
        "outside_change": outside_change(found),
        "seconds_per_scene": round(float(np.mean([t.seconds[0] for t in found])), 3),
        "cpu_seconds_per_scene": round(float(np.mean([t.seconds[1] for t in found])), 3),
        "tiles": len(found),
    }


def recovered_figures(recovered: Sequence[Recovered], asked: Mapping[str, int]) -> dict[str, Any]:
    """F1 by level, their harmonic mean over the counted levels, and the table of buildings.

    `buildings_asked_found[i][j]`: buildings of requested level i + 1 found as j + 1;
    `buildings_recovered`: the share on the diagonal.
    """
    total = reduce(add, recovered)
    f1, counted = total.pixels.result().damage_f1_by_level, counted_levels(asked)
    mean = float(harmonic_mean(np.array([f1[word] for word in counted]))) if counted else None
    count = int(total.buildings.sum())
    return {
        "damage_f1": None if mean is None else round(mean, 4),
        "f1": {word: round(value, 4) for word, value in f1.items()},
        "levels_counted": list(counted),
        "levels_left_out": left_out(asked),
        "buildings_asked_found": total.buildings.tolist(),
        "buildings_recovered": round(float(np.trace(total.buildings)) / count, 4)
        if count
        else None,
        "buildings": count,
        "tiles": len(recovered),
    }
