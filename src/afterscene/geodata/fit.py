"""The affine map between a label's two lists, pixels and degrees.

xBD images are plain PNG without a place; their labels say each outline twice. Within one tile of
half a kilometre the map between the two is affine to a fiftieth of a pixel (worst vertex of the
labels that we have), so it can place new outlines, and tell when the two lists disagree.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
import shapely
from affine import Affine

from afterscene.geodata.damage import Building


class LngLatFit(NamedTuple):
    """`affine` maps (column, row) to (lng, lat); `residual` is its worst miss in pixels."""

    affine: Affine
    residual: float


def applied(affine: Affine) -> Callable[[np.ndarray], np.ndarray]:
    """The affine map as a function of (n, 2) points, as shapely takes one."""
    a, b, c, d, e, f = affine[:6]
    return lambda xy: xy @ np.array([[a, d], [b, e]]) + np.array([c, f])


def fit_lnglat(buildings: Iterable[Building]) -> LngLatFit | None:
    """Least-squares affine map between the two outlines of `buildings`.

    None where fewer than three vertices off one line are known in both.
    """
    pairs = [
        (shapely.get_coordinates(b.polygon), shapely.get_coordinates(b.lnglat))
        for b in buildings
        if b.lnglat is not None
    ]
    pairs = [(xy, lnglat) for xy, lnglat in pairs if xy.shape == lnglat.shape]
    if not pairs:
        return None
    xy = np.concatenate([p[0] for p in pairs])
    lnglat = np.concatenate([p[1] for p in pairs])
    middle, centre = xy.mean(0), lnglat.mean(0)  # degrees move by 1e-6: centre, or lose digits
    matrix, _, rank, _ = np.linalg.lstsq(xy - middle, lnglat - centre, rcond=1e-9)
    if rank < 2 or abs(np.linalg.det(matrix)) < 1e-20:
        return None
    (a, d), (b, e) = matrix
    c, f = centre - middle @ matrix
    misses = (lnglat - centre) @ np.linalg.inv(matrix) - (xy - middle)
    return LngLatFit(Affine(a, b, c, d, e, f), float(np.abs(misses).max()))
