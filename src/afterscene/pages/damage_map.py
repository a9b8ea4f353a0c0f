"""The map of an assessment as one HTML page, and the style of its GeoPackage for QGIS.

The page shows the image before or after (a radio button switches, without a script), every building
coloured by its level with its probabilities as a tooltip, and the counts. QGIS finds the ``.qml``
beside the ``.gpkg`` by its name.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from afterscene.detectors.assess import Assessed
from afterscene.detectors.assessment import NOT_ASSESSED, counts, word_of
from afterscene.geodata.damage import COLOURS, LEVEL_WORDS, LEVELS, DamageLevel
from afterscene.geodata.grid import Grid
from afterscene.geodata.overview import ImageFile
from afterscene.pages.pictures import data_uri
from afterscene.pages.render import write_page

SIDE = 1400
#: Word -> (red, green, blue), as in all pages.
KINDS = {
    **{level.word: COLOURS[level] for level in LEVELS},
    NOT_ASSESSED: COLOURS[DamageLevel.UNCLASSIFIED],
}


def write_style(path: Path) -> Path:
    """A QGIS style with one category per level."""
    return write_page(path, "damage_style.qml", kinds=KINDS)


def write_map(
    found: Sequence[Assessed],
    grid: Grid,
    pre: ImageFile,
    post: ImageFile,
    path: Path,
    *,
    source: str,
) -> Path:
    """The page. Images with a side above 1,400 pixels are shrunk."""
    pictures = {
        name: data_uri(image.small(SIDE).rgb(), SIDE)
        for name, image in (("pre", pre), ("post", post))
    }
    return write_page(
        path,
        "damage_map.html",
        name=post.path.name,
        source=source,
        size=grid.shape,
        counts=counts(found),
        kinds=KINDS,
        pictures=pictures,
        buildings=[_shape(one) for one in found],
    )


def svg_path(outline: BaseGeometry) -> str:
    """The rings of a polygon or multipolygon as the ``d`` of an SVG path."""
    rings = [
        ring for part in shapely.get_parts(outline) for ring in (part.exterior, *part.interiors)
    ]
    points = [np.asarray(ring.coords)[:, :2] for ring in rings]
    lines = (" L".join(f"{x:.1f},{y:.1f}" for x, y in ring) for ring in points)
    return " ".join(f"M{line}Z" for line in lines)


def _shape(one: Assessed) -> dict[str, Any]:
    chances = zip(LEVEL_WORDS, one.probabilities, strict=False)
    return {
        "uid": one.building.uid,
        "word": word_of(one),
        "path": svg_path(one.building.polygon),
        "chances": ", ".join(f"{word} {p:.0%}" for word, p in chances),
    }
