"""Why no footprint lies on an image: the sentence that tells its owner what to correct.

Three mistakes are common: latitude and longitude swapped, metres in a file that
does not say of which system, files of two places. The first two are
tried out; otherwise the message says where the file and the image lie.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import shapely
from shapely.geometry import MultiPolygon, Polygon

from afterscene.errors import BadParameter
from afterscene.geodata.crs import WGS84, Way, known_crs
from afterscene.geodata.damage import FARTHEST
from afterscene.geodata.grid import Grid
from afterscene.geodata.leftout import OUTSIDE, UNPLACED, LeftOut
from afterscene.geodata.mapped import iterate_rows
from afterscene.geodata.mapped.rows import NOWHERE

LOOKED_AT = 2000


def why_none(paths: Sequence[Path], grids: Sequence[Grid], left_out: LeftOut) -> str:
    """A sentence about files of which nothing lies on any of the images."""
    counted = {r: n for r, n in left_out.reasons.items() if not r.startswith("tile")}
    images = {grid.image or "the image" for grid in grids}
    where = str(images.pop()) if len(images) == 1 else f"any of {len(images)} pictures"
    files = ", ".join(map(str, paths))
    if not counted:
        return f"{files}: no footprint stands in it; give the outlines of buildings"
    said = f"{files}: none of the outlines lies on {where} ({LeftOut(Counter(counted))})"
    if not (left_out.reasons[OUTSIDE] or left_out.reasons[UNPLACED]):
        return f"{said}; give the outlines of buildings as polygons"
    shapes = [shape for path in paths for shape in _sample(path)]
    return f"{said}; {_guess(np.array([*shapes, None], object)[:-1], grids)}"


def _sample(path: Path) -> list[Polygon | MultiPolygon]:
    rows = islice(iterate_rows(path, None, LeftOut()), LOOKED_AT)
    return [
        shapely.force_2d(row.shape)
        for row in rows
        if isinstance(row.shape, Polygon | MultiPolygon) and not row.shape.is_empty
    ]


def _guess(shapes: np.ndarray, grids: Sequence[Grid]) -> str:
    count = len(shapes)
    swapped = _on_any(shapes, [_swapped(grid.to_pixels(WGS84)) for grid in grids], grids)
    if swapped:
        return (
            f"{swapped} of {count} would with latitude and longitude swapped: write the "
            "longitude first"
        )
    owns = [grid.to_pixels(str(grid.crs)) for grid in grids]
    for ways, word in ((owns, ""), ([_swapped(own) for own in owns], " with x and y swapped")):
        if own := _on_any(shapes, ways, grids):
            return (
                f"{own} of {count} would in the picture's own CRS, "
                f"{known_crs(str(grids[0].crs)).name[:60]!r}{word}: say so in the file (a member "
                "crs, or ogr2ogr -a_srs)"
            )
    return _places(shapes, grids)


def _places(shapes: np.ndarray, grids: Sequence[Grid]) -> str:
    """Where the two lie."""
    left, low, right, high = shapely.total_bounds(shapes)
    if max(map(abs, (left, low, right, high))) >= NOWHERE:
        return "the file names a system that cannot hold its coordinates; check which it is in"
    if max(abs(low), abs(high)) > 90 or max(abs(left), abs(right)) > 540:
        return (
            f"its coordinates (x {left:.6g} to {right:.6g}, y {low:.6g} to {high:.6g}) are not "
            "degrees: say in the file which system they are in, or export it in EPSG:4326"
        )
    here = f"the outlines lie at {_range(left, right)} E, {_range(low, high)} N"
    try:
        west, south, east, north = grids[0].bounds()[0]
    except BadParameter:
        return f"{here}; check that both are of one place"
    there = f"the first picture at {_range(west, east)} E, {_range(south, north)} N"
    return f"{here}, {there}: check that both are of one place"


def _range(low: float, high: float) -> str:
    return f"{low:.4f} to {high:.4f}"


def _swapped(way: Way) -> Way:
    return lambda xy: way(xy[:, ::-1])


def _on_any(shapes: np.ndarray, ways: Sequence[Way], grids: Sequence[Grid]) -> int:
    """How many of the shapes, moved one way or another, touch the grid of that way."""
    xy, owner = shapely.get_coordinates(shapes, return_index=True)
    touched = np.zeros(len(shapes), bool)
    for way, grid in zip(ways, grids, strict=True):
        col, row = np.clip(np.nan_to_num(way(xy), nan=FARTHEST), -FARTHEST, FARTHEST).T
        height, width = grid.shape
        inside = (col >= 0) & (col <= width) & (row >= 0) & (row <= height)
        touched[owner[inside]] = True
    return int(touched.sum())
