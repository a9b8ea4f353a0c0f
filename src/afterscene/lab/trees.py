"""Compare on folders: real-only against real and synthetic in two orders, on one page.

The pairs of an xBD folder's training split are the first arm; with the pairs of the given
synthetic folders mixed in they are the second, with those seen first the third. Same
configuration, same seeds, same number of optimiser steps, scored on the real test split; see
:mod:`afterscene.lab.gain`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from afterscene.detectors import DetectorConfig
from afterscene.files import prepare_output
from afterscene.geodata.leaks import apart
from afterscene.geodata.pair import LabelledPair, read_pairs
from afterscene.lab.gain import GainPlan, GainProgress, GainResult, gain
from afterscene.lab.gain_report import gain_report, picture_rows, verdict
from afterscene.lab.runs import Arm
from afterscene.pages.gallery import gallery, real_posts
from afterscene.pages.report import write_report

REAL, BOTH, FIRST = "real", "real+synthetic", "synthetic-then-real"
ARMS = (REAL, BOTH, FIRST)


@dataclass(frozen=True, kw_only=True)
class Splits:
    """Which pairs of the real folder do what; without ``val`` nothing is calibrated.

    ``skip``: training pairs that would leak are left out.
    """

    train: str = "train"
    test: str = "test"
    val: str | None = None
    skip: bool = False


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """The pairs of a comparison, decoded and checked for leaks."""

    train: tuple[LabelledPair, ...]
    test: tuple[LabelledPair, ...]
    val: tuple[LabelledPair, ...]
    synthetic: tuple[LabelledPair, ...]


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What was measured, and the pairs it was measured with (for pictures)."""

    result: GainResult
    pairs: Loaded


def load_trees(real: Path, synthetic: Sequence[Path], splits: Splits = Splits()) -> Loaded:
    """Read all pairs before anything is written.

    Raises:
        MissingFile, UnknownName, BadImage, BadLabel: a folder, a split or a pair cannot be used.
        LeakFound: a test tile, its neighbour or its copy is among the training sources, and
            ``splits`` does not say that such pairs are to be skipped.
    """

    def kept(
        some: Sequence[LabelledPair], held_out: Sequence[LabelledPair]
    ) -> tuple[LabelledPair, ...]:
        prints, others = ([p.fingerprint for p in pairs] for pairs in (some, held_out))
        return tuple(some[index] for index in apart(prints, others, skip=splits.skip)[0])

    test = tuple(read_pairs(real, splits.test))
    val = kept(read_pairs(real, splits.val), test) if splits.val else ()
    made = [p for folder in synthetic for p in read_pairs(folder, synthetic=True)]
    return Loaded(
        train=kept(read_pairs(real, splits.train), (*test, *val)),
        test=test,
        val=val,
        synthetic=kept(made, (*test, *val)),
    )


def compare_pairs(
    pairs: Loaded,
    out: Path,
    *,
    config: DetectorConfig,
    seeds: Sequence[int],
    shown: int = 4,
    progress: GainProgress | None = None,
) -> Comparison:
    """Train all arms with every seed and score them; ``out`` keeps every run and goes on.

    Raises:
        BadParameter, OutputConflict: see :func:`afterscene.lab.gain`.
    """
    both = (*pairs.train, *pairs.synthetic)
    arms = [
        Arm(name=REAL, pairs=pairs.train),
        Arm(name=BOTH, pairs=both),
        Arm(name=FIRST, pairs=both, order="synthetic-first"),
    ]
    telling = sorted(pairs.test, key=lambda pair: -int((pair.target % 255 > 1).sum()))
    show = tuple(pair.id for pair in telling[:shown])
    plan = GainPlan(config=config, seeds=tuple(seeds), show=show)
    result = gain(plan, arms, pairs.test, out=out, validation=pairs.val, progress=progress)
    return Comparison(result=result, pairs=pairs)


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
    pairs = load_trees(real, synthetic, splits)
    settings = {
        "config": config.as_json(),
        "seeds": list(seeds),
        "splits": [splits.train, splits.test, splits.val],
        "synthetic": [folder.name for folder in synthetic],
    }
    prepare_output(out, "compare", run=settings, overwrite=overwrite)
    made = compare_pairs(pairs, out / "gain", config=config, seeds=seeds, progress=progress)
    rows = [row for folder in synthetic for row in gallery(folder, beside=real_posts(real))]
    names = ", ".join(folder.name for folder in synthetic)
    page = gain_report(
        made.result,
        title="Real pairs alone against real and synthetic pairs",
        pictures=[*rows, *picture_rows(made.result, pairs.test)],
        made=(
            f"Synthetic pairs: {names}; each folder's manifest.jsonl tells how a pair was made.",
        ),
    )
    report = write_report(page, out / "report.html")
    return verdict(made.result), {"report": str(report), **made.result.as_json()}
