"""``afterscene demo``: the whole way once, small, with a report."""

from pathlib import Path
from typing import Annotated

import typer

from afterscene.cli.options import Overwrite
from afterscene.cli.output import Json, Output, Quiet, Seed

DemoOut = Annotated[Path, typer.Option("--out", help="Folder of the demo.")]
DemoXbd = Annotated[
    Path | None,
    typer.Option("--xbd", help="Real pairs (xBD folder with splits train and test) to use."),
]


def demo(
    out: DemoOut = Path("demo"),
    xbd: DemoXbd = None,
    seed: Seed = 0,
    overwrite: Overwrite = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Walk the whole way once: samples, disasters, pairs, detectors, report.html.

    Without --xbd it starts from the samples of the package: no data and no network are needed. With
    --xbd it measures what the pairs are worth on real ones.
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
