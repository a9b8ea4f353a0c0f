"""Outlines as text: WKT polygons in, the same characters out.

Only ``POLYGON`` and ``MULTIPOLYGON`` are parsed, and the text is checked before GEOS sees it (it
would follow nested collections until the stack ends). Writing keeps the text that was read
wherever it still says the same outline, so that no digit changes on the way through.
"""

import json
import re
from typing import Any

import numpy as np
import shapely
from shapely.geometry import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from afterscene.geodata.damage import FARTHEST

_OUTLINE = re.compile(r"\s*(MULTI)?POLYGON\s*(Z|M|ZM)?\s*\(", re.IGNORECASE)
_EMPTY = re.compile(r"\s*|\s*(MULTI)?POLYGON\s*(Z|M|ZM)?\s*(EMPTY|\([\s()]*\))\s*", re.IGNORECASE)


class BadOutline(ValueError):
    """Why a text is no outline; in words that follow "building x:"."""


def parse_outline(text: object) -> Polygon | MultiPolygon:
    """The polygon (x, y) that `text` says; one part alone is a Polygon. Raises BadOutline."""
    if not isinstance(text, str):
        raise BadOutline("wkt is missing or no text")
    if _EMPTY.fullmatch(text):
        raise BadOutline("polygon is empty")
    if not _OUTLINE.match(text):
        raise BadOutline("wkt is no POLYGON or MULTIPOLYGON")
    with np.errstate(all="ignore"):  # GEOS raises float flags over NaN, which is our finding below
        outline = shapely.from_wkt(text, on_invalid="ignore")
    if outline is None:
        raise BadOutline("wkt cannot be read, or a ring has under 3 points or is not closed")
    if outline.is_empty:
        raise BadOutline("polygon is empty")
    outline = shapely.force_2d(outline)
    if not (np.abs(shapely.get_coordinates(outline)) <= FARTHEST).all():
        raise BadOutline(f"polygon has a coordinate that is NaN or beyond {FARTHEST:.0e}")
    parts = shapely.get_parts(outline)
    if any(len(set(p.exterior.coords)) < 3 for p in parts):
        raise BadOutline("polygon has under 3 different points")
    return parts[0] if len(parts) == 1 else outline


def outline_text(outline: Polygon | MultiPolygon, was: str | None = None) -> str:
    """WKT of `outline`: `was`, if that is the same to the bit, else the shortest exact numbers."""
    if was is not None:
        try:
            if parse_outline(was).equals_exact(outline, tolerance=0):
                return was
        except BadOutline:
            pass
    parts = [_part(p) for p in shapely.get_parts(outline)]
    if isinstance(outline, MultiPolygon):
        return f"MULTIPOLYGON ({', '.join(parts)})"
    return f"POLYGON {parts[0]}"


def _part(polygon: Polygon) -> str:
    rings = [polygon.exterior, *polygon.interiors]
    return f"({', '.join(_ring(shapely.get_coordinates(ring)) for ring in rings)})"


def _ring(coordinates: np.ndarray) -> str:
    return f"({', '.join(f'{_number(x)} {_number(y)}' for x, y in coordinates.tolist())})"


def _number(value: float) -> str:
    return repr(value).removesuffix(".0")


def geometry(value: Any) -> BaseGeometry:
    """A GeoJSON geometry, finite and not empty. Raises ValueError, TypeError, KeyError."""
    if not isinstance(value, dict) or value.get("type") == "GeometryCollection":
        raise ValueError("no plain geometry")
    try:
        shape = shapely.from_geojson(json.dumps(value), on_invalid="raise")
    except shapely.errors.GEOSException as error:
        raise ValueError(str(error).splitlines()[0]) from error
    if shape is None or shape.is_empty or not np.isfinite(shapely.get_coordinates(shape)).all():
        raise ValueError("empty or not finite")
    return shape
