"""Polygons out of a GeoPackage, by its own rules and without a driver that could be fooled.

A GeoPackage is an SQLite file (OGC 12-128r19): ``gpkg_geometry_columns`` names tables, columns and
reference systems; a geometry is a short header ("GP", version, flags, srs, envelope) and WKB. The
file is opened read-only and never follows another file. Coordinates come out in WGS84 degrees.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import shapely

from afterscene.errors import BadRegions

ENVELOPES = (0, 32, 48, 48, 64)
"""Bytes of the envelope by its code in the flags."""
WGS84 = 4326


def polygons(path: Path) -> Iterator[Any]:
    """The geometries of all layers, None where one is unreadable. Raises BadRegions."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as base:
            base.execute("PRAGMA trusted_schema = OFF")
            tables = base.execute(
                "SELECT table_name, column_name, srs_id FROM gpkg_geometry_columns"
            ).fetchall()
            for table, column, srs in tables:
                move = _mover(path, base, int(srs))
                query = f"SELECT {_quoted(column)} FROM {_quoted(table)}"
                for (blob,) in base.execute(query):
                    yield _geometry(blob, move)
    except (sqlite3.Error, ValueError, TypeError, UnicodeError) as error:
        raise BadRegions(f"{path}: is no whole GeoPackage ({error}); export it again") from error
    if not tables:
        raise BadRegions(f"{path}: has no layer with geometries; export it again")


def _quoted(name: object) -> str:
    return '"' + str(name).replace('"', '""') + '"'


def _mover(path: Path, base: sqlite3.Connection, srs: int) -> Any:
    """The way to WGS84; None where it is that already."""
    row = base.execute(
        "SELECT organization, organization_coordsys_id FROM gpkg_spatial_ref_sys WHERE srs_id = ?",
        (srs,),
    ).fetchone()
    code = f"{row[0]}:{row[1]}" if row else f"EPSG:{srs}"
    if code.upper() == f"EPSG:{WGS84}":
        return None
    return mover(path, code)


def mover(path: Path, code: str) -> Any:
    """The way from a reference system to WGS84, for (n, 2) arrays. Raises BadRegions."""
    try:
        way = pyproj.Transformer.from_crs(code, WGS84, always_xy=True)
    except pyproj.exceptions.CRSError as error:
        raise BadRegions(
            f"{path}: reference system {code[:40]!r} is not known; export it in EPSG:4326"
        ) from error
    return lambda xy: np.column_stack(way.transform(xy[:, 0], xy[:, 1]))


def _geometry(blob: Any, move: Any) -> Any:
    if not isinstance(blob, bytes) or len(blob) < 8 or blob[:2] != b"GP":
        return None
    code = blob[3] >> 1 & 7
    if code >= len(ENVELOPES):
        return None
    shape = shapely.from_wkb(blob[8 + ENVELOPES[code] :], on_invalid="ignore")
    if shape is None or move is None:
        return shape
    return shapely.transform(shapely.force_2d(shape), move)
