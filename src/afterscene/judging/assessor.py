"""A damage detector as the judge of generated scenes: what it says of the asked buildings.

Any detector that keeps the protocol serves; those of the package are found by
:func:`afterscene.detectors.load_assessor`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from afterscene.geodata.damage import Building, DamageLevel, DamageMap, instances
from afterscene.geodata.scene import Scene


class Levels(Protocol):
    """What an assessor sees: (H, W) uint8, 1 on buildings; (H, W) uint8, levels 1 to 4."""

    @property
    def localization(self) -> np.ndarray: ...

    @property
    def damage(self) -> np.ndarray: ...


@runtime_checkable
class Assessor(Protocol):
    """What judging needs of a detector."""

    def predict(
        self, pre: Scene, post: Scene, *, footprints: Sequence[Building] | None = None
    ) -> Levels:
        """Levels of the given footprints."""


@dataclass(frozen=True)
class AssessorJudge:
    """``judge(pre, post, damage)``: the assessor's level of each given footprint."""

    assessor: Assessor

    def __call__(self, pre: Scene, post: Scene, damage: DamageMap) -> np.ndarray:
        found = self.assessor.predict(pre, post, footprints=damage.buildings)
        return building_table(found, damage.buildings, pre.shape)


def building_table(
    found: Levels, buildings: Sequence[Building], shape: tuple[int, int]
) -> np.ndarray:
    """Buildings by asked (rows) and found level: (4, 4) int64; found is what most pixels say."""
    table = np.zeros((4, 4), np.int64)
    owner = instances(buildings, shape)
    seen = (owner > 0) & (found.localization > 0)
    votes = np.zeros((len(buildings) + 1, 5), np.int64)
    np.add.at(votes, (owner[seen], found.damage[seen]), 1)
    for number, building in enumerate(buildings, 1):
        level = building.level
        if level is None or level == DamageLevel.UNCLASSIFIED or not votes[number].any():
            continue
        table[int(level) - 1, int(votes[number, 1:].argmax())] += 1
    return table
