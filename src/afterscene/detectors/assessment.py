"""An assessment on disk: counts by level, and a GeoPackage in the imagery's CRS."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import shapely
from affine import Affine

from afterscene.detectors.assess import Assessed
from afterscene.geodata.damage import LEVEL_WORDS
from afterscene.geodata.fit import applied
from afterscene.geodata.geopackage import write_geopackage
from afterscene.geodata.grid import Grid

LAYER, NOT_ASSESSED = "buildings", "not-assessed"


def word_of(one: Assessed) -> str:
    """The level's name, or ``not-assessed``."""
    return NOT_ASSESSED if one.level is None else one.level.word


def counts(found: Sequence[Assessed]) -> dict[str, int]:
    """Buildings of each level, including zeros, and those not assessed, if any."""
    seen = Counter(word_of(one) for one in found)
    return {**dict.fromkeys(LEVEL_WORDS, 0), **seen}


def write_layer(found: Sequence[Assessed], grid: Grid, path: Path, *, source: str) -> Path:
    """The GeoPackage, in the imagery's CRS; without a CRS in pixels, with y pointing up from 0."""
    outward = applied((grid.crs and grid.transform) or Affine.scale(1, -1))
    outlines = [shapely.transform(one.building.polygon, outward) for one in found]
    columns: dict[str, list[object]] = {
        "uid": [one.building.uid for one in found],
        "level": [word_of(one) for one in found],
    }
    for index, word in enumerate(LEVEL_WORDS):
        name = f"p_{word.replace('-', '_')}"
        columns[name] = [one.probabilities[index] if one.probabilities else None for one in found]
    columns["p_building"] = [one.located for one in found]
    return write_geopackage(
        path, LAYER, outlines, columns, crs=grid.crs, description=f"damage levels by {source}"
    )
