"""xBD label files: read, check, repair where that is safe, and write back unchanged.

A label lists each building twice, ``features.xy`` in pixels and ``features.lng_lat`` in degrees,
with a uid and, after the disaster, a subtype; ``metadata`` has 18 fields (Gupta et al. 2019, arXiv
1911.09296). Numbers that nobody changed are written back with the very characters that were read.

What cannot be used is an error, or dropped and counted under ``on_problem='skip'``. What can be
repaired is repaired, and counted in :attr:`XbdLabel.notes`. :func:`read_label` has the table.
"""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

from shapely.geometry import MultiPolygon, Polygon

from afterscene.errors import BadLabel, BadParameter, UnknownName
from afterscene.files import write_atomic
from afterscene.geodata.damage import Building, DamageLevel
from afterscene.geodata.fit import fit_lnglat
from afterscene.geodata.labeljson import expect, load_json
from afterscene.geodata.wkt import BadOutline, outline_text, parse_outline

OnProblem = Literal["error", "skip"]
Outline: TypeAlias = "Polygon | MultiPolygon"

METADATA_FIELDS = (
    *("sensor", "provider_asset_type", "gsd", "capture_date", "off_nadir_angle"),
    *("pan_resolution", "sun_azimuth", "sun_elevation", "target_azimuth", "disaster"),
    *("disaster_type", "catalog_id", "original_width", "original_height", "width", "height"),
    *("id", "img_name"),
)
"""The 18 fields of an official label, in order."""


@dataclass(frozen=True, kw_only=True)
class XbdLabel:
    """The content of one label file.

    `metadata` is untouched, whatever it holds; `extra` are top-level keys beyond the official two;
    `notes` tell what was repaired or dropped; `texts` keeps, by uid, the WKT (xy, lng_lat) as
    read, so that writing changes no digit of an outline that nobody moved.
    """

    buildings: tuple[Building, ...]
    metadata: Mapping[str, Any]
    path: Path | None = None
    notes: tuple[str, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)
    texts: Mapping[str, tuple[str, str | None]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "buildings", tuple(self.buildings))
        for name in ("metadata", "extra", "texts"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))
        repeated = [u for u, n in Counter(b.uid for b in self.buildings).items() if n > 1]
        if repeated:
            raise BadParameter(f"label {self.path}: uid {repeated[0]!r} stands twice; rename one")

    @property
    def shape(self) -> tuple[int, int] | None:
        """(H, W) of the image after the metadata, None where they do not tell."""
        height, width = self.metadata.get("height"), self.metadata.get("width")
        if _is_size(height) and _is_size(width):
            return int(height), int(width)  # type: ignore[arg-type]
        return None

    @property
    def counts(self) -> Mapping[str, int]:
        """How many buildings of each level word; ``not-assessed`` for those without."""
        words = Counter("not-assessed" if b.level is None else b.level.word for b in self.buildings)
        return MappingProxyType(dict(words))


def _is_size(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 1 <= value < 1e9


def read_label(path: str | Path, *, on_problem: OnProblem = "error") -> XbdLabel:
    """Read an xBD label file. Raises MissingFile, BadLabel.

    ================================================  =======================================
    found                                             outcome
    ================================================  =======================================
    no JSON, cut off, NaN literal, repeated key,      BadLabel, also under ``skip``
    too large, too deep, features or lists missing
    empty or unreadable WKT, under 3 points, NaN      BadLabel; dropped and counted by ``skip``
    polygon wholly outside the image                  the same
    subtype unknown or of a wrong type                the same
    subtype missing in a post label                   un-classified, counted
    uid missing or repeated                           given a new one, counted
    polygon half outside, ring that crosses itself,   kept as it is (rasterising has a rule for
    area below 1 pixel, several parts                 each), counted
    building in only one of the two lists             xy decides; lng_lat alone is dropped,
                                                      xy alone has ``lnglat=None``; counted
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
    xy = reading.entries(expect(path, features, "xy", list))
    lnglat = reading.entries(expect(path, features, "lng_lat", list, []))
    reading.is_post |= any("subtype" in properties for properties, _ in xy)
    reading.take(xy, lnglat)
    reading.compare()
    return XbdLabel(
        buildings=tuple(reading.buildings),
        metadata=metadata,
        path=path,
        notes=tuple(f"{n} x {what}" for what, n in reading.notes.items()),
        extra={k: v for k, v in document.items() if k not in ("features", "metadata")},
        texts=reading.texts,
    )


_Entry = tuple[dict[str, Any], Any]


class _Reading:
    """One pass over a label: what was found so far, and what to do about problems."""

    def __init__(self, path: Path, on_problem: OnProblem, metadata: Mapping[str, Any]) -> None:
        self.path, self.on_problem = path, on_problem
        self.notes: Counter[str] = Counter()
        self.buildings: list[Building] = []
        self.texts: dict[str, tuple[str, str | None]] = {}
        self.uids: set[str] = set()
        self.shape = XbdLabel(buildings=(), metadata=metadata).shape
        self.is_post = "_post_" in f"{path.name} {metadata.get('img_name')}"
        missing = sum(name not in metadata for name in METADATA_FIELDS)
        if missing:
            self.notes["metadata field missing"] = missing

    def entries(self, features: list[Any]) -> list[_Entry]:
        """(properties, wkt) of each building."""
        found = []
        for i, feature in enumerate(features):
            properties = feature.get("properties") if isinstance(feature, dict) else None
            if not isinstance(properties, dict):
                self.problem(f"feature {i}", "entry without properties", feature)
            elif properties.get("feature_type", "building") != "building":
                self.notes["feature that is no building, left out"] += 1
            else:
                found.append((properties, feature.get("wkt")))
        return found

    def problem(self, who: str, what: str, value: object) -> None:
        """Raise, or count under ``skip``."""
        if self.on_problem == "error":
            raise BadLabel(
                f"{self.path}: {who}: {what} ({_short(value)}); mend or remove this building, "
                "or skip such buildings"
            )
        self.notes[f"{what}, dropped"] += 1

    def take(self, xy: list[_Entry], lnglat: list[_Entry]) -> None:
        """Turn the two lists into buildings; same order pairs them, else the uid does."""
        uids = [p.get("uid") for p, _ in xy]
        if uids == [p.get("uid") for p, _ in lnglat]:
            texts = [text for _, text in lnglat]
        else:
            by_uid = {u: t for p, t in lnglat if isinstance(u := p.get("uid"), str)}
            texts = [by_uid.get(u) if isinstance(u, str) else None for u in uids]
            unknown = sum(1 for p, _ in lnglat if p.get("uid") not in uids)
            if unknown:
                self.notes["lng_lat without xy, dropped"] += unknown
            if lnglat and None in texts:
                self.notes["xy without lng_lat"] += texts.count(None)
        for (properties, text), other in zip(xy, texts, strict=True):
            self.building(properties, text, other)

    def building(self, properties: dict[str, Any], text: Any, lnglat_text: Any) -> None:
        """Add one building, or report why not."""
        who = f"building {_short(properties.get('uid'))}"
        try:
            polygon = parse_outline(text)
            level = self.level(properties)
        except BadOutline as problem:
            return self.problem(who, str(problem), text)
        except UnknownName:
            return self.problem(who, "subtype is not known", properties["subtype"])
        if self.is_outside(polygon):
            return self.problem(who, f"polygon lies outside the image of {self.shape}", text)
        self.remark(polygon)
        uid, lnglat = self.uid(properties), None
        if lnglat_text is not None:
            try:
                lnglat = parse_outline(lnglat_text)
            except BadOutline:
                self.notes["lng_lat is unusable, left out"] += 1
        self.texts[uid] = (text, lnglat_text if lnglat is not None else None)
        self.buildings.append(Building(polygon=polygon, level=level, uid=uid, lnglat=lnglat))
        return None

    def compare(self) -> None:
        """Count where pixels and degrees tell of different places."""
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
            uid = f"building-{len(self.buildings)}"
        elif uid in self.uids:
            self.notes["uid repeated, new one given"] += 1
        name, i = uid, 1
        while name in self.uids:
            i += 1
            name = f"{uid}~{i}"
        self.uids.add(name)
        return name

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


def _short(value: object) -> str:
    return repr(value) if len(repr(value)) <= 60 else repr(value)[:57] + "..."


def write_label(label: XbdLabel, path: str | Path) -> None:
    """Write an xBD label file, atomically: reading it again gives an equal label.

    Buildings without ``lnglat`` stand in the ``xy`` list alone; :func:`make_label` fills it in.
    """
    lnglat, xy = [], []
    for building in label.buildings:
        properties = {"feature_type": "building", "uid": building.uid}
        if building.level is not None:
            properties["subtype"] = building.level.word
        properties = dict(sorted(properties.items()))
        was_xy, was_lnglat = label.texts.get(building.uid, (None, None))
        xy.append({"properties": properties, "wkt": outline_text(building.polygon, was_xy)})
        if building.lnglat is not None:
            text = outline_text(building.lnglat, was_lnglat)
            lnglat.append({"properties": properties, "wkt": text})
    document = {
        "features": {"lng_lat": lnglat, "xy": xy},
        "metadata": dict(label.metadata),
        **label.extra,
    }
    try:
        text = json.dumps(document, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise BadParameter(
            f"{path}: metadata hold what JSON cannot ({error}); use numbers, texts, lists, objects"
        ) from error
    write_atomic(path, text.encode())
