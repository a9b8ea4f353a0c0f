"""A damage detector as the judge of generated scenes (:mod:`afterscene.gbd.quality`)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from afterscene.errors import MissingFile
from afterscene.experiments.assessor import find_assessor
from afterscene.experiments.fidelity import Assessor, building_table
from afterscene.gbd.quality import QualityControl
from afterscene.geodata.damage import DamageMap
from afterscene.geodata.scene import Scene


@dataclass(frozen=True)
class DetectorJudge:
    """``judge(pre, post, damage)``: the detector's level of each given footprint."""

    detector: Assessor

    def __call__(self, pre: Scene, post: Scene, damage: DamageMap) -> np.ndarray:
        found = self.detector.predict(pre, post, footprints=damage.buildings)
        return building_table(found, damage.buildings, pre.shape)


def quality_control(least: float, assessor: Path | None = None) -> QualityControl:
    """Control by the detector in ``assessor``, or by the one that ships.

    Raises:
        MissingFile: none ships, and no folder was given.
        BadParameter: ``least`` is no share, or the detector was trained on synthetic pairs.
    """
    found = find_assessor(assessor)
    if found is None:
        raise MissingFile("no detector is shipped to judge the scenes; give --assessor FOLDER")
    detector, name = found
    return QualityControl(judge=DetectorJudge(detector), name=name, least=least)
