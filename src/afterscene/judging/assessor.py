"""Where the independent assessor of label fidelity comes from.

A folder that the user names, else the one that ships with the package, else one that is fitted here
on the real training split. A detector that saw a synthetic pair is refused: it may have learned the
generator's habits as if they were damage.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from afterscene import shipped
from afterscene.detectors import Detector, DetectorConfig, fit, load
from afterscene.errors import BadParameter, MissingFile
from afterscene.geodata.leaks import check_leaks
from afterscene.geodata.pair import LabelledPair, read_pairs
from afterscene.geodata.xbd import XbdTree

TRAIN, VAL = "train", "val"


def shipped_assessor() -> Path | None:
    """Folder of the detector in the package, None where none is shipped."""
    return shipped.models("detector").get("unet")


def find_assessor(folder: Path | None) -> tuple[Detector, str] | None:
    """The named or the shipped detector with its name; None where neither is there.

    Raises:
        MissingFile, BadWeights: see :func:`afterscene.detectors.load`.
        BadParameter: it was trained on synthetic pairs.
    """
    place = folder or shipped_assessor()
    if place is None:
        return None
    detector = load(place)
    synthetic = detector.provenance.get("pairs_synthetic", 0)
    if synthetic:
        raise BadParameter(
            f"assessor {place} was trained on {synthetic} synthetic pairs, so it is no independent "
            "judge; give one that was trained on real pairs alone"
        )
    return detector, place.name


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
    check_leaks(*([pair.fingerprint for pair in some] for some in (training, evaluated)))
    tree = XbdTree(xbd)
    validation = read_pairs(tree, VAL) if VAL in tree.splits and split != VAL else []
    return fit(
        config, training, seed=0, out=out, validation=validation, progress=lambda *_: advance(1)
    )
