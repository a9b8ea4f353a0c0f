"""Polygons out of and into a GeoPackage (OGC 12-128r19), an SQLite file with four known tables.

By its own rules and with the standard library, so that the core needs no GDAL vector driver, and
there is none that could be fooled: a table of features, its extent, its geometry column and its
reference system. A geometry is a header (magic ``GP``, version, flags, reference system, bounding
box) before plain WKB. Written, the time of last change is the epoch: the same content gives the
same file. Read, the file is opened read-only and never follows another file.
"""

import sqlite3
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import shapely
from pyproj.exceptions import CRSError
from shapely.geometry import MultiPolygon
from shapely.geometry.base import BaseGeometry

from afterscene.errors import BadParameter, BadRegions
from afterscene.files import write_atomic

EPOCH = "1970-01-01T00:00:00.000Z"
APPLICATION, VERSION = 0x47504B47, 10300
#: A plane without a place on the Earth, as the standard numbers it.
CARTESIAN, GEOGRAPHIC, OWN = -1, 0, 100_000
ENVELOPES = (0, 32, 48, 48, 64)
"""Bytes of the envelope by its code in the flags."""
_KINDS = {str: "TEXT", int: "INTEGER", float: "REAL", bool: "BOOLEAN"}
_WGS84 = 4326

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
            raise BadParameter(f"{path}: {name!r} is no name for a layer or column; use letters")
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
    try:
        known = pyproj.CRS.from_user_input(crs)
    except CRSError as error:
        raise BadParameter(f"CRS {crs[:80]!r} is not known; use one such as EPSG:32616") from error
    authority = known.to_authority(min_confidence=90)
    wkt = known.to_wkt("WKT1_GDAL")
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


def read_geopackage(path: Path) -> Iterator[Any]:
    """The geometries of all layers, None where one is unreadable. Raises BadRegions."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as base:
            base.execute("PRAGMA trusted_schema = OFF")
            tables = base.execute(
                "SELECT table_name, column_name, srs_id FROM gpkg_geometry_columns"
            ).fetchall()
            for table, column, srs in tables:
                move = _way(path, base, int(srs))
                query = f"SELECT {_quoted(column)} FROM {_quoted(table)}"
                for (blob,) in base.execute(query):
                    yield _geometry(blob, move)
    except (sqlite3.Error, ValueError, TypeError, UnicodeError) as error:
        raise BadRegions(f"{path}: is no whole GeoPackage ({error}); export it again") from error
    if not tables:
        raise BadRegions(f"{path}: has no layer with geometries; export it again")


def _quoted(name: object) -> str:
    return '"' + str(name).replace('"', '""') + '"'


def _way(path: Path, base: sqlite3.Connection, srs: int) -> Any:
    """The way to WGS84; None where it is that already."""
    row = base.execute(
        "SELECT organization, organization_coordsys_id FROM gpkg_spatial_ref_sys WHERE srs_id = ?",
        (srs,),
    ).fetchone()
    code = f"{row[0]}:{row[1]}" if row else f"EPSG:{srs}"
    if code.upper() == f"EPSG:{_WGS84}":
        return None
    return to_wgs84(path, code)


def to_wgs84(path: Path, code: str) -> Callable[[np.ndarray], np.ndarray]:
    """The way from a reference system to WGS84, for (n, 2) arrays. Raises BadRegions."""
    try:
        way = pyproj.Transformer.from_crs(code, _WGS84, always_xy=True)
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
