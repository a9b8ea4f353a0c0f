"""Outlines as WKT, written back with the characters that were read.

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

#: No two repeated parts of it match the same characters, so that it ends after one look at each.
_HEAD = re.compile(r"\s*(?:MULTI)?POLYGON\s*(?:(?:ZM|Z|M)\s*)?(?=\(|EMPTY)", re.IGNORECASE)
_SOMETHING = re.compile(r"[^\s()]")


class BadOutline(ValueError):
    """Why a text is not an outline; in words that follow "building x:"."""


def parse_outline(text: object) -> Polygon | MultiPolygon:
    """The polygon (x, y) that `text` says; one part alone is a Polygon. Raises BadOutline."""
    if not isinstance(text, str):
        raise BadOutline("wkt is missing or no text")
    if not text.strip() or _is_empty(text):
        raise BadOutline("polygon is empty")
    if not names_outline(text):
        raise BadOutline("wkt is not a POLYGON or MULTIPOLYGON")
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


def names_outline(text: str) -> bool:
    """Whether it begins as a polygon or multipolygon does, which GEOS can read without danger."""
    return _HEAD.match(text) is not None


def _is_empty(text: str) -> bool:
    """Whether nothing stands behind the word: EMPTY, or brackets alone that close."""
    head = _HEAD.match(text)
    rings = text[head.end() :].strip() if head else ""
    return rings.upper() == "EMPTY" or (rings.endswith(")") and not _SOMETHING.search(rings))


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
