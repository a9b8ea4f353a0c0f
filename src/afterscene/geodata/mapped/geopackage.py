"""Polygons out of a GeoPackage (OGC 12-128r19), an SQLite file with four known tables.

By its own rules and with the standard library, so that the core needs no GDAL vector driver, and
there is none that could be fooled. The file is opened read-only and never follows another file.
What it lists must be tables: a view or a computed column runs code from the file, which may
never end. A geometry is a header (magic ``GP``, version, flags, reference system, bounding box)
before plain WKB.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from afterscene.errors import BadParameter, BadRegions
from afterscene.geodata.crs import WGS84, Way, way
from afterscene.geodata.geopackage import ENVELOPES
from afterscene.geodata.grid import Bounds
from afterscene.geodata.leftout import LeftOut
from afterscene.geodata.mapped import wkb
from afterscene.geodata.mapped.layers import choose_layer, may_be_polygons
from afterscene.geodata.mapped.rows import LONGEST, UIDS, Row, name_in, placed

TOGETHER = 4096
_LOOKED_AT = 100
_SIMPLE = {1: "POINT", 2: "LINESTRING", 3: "POLYGON", 4: "MULTIPOINT", 5: "MULTILINESTRING"}


def read_geopackage(
    path: Path, within: Bounds | None, left_out: LeftOut, layer: str | None = None
) -> Iterator[Row]:
    """The rows of the layer of buildings. Raises BadRegions."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as base:
            base.execute("PRAGMA trusted_schema = OFF")
            base.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 4 * LONGEST)
            listed = _layers(path, base)
            kinds = {name: kind for name, (_, kind, _) in listed.items()}
            chosen = choose_layer(path, kinds, layer)
            column, _, srs = listed[chosen]
            yield from _rows(path, base, chosen, column, _way(path, base, srs))
    except (sqlite3.Error, ValueError, TypeError, UnicodeError) as error:
        raise BadRegions(
            f"{path}: is not an intact GeoPackage ({error}); export it again"
        ) from error


def _rows(
    path: Path, base: sqlite3.Connection, table: str, column: str, move: Way | None
) -> Iterator[Row]:
    columns = _columns(path, base, table)
    if column not in columns:
        raise BadRegions(f"{path}: layer {table!r} has no column {column!r}; export it again")
    name = next((_quoted(n) for n in columns if n.casefold() in UIDS[:1]), "NULL")
    found = base.execute(f"SELECT {_quoted(column)}, {name} FROM {_quoted(table)}")
    while batch := found.fetchmany(TOGETHER):
        shapes = placed(wkb.outlines(_wkb(blob) for blob, _ in batch), move)
        for shape, (_, uid) in zip(shapes, batch, strict=True):
            yield Row(shape, path.name, None, name_in(uid))


def _layers(path: Path, base: sqlite3.Connection) -> dict[str, tuple[str, str, int]]:
    """Column of geometries, their kind, reference system of each layer, by its table."""
    columns = _columns(path, base, "gpkg_geometry_columns")
    kind = "geometry_type_name" if "geometry_type_name" in columns else "'GEOMETRY'"
    query = f"SELECT table_name, column_name, {kind}, srs_id FROM gpkg_geometry_columns"
    found = {}
    for table, column, said, srs in base.execute(query).fetchmany(1000):
        said = str(said).upper()
        if said in ("GEOMETRY", "GEOMCOLLECTION", "GEOMETRYCOLLECTION"):
            said = _seen_kind(path, base, str(table), str(column))
        found[str(table)] = (str(column), said, int(srs))
    if not found:
        raise BadRegions(f"{path}: has no layer with geometries; export it again")
    return found


def _seen_kind(path: Path, base: sqlite3.Connection, table: str, column: str) -> str:
    """The kind of a layer that takes any: polygons, if there is one among the first."""
    if column not in _columns(path, base, table):
        return "GEOMETRY"
    query = f"SELECT {_quoted(column)} FROM {_quoted(table)} LIMIT {_LOOKED_AT}"
    kinds = [wkb.kind(_wkb(blob)) for (blob,) in base.execute(query)]
    seen = [_SIMPLE.get(kind or 0, "GEOMETRY") for kind in kinds if kind is not None]
    return next((kind for kind in seen if may_be_polygons(kind)), seen[0] if seen else "GEOMETRY")


def _columns(path: Path, base: sqlite3.Connection, table: str) -> list[str]:
    """The stored columns of a table. Raises BadRegions where it is none, or a view."""
    row = base.execute(
        "SELECT type, sql FROM sqlite_master WHERE name = ? AND type IN ('table', 'view')", (table,)
    ).fetchone()
    if row is None:
        raise BadRegions(f"{path}: has no table {table!r}; export it again")
    if row[0] != "table" or str(row[1]).upper().split()[:2] == ["CREATE", "VIRTUAL"]:
        raise BadRegions(
            f"{path}: {table!r} is a view, not a table; export what it shows (ogr2ogr out.gpkg "
            f"{path.name} {table!r})"
        )
    found = base.execute(f"PRAGMA table_xinfo({_quoted(table)})").fetchall()
    return [str(column[1]) for column in found if not column[6]]  # hidden ones are computed


def _quoted(name: object) -> str:
    return '"' + str(name).replace('"', '""') + '"'


def _way(path: Path, base: sqlite3.Connection, srs: int) -> Way | None:
    """The way to degrees; None where they are that already. Raises BadRegions."""
    columns = _columns(path, base, "gpkg_spatial_ref_sys")
    text = "definition" if "definition" in columns else "NULL"
    row = base.execute(
        f"SELECT organization, organization_coordsys_id, {text} FROM gpkg_spatial_ref_sys "
        "WHERE srs_id = ?",
        (srs,),
    ).fetchone()
    if srs in (-1, 0) or (row and str(row[0]).upper() == "NONE" and str(row[2]) == "undefined"):
        raise BadRegions(
            f"{path}: its layer names no reference system; say which it is in (ogr2ogr -a_srs "
            f"EPSG:CODE out.gpkg {path.name})"
        )
    crs = f"EPSG:{srs}"
    if row:
        of_own = str(row[0]).upper() != "EPSG" and row[2]
        crs = str(row[2]) if of_own else f"{row[0]}:{row[1]}"
    try:
        return None if crs.upper() == WGS84 else way(crs, WGS84)
    except BadParameter as error:
        raise BadRegions(f"{path}: {error}") from error


def _wkb(blob: Any) -> bytes | None:
    """What follows the header; None where it is none."""
    if not isinstance(blob, bytes) or len(blob) < 8 or blob[:2] != b"GP":
        return None
    code = blob[3] >> 1 & 7
    return blob[8 + ENVELOPES[code] :] if code < len(ENVELOPES) else None
