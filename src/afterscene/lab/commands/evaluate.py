"""``afterscene evaluate generator|layout|words``: generated images measured against real ones."""

from pathlib import Path
from typing import Annotated

import typer

from afterscene.cli.options import (
    Mode,
    Model,
    ModeOption,
    OnError,
    OnErrorOption,
    Overwrite,
    Steps,
    Xbd,
)
from afterscene.cli.output import Json, Output, Quiet, Seed, table

app = typer.Typer(
    help="Compare generated images with real ones.", no_args_is_help=True, rich_markup_mode=None
)

AskedSplit = Annotated[str, typer.Option("--split", help="Split of the folder to compare with.")]
AssessorDir = Annotated[
    Path | None,
    typer.Option(
        "--assessor",
        help="Detector that measures; trained on real pairs only. Default: the shipped one.",
    ),
]
CriticDir = Annotated[
    Path | None,
    typer.Option(
        "--critic",
        help="Second detector, trained on real pairs only. Adds a row of images whose damage "
        "sketches it chose.",
    ),
]
Limit = Annotated[
    int | None, typer.Option("--limit", min=1, help="Use only N tiles, spread over the split.")
]
SeamsToo = Annotated[
    bool,
    typer.Option("--seams", help="Also measure seams between windows; takes minutes."),
]
KeepIn = Annotated[
    Path | None,
    typer.Option("--out", help="Output folder for report.html and the generated images."),
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
    """Compare generated post images with real ones.

    The generator is asked for the real damage of each pair of the split; its images are compared
    with the real post images and with simple baselines. label_fidelity_gap_closed is 0 for the
    unchanged pre image and 1 for the real post image. Stops at tiles that the generator or a
    detector was trained on; --on-error skip leaves them out. With --out, a run that was stopped
    continues.
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
    """Compare pre images drawn from footprints with real ones.

    Measures how similar they look and whether a detector finds the buildings.
    """
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


@app.command("words")
def words(
    xbd: Xbd,
    split: AskedSplit,
    model: Model = "default",
    assessor: AssessorDir = None,
    limit: Limit = None,
    mode: ModeOption = Mode.edit,
    out: KeepIn = None,
    seed: Seed = 0,
    on_error: OnErrorOption = OnError.fail,
    overwrite: Overwrite = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Obey forty prompts on real tiles, and judge labels and pictures.

    Six disasters before and after, four positions, four degrees of damage, weighted and misspelt
    words. Those that cannot be obeyed must be refused. About 2 minutes a tile. With --out, a run
    that was stopped continues.
    """
    from afterscene.detectors import load_assessor
    from afterscene.gbd import load_generator
    from afterscene.lab.evaluation_plan import EvaluationPlan
    from afterscene.lab.obedience import evaluate_words
    from afterscene.pages.render import figure

    output = Output(json=as_json, quiet=quiet)
    figures = evaluate_words(
        EvaluationPlan(xbd=xbd, split=split, limit=limit, seed=seed, skip=on_error == OnError.skip),
        load_generator(model),
        load_assessor(assessor),
        mode=mode.value,
        out=out,
        overwrite=overwrite,
        stage=output.progress,
    )
    found, labels = figures["recovered"], figures["labels"]
    rows = [
        (name, str(one["buildings"]), *(figure((one[key] or [None])[0]) for key in SHARES))
        for name, one in found.items()
    ]
    text = (
        f"{figures['prompts_as_expected']} of {len(figures['reading'])} prompts read or refused "
        f"as expected; {labels['right']} of {labels['buildings']} labels as asked; damage F1 of "
        f"the pictures {figure(figures['damage_f1']['drawn'][0])}\n"
        f"{table(('asked', 'buildings', *SHARES), rows)}"
    )
    output.result({"model": model, **figures}, text)


SHARES = ("asked, drawn", "asked, floor", "damaged, drawn", "spared, drawn")
