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

NEXT = """
Next:
  your own image     afterscene synthesize PRE.png --labels PRE.json --hazard wildfire --out out
  a data set         afterscene gbd build --xbd DIR --hazard wind --count 100 --out gbd
  a fair comparison  afterscene compare given --xbd DIR --gbd gbd --out compare"""


def demo(
    out: DemoOut = Path("demo"),
    xbd: DemoXbd = None,
    seed: Seed = 0,
    overwrite: Overwrite = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Walk the whole way once: towns, disasters, pairs, detectors, report.html.

    Without --xbd all places are drawn from the seed, and a diffusion model makes pre images of the
    drawings: no data and no network are needed.
    """
    output = Output(json=as_json, quiet=quiet)
    output.say("loading the diffusion model")
    from afterscene import generators
    from afterscene.lab.demo import run_demo

    result = run_demo(
        out,
        generators.load("default"),
        xbd=xbd,
        photographer=generators.load("layout", "layout") if xbd is None else None,
        seed=seed,
        overwrite=overwrite,
        stage=output.progress,
    )
    for words in result.left_out:
        output.say(f"warning: left out: {words}")
    text = f"{result.verdict}\n{result.pairs} synthetic pairs in {out / 'gbd'}"
    output.result(result.as_json(), f"{text}\nReport: {result.report.resolve()}\n{NEXT}")
