"""Building footprints that others have mapped, read as a stream: outline in WGS84, who says so.

====================  ====================================================  =======================
suffix                what it is                                            terms
====================  ====================================================  =======================
``.parquet``          Overture Maps buildings, GeoParquet, WKB              ODbL 1.0
``.csv.gz``           Microsoft: GeoJSON features, one a line (no CSV)      CDLA-Permissive-2.0
``.csv.gz`` ``.csv``  Google Open Buildings v3: CSV with WKT, confidence    CC BY 4.0
``.gpkg``             a GeoPackage layer of polygons                        as its owner says
``.geojson``          a FeatureCollection, or one feature a line            as its owner says
``.shp`` ``.fgb``     Shapefile, FlatGeobuf, KML, by GDAL                   as its owner says
``.kml``
``.zip`` ``.kmz``     one of these in a zip                                 as its owner says
====================  ====================================================  =======================

A kind of file is a :class:`FootprintReader`, here or under the entry point group
``afterscene.footprints`` of another package; which one reads a file, its name and its first bytes
say. A file of several layers is given as ``FILE:LAYER``, where its names do not tell which layer
holds the buildings. Sizes have limits that are looked at before the work. An outline that cannot be
used is left out and counted; a file that cannot be used is an error. Users report that Microsoft's
and Google's outlines lie some metres off the picture: :mod:`afterscene.geodata.alignment` measures
that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from shapely.geometry import MultiPolygon, Polygon

from afterscene.errors import AftersceneError, BadRegions, MissingFile
from afterscene.geodata.grid import Bounds
from afterscene.geodata.leftout import BROKEN, NO_POLYGON, OUTSIDE, LeftOut
from afterscene.geodata.mapped import gdal, geojson, geopackage, geoparquet, wktcsv, zipped
from afterscene.geodata.mapped.checks import usable
from afterscene.geodata.mapped.packed import opened
from afterscene.geodata.mapped.rows import LONGEST, USELESS, Row
from afterscene.registry import Registry

__all__ = [
    "READERS",
    "Footprint",
    "FootprintReader",
    "Row",
    "iterate_footprints",
    "iterate_rows",
    "located",
    "own_file",
]

TOGETHER = 4096


@dataclass(frozen=True, kw_only=True)
class Footprint:
    """One outline in WGS84 degrees; ``confidence`` in 0..1 and ``uid`` where its source has one."""

    outline: Polygon | MultiPolygon
    source: str
    confidence: float | None = None
    uid: str = ""


@runtime_checkable
class FootprintReader(Protocol):
    """A kind of footprint file.

    Attributes:
        endings: Of the names of such files, in lower case with the dot.
        signature: Their first bytes; empty for text.
        rows: ``rows(path, within, left_out)``, the rows of a file in its order: (geometry in WGS84
            degrees or None, source, confidence or None), and a name. ``within`` may save work; what
            a reader leaves out itself it counts in ``left_out``. Raises BadRegions.
    """

    @property
    def endings(self) -> tuple[str, ...]: ...

    @property
    def signature(self) -> bytes: ...

    @property
    def rows(self) -> Callable[[Path, Bounds | None, LeftOut], Iterator[Any]]: ...


@dataclass(frozen=True)
class _Kind:
    """``layered``: ``rows`` takes the name of a layer, too."""

    endings: tuple[str, ...]
    signature: bytes
    rows: Callable[..., Iterator[Row]]
    layered: bool = False


def _read_text(path: Path, within: Bounds | None, left_out: LeftOut) -> Iterator[Row]:
    """GeoJSON or CSV: a ``.csv`` may be both, and its first character tells."""
    if ".csv" in path.name.lower():
        with opened(path) as file:
            start = file.read(LONGEST // 64).lstrip(b"\xef\xbb\xbf \t\r\n")
        if not start.startswith(b"{"):
            return wktcsv.read_csv(path, within, left_out)
    return geojson.read_geojson(path, within, left_out)


def _read_zip(
    path: Path, within: Bounds | None, left_out: LeftOut, layer: str | None = None
) -> Iterator[Row]:
    with zipped.unpacked(path, layer, _is_known) as (inner, inner_layer):
        try:
            yield from _rows(inner, inner_layer, within, left_out)
        except AftersceneError as error:
            said = str(error).removeprefix(f"{inner}").removeprefix(": ")
            raise type(error)(f"{path}: {inner.name}: {said}") from error


READERS: Registry[FootprintReader] = Registry(
    "footprint",
    {
        "text": _Kind((".json", ".geojson", ".geojsonl", ".geojsons", ".csv"), b"", _read_text),
        "zipped": _Kind((".geojson.gz", ".geojsonl.gz", ".csv.gz"), b"\x1f\x8b", _read_text),
        "geopackage": _Kind((".gpkg",), b"SQLite format 3\0", geopackage.read_geopackage, True),
        "geoparquet": _Kind((".parquet", ".geoparquet"), b"PAR1", geoparquet.read_geoparquet),
        "shapefile": _Kind((".shp",), b"\0\0\x27\x0a", gdal.read_by_gdal, True),
        "flatgeobuf": _Kind((".fgb",), b"fgb\x03fgb", gdal.read_by_gdal, True),
        "kml": _Kind((".kml",), b"", gdal.read_by_gdal, True),
        "archive": _Kind((".zip", ".kmz"), b"PK\x03\x04", _read_zip, True),
    },
)
"""Every reader by its name, with those of installed packages."""


def iterate_footprints(
    path: Path, within: Bounds | None = None, *, left_out: LeftOut | None = None
) -> Iterator[Footprint]:
    """The footprints of a file, or of ``FILE:LAYER``, whose extent touches the box, in file order.

    Raises:
        MissingFile: there is no such file.
        BadRegions: it has none of the formats above, or is damaged.
        MissingExtra: a format that needs the extra ``geo``.
    """
    count = LeftOut()
    rows, given = iterate_rows(path, within, count), 0
    try:
        while batch := list(islice(rows, TOGETHER)):
            for shape, row in usable(batch, within, count):
                given += 1
                yield Footprint(
                    outline=shape, source=row.source, confidence=row.confidence, uid=row.uid
                )
            _check_useful(path, given, count)
    finally:
        if left_out is not None:
            left_out.take(count)


def _check_useful(path: Path, given: int, count: LeftOut) -> None:
    """Raise BadRegions where a file holds rows without end that are no outlines."""
    useless = count.reasons[BROKEN] + count.reasons[NO_POLYGON]
    if useless > max(USELESS, 100 * (given + count.reasons[OUTSIDE])):
        raise BadRegions(
            f"{path}: its first {useless:,} rows are not outlines of buildings ({count}); give "
            "another file or layer"
        )


def iterate_rows(path: Path, within: Bounds | None, left_out: LeftOut) -> Iterator[Row]:
    """The rows of a file as its reader gives them: not yet looked at. Raises as above."""
    return (Row(*row) for row in _rows(*located(path), within, left_out))


def located(path: Path) -> tuple[Path, str | None]:
    """The file and the layer that ``FILE:LAYER`` means; None where no layer is named."""
    text = str(path)
    for cut in (k for k, c in enumerate(text) if c == ":" and not path.exists()):
        if text[cut + 1 :] and Path(text[:cut]).is_file():
            return Path(text[:cut]), text[cut + 1 :]
    return path, None


def own_file(folder: Path, image: Path) -> Path | None:
    """The footprint file of an image's own name in a folder; None where there is none."""
    ends = (end for reader in READERS.values() for end in reader.endings)
    return next((p for end in ends if (p := folder / f"{image.stem}{end}").is_file()), None)


def _rows(path: Path, layer: str | None, within: Bounds | None, left_out: LeftOut) -> Iterator[Any]:
    reader = _reader(path)
    if getattr(reader, "layered", False):
        return reader.rows(path, within, left_out, layer)  # type: ignore[call-arg]
    if layer is not None:
        raise BadRegions(f"{path}: has no layers, so leave :{layer} out")
    return reader.rows(path, within, left_out)


def _is_known(name: str) -> bool:
    ends = name.lower().endswith
    return ends(tuple(e for r in READERS.values() for e in r.endings)) and not ends(
        (".zip", ".kmz")
    )


def _reader(path: Path) -> FootprintReader:
    if not path.is_file():
        raise MissingFile(f"{path}: there is no such footprint file; check the path")
    with path.open("rb") as file:
        head = file.read(16)
    for reader in READERS.values():
        if path.name.lower().endswith(reader.endings) and head.startswith(reader.signature):
            return reader
    raise BadRegions(
        f"{path}: is not a footprint file of a supported format (its first bytes are "
        f"{head[:8]!r}); give one of: "
        f"{', '.join(ending for reader in READERS.values() for ending in reader.endings)}"
    )
