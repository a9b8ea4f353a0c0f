"""Where the independent assessor of label fidelity comes from.

A folder that the user names, else the one that ships with the package, else one that is fitted here
on the real training split. A detector that saw a synthetic pair is refused: it may have learned the
generator's habits as if they were damage.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from afterscene import shipped
from afterscene.detectors import Detector, DetectorConfig, fit, load
from afterscene.errors import BadParameter, MissingFile
from afterscene.geodata.leaks import check_leaks
from afterscene.geodata.pair import read_pairs
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
    *,
    out: Path | None,
    config: DetectorConfig,
    advance: Callable[[int], None] = lambda _: None,
) -> Detector:
    """Train a detector on the real training split (``val``, if any, decides its thresholds).

    Raises:
        MissingFile: the folder has no training split.
        LeakFound: `split` overlaps with it.
    """
    splits = XbdTree(xbd).splits
    if TRAIN not in splits:
        raise MissingFile(
            f"{xbd} has no split {TRAIN!r} to train an assessor on; give --assessor FOLDER, such "
            "as `afterscene detect fit` writes"
        )
    pairs = read_pairs(xbd, TRAIN)
    evaluated = [pair.fingerprint for pair in XbdTree(xbd).pairs(split)]
    check_leaks([pair.fingerprint for pair in pairs], evaluated)
    validation = read_pairs(xbd, VAL) if VAL in splits and split != VAL else []
    return fit(
        config, pairs, seed=0, out=out, validation=validation, progress=lambda *_: advance(1)
    )
