"""Building footprints that others have mapped, read as a stream: outline in WGS84, who says so.

====================  ====================================================  =======================
suffix                what it is                                            terms
====================  ====================================================  =======================
``.parquet``          Overture Maps buildings, GeoParquet, WKB              ODbL 1.0
``.csv.gz``           Microsoft: GeoJSON features, one a line (no CSV)      CDLA-Permissive-2.0
``.csv.gz`` ``.csv``  Google Open Buildings v3: CSV with WKT, confidence    CC BY 4.0
``.gpkg``             any GeoPackage layer of polygons                      as its owner says
``.geojson``          FeatureCollection (32 MB), or one feature a line      as its owner says
``.geojsonl``         GeoJSON features, one a line                          as its owner says
====================  ====================================================  =======================

A kind of file is a :class:`FootprintReader`, here or under the entry point group
``afterscene.footprints`` of another package; which one reads a file, its name and its first bytes
say. Lines, outlines and groups of rows have limits, so that a gzip bomb ends at its first endless
line. An outline that cannot be used is left out and counted (``skipped``); a file that cannot be
used is an error. Users report that Microsoft's and Google's outlines lie some metres off the
picture: :mod:`afterscene.geodata.alignment` measures that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import shapely
from shapely.geometry import MultiPolygon, Polygon

from afterscene.errors import BadRegions, MissingFile
from afterscene.geodata import geoparquet, mapped_text
from afterscene.geodata.geopackage import read_geopackage
from afterscene.registry import Registry

Bounds = tuple[float, float, float, float]
"""West, south, east, north in degrees."""
Row = tuple[Any, str, float | None]
"""Geometry in WGS84 degrees (None where it is unusable), source, confidence."""


@dataclass(frozen=True, kw_only=True)
class Footprint:
    """One outline in WGS84 degrees; ``confidence`` in 0..1 where its source gives one."""

    outline: Polygon | MultiPolygon
    source: str
    confidence: float | None = None


@dataclass
class Skipped:
    """Why outlines were left out, and how many."""

    reasons: Counter[str] = field(default_factory=Counter)


@runtime_checkable
class FootprintReader(Protocol):
    """A kind of footprint file.

    Attributes:
        endings: Of the names of such files, in lower case with the dot.
        signature: Their first bytes; empty for text.
        rows: ``rows(path, within, skipped)``, the rows of a file in its order. ``within`` may save
            work; outlines that cannot be used are counted in ``skipped``. Raises BadRegions.
    """

    @property
    def endings(self) -> tuple[str, ...]: ...

    @property
    def signature(self) -> bytes: ...

    @property
    def rows(self) -> Callable[[Path, Bounds | None, Skipped], Iterator[Row]]: ...


@dataclass(frozen=True)
class _Kind:
    endings: tuple[str, ...]
    signature: bytes
    rows: Callable[[Path, Bounds | None, Skipped], Iterator[Row]]


def _geopackage(path: Path, within: Bounds | None, skipped: Skipped) -> Iterator[Row]:
    return ((shape, path.name, None) for shape in read_geopackage(path))


READERS: Registry[FootprintReader] = Registry(
    "footprint",
    {
        "text": _Kind((".json", ".geojson", ".geojsonl", ".csv"), b"", mapped_text.read_text),
        "zipped": _Kind(
            (".geojson.gz", ".geojsonl.gz", ".csv.gz"), b"\x1f\x8b", mapped_text.read_text
        ),
        "geopackage": _Kind((".gpkg",), b"SQLite format 3\0", _geopackage),
        "geoparquet": _Kind((".parquet", ".geoparquet"), b"PAR1", geoparquet.read_geoparquet),
    },
)
"""Every reader by its name, with those of installed packages."""


def iterate_footprints(
    path: Path, within: Bounds | None = None, *, skipped: Skipped | None = None
) -> Iterator[Footprint]:
    """The footprints of a file that touch the box, in file order.

    Raises:
        MissingFile: there is no such file.
        BadRegions: it is none of the formats above, or damaged.
        MissingExtra: ``.parquet`` without the extra ``geo``.
    """
    count = skipped if skipped is not None else Skipped()
    for shape, source, confidence in _reader(path).rows(path, within, count):
        if not isinstance(shape, Polygon | MultiPolygon) or shape.is_empty:
            count.reasons["no polygon"] += 1
        elif within is None or shape.intersects(shapely.box(*within)):
            yield Footprint(outline=shape, source=source, confidence=confidence)


def _reader(path: Path) -> FootprintReader:
    if not path.is_file():
        raise MissingFile(f"{path}: there is no such footprint file; check the path")
    with path.open("rb") as file:
        head = file.read(16)
    for reader in READERS.values():
        if path.name.lower().endswith(reader.endings) and head.startswith(reader.signature):
            return reader
    raise BadRegions(
        f"{path}: is no footprint file that we read (its first bytes are {head[:8]!r}); give one "
        f"of: {', '.join(ending for reader in READERS.values() for ending in reader.endings)}"
    )
