"""``afterscene pre``: pre images of places that exist only as footprints."""

from pathlib import Path
from typing import Annotated

import typer

from afterscene.cli.options import Out, Steps
from afterscene.cli.output import Json, Output, Quiet, Seed
from afterscene.errors import BadParameter

Labels = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="LABEL", help="xBD label files (JSON) with footprints, width and height."
    ),
]
Sketch = Annotated[
    Path | None,
    typer.Option(
        "--sketch",
        metavar="FILE",
        help="Instead of labels: a place drawn by hand, half a metre a pixel. Dark closed shapes "
        "are roofs, other dark strokes roads, green scribbles trees, blue is water.",
    ),
]
LayoutModel = Annotated[
    str,
    typer.Option(
        "--model", help="Name of a shipped layout model (`models list`) or a model folder."
    ),
]


def pre(
    out: Out,
    labels: Labels = None,
    sketch: Sketch = None,
    model: LayoutModel = "layout",
    seed: Seed = 0,
    steps: Steps = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Draw pre-disaster images from footprints alone, or from a sketch by hand.

    Writes a folder in xBD layout, ready for `gbd build --xbd`. A diffusion model (recipe layout)
    turns a plan in coarse colours into an image that looks like an aerial one.
    """
    from afterscene import generators
    from afterscene.gbd import pres

    output = Output(json=as_json, quiet=quiet)
    if bool(labels) == (sketch is not None):
        raise BadParameter("give label files with footprints, or one --sketch, not both")
    generator = generators.load(model, "layout")
    grounds = pres.sketched(sketch, seed=seed) if sketch else pres.labelled(labels or [], seed=seed)
    with output.progress("draw", len(labels or [sketch])) as advance:
        made = pres.write_pres(grounds, out, generator, seed=seed, steps=steps, on_progress=advance)
    output.result(
        {"out": str(out), "images": [str(path) for path in made]},
        f"{len(made)} pre images in {out / 'images'}",
    )
