"""Requested against detected damage of a synthetic set, building by building.

A detector trained on real pairs only gets both images and the footprints and predicts a level for
each building. Where it agrees with the level that the hazard gave, the image shows what its label
says, as far as this detector can tell: it also makes mistakes on real pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from afterscene.detectors import Detector
from afterscene.gbd.dataset import Dataset, Entry
from afterscene.geodata.damage import LEVEL_WORDS
from afterscene.geodata.scene import Scene, read_scene, write_scene
from afterscene.metrics.buildings import asked_and_found

UNDAMAGED = 1  # rows and columns of a table that count as undamaged


@dataclass(frozen=True, kw_only=True)
class Opinion:
    """(4, 4) buildings by requested level (row) and found level (column), for each hazard.

    ``folder`` holds the found levels, ``{pair}.png`` with 0 off buildings and 1 to 4 on them.
    """

    folder: Path
    tables: Mapping[str, np.ndarray]

    @property
    def table(self) -> np.ndarray:
        """All hazards together."""
        return np.sum(list(self.tables.values()), axis=0)

    @property
    def sentence(self) -> str:
        """How often requested and found levels agree."""
        return (
            f"The shipped detector, trained on real pairs only, finds the requested damage level "
            f"on {share_same(self.table):.0%} of {self.table.sum():,} buildings. On "
            f"{share_damaged(self.table):.0%} it is right about whether there is any damage."
        )

    def seen(self, entry: Entry) -> np.ndarray:
        """(H, W) uint8 levels that were found in a pair."""
        return read_scene(self.folder / f"{entry.id}.png").pixels[0]

    def as_json(self) -> dict[str, Any]:
        """Counts by hazard, requested level and found level."""
        return {
            hazard: {
                asked: dict(zip(LEVEL_WORDS, row.tolist(), strict=True))
                for asked, row in zip(LEVEL_WORDS, table, strict=True)
            }
            for hazard, table in self.tables.items()
        }


def look(
    made: Path, detector: Detector, folder: Path, advance: Callable[[int], None] = lambda _: None
) -> Opinion:
    """Assess every pair of a finished set; earlier answers in ``folder`` are reused."""
    folder.mkdir(exist_ok=True)
    tables: dict[str, np.ndarray] = {}
    for entry in Dataset(made):
        path, buildings = folder / f"{entry.id}.png", entry.label.buildings
        if not path.is_file():
            assert entry.pre is not None  # a build has it
            pre, post = read_scene(entry.pre), read_scene(entry.post)
            said = detector.predict(pre, post, footprints=buildings).target
            write_scene(Scene(pixels=said[None], valid=np.ones(said.shape, bool)), path)
        seen = read_scene(path).pixels[0]
        table = asked_and_found(buildings, seen > 0, seen)
        tables[entry.row["hazard"]] = tables.get(entry.row["hazard"], 0) + table
        advance(1)
    return Opinion(folder=folder, tables=tables)


def share_same(table: np.ndarray) -> float:
    """Share of buildings found at the requested level; NaN without buildings."""
    return float(np.trace(table) / table.sum()) if table.sum() else float("nan")


def share_damaged(table: np.ndarray) -> float:
    """Share of buildings found damaged or undamaged as requested; NaN without buildings."""
    right = table[:UNDAMAGED, :UNDAMAGED].sum() + table[UNDAMAGED:, UNDAMAGED:].sum()
    return float(right / table.sum()) if table.sum() else float("nan")
