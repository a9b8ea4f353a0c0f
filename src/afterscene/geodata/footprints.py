"""Footprints from the files that people have, as buildings on the pixels of a scene.

An xBD label is taken as it is. GeoJSON (RFC 7946: degrees, unless its old ``crs`` member says
otherwise) is reprojected, and so are the outlines of the streaming readers of :mod:`.mapped`, which
trust neither suffix nor driver. What lies outside of the scene is left out and counted.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import shapely
from affine import Affine
from pyproj.exceptions import CRSError
from shapely.errors import ShapelyError
from shapely.geometry import MultiPolygon, Polygon

from afterscene.errors import BadLabel, BadParameter, MissingFile
from afterscene.geodata.damage import Building
from afterscene.geodata.fit import fit_lnglat
from afterscene.geodata.label import read_label
from afterscene.geodata.labeljson import load_json
from afterscene.geodata.mapped import Bounds, Footprint, Skipped, iterate_footprints
from afterscene.geodata.mapped_text import WGS84, geojson_crs

JSON = (".json", ".geojson")


@dataclass(frozen=True, kw_only=True)
class Grid:
    """A grid: (H, W), and where it lies, if that is known."""

    shape: tuple[int, int]
    crs: str | None = None
    transform: Affine | None = None


@dataclass(frozen=True, kw_only=True)
class Footprints:
    """Buildings in pixels of `grid`, which is placed by the label where the image is not.

    `outside` counts what lies outside of the grid, `unusable` what is no polygon.
    """

    buildings: tuple[Building, ...]
    grid: Grid
    outside: int = 0
    unusable: int = 0


def read_footprints(path: Path, grid: Grid) -> Footprints:
    """Footprints of `path` on `grid`; those of a file without names are named after their shape.

    Raises:
        MissingFile, BadLabel, BadRegions: the file is not there or is nothing of the kind.
        BadParameter: it is in degrees or metres, and the image has no place.
        MissingExtra: GeoParquet without the extra ``geo``.
    """
    if not path.is_file():
        raise MissingFile(f"footprints {path} is not a file; check the path")
    if path.suffix.lower() not in JSON:
        skipped = Skipped()
        found = [(name_of(f), f.outline) for f in iterate_footprints(path, skipped=skipped)]
        read = on_grid(path, found, grid)
        return replace(read, unusable=read.unusable + skipped.reasons.total())
    document = load_json(path)
    if isinstance(document.get("features"), dict):
        return _from_label(path, grid)
    crs = geojson_crs(path, document)
    return on_grid(path, list(_geojson(path, document)), grid, crs=crs)


def on_grid(
    path: Path, found: list[tuple[str, Any]], grid: Grid, *, crs: str = WGS84
) -> Footprints:
    """(uid, outline in `crs`) on the pixels of `grid`. Raises BadParameter, BadLabel."""
    if grid.crs is None or grid.transform is None:
        raise BadParameter(
            f"{path} has coordinates on the Earth, but the image has no place; give a GeoTIFF, or "
            "an xBD label whose outlines are in pixels"
        )
    return _moved_onto(found, _to_pixels(crs, grid), grid)


def name_of(footprint: Footprint) -> str:
    """A name out of the shape alone: equal in every tile that cuts the building."""
    return f"f{hashlib.blake2b(footprint.outline.wkb, digest_size=8).hexdigest()}"


def boxes(grid: Grid) -> tuple[Bounds, ...]:
    """The grid in degrees, west south east north: two boxes where it crosses the antimeridian.

    Raises BadParameter where it has no grid, or none on the Earth.
    """
    if grid.crs is None or grid.transform is None:
        raise BadParameter("the image has no place; give a GeoTIFF")
    height, width = grid.shape
    steps = np.linspace(0, 1, 17)
    rim = [(s * width, e) for s in steps for e in (0, height)]
    rim += [(e, s * height) for s in steps for e in (0, width)]
    a, b, c, d, e, f = grid.transform[:6]
    col, row = np.array(rim, float).T
    way = pyproj.Transformer.from_crs(grid.crs, WGS84, always_xy=True)
    lng, lat = way.transform(a * col + b * row + c, d * col + e * row + f)
    if not np.isfinite([lng, lat]).all():
        raise BadParameter("the image lies nowhere on the Earth; check its CRS and transform")
    south, north = float(lat.min()), float(lat.max())
    lng = (lng + 180) % 360 - 180
    if np.ptp(lng) <= 180:
        return ((float(lng.min()), south, float(lng.max()), north),)
    return (
        (float(lng[lng > 0].min()), south, 180.0, north),
        (-180.0, south, float(lng[lng <= 0].max()), north),
    )


def _from_label(path: Path, grid: Grid) -> Footprints:
    label = read_label(path, on_problem="skip")
    fit = fit_lnglat(label.buildings)
    if grid.crs is None and fit is not None:
        grid = Grid(shape=grid.shape, crs=WGS84, transform=fit.affine)
    kept = [(b.uid, b.polygon) for b in label.buildings]
    return _moved_onto(kept, lambda xy: xy, grid)


def _geojson(path: Path, document: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    features = document.get("features")
    if document.get("type") != "FeatureCollection" or not isinstance(features, list):
        raise BadLabel(f"{path} is neither an xBD label nor a GeoJSON FeatureCollection; give one")
    for number, feature in enumerate(features):
        if not isinstance(feature, dict):
            raise BadLabel(f"{path}: feature {number} is no object; export the file again")
        properties = feature.get("properties") or {}
        named = properties.get("uid", feature.get("id")) if isinstance(properties, dict) else None
        uid = str(named) if isinstance(named, str | int) else f"building-{number}"
        yield uid, _shape(feature.get("geometry"))


def _shape(geometry: object) -> Any:
    try:
        return shapely.geometry.shape(geometry)
    except (ShapelyError, TypeError, ValueError, AttributeError, KeyError, IndexError):
        return None


def _to_pixels(crs: str, grid: Grid) -> Callable[[np.ndarray], np.ndarray]:
    assert grid.crs is not None and grid.transform is not None
    try:
        transformer = pyproj.Transformer.from_crs(crs, grid.crs, always_xy=True)
    except CRSError as error:
        raise BadLabel(
            f"CRS {crs[:80]!r} is not known; export the footprints in degrees"
        ) from error
    a, b, c, d, e, f = (~grid.transform)[:6]
    way, (height, width) = grid.transform, grid.shape
    middle = way.a * width / 2 + way.b * height / 2 + way.c
    turns = pyproj.CRS(grid.crs).is_geographic

    def move(xy: np.ndarray) -> np.ndarray:
        x, y = transformer.transform(xy[:, 0], xy[:, 1])
        if turns:  # a picture across the antimeridian runs on beyond 180
            x = x - 360 * np.round((x - middle) / 360)
        return np.stack([a * x + b * y + c, d * x + e * y + f], axis=1)

    return move


def _moved_onto(
    found: list[tuple[str, Any]], move: Callable[[np.ndarray], np.ndarray], grid: Grid
) -> Footprints:
    height, width = grid.shape
    frame = shapely.box(0, 0, width, height)
    buildings, outside, unusable = [], 0, 0
    for uid, outline in found:
        if not isinstance(outline, Polygon | MultiPolygon) or outline.is_empty:
            unusable += 1
            continue
        moved = shapely.transform(shapely.force_2d(outline), move)
        if not np.isfinite(shapely.get_coordinates(moved)).all() or not moved.intersects(frame):
            outside += 1
            continue
        buildings.append(Building(polygon=moved, level=None, uid=uid))
    return Footprints(buildings=tuple(buildings), grid=grid, outside=outside, unusable=unusable)
