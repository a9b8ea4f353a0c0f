"""A :class:`GainResult` and its pictures as a :class:`Report`; every figure as it was measured."""

from collections.abc import Mapping, Sequence

import numpy as np

from afterscene.geodata.pair import LabelledPair
from afterscene.lab.gain import GainResult
from afterscene.metrics.bootstrap import Interval
from afterscene.pages.pictures import busiest_window, paint_damage
from afterscene.pages.plots import Chart
from afterscene.pages.report import Picture, PictureRow, Report, Section, Table

COLUMNS = (
    "arm",
    "real pairs",
    "synthetic pairs",
    "score",
    "interval",
    "gain",
    "interval of the gain",
    "localisation F1",
    "damage F1",
    "no damage",
    "minor",
    "major",
    "destroyed",
)
_LEVEL_KEYS = ("no_damage", "minor_damage", "major_damage", "destroyed")


def gain_report(
    result: GainResult,
    *,
    title: str,
    pictures: Sequence[PictureRow] = (),
    made: Sequence[str] = (),
    notes: Sequence[Section] = (),
) -> Report:
    """The page of one experiment. `made` tells how the pairs came about, one paragraph each."""
    method = Section(title="How it was measured", paragraphs=_method(result))
    origin = (Section(title="How it was made", paragraphs=tuple(made)),) if made else ()
    return Report(
        title=title,
        summary=(verdict(result),),
        charts=(
            Chart(
                caption="xView2 score of each arm: mean over the seeds with its interval; rings "
                "are single seeds",
                names=tuple(arm.name for arm in result.arms),
                intervals=tuple(arm.score for arm in result.arms),
                points=tuple(arm.per_seed for arm in result.arms),
            ),
        ),
        tables=(gain_table(result),),
        pictures=tuple(pictures),
        notes=(*origin, method, *notes),
    )


def verdict(result: GainResult) -> str:
    """One sentence per further arm: gain, interval, and whether it differs from nothing."""
    first = result.arms[0]
    said = [f"{first.name} scores {first.score.mean:.3f}."]
    for arm in result.arms[1:]:
        span = arm.gain
        if not span.excludes_zero:
            meaning = "the interval contains 0, so no difference is shown"
        else:
            meaning = "better" if span.mean > 0 else "worse"
            meaning = f"{meaning}, and the interval excludes 0"
        said.append(
            f"{arm.name} scores {arm.score.mean:.3f}, a difference of {span.mean:+.3f} "
            f"({_range(span, signed=True)}): {meaning}."
        )
    return " ".join(said)


def gain_table(result: GainResult) -> Table:
    """One row per arm, and the reference that calls every building undamaged."""
    rows: list[tuple[str | int | float, ...]] = []
    for number, arm in enumerate(result.arms):
        rows.append(
            (
                arm.name,
                arm.pairs_real,
                arm.pairs_synthetic,
                arm.score.mean,
                _range(arm.score),
                f"{arm.gain.mean:+.3f}" if number else "",
                _range(arm.gain, signed=True) if number else "",
                *_figures(arm.figures),
            )
        )
    reference = result.all_undamaged
    rows.append(
        ("every building undamaged", "", "", reference["score"], "", "", "", *_figures(reference))
    )
    return Table(
        caption=f"xView2 score on {result.tiles} tiles, mean over {len(result.seeds)} seeds; "
        "the last columns are the F1 of each damage level",
        columns=COLUMNS,
        rows=tuple(rows),
    )


def picture_rows(
    result: GainResult,
    evaluation: Sequence[LabelledPair],
    *,
    size: int = 512,
) -> list[PictureRow]:
    """pre | true damage | each arm's answer (first seed) | post, where predictions were kept."""
    rows = []
    firsts = [run for run in result.runs if run.seed == result.seeds[0]]
    for pair in evaluation:
        if any(pair.id not in run.damage for run in firsts):
            continue
        rows_, cols_ = busiest_window(pair.target, size)
        pre = pair.pre.rgb()[rows_, cols_]
        pictures = [
            Picture(caption="pre", pixels=pre),
            Picture(caption="true damage", pixels=paint_damage(pair.target[rows_, cols_], pre)),
        ]
        for run in firsts:
            seen = paint_damage(run.damage[pair.id][rows_, cols_], pre)
            pictures.append(Picture(caption=f"detector: {run.arm}", pixels=seen))
        pictures.append(Picture(caption=_post_caption(pair), pixels=pair.post.rgb()[rows_, cols_]))
        rows.append(PictureRow(title=pair.id, pictures=tuple(pictures)))
    return rows


def pair_row(
    title: str,
    pre: np.ndarray,
    target: np.ndarray,
    synthetic: np.ndarray,
    real: np.ndarray | None = None,
    *,
    text: str = "",
) -> PictureRow:
    """pre | damage map | synthetic post | real post (where there is one), all (H, W, 3) uint8."""
    pictures = [
        Picture(caption="pre", pixels=pre),
        Picture(caption="damage map", pixels=paint_damage(target, pre)),
        Picture(caption="synthetic post", pixels=synthetic),
    ]
    if real is not None:
        pictures.append(Picture(caption="real post", pixels=real))
    return PictureRow(title=title, pictures=tuple(pictures), text=text)


def _post_caption(pair: LabelledPair) -> str:
    return "synthetic post" if pair.synthetic else "real post"


def _figures(figures: Mapping[str, float]) -> tuple[float, ...]:
    keys = ("localization_f1", "damage_f1", *(f"damage_f1_{level}" for level in _LEVEL_KEYS))
    return tuple(figures[key] for key in keys)


def _range(span: Interval, *, signed: bool = False) -> str:
    form = "+.3f" if signed else ".3f"
    return f"{span.low:{form}} to {span.high:{form}}"


def _method(result: GainResult) -> tuple[str, ...]:
    first = result.runs[0].provenance
    said = [
        f"Each arm was trained {len(result.seeds)} times (seeds "
        f"{', '.join(str(seed) for seed in result.seeds)}) with the same configuration, "
        f"{first.get('steps')} optimiser steps each, and scored on the same {result.tiles} tiles "
        "by the official xView2 rules: 0.3 x localisation F1 + 0.7 x harmonic mean of the four "
        "levels' F1. Pixels of un-classified buildings are ignored.",
        "Intervals are the central 95% of a paired bootstrap over seeds and tiles, "
        "tiles drawn within their event, the same draws for every arm. "
        f"{result.redrawn:.2f} draws per kept one lost a damage level and were drawn again.",
        "Before training, ids and perceptual hashes of all training sources were checked against "
        "the evaluation tiles.",
    ]
    if result.absent_levels:
        said.append(
            f"These tiles have no pixel of: {', '.join(result.absent_levels)}. Its F1 is then 0 by "
            "the official rule, and the harmonic mean nearly so."
        )
    if result.tiles_synthetic:
        said.append(
            f"{result.tiles_synthetic} of the {result.tiles} evaluation tiles are themselves "
            "synthetic: the figures say nothing about real scenes."
        )
    return tuple(said)
