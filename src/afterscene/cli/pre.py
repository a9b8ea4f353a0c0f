"""``afterscene pre``: pre images of places that exist only as footprints."""

from pathlib import Path
from typing import Annotated

import typer

from afterscene.cli.options import Out, Steps
from afterscene.cli.output import Json, Output, Quiet, Seed

Labels = Annotated[
    list[Path],
    typer.Argument(
        metavar="LABEL", help="xBD label files (JSON) with footprints, width and height."
    ),
]
LayoutModel = Annotated[
    str,
    typer.Option(
        "--model", help="Name of a shipped layout model (`models list`) or a model folder."
    ),
]


def pre(
    labels: Labels,
    out: Out,
    model: LayoutModel = "layout",
    seed: Seed = 0,
    steps: Steps = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Draw pre-disaster images from footprints alone.

    Writes a folder in xBD layout, ready for `gbd build --xbd`. A diffusion model (recipe layout)
    turns a plan in coarse colours into an image that looks like an aerial one.
    """
    from afterscene import generators
    from afterscene.gbd import pres

    output = Output(json=as_json, quiet=quiet)
    generator = generators.load(model, "layout")
    grounds = pres.labelled(labels, seed=seed)
    with output.progress("draw", len(labels)) as advance:
        made = pres.write_pres(grounds, out, generator, seed=seed, steps=steps, on_progress=advance)
    output.result(
        {"out": str(out), "images": [str(path) for path in made]},
        f"{len(made)} pre images in {out / 'images'}",
    )
