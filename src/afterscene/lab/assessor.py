"""Who may choose the pictures that are judged."""

from __future__ import annotations

from pathlib import Path

from afterscene.detectors import Detector, load_assessor
from afterscene.errors import BadParameter
from afterscene.generators.choosing import Choice


def choice_for(assessor: Detector, critic: Path) -> Choice:
    """A choice by the detector in ``critic`` for scenes that ``assessor`` is going to judge.

    Raises:
        MissingFile, BadWeights: see :func:`afterscene.detectors.load_detector`.
        BadParameter: both are one detector, or the critic was trained on synthetic pairs.
    """
    detector, name = load_assessor(critic)
    if detector.hash == assessor.hash:
        raise BadParameter(
            f"critic {critic} is the assessor; a detector that chose the pictures cannot judge "
            "them: name another one, trained with another seed or of another kind"
        )
    return Choice(critic=detector.building_levels, name=f"{name} {detector.hash[:12]}")
