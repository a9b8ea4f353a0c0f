"""What readers of footprint files give: rows, in the order of the file."""

from typing import Any, NamedTuple

import numpy as np
import shapely

from afterscene.geodata.crs import WGS84, Way, way
from afterscene.geodata.grid import Bounds

LONGEST = 4 * 2**20
"""Bytes of one building; the longest outline we have seen takes 20 kB."""
UNPACKED, SPARE = 100, 8 * 2**20
"""So many times its size may a packed file unpack to, and so many bytes more; then it is a bomb."""
USELESS = 100_000
"""A file with so many rows that are not outlines, and hardly one that is, is refused."""
UIDS = ("uid", "id")
"""Columns that name a building, the first that a file has."""
LONGEST_NAME = 200


NO_OUTLINE = shapely.Point()
"""Stands for a geometry of another kind (points, lines, curves, collections), which is not read."""


class Row(NamedTuple):
    """A building of a file.

    ``shape`` in WGS84 degrees, None where it is missing or broken; who says so; how sure, 0 to 1,
    where that is known; its name, empty where it has none.
    """

    shape: Any
    source: str
    confidence: float | None = None
    uid: str = ""


def name_in(value: object) -> str:
    """The name that a column gives; empty where it gives none."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return str(value)[:LONGEST_NAME]


def confidence_in(value: Any) -> float | None:
    """0 to 1; Microsoft writes -1 where it does not know."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if 0 <= number <= 1 else None


NOWHERE = 1e30
"""A coordinate that stands for "cannot be held": larger than any of a place or a pixel."""


def placed(shapes: np.ndarray, way: Way | None) -> np.ndarray:
    """Geometries (or None) by a way; what it cannot hold keeps its place at infinity.

    All points go through PROJ at once: a call for each outline takes ten times as long.
    """
    if way is None:
        return shapes
    flat = shapely.force_2d(shapes)
    xy = shapely.get_coordinates(flat)
    if not len(xy):
        return flat
    found = way(xy)
    lost = ~np.isfinite(found).all(axis=1)
    # GEOS refuses rings that run through infinity: such points go far out of any system instead.
    found[lost] = NOWHERE
    return shapely.set_coordinates(flat, found)


def box_in(crs: str, within: Bounds) -> Bounds | None:
    """A box in degrees as one in a system, somewhat wider; None where it has none there."""
    steps = np.linspace(0, 1, 17)
    west, south, east, north = within
    rim = [(west + s * (east - west), lat) for s in steps for lat in (south, north)]
    rim += [(lng, south + s * (north - south)) for s in steps for lng in (west, east)]
    xy = way(WGS84, crs)(np.array(rim))
    if not np.isfinite(xy).all():
        return None
    low, high = xy.min(axis=0), xy.max(axis=0)
    spare = 0.02 * (high - low)
    return (*map(float, low - spare), *map(float, high + spare))  # type: ignore[return-value]
