"""Footprints out of CSV with WKT, as Google Open Buildings, QGIS and PostGIS write it.

The outline stands in a column ``geometry``, ``wkt`` or ``geom``, as WKT, as EWKT (``SRID=32616;``
before it) or as PostGIS's hexadecimal EWKB. What names no system is in degrees.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from afterscene.errors import BadParameter, BadRegions
from afterscene.geodata.crs import WGS84, Way, way
from afterscene.geodata.grid import Bounds
from afterscene.geodata.leftout import OUTSIDE, LeftOut
from afterscene.geodata.mapped import wkb
from afterscene.geodata.mapped.packed import lines, opened
from afterscene.geodata.mapped.rows import NO_OUTLINE, UIDS, Row, confidence_in, name_in, placed
from afterscene.geodata.wkt import names_outline

COLUMNS = ("geometry", "wkt", "geom", "the_geom", "wkb_geometry")
GOOGLE = {"latitude", "longitude", "confidence"}
TOGETHER = 1024
_EWKT = re.compile(r"\s*SRID=(\d{1,6});", re.IGNORECASE)
_HEX = re.compile(r"0[01][0-9A-Fa-f]+")
_DEGREES = (0, 4326)


def read_csv(path: Path, within: Bounds | None, left_out: LeftOut) -> Iterator[Row]:
    """The rows of a file. Raises BadRegions."""
    ways = _Ways(path)
    with opened(path) as file:
        try:
            table, column = _table(path, lines(path, file))
            name = next((n for n in table.fieldnames or () if n.casefold() in UIDS), "")
            known = {n.casefold() for n in table.fieldnames or ()}
            source = "Google Open Buildings" if known >= GOOGLE else path.name
            while batch := list(islice(table, TOGETHER)):
                near = [row for row in batch if within is None or _near(row, within)]
                left_out.add(OUTSIDE, len(batch) - len(near))
                for row, shape in zip(near, _shapes(near, column, ways), strict=True):
                    sure = confidence_in(row.get("confidence"))
                    yield Row(shape, source, sure, name_in(row.get(name)))
        except csv.Error as error:
            raise BadRegions(f"{path}: is not a CSV file ({error}); fetch it again") from error


def _table(path: Path, text: Iterator[str]) -> tuple[csv.DictReader[str], str]:
    """The table, and its column of outlines; whatever stands between its columns."""
    first = next(text, "")
    for mark in ",;\t|":
        names = next(csv.reader([first], delimiter=mark), [])
        known = {name.strip().casefold(): name for name in reversed(names)}
        if column := next((known[n] for n in COLUMNS if n in known), None):
            return csv.DictReader(text, fieldnames=names, restval="", delimiter=mark), column
    raise BadRegions(
        f"{path}: has no column geometry with WKT (it begins with {first.strip()[:80]!r}); give "
        "one, such as Google Open Buildings v3 has"
    )


def _shapes(rows: list[dict[str, Any]], column: str, ways: _Ways) -> list[Any]:
    """Each outline in degrees, None where it is missing or broken."""
    texts = [str(row.get(column) or "") for row in rows]
    codes = [_EWKT.match(text) for text in texts]
    found = np.empty(len(rows), object)
    srids = np.array([int(m[1]) if m else 0 for m in codes], int)
    packed = [number for number, text in enumerate(texts) if _HEX.fullmatch(text.strip())]
    for number in packed:
        text = texts[number].strip()
        found[number] = wkb.outlines([bytes.fromhex(text) if len(text) % 2 == 0 else b""])[0]
        if found[number] is not None:
            srids[number] = shapely.get_srid(found[number])
    plain = [number for number in range(len(rows)) if found[number] is None]
    cut = [texts[n][m.end() :] if (m := codes[n]) else texts[n] for n in plain]
    found[plain] = _outlines(cut)
    for srid in np.unique(srids):
        here = srids == srid
        found[here] = placed(found[here], ways.to_degrees(int(srid)))
    return list(found)


def _outlines(texts: list[str]) -> np.ndarray:
    found = np.empty(len(texts), object)
    named = np.array([names_outline(text) for text in texts], bool)
    with np.errstate(all="ignore"):
        found[named] = shapely.from_wkt(np.array(texts, object)[named], on_invalid="ignore")
    found[
        [bool(text.strip()) and not outline for text, outline in zip(texts, named, strict=True)]
    ] = NO_OUTLINE
    return found


class _Ways:
    """The way to degrees from each system that a file names."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[int, Way | None] = dict.fromkeys(_DEGREES)

    def to_degrees(self, srid: int) -> Way | None:
        """None where they are degrees. Raises BadRegions: PROJ does not know the system."""
        if srid not in self._known:
            try:
                self._known[srid] = way(f"EPSG:{srid}", WGS84)
            except BadParameter as error:
                raise BadRegions(f"{self._path}: {error}") from error
        return self._known[srid]


def _near(row: dict[str, Any], within: Bounds) -> bool:
    """By the centre, where the file gives it: a building is no larger than 0.05 degrees."""
    try:
        lat, lng = float(row["latitude"]), float(row["longitude"])
    except (KeyError, TypeError, ValueError):
        return True
    if not math.isfinite(lng):
        return True
    west, south, east, north = within
    lng += 360 * round(((west + east) / 2 - lng) / 360)
    return west - 0.05 <= lng <= east + 0.05 and south - 0.05 <= lat <= north + 0.05
