"""``afterscene evaluate generator``: what an independent assessor makes of generated pictures."""

from pathlib import Path
from typing import Annotated

import typer

from afterscene.cli.options import Model, OnError, OnErrorOption, Overwrite, Steps, Xbd
from afterscene.cli.output import Json, Output, Quiet, Seed, table

app = typer.Typer(
    help="Measure models against real pairs.", no_args_is_help=True, rich_markup_mode=None
)

AskedSplit = Annotated[str, typer.Option("--split", help="Split whose real levels are asked for.")]
AssessorDir = Annotated[
    Path | None,
    typer.Option(
        "--assessor",
        help="Detector trained on real pairs alone; default: the shipped one.",
    ),
]
CriticDir = Annotated[
    Path | None,
    typer.Option(
        "--critic",
        help="Another detector trained on real pairs alone; adds a row in which it chose among "
        "sketches of the damage.",
    ),
]
Limit = Annotated[
    int | None, typer.Option("--limit", min=1, help="Only so many tiles, spread over the split.")
]
SeamsToo = Annotated[
    bool,
    typer.Option("--seams", help="Also look for seams: one scene in several windows, minutes."),
]
KeepIn = Annotated[
    Path | None, typer.Option("--out", help="Folder for report.html and the rendered posts.")
]


@app.command("generator")
def generator(
    xbd: Xbd,
    split: AskedSplit,
    model: Model = "default",
    assessor: AssessorDir = None,
    critic: CriticDir = None,
    limit: Limit = None,
    seams: SeamsToo = False,
    out: KeepIn = None,
    seed: Seed = 0,
    on_error: OnErrorOption = OnError.fail,
    overwrite: Overwrite = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Ask a generator for the real damage of a split; compare with baselines and real posts.

    label_fidelity_gap_closed: 0 is the pre image as it was, 1 the real post image. With --out a
    run that was stopped goes on with the pictures it has. Tiles that the generator or a detector
    has seen end it; --on-error skip leaves them out.
    """
    from afterscene.gbd import load_generator
    from afterscene.lab.evaluation_plan import EvaluationPlan
    from afterscene.lab.evaluation_report import (
        evaluate_and_report,
        evaluation_table,
        verdict,
    )
    from afterscene.pages.render import figure

    output = Output(json=as_json, quiet=quiet)
    skip = on_error == OnError.skip
    plan = EvaluationPlan(xbd=xbd, split=split, limit=limit, seed=seed, seams=seams, skip=skip)
    made = evaluate_and_report(
        plan,
        load_generator(model),
        assessor=assessor,
        critic=critic,
        out=out,
        overwrite=overwrite,
        stage=output.progress,
    )
    found = evaluation_table(made.figures)
    rows = [[figure(cell) for cell in row] for row in found.rows]
    page = f"\nReport: {(out / 'report.html').resolve()}" if out else ""
    text = f"{found.caption}\n{table(found.columns, rows)}\n{verdict(made.figures)}{page}"
    output.result({"model": model, **made.figures}, text)


@app.command("layout")
def layout(
    xbd: Xbd,
    split: AskedSplit,
    model: Model = "layout",
    assessor: AssessorDir = None,
    limit: Limit = None,
    steps: Steps = None,
    seed: Seed = 0,
    on_error: OnErrorOption = OnError.fail,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Pre images drawn from footprints: how like real ones, and are the buildings found."""
    from afterscene import generators
    from afterscene.detectors import load_assessor
    from afterscene.lab.evaluation_plan import EvaluationPlan
    from afterscene.lab.features import default_features
    from afterscene.lab.layout_quality import evaluate_layout
    from afterscene.pages.render import figure

    output = Output(json=as_json, quiet=quiet)
    skip = on_error == OnError.skip
    judge, _ = load_assessor(assessor)
    figures = evaluate_layout(
        EvaluationPlan(xbd=xbd, split=split, limit=limit, seed=seed, skip=skip),
        generators.load(model, "layout"),
        judge,
        default_features(),
        steps=steps,
        stage=output.progress,
    )
    columns = ("pre image", "frechet", "kernel", "localization_f1")
    rows = [(name, *(figure(one[key]) for key in columns[1:])) for name, one in figures.items()]
    output.result({"model": model, "split": split, "candidates": figures}, table(columns, rows))
