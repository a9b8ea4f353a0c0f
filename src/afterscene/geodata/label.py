"""xBD label files: read, check, repair where that is safe, and write back unchanged.

A label lists each building twice, ``features.xy`` in pixels and ``features.lng_lat`` in degrees,
with a uid and, after the disaster, a subtype; ``metadata`` has 18 fields (Gupta et al. 2019, arXiv
1911.09296). Unchanged numbers are written back with the characters that were read.

What cannot be used is an error, or dropped and counted under ``on_problem='skip'``. What can be
repaired is repaired, and counted in :attr:`XbdLabel.notes`: :mod:`afterscene.geodata.labelreading`.
"""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from afterscene.errors import BadParameter
from afterscene.files import write_atomic
from afterscene.geodata.damage import Building
from afterscene.geodata.leftout import LeftOut
from afterscene.geodata.wkt import outline_text

METADATA_FIELDS = (
    *("sensor", "provider_asset_type", "gsd", "capture_date", "off_nadir_angle"),
    *("pan_resolution", "sun_azimuth", "sun_elevation", "target_azimuth", "disaster"),
    *("disaster_type", "catalog_id", "original_width", "original_height", "width", "height"),
    *("id", "img_name"),
)
"""The 18 fields of an official label, in order."""
_LARGEST = 1e9


@dataclass(frozen=True, kw_only=True)
class XbdLabel:
    """The content of one label file.

    `metadata` is untouched, whatever it holds; `extra` are top-level keys beyond the official two;
    `notes` tell what was repaired or dropped, `left_out` counts the latter; `texts` keeps, by uid,
    the WKT (xy, lng_lat) as read, so that writing changes no digit of an outline that did not move.
    """

    buildings: tuple[Building, ...]
    metadata: Mapping[str, Any]
    path: Path | None = None
    notes: tuple[str, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)
    texts: Mapping[str, tuple[str, str | None]] = field(default_factory=dict, repr=False)
    left_out: LeftOut = field(default_factory=LeftOut)

    def __post_init__(self) -> None:
        object.__setattr__(self, "buildings", tuple(self.buildings))
        for name in ("metadata", "extra", "texts"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))
        repeated = [u for u, n in Counter(b.uid for b in self.buildings).items() if n > 1]
        if repeated:
            raise BadParameter(f"label {self.path}: uid {repeated[0]!r} appears twice; rename one")

    @property
    def shape(self) -> tuple[int, int] | None:
        """(H, W) of the image after the metadata, None where they do not tell."""
        height, width = (said_size(self.metadata.get(name)) for name in ("height", "width"))
        if height is None or width is None or max(height, width) >= _LARGEST:
            return None
        return int(height), int(width)

    @property
    def counts(self) -> Mapping[str, int]:
        """How many buildings of each level word; ``not-assessed`` for those without."""
        words = Counter("not-assessed" if b.level is None else b.level.word for b in self.buildings)
        return MappingProxyType(dict(words))


def said_size(value: object) -> float | None:
    """The pixels that a field of metadata says, as a number or text; None where it says none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if 1 <= number < np.inf else None


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
