"""Polygons into a GeoPackage (OGC 12-128r19), an SQLite file with four known tables.

By its own rules and with the standard library, so that the core needs no GDAL vector driver: a
table of features, its extent, its geometry column and its reference system. A geometry is a header
(magic ``GP``, version, flags, reference system, bounding box) before plain WKB. The time of last
change is the epoch: the same content gives the same file. Read again by
:mod:`afterscene.geodata.mapped.geopackage`.
"""

import sqlite3
import struct
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pyproj
import shapely
from shapely.geometry import MultiPolygon
from shapely.geometry.base import BaseGeometry

from afterscene.errors import BadParameter
from afterscene.files import write_atomic
from afterscene.geodata.crs import known_crs

EPOCH = "1970-01-01T00:00:00.000Z"
APPLICATION, VERSION = 0x47504B47, 10300
#: A plane without a place on the Earth, as the standard numbers it.
CARTESIAN, GEOGRAPHIC, OWN = -1, 0, 100_000
ENVELOPES = (0, 32, 48, 48, 64)
"""Bytes of the envelope by its code in the flags."""
_KINDS = {str: "TEXT", int: "INTEGER", float: "REAL", bool: "BOOLEAN"}

_TABLES = """
CREATE TABLE gpkg_spatial_ref_sys (srs_name TEXT NOT NULL, srs_id INTEGER NOT NULL PRIMARY KEY,
  organization TEXT NOT NULL, organization_coordsys_id INTEGER NOT NULL, definition TEXT NOT NULL,
  description TEXT);
CREATE TABLE gpkg_contents (table_name TEXT NOT NULL PRIMARY KEY, data_type TEXT NOT NULL,
  identifier TEXT UNIQUE, description TEXT DEFAULT '', last_change DATETIME NOT NULL,
  min_x DOUBLE, min_y DOUBLE, max_x DOUBLE, max_y DOUBLE,
  srs_id INTEGER REFERENCES gpkg_spatial_ref_sys(srs_id));
CREATE TABLE gpkg_geometry_columns (table_name TEXT NOT NULL, column_name TEXT NOT NULL,
  geometry_type_name TEXT NOT NULL, srs_id INTEGER NOT NULL, z TINYINT NOT NULL,
  m TINYINT NOT NULL, PRIMARY KEY (table_name, column_name),
  FOREIGN KEY (table_name) REFERENCES gpkg_contents(table_name));
"""


def write_geopackage(
    path: str | Path,
    layer: str,
    outlines: Sequence[BaseGeometry],
    columns: Mapping[str, Sequence[Any]],
    *,
    crs: str | None,
    description: str = "",
) -> Path:
    """One layer of multipolygons in `crs` (None: a plane); columns of text, int, float or bool.

    None in a column is NULL. Raises BadParameter for unknown CRS, uneven columns or odd names;
    OutputConflict where the file cannot be written.
    """
    for name in (layer, *columns):
        if not name.isidentifier():
            raise BadParameter(
                f"{path}: {name!r} is not a valid name for a layer or column; use letters"
            )
    if any(len(values) != len(outlines) for values in columns.values()):
        raise BadParameter(f"{path}: columns and {len(outlines)} outlines differ in length")
    system = _system(crs)
    return write_atomic(
        path, lambda file: _write(file, layer, outlines, columns, system, description)
    )


def _system(crs: str | None) -> tuple[str, int, str, int, str]:
    """Name, id, organization, its number and WKT of a reference system."""
    if crs is None:
        return ("Undefined Cartesian", CARTESIAN, "NONE", CARTESIAN, "undefined")
    known = known_crs(crs)
    authority = known.to_authority(min_confidence=90)
    try:
        wkt = known.to_wkt("WKT1_GDAL")
    except pyproj.exceptions.CRSError:  # the older language has no word for it
        wkt = known.to_wkt()
    if authority is not None and authority[0] == "EPSG":
        return (known.name, int(authority[1]), "EPSG", int(authority[1]), wkt)
    return (known.name, OWN, "NONE", OWN, wkt)


def _write(
    file: Path,
    layer: str,
    outlines: Sequence[BaseGeometry],
    columns: Mapping[str, Sequence[Any]],
    system: tuple[str, int, str, int, str],
    description: str,
) -> None:
    kinds = [_kind(values) for values in columns.values()]
    fields = ", ".join(f'"{name}" {kind}' for name, kind in zip(columns, kinds, strict=True))
    with closing(sqlite3.connect(file)) as base:
        base.execute(f"PRAGMA application_id = {APPLICATION}")
        base.execute(f"PRAGMA user_version = {VERSION}")
        base.executescript(_TABLES)
        base.executemany("INSERT INTO gpkg_spatial_ref_sys VALUES (?,?,?,?,?,NULL)", _known(system))
        bounds = shapely.total_bounds(list(outlines)).tolist() if outlines else [None] * 4
        base.execute(
            "INSERT INTO gpkg_contents VALUES (?,?,?,?,?,?,?,?,?,?)",
            (layer, "features", layer, description, EPOCH, *bounds, system[1]),
        )
        base.execute(
            "INSERT INTO gpkg_geometry_columns VALUES (?,'geom','MULTIPOLYGON',?,0,0)",
            (layer, system[1]),
        )
        base.execute(
            f'CREATE TABLE "{layer}" (fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, '
            f"geom MULTIPOLYGON{', ' + fields if fields else ''})"
        )
        marks = ",".join("?" * (1 + len(columns)))
        names = ", ".join(f'"{name}"' for name in ("geom", *columns))
        rows = zip((_blob(o, system[1]) for o in outlines), *columns.values(), strict=True)
        base.executemany(f'INSERT INTO "{layer}" ({names}) VALUES ({marks})', rows)
        base.commit()


def _known(system: tuple[str, int, str, int, str]) -> list[tuple[str, int, str, int, str]]:
    """The three systems that every file lists, and ours."""
    wgs84 = pyproj.CRS.from_epsg(4326)
    rows = {
        CARTESIAN: _system(None),
        GEOGRAPHIC: ("Undefined geographic", GEOGRAPHIC, "NONE", GEOGRAPHIC, "undefined"),
        4326: (wgs84.name, 4326, "EPSG", 4326, wgs84.to_wkt("WKT1_GDAL")),
    }
    return list({**rows, system[1]: system}.values())


def _kind(values: Sequence[Any]) -> str:
    kinds = {type(v) for v in values if v is not None}
    return _KINDS[kinds.pop()] if len(kinds) == 1 else "TEXT"


def _blob(outline: BaseGeometry, srs: int) -> bytes:
    many = outline if isinstance(outline, MultiPolygon) else MultiPolygon([outline])
    left, low, right, high = many.bounds
    head = struct.pack("<2sBBi4d", b"GP", 0, 0b011, srs, left, right, low, high)
    return head + shapely.to_wkb(many, byte_order=1)
