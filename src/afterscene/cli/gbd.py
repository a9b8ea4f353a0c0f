"""``afterscene gbd build`` and ``gbd verify``: sets of synthetic pairs."""

from pathlib import Path
from typing import Annotated

import typer

from afterscene.cli.options import (
    Hazard,
    Mode,
    Model,
    ModeOption,
    OnError,
    OnErrorOption,
    Out,
    Overwrite,
    Set,
    Split,
    Steps,
    Xbd,
    parameters,
)
from afterscene.cli.summary import show
from afterscene.cli.talk import Json, Quiet, Seed, Talk, table

app = typer.Typer(
    help="Build and check sets of synthetic pairs.", no_args_is_help=True, rich_markup_mode=None
)

Count = Annotated[int, typer.Option("--count", help="Number of pairs to make.")]
Severity = Annotated[
    float | None,
    typer.Option("--severity", help="0 to 1 for all pairs; default: drawn from 0.3 to 1."),
]


@app.command("build")
def build(
    xbd: Xbd,
    hazard: Hazard,
    count: Count,
    out: Out,
    split: Split = None,
    severity: Severity = None,
    seed: Seed = 0,
    mode: ModeOption = Mode.edit,
    steps: Steps = None,
    model: Model = "default",
    set_: Set = None,
    on_error: OnErrorOption = OnError.fail,
    overwrite: Overwrite = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Make pairs from the pre images of an xBD folder: images/ labels/ targets/ manifest.jsonl.

    Stopped and started again, it goes on. Give OUT as FOLDER/train and torchgeo opens FOLDER.
    """
    from afterscene import gbd

    talk = Talk(json=as_json, quiet=quiet)
    rendering = gbd.Rendering(mode=mode, steps=steps, model=model)
    plan = gbd.Plan(
        sources=gbd.find_sources(xbd, split),
        hazard=hazard,
        count=count,
        seed=seed,
        severity=(0.3, 1.0) if severity is None else (severity, severity),
        parameters=parameters(set_),
    )
    from afterscene import generators

    generator = generators.load(model)
    with talk.progress("gbd build", count) as advance:
        options = gbd.RunOptions(on_error=on_error, overwrite=overwrite, on_progress=advance)
        report = gbd.build(plan, out, generator, rendering=rendering, options=options)
    show(talk, report)


@app.command("verify")
def verify(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Output of build or synthesize.")],
    as_json: Json = False,
) -> None:
    """Check each pair of a folder against its manifest: synthetic, tampered or missing.

    Exit code 1 when a pair is not as the manifest says.
    """
    from afterscene import gbd

    verdicts = gbd.verify(folder)
    value = [{"id": v.id, "verdict": v.verdict, "reason": v.reason} for v in verdicts]
    rows = [(v.id, v.verdict, v.reason) for v in verdicts]
    Talk(json=as_json).result(value, table(("pair", "verdict", "reason"), rows))
    if any(v.verdict != "synthetic" for v in verdicts):
        raise typer.Exit(1)
