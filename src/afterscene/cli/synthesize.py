"""``afterscene synthesize``: the aftermath of given pre images."""

from pathlib import Path
from typing import Annotated

import typer

from afterscene.cli.options import (
    Choose,
    Hazard,
    MinFidelity,
    Mode,
    Model,
    ModeOption,
    OnError,
    OnErrorOption,
    Out,
    Overwrite,
    Set,
    Steps,
    drawing,
    parameters,
)
from afterscene.cli.output import Json, Output, Quiet, Seed
from afterscene.cli.roles import roles_json
from afterscene.cli.summary import show

PreImages = Annotated[
    list[Path], typer.Argument(metavar="PRE", help="Pre-disaster images: GeoTIFF, PNG or JPEG.")
]
LabelFiles = Annotated[
    list[Path],
    typer.Option(
        "--labels",
        metavar="FILE",
        help="Footprints: an xBD label JSON, or any footprint file if the image is georeferenced. "
        "Repeat once per PRE, in the same order, or give one folder with a {stem}.json per image.",
    ),
]
OneSeverity = Annotated[
    float, typer.Option("--severity", help="0: no event; 1: the event at full strength.")
]


def synthesize(
    pre: PreImages,
    labels: LabelFiles,
    hazard: Hazard,
    out: Out,
    severity: OneSeverity = 0.7,
    seed: Seed = 0,
    mode: ModeOption = Mode.edit,
    steps: Steps = None,
    model: Model = "default",
    min_fidelity: MinFidelity = None,
    choose: Choose = None,
    set_: Set = None,
    on_error: OnErrorOption = OnError.fail,
    overwrite: Overwrite = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Draw post-disaster images of a few images, with labels.

    Writes for each image {stem}_post_disaster.png, its label (.json) and its damage mask
    (_target.png), all marked as synthetic, and one manifest.jsonl. A GeoTIFF also yields a GeoTIFF
    on the same grid. For many images use `gbd build`.
    """
    from afterscene import gbd
    from afterscene.geodata.roles import Taken

    output = Output(json=as_json, quiet=quiet)
    sources = gbd.match_labels(pre, labels)
    files = {source.pre.name: Taken(role="pre", why="given as PRE") for source in sources}
    roles = roles_json(files, {source.label: source.pre.name for source in sources}, given=labels)
    plan = gbd.plan_each(sources, hazard, severity=severity, seed=seed, parameters=parameters(set_))
    generator, rendering = drawing(mode, steps, model, min_fidelity, choose)
    with output.progress("synthesize", plan.count) as advance:
        options = gbd.RunOptions(on_error=on_error, overwrite=overwrite, on_progress=advance)
        report = gbd.build(plan, out, generator, rendering=rendering, options=options, flat=True)
    show(output, report, roles)
