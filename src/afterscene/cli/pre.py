"""``afterscene pre``: pre images of places that exist only as footprints."""

from pathlib import Path
from typing import Annotated

import typer

from afterscene.cli.options import Out, Steps
from afterscene.cli.output import Json, Output, Quiet, Seed

Labels = Annotated[
    list[Path],
    typer.Argument(metavar="LABEL...", help="xBD label JSON with footprints, width and height."),
]
LayoutModel = Annotated[
    str, typer.Option("--model", help="Folder of a model of the recipe layout, or a shipped name.")
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
    """Draw pre images from footprints alone, as an xBD folder that gbd build takes.

    The diffusion model of the recipe layout gives coarse colours the style of a real acquisition.
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
