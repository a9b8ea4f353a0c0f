"""Which rows of a footprint file are outlines with a place, looked at many at a time."""

from collections.abc import Iterator, Sequence

import numpy as np
import shapely
from shapely.geometry import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from afterscene.geodata.grid import Bounds
from afterscene.geodata.leftout import BROKEN, NO_POLYGON, OUTSIDE, UNPLACED, LeftOut
from afterscene.geodata.mapped.rows import Row

FARTHEST_LNG, FARTHEST_LAT = 540.0, 90.0 + 1e-6
"""Degrees: a file across the antimeridian may run on beyond 180, never over a pole."""
_POLYGONS = (3, 6)


def usable(
    rows: Sequence[Row], within: Bounds | None, left_out: LeftOut
) -> Iterator[tuple[Polygon | MultiPolygon, Row]]:
    """The polygons of some rows, flat, that touch the box; the others are counted by reason."""
    shapes = np.empty(len(rows), object)
    for number, row in enumerate(rows):
        shapes[number] = row.shape if isinstance(row.shape, BaseGeometry) else None
    kinds = shapely.get_type_id(shapes)
    polygon = np.isin(kinds, _POLYGONS) & ~shapely.is_empty(shapes)
    left_out.add(BROKEN, (kinds == -1).sum())
    left_out.add(NO_POLYGON, (~polygon & (kinds != -1)).sum())
    numbers = np.flatnonzero(polygon)
    shapes = _plain(shapely.force_2d(shapes[numbers]))
    placed = _placed(shapes)
    left_out.add(UNPLACED, (~placed).sum())
    near = np.ones(len(shapes), bool) if within is None else placed & _touching(shapes, within)
    left_out.add(OUTSIDE, (placed & ~near).sum())
    with np.errstate(all="ignore"):
        flat = ~(shapely.area(shapes) > 0)
    for at in np.flatnonzero(placed & near).tolist():
        if flat[at] and _is_too_small(shapes[at]):
            left_out.add(BROKEN)
        else:
            yield shapes[at], rows[numbers[at]]


def _plain(shapes: np.ndarray) -> np.ndarray:
    """A multipolygon of one part as that part: some formats know no other."""
    alone = (shapely.get_type_id(shapes) == _POLYGONS[1]) & (
        shapely.get_num_geometries(shapes) == 1
    )
    shapes[alone] = shapely.get_geometry(shapes[alone], 0)
    return shapes


def _placed(shapes: np.ndarray) -> np.ndarray:
    """Whether all coordinates of each can be degrees."""
    xy, owner = shapely.get_coordinates(shapes, return_index=True)
    good = (np.abs(xy[:, 0]) <= FARTHEST_LNG) & (np.abs(xy[:, 1]) <= FARTHEST_LAT)  # NaN is not
    placed = np.ones(len(shapes), bool)
    placed[owner[~good]] = False
    return placed


def _touching(shapes: np.ndarray, within: Bounds) -> np.ndarray:
    """Whether the extent of each touches the box, whole turns of the Earth aside."""
    west, south, east, north = within
    left, low, right, high = shapely.bounds(shapes).reshape(-1, 4).T
    with np.errstate(invalid="ignore"):
        turned = 360 * np.round(((west + east) - (left + right)) / 720)
        return (left + turned <= east) & (right + turned >= west) & (low <= north) & (high >= south)


def _is_too_small(shape: Polygon | MultiPolygon) -> bool:
    """Under three different points in a part: a point or a line that poses as an area."""
    return any(len(set(part.exterior.coords)) < 3 for part in shapely.get_parts(shape))
