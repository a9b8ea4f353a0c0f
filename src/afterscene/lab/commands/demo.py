"""``afterscene demo``: the whole pipeline once, small, with a report."""

from pathlib import Path
from typing import Annotated

import typer

from afterscene.cli.options import Overwrite
from afterscene.cli.output import Json, Output, Quiet, Seed

DemoOut = Annotated[Path, typer.Option("--out", help="Output folder; new or empty.")]
DemoXbd = Annotated[
    Path | None,
    typer.Option(
        "--xbd", help="Folder of real pairs in xBD layout, with splits train and test; optional."
    ),
]


def demo(
    out: DemoOut = Path("demo"),
    xbd: DemoXbd = None,
    seed: Seed = 0,
    overwrite: Overwrite = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Run the whole pipeline once, small, and write report.html.

    Takes a few minutes and needs neither data nor network: it starts from eight sample images,
    applies the seven hazards to them, draws and checks the pairs, and trains a small detector. With
    --xbd it also measures on real pairs what the synthetic ones are worth.
    """
    output = Output(json=as_json, quiet=quiet)
    output.say("loading the models")
    from afterscene import generators
    from afterscene.detectors import load_assessor
    from afterscene.lab.demo import NEXT, Bar, run_demo

    with output.progress("demo", 100) as advance:
        result = run_demo(
            out,
            generators.load("default"),
            load_assessor()[0],
            xbd=xbd,
            seed=seed,
            overwrite=overwrite,
            bar=Bar(advance=advance, say=output.say),
        )
    for words in result.left_out:
        output.say(f"warning: left out: {words}")
    commands = "\n".join(f"  {command}" for command in NEXT)
    text = "\n".join([*result.verdict, f"Report: {result.report.resolve()}"])
    output.result(result.as_json(), f"{text}\n\nNext, with data of your own:\n{commands}")
