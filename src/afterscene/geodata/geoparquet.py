"""Footprints out of GeoParquet, as Overture Maps publishes buildings: WKB outlines in WGS84."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import shapely

from afterscene.errors import BadRegions, MissingExtra

if TYPE_CHECKING:
    from afterscene.geodata.mapped import Bounds, Row, Skipped

ROWS_TOGETHER = 65536


def read_geoparquet(path: Path, within: Bounds | None, skipped: Skipped) -> Iterator[Row]:
    """The rows of a file, a group at a time. Raises MissingExtra, BadRegions."""
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
            if "geometry" not in file.schema_arrow.names:
                raise BadRegions(f"{path}: has no column geometry; give GeoParquet of buildings")
            if not pyarrow.types.is_binary(kind := file.schema_arrow.field("geometry").type) and (
                not pyarrow.types.is_large_binary(kind)
            ):
                raise BadRegions(f"{path}: column geometry is {kind}, not WKB; export it as WKB")
            for batch in file.iter_batches(batch_size=ROWS_TOGETHER, columns=["geometry"]):
                for shape in shapely.from_wkb(batch.column(0).to_pylist(), on_invalid="ignore"):
                    yield shape, "Overture Maps", None
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise BadRegions(f"{path}: is damaged ({_line(error)}); fetch it again") from error


def _line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:160]
