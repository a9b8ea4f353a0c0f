"""Footprints out of text: GeoJSON whole or one feature a line, CSV with WKT, zipped or not."""

from __future__ import annotations

import csv
import gzip
import json
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

import shapely

from afterscene.errors import BadLabel, BadRegions
from afterscene.geodata.geopackage import to_wgs84
from afterscene.geodata.labeljson import MAX_BYTES, load_json
from afterscene.geodata.wkt import BadOutline, geometry, parse_outline

if TYPE_CHECKING:
    from afterscene.geodata.mapped import Bounds, Row, Skipped

LONGEST_LINE = 4 * 2**20
"""Bytes of a line (one building); the longest outline we have seen takes 20 kB."""
WGS84 = "EPSG:4326"


def read_text(path: Path, within: Bounds | None, skipped: Skipped) -> Iterator[Row]:
    """The rows of a text file; what it is, its beginning says. Raises BadRegions, BadLabel."""
    with _opened(path) as file:
        start = file.read(4096).lstrip(b"\xef\xbb\xbf \t\r\n")
    if not start.startswith(b"{"):
        return _google(path, within, skipped)
    whole = b'"FeatureCollection"' in start.split(b'"features"')[0]
    return (_collection if whole else _lines_of_features)(path, skipped)


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


def _lines_of_features(path: Path, skipped: Skipped) -> Iterator[Row]:
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


def _collection(path: Path, skipped: Skipped) -> Iterator[Row]:
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
    move = None if crs == WGS84 else to_wgs84(path, crs)
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


def _google(path: Path, within: Bounds | None, skipped: Skipped) -> Iterator[Row]:
    with _opened(path) as file:
        lines = (line for _, line in _numbered(path, file))
        table = csv.DictReader(lines, restval="")
        try:
            names = table.fieldnames or ()
        except csv.Error as error:
            raise BadRegions(f"{path}: is no CSV ({error}); fetch it again") from error
        column = next((n for n in ("geometry", "wkt", "WKT") if n in names), None)
        if column is None:
            raise BadRegions(
                f"{path}: has no column geometry with WKT (columns: {', '.join(names)[:80]}); "
                "give Google Open Buildings v3 polygons"
            )
        for row in table:
            if within is not None and not _near(row, within):
                continue
            try:
                shape = parse_outline(row[column])
            except BadOutline as error:
                skipped.reasons[str(error)] += 1
                continue
            yield shape, "Google Open Buildings", _confidence(row.get("confidence"))


def _near(row: dict[str, str], within: Bounds) -> bool:
    """By the centre, where the file gives it: a building is no larger than 0.05 degrees."""
    try:
        lat, lng = float(row["latitude"]), float(row["longitude"])
    except (KeyError, TypeError, ValueError):
        return True
    west, south, east, north = within
    return west - 0.05 <= lng <= east + 0.05 and south - 0.05 <= lat <= north + 0.05
