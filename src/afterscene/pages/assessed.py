"""An assessment from files to files: GeoPackage, QGIS style and map; what `assess` does."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from afterscene.detectors import Detector
from afterscene.detectors.assess import assess
from afterscene.detectors.assessment import counts, write_layer
from afterscene.detectors.detector import OVERLAP, TILE
from afterscene.errors import BadParameter
from afterscene.geodata.doubts import warn_of_files
from afterscene.geodata.footprints import read_footprints
from afterscene.geodata.leftout import LeftOut
from afterscene.geodata.overview import ImageFile
from afterscene.geodata.resolution import check_pixels
from afterscene.geodata.samegrid import same_grid
from afterscene.geodata.tiles import tiles
from afterscene.pages.damage_map import write_map, write_style


@dataclass(frozen=True, kw_only=True)
class AssessedFiles:
    """What was written, the buildings of each level, and what of the footprints was not used."""

    layer: Path
    style: Path
    map: Path
    counts: dict[str, int]
    left_out: LeftOut
    crs: str | None


def assess_files(
    detector: Callable[[], Detector],
    pre: Path,
    post: Path,
    footprints: Path,
    out: Path,
    *,
    source: str,
    flips: bool = False,
    begin: Callable[[int], Callable[[int], None]],
) -> AssessedFiles:
    """Levels of all footprints: ``out`` (.gpkg), with .qml and .html beside it.

    ``detector`` is called once the files are found good; ``begin`` gets the number of windows and
    returns what is called with the number of those just done. ``source`` names the detector.

    Raises:
        MissingFile, BadImage, BadLabel, BadParameter: of the files.
    """
    images = ImageFile(pre), ImageFile(post)
    grid = same_grid(*(image.grid for image in images))
    warn_of_files(*images)
    found = read_footprints(footprints, grid)
    if not found.buildings:
        raise BadParameter(f"{footprints}: contains no footprints; give a file with the buildings")
    check_pixels(found.grid, found.buildings)
    loaded, shape = detector(), found.grid.shape
    out.parent.mkdir(parents=True, exist_ok=True)
    # The style before the work, so that a folder without space is told now.
    style, page = write_style(out.with_suffix(".qml")), out.with_suffix(".html")
    advance = begin(len(tiles(shape, size=TILE, overlap=OVERLAP)))
    done = assess(loaded, *images, found.buildings, shape, flips=flips, advance=advance)
    write_map(done, found.grid, *images, page, source=source)
    write_layer(done, found.grid, out, source=source)
    return AssessedFiles(
        layer=out,
        style=style,
        map=page,
        counts=counts(done),
        left_out=found.left_out,
        crs=found.grid.crs,
    )
