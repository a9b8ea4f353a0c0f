"""``afterscene assess``: the damage level of each footprint, as GeoPackage, style and map."""

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
    from afterscene.detectors.assess import assess as work
    from afterscene.detectors.assessment import counts, write_layer
    from afterscene.detectors.detector import OVERLAP, TILE
    from afterscene.geodata.doubts import warn_of_files
    from afterscene.geodata.footprints import read_footprints
    from afterscene.geodata.overview import ImageFile
    from afterscene.geodata.resolution import check_pixels
    from afterscene.geodata.samegrid import same_grid
    from afterscene.geodata.tiles import tiles
    from afterscene.pages.damage_map import write_map, write_style

    output = Output(json=as_json, quiet=quiet)
    if out.suffix.lower() != ".gpkg":
        raise BadParameter(f"--out {out} does not end in .gpkg; name a GeoPackage")
    files = [out, out.with_suffix(".qml"), out.with_suffix(".html")]
    with whole_files(files, overwrite):
        images = ImageFile(pre), ImageFile(post)
        grid = same_grid(*(image.grid for image in images))
        warn_of_files(*images)
        found = read_footprints(footprints, grid)
        if not found.buildings:
            raise BadParameter(
                f"{footprints}: contains no footprints; give a file with the buildings"
            )
        check_pixels(found.grid, found.buildings)
        detector = load_detector(model)
        out.parent.mkdir(parents=True, exist_ok=True)
        write_style(files[1])  # before the work, so that a folder without space is told now
        shape = found.grid.shape
        with output.progress("assess", len(tiles(shape, size=TILE, overlap=OVERLAP))) as advance:
            done = work(detector, *images, found.buildings, shape, flips=flips, advance=advance)
        write_map(done, found.grid, *images, files[2], source=Path(model).name)
        write_layer(done, found.grid, out, source=Path(model).name)
    levels = counts(done)
    output.left_out(found.left_out)
    values = {
        "out": str(out),
        "style": str(files[1]),
        "map": str(files[2]),
        "buildings": len(done),
        "levels": levels,
        "left_out": found.left_out.as_json(),
        "crs": found.grid.crs,
    }
    rows = [(word, n) for word, n in levels.items()]
    output.result(
        values, f"{table(('level', 'buildings'), rows)}\n{out}\nMap: {files[2].resolve()}"
    )
