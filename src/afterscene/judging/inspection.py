"""A damage detector as judge of generated scenes, and as the critic that chooses among sketches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from afterscene.detectors import Detector
from afterscene.detectors.objects import pool
from afterscene.errors import BadParameter, MissingFile
from afterscene.generators.checkpoint import weights_hash
from afterscene.generators.choosing import Choice
from afterscene.geodata.damage import Building, DamageMap, instances
from afterscene.geodata.scene import Scene
from afterscene.judging.assessor import find_assessor
from afterscene.judging.buildings import Assessor, building_table
from afterscene.judging.quality import QualityControl


@dataclass(frozen=True)
class DetectorJudge:
    """``judge(pre, post, damage)``: the detector's level of each given footprint."""

    detector: Assessor

    def __call__(self, pre: Scene, post: Scene, damage: DamageMap) -> np.ndarray:
        found = self.detector.predict(pre, post, footprints=damage.buildings)
        return building_table(found, damage.buildings, pre.shape)


@dataclass(frozen=True)
class DetectorCritic:
    """``critic(pre, post, buildings)``: the detector's probabilities of the levels, ``(n, 4)``.

    Those of its object head where it has one, else the mean over the footprint under its biases.
    """

    detector: Detector

    def __call__(
        self, pre: np.ndarray, post: np.ndarray, buildings: Sequence[Building]
    ) -> np.ndarray:
        scenes = (Scene.of_rgb(one) for one in (pre, post))
        found = self.detector.predict(*scenes, footprints=buildings)
        owner = instances(buildings, pre.shape[:2])
        sums = pool(found.probabilities, owner, len(buildings))  # pixels, nothing, four levels
        levels = np.maximum(sums[:, 2:6], 1e-6)
        if self.detector.objects is None:
            levels = levels * np.exp(self.detector.decision.level_bias)
        return np.asarray(levels / levels.sum(axis=1, keepdims=True))


def choice(sketches: int, critic: Path | None = None) -> Choice:
    """Choice among ``sketches`` by the detector in ``critic``, or by the one that ships.

    Raises:
        MissingFile: none ships, and no folder was given.
        BadParameter: the detector was trained on synthetic pairs; there is nothing to choose among.
    """
    detector, name = _detector(critic, "critic")
    told = f"{name} {_hash(detector)}"
    return Choice(critic=DetectorCritic(detector), name=told, sketches=sketches)


def choice_for(assessor: Detector, critic: Path) -> Choice:
    """A choice by the detector in ``critic`` for scenes that ``assessor`` is going to judge.

    Raises:
        MissingFile, BadWeights: see :func:`afterscene.detectors.load`.
        BadParameter: both are one detector, or the critic was trained on synthetic pairs.
    """
    made = choice(Choice.sketches, critic)
    if made.name.endswith(_hash(assessor)):
        raise BadParameter(
            f"critic {critic} is the assessor; a detector that chose the pictures cannot judge "
            "them: name another one, trained with another seed or of another kind"
        )
    return made


def quality_control(least: float, assessor: Path | None = None) -> QualityControl:
    """Control by the detector in ``assessor``, or by the one that ships.

    Raises:
        MissingFile: none ships, and no folder was given.
        BadParameter: ``least`` is no share, or the detector was trained on synthetic pairs.
    """
    detector, name = _detector(assessor, "assessor")
    return QualityControl(judge=DetectorJudge(detector), name=name, least=least)


def _hash(detector: Detector) -> str:
    return weights_hash(detector.network.state_dict())[:12]


def _detector(folder: Path | None, what: str) -> tuple[Detector, str]:
    found = find_assessor(folder)
    if found is None:
        raise MissingFile(f"no detector is shipped to judge the scenes; give --{what} FOLDER")
    return found
