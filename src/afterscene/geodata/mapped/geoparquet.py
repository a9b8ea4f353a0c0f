"""Footprints out of GeoParquet (1.0 and 1.1), as Overture Maps publishes buildings: WKB outlines.

Which column holds them, and in which system, the file says itself (``geo`` in its metadata); where
it says nothing, ``geometry`` does, in degrees. The column is read as a dictionary, so that one
outline that stands there a million times is one outline in memory, and is given once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from afterscene.errors import BadParameter, BadRegions, MissingExtra
from afterscene.geodata.crs import WGS84, Way, known_crs, way
from afterscene.geodata.grid import Bounds
from afterscene.geodata.leftout import TWICE, LeftOut
from afterscene.geodata.mapped import wkb
from afterscene.geodata.mapped.rows import SPARE, UIDS, UNPACKED, Row, name_in, placed

if TYPE_CHECKING:
    from pyarrow.parquet import ParquetFile

ROWS_TOGETHER = 4096
_COLUMNS = ("geometry", "geom", "wkb_geometry")
_DEGREES = {("OGC", "CRS84"), ("EPSG", "4326")}


def read_geoparquet(path: Path, within: Bounds | None, left_out: LeftOut) -> Iterator[Row]:
    """The rows of a file, a part of a group at a time. Raises MissingExtra, BadRegions."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise MissingExtra(
            f"{path}: GeoParquet needs pyarrow, which is not installed; install it with: "
            'pip install "afterscene[geo]"'
        ) from error
    try:
        with parquet.ParquetFile(path) as file:
            column, move = _asked(path, file)
        with parquet.ParquetFile(path, read_dictionary=[column]) as file:
            _check_size(path, file, {column, *UIDS})
            yield from _rows(path, file, column, move, left_out)
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise BadRegions(f"{path}: is damaged ({_line(error)}); fetch it again") from error


def _rows(
    path: Path, file: ParquetFile, column: str, move: Way | None, left_out: LeftOut
) -> Iterator[Row]:
    names = [n for n in UIDS if n in file.schema_arrow.names][:1]
    overture = {"names", "sources"} <= {*file.schema_arrow.names}
    source = "Overture Maps" if overture or not _geo(path, file) else path.name
    for batch in file.iter_batches(batch_size=ROWS_TOGETHER, columns=[column, *names]):
        coded = batch.column(column)
        there = np.flatnonzero(coded.is_valid().to_numpy(zero_copy_only=False))
        codes = coded.indices.to_numpy(zero_copy_only=False)[there].astype(np.int64)
        # The dictionary grows from batch to batch: only what this one uses is looked at.
        used, first = np.unique(codes, return_index=True)
        shapes = placed(wkb.outlines(coded.dictionary.take(used).to_pylist()), move)
        left_out.add(TWICE, len(codes) - len(used))
        uids = batch.column(names[0]).to_pylist() if names else [""] * len(coded)
        for number in np.argsort(first).tolist():
            uid = name_in(uids[there[first[number]]])
            yield Row(shapes[number], source, None, uid)
        yield from [Row(None, source)] * coded.null_count


def _asked(path: Path, file: ParquetFile) -> tuple[str, Way | None]:
    """The column of outlines, and the way from its system to degrees. Raises BadRegions."""
    import pyarrow

    names, geo = file.schema_arrow.names, _geo(path, file)
    column = geo.get("primary_column") or next((n for n in _COLUMNS if n in names), None)
    if not isinstance(column, str) or column not in names:
        raise BadRegions(
            f"{path}: has no column {column or 'geometry'!r} with outlines (it has "
            f"{', '.join(names)[:120]}); give GeoParquet of buildings"
        )
    kind = file.schema_arrow.field(column).type
    kind = getattr(kind, "storage_type", kind)  # of geoarrow, where that is installed
    kind = getattr(kind, "value_type", kind) if pyarrow.types.is_dictionary(kind) else kind
    if not (pyarrow.types.is_binary(kind) or pyarrow.types.is_large_binary(kind)):
        raise BadRegions(f"{path}: column {column} is {str(kind)[:60]}, not WKB; export it as WKB")
    said = geo.get("columns", {})
    said = said.get(column, {}) if isinstance(said, dict) else {}
    return column, _way(path, said if isinstance(said, dict) else {})


def _geo(path: Path, file: ParquetFile) -> dict[str, Any]:
    """What the file says of its geometries; nothing where it is plain Parquet."""
    raw = (file.schema_arrow.metadata or {}).get(b"geo", b"{}")
    try:
        said = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise BadRegions(f"{path}: its geo metadata is not JSON; export it again") from error
    return said if isinstance(said, dict) else {}


def _way(path: Path, said: dict[str, Any]) -> Way | None:
    """The way to degrees of a column; None where they are that already. Raises BadRegions."""
    if "crs" not in said:
        return None  # of the standard: longitude and latitude
    crs = said["crs"]
    if crs is None:
        raise BadRegions(
            f"{path}: says that the system of its coordinates is not known; say which it is "
            "(ogr2ogr -a_srs EPSG:CODE out.parquet)"
        )
    text = json.dumps(crs) if isinstance(crs, dict) else str(crs)
    try:
        if known_crs(text).to_authority(min_confidence=100) in _DEGREES:
            return None
        return way(text, WGS84)
    except BadParameter as error:
        raise BadRegions(f"{path}: {error}") from error


def _check_size(path: Path, file: ParquetFile, columns: set[str]) -> None:
    """Raise BadRegions where a group of rows unpacks to what no list of buildings does."""
    for group in range(file.metadata.num_row_groups):
        stated = file.metadata.row_group(group)
        for chunk in map(stated.column, range(stated.num_columns)):
            if chunk.path_in_schema not in columns:
                continue
            if chunk.total_uncompressed_size > UNPACKED * chunk.total_compressed_size + SPARE:
                raise BadRegions(
                    f"{path}: column {chunk.path_in_schema} unpacks to more than {UNPACKED} times "
                    "its size; no list of buildings does, so fetch it again"
                )


def _line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:160]
