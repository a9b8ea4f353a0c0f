"""Who judges an evaluation where none is named, and who may choose the pictures that are judged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from afterscene.detectors import Detector, DetectorConfig, fit, load_assessor
from afterscene.errors import BadParameter, MissingFile
from afterscene.generators.choosing import Choice
from afterscene.geodata.leaks import check_leaks
from afterscene.geodata.pair import LabelledPair, read_pairs
from afterscene.geodata.xbd import XbdTree

TRAIN, VAL = "train", "val"


def choice_for(assessor: Detector, critic: Path) -> Choice:
    """A choice by the detector in ``critic`` for scenes that ``assessor`` is going to judge.

    Raises:
        MissingFile, BadWeights: see :func:`afterscene.detectors.load`.
        BadParameter: both are one detector, or the critic was trained on synthetic pairs.
    """
    found = load_assessor(critic)
    assert found is not None
    detector, name = found
    if detector.hash == assessor.hash:
        raise BadParameter(
            f"critic {critic} is the assessor; a detector that chose the pictures cannot judge "
            "them: name another one, trained with another seed or of another kind"
        )
    return Choice(critic=detector.building_levels, name=f"{name} {detector.hash[:12]}")


def fit_assessor(
    xbd: Path,
    split: str,
    training: Sequence[LabelledPair],
    evaluated: Sequence[LabelledPair],
    *,
    out: Path | None,
    config: DetectorConfig,
    advance: Callable[[int], None] = lambda _: None,
) -> Detector:
    """Train a detector on the real training split (``val``, if any, decides its thresholds).

    Args:
        xbd: The folder of the pairs.
        split: What it will judge, ``evaluated``.
        training: The pairs of its split ``train``.
        evaluated: No pair of ``training`` may be one of these, lie beside one or be a copy of one.
        out: Where it is kept; None: nowhere.
        config: What is trained.
        advance: Called after each step.

    Raises:
        MissingFile: the folder has no training split.
        LeakFound: `evaluated` overlaps with it.
    """
    if not training:
        raise MissingFile(
            f"{xbd} has no split {TRAIN!r} to train an assessor on; give --assessor FOLDER, such "
            "as `afterscene detect fit` writes"
        )
    tree = XbdTree(xbd)
    validation = read_pairs(tree, VAL) if VAL in tree.splits and split != VAL else []
    learned = [pair.fingerprint for pair in (*training, *validation)]
    check_leaks(learned, [pair.fingerprint for pair in evaluated])
    made = fit(config, training, seed=0, validation=validation, progress=lambda *_: advance(1))
    if out is not None:
        made.save(out)
    return made
