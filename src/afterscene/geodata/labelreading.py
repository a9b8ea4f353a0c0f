"""xBD labels from a file: what is used, repaired, left out or refused, and that it is counted.

:func:`read_label` has the table. Where a building stands in degrees alone, its pixels come from the
place of the image, or from the buildings of the label that stand in both (:mod:`.fit`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
import shapely
from shapely.geometry import MultiPolygon, Polygon

from afterscene.errors import BadLabel, BadParameter, UnknownName
from afterscene.geodata.crs import WGS84, Way
from afterscene.geodata.damage import FARTHEST, Building, DamageLevel
from afterscene.geodata.fit import applied, fit_lnglat
from afterscene.geodata.grid import Grid
from afterscene.geodata.label import METADATA_FIELDS, XbdLabel, said_size
from afterscene.geodata.labeljson import expect, load_json
from afterscene.geodata.leftout import LeftOut, Names
from afterscene.geodata.wkt import BadOutline, parse_outline

OnProblem = Literal["error", "skip"]
Outline: TypeAlias = "Polygon | MultiPolygon"


def read_label(
    path: str | Path,
    *,
    on_problem: OnProblem = "error",
    grid: Callable[[], Grid] | None = None,
) -> XbdLabel:
    """Read an xBD label file; ``grid`` gives the image's, where it is known. Raises BadLabel.

    Also raises MissingFile.

    ================================================  =======================================
    found                                             outcome
    ================================================  =======================================
    no JSON, cut off, NaN literal, repeated key,      BadLabel, also under ``skip``
    too large, too deep, features or lists missing
    another size in the metadata than the image has   the same
    empty or unreadable WKT, under 3 points, NaN      BadLabel; dropped and counted by ``skip``
    polygon wholly outside the image                  the same
    subtype unknown or of a wrong type                the same
    subtype missing in a post label                   un-classified, counted
    uid missing or repeated                           given a new one, counted
    polygon half outside, ring that crosses itself,   kept as it is (rasterising has a rule for
    area below 1 pixel, several parts                 each), counted
    building in ``xy`` alone                          has ``lnglat=None``; counted
    building in ``lng_lat`` alone                     its pixels come from the place of the image,
                                                      or from the other buildings; else dropped;
                                                      counted. BadLabel where all are
    lng_lat unusable                                  ``lnglat=None``, counted
    the two lists more than 2 pixels apart            kept, counted
    feature_type other than building                  left out, counted
    metadata fields missing                           counted
    ================================================  =======================================
    """
    if on_problem not in ("error", "skip"):
        raise BadParameter(f"on_problem={on_problem!r}: choose 'error' or 'skip'")
    path = Path(path)
    document = load_json(path)
    features = expect(path, document, "features", dict)
    metadata = expect(path, document, "metadata", dict, {})
    reading = _Reading(path, on_problem, metadata)
    if grid is not None:
        reading.check_size(grid())
    xy = reading.entries(expect(path, features, "xy", list, [] if "lng_lat" in features else None))
    lnglat = reading.entries(expect(path, features, "lng_lat", list, []))
    reading.is_post |= any("subtype" in properties for properties, _ in (*xy, *lnglat))
    alone = reading.take(xy, lnglat)
    if alone:
        reading.place(alone, grid)
    reading.compare()
    return XbdLabel(
        buildings=tuple(reading.buildings),
        metadata=metadata,
        path=path,
        notes=tuple(f"{n} x {what}" for what, n in reading.notes.items()),
        extra={k: v for k, v in document.items() if k not in ("features", "metadata")},
        texts=reading.texts,
        left_out=reading.left_out,
    )


_Entry = tuple[dict[str, Any], Any]


class _Reading:
    """One pass over a label: what was found so far, and what to do about problems."""

    def __init__(self, path: Path, on_problem: OnProblem, metadata: Mapping[str, Any]) -> None:
        self.path, self.on_problem, self.metadata = path, on_problem, metadata
        self.notes: Counter[str] = Counter()
        self.left_out = LeftOut()
        self.buildings: list[Building] = []
        self.texts: dict[str, tuple[str, str | None]] = {}
        self.names = Names()
        self.shape = XbdLabel(buildings=(), metadata=metadata).shape
        self.is_post = "_post_" in f"{path.name} {metadata.get('img_name')}"
        missing = sum(name not in metadata for name in METADATA_FIELDS)
        if missing:
            self.notes["metadata field missing"] = missing

    def check_size(self, image: Grid) -> None:
        """Take the size of the image; raise BadLabel where the metadata say another one.

        Such a label is of another picture, or of this one before it was resampled: its outlines
        would lie beside the buildings.
        """
        rows, columns = image.shape
        height, width = (said_size(self.metadata.get(name)) for name in ("height", "width"))
        if (height or rows) != rows or (width or columns) != columns:
            said = " x ".join("?" if n is None else f"{n:.9g}" for n in (width, height))
            raise BadLabel(
                f"{self.path}: is made for an image of {said} pixels (its metadata), but "
                f"{image.image or 'the image'} has {columns} x {rows}; give the label of this "
                "image, or resample both alike"
            )
        self.shape = image.shape

    def entries(self, features: list[Any]) -> list[_Entry]:
        """(properties, wkt) of each building."""
        found = []
        for i, feature in enumerate(features):
            properties = feature.get("properties") if isinstance(feature, dict) else None
            if not isinstance(properties, dict):
                self.problem(f"feature {i}", "entry without properties", feature)
            elif properties.get("feature_type", "building") != "building":
                self.drop("feature that is not a building", "left out")
            else:
                found.append((properties, feature.get("wkt")))
        return found

    def problem(self, who: str, what: str, value: object) -> None:
        """Raise, or count under ``skip``."""
        if self.on_problem == "error":
            raise BadLabel(
                f"{self.path}: {who}: {what} ({_short(value)}); correct or remove this building, "
                "or skip such buildings"
            )
        self.drop(what)

    def drop(self, what: str, how: str = "dropped") -> None:
        """Count a building that is left out."""
        self.notes[f"{what}, {how}"] += 1
        self.left_out.add(f"building of a label: {what}")

    def take(self, xy: list[_Entry], lnglat: list[_Entry]) -> list[_Entry]:
        """Turn the two lists into buildings; same order pairs them, else the uid does.

        Returns what stands in the second alone.
        """
        uids, alone = [p.get("uid") for p, _ in xy], []
        if uids == [p.get("uid") for p, _ in lnglat]:
            texts = [text for _, text in lnglat]
        else:
            by_uid = {u: t for p, t in lnglat if isinstance(u := p.get("uid"), str)}
            texts = [by_uid.get(u) if isinstance(u, str) else None for u in uids]
            known = {u for u in uids if isinstance(u, str)}
            alone = [e for e in lnglat if _no_member(e[0].get("uid"), known)]
            if xy and lnglat and None in texts:
                self.notes["xy without lng_lat"] += texts.count(None)
        for (properties, text), other in zip(xy, texts, strict=True):
            self.building(properties, text, other)
        return alone

    def place(self, alone: list[_Entry], grid: Callable[[], Grid] | None) -> None:
        """Buildings in degrees alone: onto pixels where the place is known, else left out."""
        to_pixels = self.way(grid)
        if to_pixels is None and not self.buildings:
            raise BadLabel(
                f"{self.path}: all of its {len(alone)} buildings stand in lng_lat alone, and no "
                "image with a place tells their pixels; give the image as a GeoTIFF with its "
                "place, or the buildings in xy, too"
            )
        for properties, text in alone:
            if to_pixels is None:
                self.drop("lng_lat without xy")
                continue
            who = f"building {_short(properties.get('uid'))}"
            try:
                pixels = to_pixels(shapely.get_coordinates(outline := parse_outline(text)))
            except BadOutline as problem:
                self.problem(who, str(problem), text)
                continue
            if not (np.abs(pixels) <= FARTHEST).all():
                self.problem(who, "lng_lat has no place on the image", text)
                continue
            self.notes["pixels made from lng_lat"] += 1
            self.add(properties, shapely.set_coordinates(outline, pixels), "", text)

    def way(self, grid: Callable[[], Grid] | None) -> Way | None:
        """From degrees to pixels: by the image, or by what stands in both lists."""
        image = None if grid is None else grid()
        if image is not None and image.placed:
            return image.to_pixels(WGS84)
        fit = fit_lnglat(self.buildings)
        return None if fit is None or fit.residual > 2 else applied(~fit.affine)

    def building(self, properties: dict[str, Any], text: Any, lnglat_text: Any) -> None:
        """Add one building that stands in pixels, or report why not."""
        try:
            polygon = parse_outline(text)
        except BadOutline as problem:
            self.problem(f"building {_short(properties.get('uid'))}", str(problem), text)
        else:
            self.add(properties, polygon, text, lnglat_text)

    def add(self, properties: dict[str, Any], polygon: Outline, text: str, degrees: Any) -> None:
        """Add one building of that outline in pixels, or report why not."""
        who = f"building {_short(properties.get('uid'))}"
        try:
            level = self.level(properties)
        except UnknownName:
            return self.problem(who, "subtype is not known", properties["subtype"])
        if self.is_outside(polygon):
            where = f"polygon lies outside the image of {self.shape}"
            return self.problem(who, where, text or degrees)
        self.remark(polygon)
        uid, lnglat = self.uid(properties), None
        if degrees is not None:
            try:
                lnglat = parse_outline(degrees)
            except BadOutline:
                self.notes["lng_lat is unusable, left out"] += 1
        self.texts[uid] = (text, degrees if lnglat is not None else None)
        self.buildings.append(Building(polygon=polygon, level=level, uid=uid, lnglat=lnglat))
        return None

    def compare(self) -> None:
        """Count labels whose pixels and degrees disagree."""
        fit = fit_lnglat(self.buildings)
        if fit is not None and fit.residual > 2:
            self.notes["label whose xy and lng_lat disagree by more than 2 pixels"] += 1

    def level(self, properties: dict[str, Any]) -> DamageLevel | None:
        """The level that `subtype` names. Raises UnknownName."""
        if properties.get("subtype") is not None:
            return DamageLevel.from_word(properties["subtype"])
        if not self.is_post:
            return None
        self.notes["subtype missing, taken as un-classified"] += 1
        return DamageLevel.UNCLASSIFIED

    def uid(self, properties: dict[str, Any]) -> str:
        """The uid, or a new one where it is missing or taken."""
        uid = properties.get("uid")
        if not isinstance(uid, str) or not uid:
            self.notes["uid missing, new one given"] += 1
            return self.names.take(f"building-{len(self.buildings)}")
        given = self.names.take(uid)
        if given != uid:
            self.notes["uid repeated, new one given"] += 1
        return given

    def is_outside(self, polygon: Outline) -> bool:
        if self.shape is None:
            return False
        left, top, right, bottom = polygon.bounds
        return right < 0 or bottom < 0 or left > self.shape[1] or top > self.shape[0]

    def remark(self, polygon: Outline) -> None:
        """Count what is odd but usable."""
        if not polygon.is_valid:
            self.notes["outline crosses itself, filled by the even-odd rule"] += 1
        elif polygon.area < 1:
            self.notes["area below 1 pixel"] += 1
        if isinstance(polygon, MultiPolygon):
            self.notes["outline of several parts"] += 1
        if self.shape is not None:
            left, top, right, bottom = polygon.bounds
            if min(left, top) < 0 or right > self.shape[1] or bottom > self.shape[0]:
                self.notes["polygon reaches over the edge of the image"] += 1


def _no_member(uid: object, known: set[str]) -> bool:
    return not (isinstance(uid, str) and uid in known)


def _short(value: object) -> str:
    return repr(value) if len(repr(value)) <= 60 else repr(value)[:57] + "..."
