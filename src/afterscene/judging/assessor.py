"""A damage detector as the judge of generated scenes.

Any detector with this protocol will do; :func:`afterscene.detectors.load_assessor` loads those of
the package.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from afterscene.geodata.damage import Building, DamageMap
from afterscene.geodata.scene import Scene
from afterscene.metrics.buildings import asked_and_found


class Levels(Protocol):
    """What an assessor sees: (H, W) uint8, 1 on buildings; (H, W) uint8, levels 1 to 4."""

    @property
    def localization(self) -> np.ndarray: ...

    @property
    def damage(self) -> np.ndarray: ...


@runtime_checkable
class Assessor(Protocol):
    """What judging needs from a detector."""

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
        return asked_and_found(damage.buildings, found.localization, found.damage)
