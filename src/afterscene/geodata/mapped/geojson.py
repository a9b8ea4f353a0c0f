"""Footprints out of GeoJSON (RFC 7946): a collection, one feature a line, a feature alone.

One reader for all of these, zipped or not, with one building in memory at a time. Coordinates are
degrees unless the old member ``crs`` says otherwise, wherever in the file it stands.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from afterscene.errors import BadParameter, BadRegions
from afterscene.geodata.crs import WGS84, way
from afterscene.geodata.grid import Bounds
from afterscene.geodata.leftout import OUTSIDE, LeftOut
from afterscene.geodata.mapped.jsontext import JsonText
from afterscene.geodata.mapped.packed import PIECE, opened
from afterscene.geodata.mapped.rows import (
    NO_OUTLINE,
    UIDS,
    Row,
    box_in,
    confidence_in,
    name_in,
    placed,
)

TOGETHER = 4096
_LINES = (".csv", ".geojsonl", ".geojsons")
"""In names of files with one feature a line, which have no member for all of them."""
OUTLINES = ("Polygon", "MultiPolygon")
_KINDS = {"Point", "MultiPoint", "LineString", "MultiLineString", "GeometryCollection"}


def read_geojson(path: Path, within: Bounds | None, left_out: LeftOut) -> Iterator[Row]:
    """The rows of a file. Raises BadRegions."""
    crs = _crs_of(path)
    try:
        move = None if crs == WGS84 else way(crs, WGS84)
    except BadParameter as error:
        raise BadRegions(f"{path}: {error}") from error
    source = "Microsoft" if ".csv" in path.name.lower() else path.name
    box = within if move is None or within is None else box_in(crs, within)
    turn = 360 if move is None else 0
    with opened(path) as file:
        features = _features(path, JsonText(path, file))
        while batch := list(islice(features, TOGETHER)):
            near = [f for f in batch if not _is_elsewhere(f, box, turn)]
            left_out.add(OUTSIDE, len(batch) - len(near))
            shapes = placed(_shapes(near), move)
            yield from map(_row, near, shapes, [source] * len(near))


def _row(feature: Any, shape: Any, source: str) -> Row:
    said = feature.get("properties") if isinstance(feature, dict) else None
    said = said if isinstance(said, dict) else {}
    names = [said.get(UIDS[0])] + ([feature.get("id")] if isinstance(feature, dict) else [])
    uid = next((name for name in map(name_in, names) if name), "")
    return Row(shape, source, confidence_in(said.get("confidence")), uid)


def _features(path: Path, text: JsonText) -> Iterator[Any]:
    """The features of all values of a text, whatever they are wrapped in. Raises BadRegions."""
    if text.next() != "{":
        raise BadRegions(f"{path}: is not GeoJSON; give a FeatureCollection, or a feature a line")
    first: dict[str, Any] = {}
    for name, value in text.members(streamed="features"):
        if name in first:
            raise text.fault(f"the key {name!r} appears twice")
        first[name] = value
        if value is None and name == "features":
            yield from text.items()
    if isinstance(first.get("features"), dict):
        raise of_one_picture(path)
    if "features" not in first or first.get("type") != "FeatureCollection":
        if first.get("type") not in ("Feature", *OUTLINES):
            raise BadRegions(
                f"{path} is neither an xBD label nor GeoJSON (its type is "
                f"{str(first.get('type'))[:40]!r}, not FeatureCollection or Feature); export it"
            )
        yield from _unwrapped(first)
    while text.next():
        yield from _unwrapped(text.value())


def of_one_picture(path: Path) -> BadRegions:
    """The error that an xBD label is where the footprints of many pictures are asked for."""
    return BadRegions(
        f"{path}: is an xBD label, which has the buildings of one picture in its pixels; put it "
        "into a folder under the name of that picture, and give the folder"
    )


def _unwrapped(value: Any) -> list[Any]:
    """The features of a value; what is none is counted as one whose geometry is missing."""
    kind = value.get("type") if isinstance(value, dict) else None
    if kind == "FeatureCollection" and isinstance(value.get("features"), list):
        return list(value["features"])
    return [{"geometry": value}] if kind in OUTLINES else [value]


def _crs_of(path: Path) -> str:
    """The system that the file says; it is read for that only where the word stands in it."""
    if any(end in path.name.lower() for end in _LINES):
        return WGS84
    with opened(path) as file:
        last = b""
        while piece := file.read(PIECE):
            if b'"crs"' in last[-8:] + piece:
                break
            last = piece
        else:
            return WGS84
    with opened(path) as file:
        text = JsonText(path, file)
        if text.next() != "{":
            return WGS84
        for name, value in text.members(streamed="features"):
            if name == "crs":
                return _crs_in(path, value)
            for _ in text.items() if name == "features" and value is None else ():
                pass
    return WGS84


def _crs_in(path: Path, said: Any) -> str:
    """WGS84 where the member is null, as RFC 7946 reads it. Raises BadRegions."""
    if said is None:
        return WGS84
    inside = said.get("properties") if isinstance(said, dict) else None
    inside = inside if isinstance(inside, dict) else {}
    name = inside.get("name", inside.get("code"))
    code = re.fullmatch(r"(?:urn:(?:x-)?ogc:def:crs:)?(EPSG|OGC)::?(?:[\d.]*:)?(\w+)", str(name))
    if code is None and isinstance(name, int) and said.get("type") == "EPSG":
        return f"EPSG:{name}"
    if code is None:
        raise BadRegions(
            f"{path}: its member crs ({json.dumps(said)[:80]}) names no system that is known; "
            'export it in degrees (ogr2ogr -t_srs EPSG:4326), or write {"type": "name", '
            '"properties": {"name": "urn:ogc:def:crs:EPSG::CODE"}}'
        )
    return WGS84 if code[1] == "OGC" else f"EPSG:{code[2]}"


def _is_elsewhere(feature: Any, box: Bounds | None, turn: int) -> bool:
    """By its outer rings, before a geometry is made of it; False where they do not tell."""
    if box is None:
        return False
    try:
        geometry = feature["geometry"]
        parts = {"Polygon": lambda c: [c], "MultiPolygon": list}[geometry["type"]]
        points = [p for part in parts(geometry["coordinates"]) for p in part[0]]
        x, y = [p[0] for p in points], [p[1] for p in points]
        left, low, right, high = min(x), min(y), max(x), max(y)
        if turn and not (-90 <= low <= high <= 90 and -540 <= left <= right <= 540):
            return False  # no degrees: it is counted as that
        turned = turn * round((box[0] + box[2] - left - right) / 720)
        return bool(
            left + turned > box[2] or right + turned < box[0] or low > box[3] or high < box[1]
        )
    except (KeyError, TypeError, ValueError, IndexError, OverflowError):
        return False


def _shapes(features: list[Any]) -> np.ndarray:
    """A geometry of each, None where it is missing or broken."""
    found = np.empty(len(features), object)
    texts = np.empty(len(features), object)
    for number, feature in enumerate(features):
        value = feature.get("geometry") if isinstance(feature, dict) else None
        kind = value.get("type") if isinstance(value, dict) else None
        if isinstance(value, dict) and kind in OUTLINES:
            rings = _closed(kind, value.get("coordinates"))
            texts[number] = json.dumps({"type": kind, "coordinates": rings})
        elif kind in _KINDS:
            found[number] = NO_OUTLINE
    there = np.flatnonzero([text is not None for text in texts])
    if len(there):
        with np.errstate(all="ignore"):
            found[there] = shapely.from_geojson(texts[there], on_invalid="ignore")
    return found


def _closed(kind: str, coordinates: Any) -> Any:
    """Rings whose last point is their first: many writers leave it out, and it is no doubt."""
    try:
        for part in [coordinates] if kind == "Polygon" else coordinates:
            for ring in part:
                if len(ring) > 2 and ring[0] != ring[-1]:
                    ring.append(ring[0])
    except (TypeError, AttributeError, KeyError, IndexError):
        pass
    return coordinates
