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

What a file is, its first bytes say. Lines, outlines and groups of rows have limits, so that a
gzip bomb ends at its first endless line. An outline that cannot be used is left out and counted
(``skipped``); a file that cannot be used is an error. Users report that Microsoft's and Google's
outlines lie some metres off the picture: :mod:`afterscene.geodata.alignment` measures that.
"""

import csv
import gzip
import json
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast

import shapely
from shapely.geometry import MultiPolygon, Polygon

from afterscene.errors import BadLabel, BadRegions, MissingExtra, MissingFile
from afterscene.geodata import geopackage_in
from afterscene.geodata.labeljson import MAX_BYTES, load_json
from afterscene.geodata.wkt import BadOutline, geometry, parse_outline

LONGEST_LINE = 4 * 2**20
"""Bytes of a line (one building); the longest outline we have seen takes 20 kB."""
ROWS = 65536
WGS84 = "EPSG:4326"
Box = tuple[float, float, float, float]
"""West, south, east, north in degrees."""


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


def read_footprints(
    path: Path, within: Box | None = None, *, skipped: Skipped | None = None
) -> Iterator[Footprint]:
    """The footprints of a file that touch the box, in file order.

    Raises:
        MissingFile: there is no such file.
        BadRegions: it is none of the formats above, or damaged.
        MissingExtra: ``.parquet`` without the extra ``geo``.
    """
    count = skipped if skipped is not None else Skipped()
    reader = _reader(path)
    for shape, source, confidence in reader(path, within, count):
        if not isinstance(shape, Polygon | MultiPolygon) or shape.is_empty:
            count.reasons["no polygon"] += 1
        elif within is None or shape.intersects(shapely.box(*within)):
            yield Footprint(outline=shape, source=source, confidence=confidence)


Row = tuple[Any, str, float | None]
Reader = Callable[[Path, Box | None, Skipped], Iterator[Row]]


def _reader(path: Path) -> Reader:
    if not path.is_file():
        raise MissingFile(f"{path}: there is no such footprint file; check the path")
    with path.open("rb") as file:
        head = file.read(16)
    name = path.name.lower()
    if head.startswith(b"PAR1") and name.endswith((".parquet", ".geoparquet")):
        return _overture
    if head.startswith(b"SQLite format 3\0") and name.endswith(".gpkg"):
        return _geopackage
    texts = (".csv.gz", ".csv", ".geojson", ".geojsonl", ".json", ".geojson.gz", ".geojsonl.gz")
    if name.endswith(texts) and head.startswith(b"\x1f\x8b") == name.endswith(".gz"):
        return _text(path)
    raise BadRegions(
        f"{path}: is no footprint file that we read (its first bytes are {head[:8]!r}); give "
        "GeoParquet, .csv.gz, CSV with WKT, GeoPackage or GeoJSON"
    )


def _text(path: Path) -> Reader:
    with _opened(path) as file:
        start = file.read(4096).lstrip(b"\xef\xbb\xbf \t\r\n")
    if not start.startswith(b"{"):
        return _google
    whole = b'"FeatureCollection"' in start.split(b'"features"')[0]
    return _collection if whole else _lines_of_features


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """The bytes of a file, unzipped where it is; whatever is wrong with them is a BadRegions."""
    zipped = path.name.lower().endswith(".gz")
    try:
        with path.open("rb") as raw:
            yield cast("IO[bytes]", gzip.GzipFile(fileobj=raw)) if zipped else raw
    except (EOFError, OSError, zlib.error, csv.Error) as error:
        raise BadRegions(f"{path}: is damaged or cut off ({error}); fetch it again") from error


def _numbered(path: Path, file: IO[bytes]) -> Iterator[tuple[int, str]]:
    number = 0
    while line := file.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            raise BadRegions(
                f"{path}: line {number} is longer than {LONGEST_LINE:,} bytes, no building is; "
                "fetch it again"
            )
        text = line.decode("utf-8-sig" if number == 1 else "utf-8", errors="replace")
        if text.strip():
            yield number, text


def _lines_of_features(path: Path, within: Box | None, skipped: Skipped) -> Iterator[Row]:
    found = False
    with _opened(path) as file:
        for number, line in _numbered(path, file):
            try:
                feature = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise BadRegions(
                    f"{path}: line {number} is no JSON; give one GeoJSON feature a line"
                ) from error
            found = True
            yield from _feature(feature, "Microsoft" if ".csv" in path.name else path.name, skipped)
    if not found:
        raise BadRegions(f"{path}: holds no feature; fetch it again")


def _collection(path: Path, within: Box | None, skipped: Skipped) -> Iterator[Row]:
    if path.stat().st_size > MAX_BYTES or path.name.lower().endswith(".gz"):
        raise BadRegions(
            f"{path}: is one collection that would be read whole (limit {MAX_BYTES:,} bytes, not "
            "zipped); write one feature a line (ogr2ogr -f GeoJSONSeq), or a GeoPackage"
        )
    document = load_json(path)
    features = document.get("features")
    if not isinstance(features, list):
        raise BadRegions(f"{path}: has no list of features; export it as a FeatureCollection")
    crs = geojson_crs(path, document)
    move = None if crs == WGS84 else geopackage_in.mover(path, crs)
    for feature in features:
        for shape, source, confidence in _feature(feature, path.name, skipped):
            moved = shape if move is None else shapely.transform(shapely.force_2d(shape), move)
            yield moved, source, confidence


def geojson_crs(path: Path, document: dict[str, Any]) -> str:
    """The CRS of a GeoJSON: WGS84 unless its old ``crs`` member names one. Raises BadLabel."""
    said = document.get("crs")
    if said is None:
        return WGS84
    name = said.get("properties", {}).get("name") if isinstance(said, dict) else None
    code = re.fullmatch(r"(?:urn:ogc:def:crs:)?(EPSG|OGC):(?:[\d.]*:)?(\w+)", str(name))
    if code is None:
        raise BadLabel(f"{path}: crs {str(name)[:80]!r} is not known; export it in degrees")
    return WGS84 if code[1] == "OGC" else f"EPSG:{code[2]}"


def _feature(feature: Any, source: str, skipped: Skipped) -> Iterator[Row]:
    try:
        said = feature.get("properties") or {}
        yield geometry(feature["geometry"]), source, _confidence(said.get("confidence"))
    except (KeyError, TypeError, ValueError, AttributeError):
        skipped.reasons["no usable geometry"] += 1


def _confidence(value: Any) -> float | None:
    """Microsoft writes -1 where it does not know."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if 0 <= number <= 1 else None


def _google(path: Path, within: Box | None, skipped: Skipped) -> Iterator[Row]:
    with _opened(path) as file:
        lines = (line for _, line in _numbered(path, file))
        rows = csv.DictReader(lines, restval="")
        try:
            names = rows.fieldnames or ()
        except csv.Error as error:
            raise BadRegions(f"{path}: is no CSV ({error}); fetch it again") from error
        column = next((n for n in ("geometry", "wkt", "WKT") if n in names), None)
        if column is None:
            raise BadRegions(
                f"{path}: has no column geometry with WKT (columns: {', '.join(names)[:80]}); "
                "give Google Open Buildings v3 polygons"
            )
        for row in rows:
            if within is not None and not _near(row, within):
                continue
            try:
                shape = parse_outline(row[column])
            except BadOutline as error:
                skipped.reasons[str(error)] += 1
                continue
            yield shape, "Google Open Buildings", _confidence(row.get("confidence"))


def _near(row: dict[str, str], within: Box) -> bool:
    """By the centre, where the file gives it: a building is no larger than 0.05 degrees."""
    try:
        lat, lng = float(row["latitude"]), float(row["longitude"])
    except (KeyError, TypeError, ValueError):
        return True
    west, south, east, north = within
    return west - 0.05 <= lng <= east + 0.05 and south - 0.05 <= lat <= north + 0.05


def _overture(path: Path, within: Box | None, skipped: Skipped) -> Iterator[Row]:
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
            for batch in file.iter_batches(batch_size=ROWS, columns=["geometry"]):
                for shape in shapely.from_wkb(batch.column(0).to_pylist(), on_invalid="ignore"):
                    yield shape, "Overture Maps", None
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise BadRegions(f"{path}: is damaged ({_line(error)}); fetch it again") from error


def _geopackage(path: Path, within: Box | None, skipped: Skipped) -> Iterator[Row]:
    for shape in geopackage_in.polygons(path):
        yield shape, path.name, None


def _line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:160]
