"""Compare on folders: real-only against real + synthetic, on one page.

The pairs of an xBD folder's training split are the first arm; with the pairs of the given
synthetic folders they are the second. Same configuration, same seeds, same number of optimiser
steps, scored on the real test split; see :mod:`afterscene.experiments.gain`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from afterscene.detectors import DetectorConfig, TrainingPair, load_pairs
from afterscene.experiments.gain import GainProgress, GainResult, gain
from afterscene.experiments.runs import Arm

REAL, BOTH = "real", "real+synthetic"


@dataclass(frozen=True, kw_only=True)
class Splits:
    """Which pairs of the real folder do what; without ``val`` nothing is calibrated."""

    train: str = "train"
    test: str = "test"
    val: str | None = None


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What was measured, and the tiles it was measured on (for pictures)."""

    result: GainResult
    evaluation: tuple[TrainingPair, ...]
    synthetic: tuple[TrainingPair, ...]


def compare_trees(
    real: Path,
    synthetic: Sequence[Path],
    out: Path,
    *,
    config: DetectorConfig,
    seeds: Sequence[int],
    splits: Splits = Splits(),
    shown: int = 4,
    progress: GainProgress | None = None,
) -> Comparison:
    """Train both arms with every seed and score them; ``out`` keeps every run and goes on.

    Raises:
        MissingFile, UnknownName: a folder, a split or its pairs are not there.
        LeakFound: a test tile, or a near copy, is among the training sources.
        BadParameter, OutputConflict: see :func:`afterscene.experiments.gain`.
    """
    train = load_pairs(real, splits.train)
    test = load_pairs(real, splits.test)
    val = load_pairs(real, splits.val) if splits.val else []
    made = [pair for folder in synthetic for pair in load_pairs(folder, synthetic=True)]
    arms = [Arm(name=REAL, pairs=tuple(train)), Arm(name=BOTH, pairs=(*train, *made))]
    telling = sorted(test, key=lambda pair: -int((pair.target % 255 > 1).sum()))
    result = gain(
        arms,
        config,
        test,
        seeds=seeds,
        out=out,
        validation=val,
        show=[pair.id for pair in telling[:shown]],
        progress=progress,
    )
    return Comparison(result=result, evaluation=tuple(test), synthetic=tuple(made))
