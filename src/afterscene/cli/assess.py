"""``afterscene assess``: the damage level of each footprint, as GeoPackage, style and map."""

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from afterscene.cli.options import Flips, whole_files
from afterscene.cli.output import Json, Output, Quiet, table
from afterscene.errors import BadParameter

PreImage = Annotated[
    Path, typer.Option("--pre", help="Image before the disaster: GeoTIFF of any size, PNG or JPEG.")
]
PostImage = Annotated[
    Path, typer.Option("--post", help="Image after the disaster, on the same pixel grid.")
]
FootprintFile = Annotated[
    Path,
    typer.Option(
        "--footprints",
        help="Building footprints: GeoJSON, GeoPackage, GeoParquet, Shapefile, FlatGeobuf, KML, "
        "CSV with WKT, xBD label; also in a zip. FILE:LAYER picks one of several layers.",
    ),
]
OutFile = Annotated[
    Path,
    typer.Option(
        "--out", "-o", help="GeoPackage to write; a .qml and an .html file are written beside it."
    ),
]
DetectorName = Annotated[
    str,
    typer.Option("--model", help="Name of a shipped detector (`models list`) or a model folder."),
]
ReplaceFiles = Annotated[bool, typer.Option("--overwrite", help="Replace the three output files.")]


def assess(
    pre: PreImage,
    post: PostImage,
    footprints: FootprintFile,
    out: OutFile,
    model: DetectorName = "unet",
    flips: Flips = False,
    overwrite: ReplaceFiles = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Estimate each building's damage from images before and after.

    Writes OUT.gpkg (layer "buildings": damage level and probabilities, in the CRS of the images),
    OUT.qml (a QGIS style) and OUT.html (a map for the browser).
    """
    from afterscene.detectors import load_detector
    from afterscene.pages.assessed import assess_files

    output = Output(json=as_json, quiet=quiet)
    if out.suffix.lower() != ".gpkg":
        raise BadParameter(f"--out {out} does not end in .gpkg; name a GeoPackage")
    files = [out, out.with_suffix(".qml"), out.with_suffix(".html")]
    with whole_files(files, overwrite), ExitStack() as stack:
        made = assess_files(
            lambda: load_detector(model),
            pre,
            post,
            footprints,
            out,
            source=Path(model).name,
            flips=flips,
            begin=lambda total: stack.enter_context(output.progress("assess", total)),
        )
    output.left_out(made.left_out)
    values = {
        "out": str(out),
        "style": str(made.style),
        "map": str(made.map),
        "buildings": sum(made.counts.values()),
        "levels": made.counts,
        "left_out": made.left_out.as_json(),
        "crs": made.crs,
    }
    rows = [*made.counts.items()]
    text = f"{table(('level', 'buildings'), rows)}\n{out}\nMap: {made.map.resolve()}"
    output.result(values, text)
