"""Compare on folders: real-only against real + synthetic, on one page.

The pairs of an xBD folder's training split are the first arm; with the pairs of the given
synthetic folders they are the second. Same configuration, same seeds, same number of optimiser
steps, scored on the real test split; see :mod:`afterscene.experiments.gain`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from afterscene.detectors import DetectorConfig, TrainingPair, load_pairs
from afterscene.experiments.gain import GainPlan, GainProgress, GainResult, gain
from afterscene.experiments.gain_report import gain_report, picture_rows, verdict
from afterscene.experiments.gallery import gallery, real_posts
from afterscene.experiments.report import write_report
from afterscene.experiments.runs import Arm
from afterscene.files import prepare_output

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
    plan = GainPlan(
        config=config, seeds=tuple(seeds), show=tuple(pair.id for pair in telling[:shown])
    )
    result = gain(plan, arms, test, out=out, validation=val, progress=progress)
    return Comparison(result=result, evaluation=tuple(test), synthetic=tuple(made))


def compare_and_report(
    real: Path,
    synthetic: Sequence[Path],
    out: Path,
    *,
    config: DetectorConfig,
    seeds: Sequence[int],
    splits: Splits,
    overwrite: bool = False,
    progress: GainProgress | None = None,
) -> tuple[str, dict[str, Any]]:
    """Compare, write ``out/report.html``; returns the verdict and the figures as JSON values."""
    settings = {
        "config": config.as_json(),
        "seeds": list(seeds),
        "splits": [splits.train, splits.test, splits.val],
        "synthetic": [folder.name for folder in synthetic],
    }
    prepare_output(out, "compare", run=settings, overwrite=overwrite)
    made = compare_trees(
        real,
        synthetic,
        out / "gain",
        config=config,
        seeds=seeds,
        splits=splits,
        progress=progress,
    )
    rows = [row for folder in synthetic for row in gallery(folder, beside=real_posts(real))]
    page = gain_report(
        made.result,
        title="Real pairs alone against real and synthetic pairs",
        pictures=[*rows, *picture_rows(made.result, made.evaluation)],
        made=(
            f"Synthetic pairs: {', '.join(folder.name for folder in synthetic)}; each folder's "
            "manifest.jsonl tells how every pair was made.",
        ),
    )
    report = write_report(page, out / "report.html")
    return verdict(made.result), {"report": str(report), **made.result.as_json()}
