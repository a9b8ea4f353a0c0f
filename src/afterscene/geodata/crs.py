"""Reference systems: the one door to PROJ, and nothing but our own errors out of it.

A system is text (WKT, PROJ string, ``EPSG:n``) as files give it. Its height, if it has one, is left
out. Some lie nowhere on the Earth (the grid of a building site: ``LOCAL_CS``, an engineering
system): coordinates cannot be transformed between these and others. A point that a
system cannot hold comes out as infinity, never as an exception.
"""

from collections.abc import Callable

import numpy as np
import pyproj
from pyproj.exceptions import CRSError, ProjError

from afterscene.errors import BadParameter

WGS84 = "EPSG:4326"
Way = Callable[[np.ndarray], np.ndarray]
"""(n, 2) to (n, 2) coordinates, x before y, infinite where there is no such point."""


def known_crs(crs: str) -> pyproj.CRS:
    """The system that a text names. Raises BadParameter."""
    try:
        return pyproj.CRS.from_user_input(crs)
    except CRSError as error:
        raise BadParameter(
            f"CRS {crs[:80]!r} is not known; use one such as 'EPSG:32616'"
        ) from error


def on_earth(crs: str) -> bool:
    """Whether its coordinates are places on the Earth. Raises BadParameter: it is unknown."""
    return _flat(known_crs(crs)) is not None


def metres_a_unit(crs: str) -> float | None:
    """How many metres its first axis counts as one; None where that is not a length."""
    axes = known_crs(crs).axis_info
    unit = axes[0].unit_name.casefold() if axes else ""
    return None if unit in ("", "degree", "radian", "grad") else axes[0].unit_conversion_factor


def same_crs(one: str, other: str) -> bool | None:
    """Whether two systems mean the same, however they are written, their heights left out.

    None where that cannot be told from their definitions: one of them names no datum. Raises
    BadParameter: one is not known.
    """
    first, second = _bare(known_crs(one)), _bare(known_crs(other))
    if first.equals(second, ignore_axis_order=True):
        return True
    names = [crs.datum.name if crs.datum else "" for crs in (first, second)]
    return None if any(name.startswith("Unknown") for name in names) else False


def _bare(crs: pyproj.CRS) -> pyproj.CRS:
    """Without its height and without the shift to WGS84 that a file may carry along."""
    if crs.is_bound and crs.source_crs is not None:
        crs = crs.source_crs
    return _flat(crs) or crs


def way(source: str, target: str) -> Way:
    """From coordinates of one system to those of the other, x (or longitude) first.

    Raises BadParameter where one is not known, or lies nowhere on the Earth.
    """
    here, there = _placed(source), _placed(target)
    try:
        transformer = pyproj.Transformer.from_crs(here, there, always_xy=True)
    except ProjError as error:
        raise BadParameter(
            f"coordinates cannot be transformed from CRS {source[:60]!r} to {target[:60]!r}; "
            "export them in EPSG:4326"
        ) from error

    def move(xy: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            try:
                found = np.stack(transformer.transform(xy[:, 0], xy[:, 1]), axis=1)
            except ProjError:
                return np.full_like(xy, np.inf, dtype=float)
        return np.where(np.isfinite(found).all(axis=1, keepdims=True), found, np.inf)

    return move


def _placed(crs: str) -> pyproj.CRS:
    known = known_crs(crs)
    if (flat := _flat(known)) is not None:
        return flat
    raise BadParameter(
        f"CRS {known.name[:60]!r} is a local one, whose coordinates are not places on the "
        "Earth; give the file its true CRS (for instance gdal_edit.py -a_srs EPSG:32616 FILE)"
    )


def _flat(crs: pyproj.CRS) -> pyproj.CRS | None:
    """Its horizontal part; None where that is not on the Earth."""
    if crs.is_compound:
        crs = crs.sub_crs_list[0]
    if not (crs.is_geographic or crs.is_projected):
        return None
    return crs.to_2d()
