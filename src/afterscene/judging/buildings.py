"""What a detector says of the buildings whose damage was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from afterscene.detectors import Prediction
from afterscene.geodata.damage import Building, DamageLevel, instances
from afterscene.geodata.scene import Scene


class Assessor(Protocol):
    """What fidelity needs of a detector."""

    def predict(
        self, pre: Scene, post: Scene, *, footprints: Sequence[Building] | None = None
    ) -> Prediction:
        """Levels of the given footprints."""


def building_table(
    found: Prediction, buildings: Sequence[Building], shape: tuple[int, int]
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
