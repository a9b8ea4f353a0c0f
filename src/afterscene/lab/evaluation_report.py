"""The figures of an :class:`Evaluation` as a text table and as one HTML page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from afterscene import shipped
from afterscene.detectors import load_assessor
from afterscene.files import write_atomic, write_json
from afterscene.gbd.generator import Generator
from afterscene.geodata.damage import LEVEL_WORDS
from afterscene.lab.assessor import choice_for
from afterscene.lab.candidates import CEILING, FLOOR
from afterscene.lab.evaluation import Evaluation, evaluate, prepare
from afterscene.lab.evaluation_plan import EvaluationPlan, Stage, held_out, silent
from afterscene.lab.features import default_features
from afterscene.metrics.bootstrap import Interval
from afterscene.pages.plots import Chart, require_matplotlib
from afterscene.pages.render import NOTHING, render
from afterscene.pages.report import Cell, Report, Table

#: Column -> path to its number in the figures of a candidate.
COLUMNS: dict[str, tuple[str, ...]] = {
    "damage F1": ("damage_f1",),
    **{f"F1 {word}": ("f1", word) for word in LEVEL_WORDS},
    "recovered": ("buildings_recovered",),
    "Fréchet": ("distances", "all", "frechet"),
    "Fréchet, damaged": ("distances", "damaged", "frechet"),
    "kernel": ("distances", "all", "kernel"),
    "kernel, damaged": ("distances", "damaged", "kernel"),
    "perceptual": ("distances", "all", "perceptual"),
    "SSIM to real": ("unaffected_buildings", "to_real", "ssim"),
    "PSNR to real": ("unaffected_buildings", "to_real", "psnr"),
    "SSIM to pre": ("unaffected_buildings", "to_pre", "ssim"),
    "changed outside": ("outside_change", "share"),
    "s/scene": ("seconds_per_scene",),
    "CPU s/scene": ("cpu_seconds_per_scene",),
}
RESULTS, PAGE = "results.json", "report.html"
TEMPLATES = Path(__file__).parent / "templates"


def evaluate_and_report(
    plan: EvaluationPlan,
    generator: Generator,
    *,
    assessor: Path | None = None,
    critic: Path | None = None,
    out: Path | None = None,
    overwrite: bool = False,
    stage: Stage = silent,
) -> Evaluation:
    """Evaluate; with `out`, also write ``out/report.html`` and ``out/results.json``.

    `assessor` is the folder of a detector; None: the shipped one. `critic` is the folder of
    another one, for a row with chosen sketches.

    Raises:
        LeakFound: a model was trained on a tile of the split, or has no list of its tiles.
        AftersceneError: by the leaf that fits.
    """
    if out is not None:
        require_matplotlib()
    judge, name = load_assessor(assessor)
    folders = (getattr(generator, "folder", None), critic)
    seen = {str(folder): shipped.seen(folder) for folder in folders if folder}
    seen[name] = judge.provenance.get("tiles")
    plan = held_out(plan, seen)
    if out is not None:
        prepare(plan, generator, out, overwrite=overwrite)
    chosen = choice_for(judge, critic) if critic is not None else None
    space = default_features()
    made = evaluate(plan, generator, judge, space=space, choice=chosen, out=out, stage=stage)
    about = {"folder": name, **judge.provenance}
    made = replace(made, figures={**made.figures, "assessor": about})
    if out is not None:
        write_json(out / RESULTS, dict(made.figures))
        write_atomic(out / PAGE, evaluation_page(made).encode())
    return made


def evaluation_table(figures: Mapping[str, Any]) -> Table:
    """One row per candidate, floor first, ceiling last."""
    crops = next(iter(figures["candidates"].values()))["distances"]
    counts = [str(crops[k]["crops"]) if crops[k] else "no" for k in ("all", "damaged")]
    return Table(
        caption=(
            f"{figures['tiles']} tiles of split {figures['xbd_split']}; F1 of the damage that the "
            f"assessor finds, mean over {', '.join(figures['levels_counted']) or 'no level'}; "
            f"distances to the real posts on {counts[0]} crops ({counts[1]} damaged) in "
            f"{figures['feature_space'] or 'no feature space'}"
        ),
        columns=("candidate", "gap closed", *COLUMNS),
        rows=tuple(_row(figures, name) for name in figures["candidates"]),
    )


def _row(figures: Mapping[str, Any], name: str) -> tuple[Cell, ...]:
    found = figures["candidates"][name]
    cells = {column: _value(found, path) for column, path in COLUMNS.items()}
    if found["unaffected_buildings"]["to_real"]["exact"]:
        cells["PSNR to real"] = "equal"
    return (name, _gap(figures, name, "overall"), *cells.values())


def _value(found: Any, path: Sequence[str]) -> Cell:
    for key in path:
        found = found and found.get(key)
    return found


def _gap(figures: Mapping[str, Any], name: str, group: str) -> float | None:
    if name in (FLOOR, CEILING):
        return float(name == CEILING)
    return figures["label_fidelity_gap_closed_of"][name][group]["gap_closed"]


def _span(figures: Mapping[str, Any], name: str, group: str) -> str:
    gaps = figures["label_fidelity_gap_closed_of"].get(name)
    span = gaps[group]["interval"] if gaps else None
    return NOTHING if span is None else f"{span[0]:.3f} to {span[1]:.3f}"


def evaluation_page(evaluation: Evaluation) -> str:
    """The page: verdict, intervals, tables, pictures and method."""
    figures = evaluation.figures
    report = Report(
        title="Generated post-disaster images against real ones",
        summary=(verdict(figures),),
        charts=_chart(figures),
        tables=(evaluation_table(figures),),
        pictures=evaluation.pictures,
    )
    return render(
        "evaluation.html",
        folder=TEMPLATES,
        report=report,
        figures=figures,
        levels=LEVEL_WORDS,
        gap=partial(_gap, figures),
        interval=partial(_span, figures),
    )


def _chart(figures: Mapping[str, Any]) -> tuple[Chart, ...]:
    gaps = {n: g["overall"] for n, g in figures["label_fidelity_gap_closed_of"].items()}
    known = {n: g for n, g in gaps.items() if g["gap_closed"] is not None and g["interval"]}
    if not known:
        return ()
    spans = tuple(
        Interval(
            mean=gap["gap_closed"],
            low=gap["interval"][0],
            high=gap["interval"][1],
        )
        for gap in known.values()
    )
    caption = "Share of the gap between pre-as-post (0) and real post (1), with interval over tiles"
    return (Chart(caption=caption, names=tuple(known), intervals=spans),)


def verdict(figures: Mapping[str, Any]) -> str:
    """How much of the gap the generator closes, one sentence per mode."""
    said = []
    for name in ("ours-edit", "ours-reacquire"):
        gaps = figures["label_fidelity_gap_closed_of"][name]
        parts = [
            f"{group} {gap['gap_closed']:.3f} ({_span(figures, name, group)})"
            for group, gap in gaps.items()
            if gap["gap_closed"] is not None
        ]
        told = ", ".join(parts) or "none: the real post images score no higher than the pre images"
        said.append(f"Share of the gap in label fidelity that {name} closes: {told}.")
    return " ".join(said)
