"""Which detector may choose among sketches in an evaluation."""

from __future__ import annotations

from pathlib import Path

from afterscene.detectors import Detector, load_assessor
from afterscene.errors import BadParameter
from afterscene.generators.choosing import Choice


def choice_for(assessor: Detector, critic: Path) -> Choice:
    """A choice by the detector in ``critic``, for scenes that ``assessor`` will score.

    Raises:
        MissingFile, BadWeights: see :func:`afterscene.detectors.load_detector`.
        BadParameter: both are the same detector, or the critic was trained on synthetic pairs.
    """
    detector, name = load_assessor(critic)
    if detector.hash == assessor.hash:
        raise BadParameter(
            f"critic {critic} is also the assessor, and a detector cannot score images that it "
            "chose; name another detector, trained with another seed or of another kind"
        )
    return Choice(critic=detector.building_levels, name=f"{name} {detector.hash[:12]}")
