"""Named places of a scene, from a GeoJSON file: roads, water, kinds of land, anything with a name.

A feature says what it is by the tags of OpenStreetMap, so that a file exported from there works as
it is: ``highway`` is a road; ``waterway``, or ``natural`` = water, coastline, bay, is water;
``landuse``, ``natural`` = wood and ``leisure`` = park are kinds of land (:data:`LAND`). ``name``
names it. Coordinates are longitude and latitude; pixels where the collection has the member
``"coordinates": "pixels"``, for images without a place. A road or a coast is its line, from which
metres are measured.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np
import shapely
from shapely.geometry import shape as geometry_of
from shapely.geometry.base import BaseGeometry

from afterscene.errors import AftersceneError, BadParameter, MissingFile
from afterscene.geodata.crs import WGS84
from afterscene.geodata.grid import Grid
from afterscene.geodata.labeljson import refuse_repeats

LARGEST = 64 << 20
"""Bytes of the largest file that is read."""
#: Kinds of land, and the values of OpenStreetMap that mean them.
LAND: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "residential": ("residential",),
        "industrial": ("industrial",),
        "commercial": ("commercial", "retail"),
        "forest": ("forest", "wood"),
        "farmland": ("farmland", "farmyard", "meadow", "orchard", "vineyard"),
        "park": ("park",),
    }
)
_WATER = ("water", "coastline", "bay", "beach")


@dataclass(frozen=True, kw_only=True, eq=False)
class NamedPlace:
    """One feature. ``kind``: ``road``, ``water``, a key of :data:`LAND`, or "" for a name alone."""

    kind: str
    name: str
    outline: BaseGeometry


@dataclass(frozen=True, kw_only=True, eq=False)
class NamedPlaces:
    """All features of a file; ``pixels``: they are in pixels (column, row), else in degrees."""

    file: Path
    places: tuple[NamedPlace, ...]
    pixels: bool = False

    def mask(self, grid: Grid, *, kind: str = "", name: str = "") -> np.ndarray:
        """(H, W) bool: the pixels of all features of a kind or name.

        Raises:
            BadParameter: the file has none, none lies in the picture, or the picture has no place.
        """
        name = " ".join(name.split())
        wanted = [
            p for p in self.places if (p.name.lower() == name.lower() if name else p.kind == kind)
        ]
        if not wanted:
            raise BadParameter(f"{self.file}: has no {self._missing(kind, name)}")
        canvas = np.zeros(grid.shape, np.uint8)
        for place in wanted:
            _draw(canvas, shapely.transform(place.outline, self._way(grid)))
        if not canvas.any():
            raise BadParameter(
                f"{self.file}: {name or 'its ' + kind} lies outside the picture of "
                f"{grid.shape[1]}x{grid.shape[0]} pixels; name what is in it"
            )
        return canvas > 0

    def has(self, kind: str) -> bool:
        """Whether there is a feature of that kind."""
        return any(place.kind == kind for place in self.places)

    def _missing(self, kind: str, name: str) -> str:
        if not name:
            kinds = sorted({place.kind for place in self.places if place.kind})
            return f"{kind}; its features are {', '.join(kinds) or 'of no known kind'}"
        names = sorted({place.name for place in self.places if place.name})
        near = difflib.get_close_matches(name, names, n=3, cutoff=0.3) or names[:3]
        return f"place named {name!r}; the nearest names are {', '.join(near) or 'none'}"

    def _way(self, grid: Grid) -> Any:
        if self.pixels:
            return lambda xy: xy
        if not grid.placed:
            raise BadParameter(
                f"{self.file}: is in degrees, but neither picture nor label has a place; give a "
                'file in pixels, with the member "coordinates": "pixels"'
            )
        return grid.to_pixels(WGS84)


def read_named_places(path: Path) -> NamedPlaces:
    """The named places of a GeoJSON FeatureCollection.

    Raises:
        MissingFile: there is no such file.
        BadParameter: it is no FeatureCollection with features that can be named.
    """
    if not path.is_file():
        raise MissingFile(f"{path}: there is no such file of places; check the path")
    if path.stat().st_size > LARGEST:
        raise BadParameter(f"{path}: is larger than {LARGEST >> 20} MB; cut out the pictures' area")
    try:
        value = json.loads(path.read_text("utf-8-sig"), object_pairs_hook=refuse_repeats)
    except (ValueError, RecursionError, AftersceneError) as error:
        raise BadParameter(f"{path}: is no GeoJSON ({error}); export it again") from None
    rows = value.get("features") if isinstance(value, dict) else None
    if not isinstance(rows, list):
        raise BadParameter(f"{path}: is no GeoJSON FeatureCollection; export it as one")
    found = tuple(
        place for k, row in enumerate(rows, 1) if (place := _place(path, k, row)) is not None
    )
    if not found:
        raise BadParameter(
            f"{path}: none of its {len(rows)} features has a name or a known tag of "
            "OpenStreetMap (highway, waterway, natural, landuse, leisure); add one"
        )
    pixels = value.get("coordinates") == "pixels"
    if not pixels:
        _check_degrees(path, found)
    return NamedPlaces(file=path, places=found, pixels=pixels)


def _check_degrees(path: Path, places: Sequence[NamedPlace]) -> None:
    """Raises BadParameter: coordinates that are no longitude and latitude."""
    for place in places:
        x, y = np.abs(shapely.get_coordinates(place.outline)).max(axis=0)
        if x > 360 or y > 90:
            raise BadParameter(
                f"{path}: coordinates such as {place.name or place.kind} has are no longitude and "
                'latitude; export it in EPSG:4326, or say "coordinates": "pixels" in the file'
            )


def _place(path: Path, number: int, row: Any) -> NamedPlace | None:
    """A feature; None where it has neither a name nor a known tag. Raises BadParameter."""
    tags = row.get("properties") if isinstance(row, dict) else None
    tags = tags if isinstance(tags, dict) else {}
    kind, name = _kind(tags), tags.get("name")
    name = " ".join(name.split()) if isinstance(name, str) else ""
    if not kind and not name:
        return None
    try:
        outline = geometry_of(row["geometry"])
        usable = not outline.is_empty and np.isfinite(shapely.get_coordinates(outline)).all()
    except (
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        IndexError,
        shapely.errors.ShapelyError,
    ):
        usable = False
    if not usable:
        raise BadParameter(f"{path}: feature {number} ({name or kind}) has no usable geometry")
    return NamedPlace(kind=kind, name=name, outline=outline)


def _kind(tags: Mapping[str, Any]) -> str:
    if tags.get("highway"):
        return "road"
    if tags.get("waterway") or tags.get("natural") in _WATER:
        return "water"
    said = (tags.get("landuse"), tags.get("natural"), tags.get("leisure"))
    return next((kind for kind, values in LAND.items() if any(v in values for v in said)), "")


def _draw(canvas: np.ndarray, outline: BaseGeometry) -> None:
    """Mark the pixels of a geometry in pixel coordinates."""
    reach = 4.0 * max(canvas.shape)
    for part in shapely.get_parts(outline):
        if not np.isfinite(shapely.get_coordinates(part)).all():
            continue
        part = shapely.clip_by_rect(part, -reach, -reach, reach, reach)
        for piece in shapely.get_parts(part):
            if piece.geom_type == "Polygon" and not piece.is_empty:
                rings: Sequence[Any] = (piece.exterior, *piece.interiors)
                cv2.fillPoly(canvas, [_corners(ring) for ring in rings], 1)
            elif not piece.is_empty:
                cv2.polylines(canvas, [_corners(piece)], False, 1)


def _corners(line: BaseGeometry) -> np.ndarray:
    return np.floor(shapely.get_coordinates(line)).astype(np.int32)
