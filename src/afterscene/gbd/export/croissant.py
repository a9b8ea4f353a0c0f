"""Croissant 1.1 with GeoCroissant 1.0 (MLCommons): a JSON-LD card of the set, and its records.

``croissant.json`` says what the set is, whose terms hold and that it is synthetic; its record set
reads ``items.jsonl``, one line a pair with the paths of its files relative to the set, the mark,
the licence and the captions. Written by hand: the card is a dictionary, and needs no library.
"""

import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyproj

from afterscene import __version__
from afterscene.files import write_atomic
from afterscene.gbd.dataset import Dataset, Entry
from afterscene.gbd.export.places import capture_time, frame
from afterscene.gbd.licences import CREDIT, TERMS, XBD, licence_names
from afterscene.gbd.rundir import MANIFEST

_WGS84 = pyproj.Geod(ellps="WGS84")
SPEC = "http://mlcommons.org/croissant/1.1"
GEO = "http://mlcommons.org/croissant/geo/1.0"
_TERMS = """
    citeAs column equivalentProperty extract field fileObject fileProperty fileSet format includes
    isLiveDataset jsonPath key md5 parentField path recordSet references regex repeated replace
    samplingRate separator source subField transform
"""
CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "geocr": "http://mlcommons.org/croissant/geo/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    **{name: f"cr:{name}" for name in _TERMS.split()},
}
FIELDS = (
    ("id", "sc:Text", "Stem of the pair's files."),
    ("synthetic", "sc:Boolean", "True: the post picture was drawn by a model."),
    ("licence", "sc:Text", "SPDX expression of the terms of this pair."),
    ("source", "sc:Text", "The tile whose pre picture it was made from."),
    ("hazard", "sc:Text", "The hazard that struck."),
    ("severity", "sc:Float", "Its severity, 0 to 1."),
    ("seed", "sc:Integer", "Decides all that was drawn."),
    ("post", "sc:Text", "The post picture, relative to the set."),
    ("target", "sc:Text", "Its damage levels by pixel, 0 to 4."),
    ("label", "sc:Text", "Its xBD label."),
    ("caption", "sc:Text", "The change in words."),
)


def export_croissant(dataset: Dataset, out: Path) -> list[Path]:
    """``items.jsonl`` and ``croissant.json``."""
    extent = _Extent()
    lines = []
    for entry in dataset:
        extent.add(entry)
        lines.append(json.dumps(_record(entry, dataset.root), ensure_ascii=False))
    content = "".join(line + "\n" for line in lines).encode()
    items = write_atomic(out / "items.jsonl", content)
    document = _card(dataset, hashlib.sha256(content).hexdigest(), len(content), extent)
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    return [items, write_atomic(out / "croissant.json", text.encode())]


@dataclass
class _Extent:
    """Where and when the pictures were taken, gathered pair by pair."""

    boxes: list[tuple[float, ...]] = field(default_factory=list)
    gsds: list[float] = field(default_factory=list)
    days: list[str] = field(default_factory=list)

    def add(self, entry: Entry) -> None:
        outline = frame(entry)
        if outline is not None:
            self.boxes.append(outline.bounds)
            rows = np.array(outline.exterior.coords)
            _, _, steps = _WGS84.inv(*rows[:-1].T, *rows[1:].T)
            self.gsds.append(float(np.sum(steps)) / (2 * sum(entry.shape)))
        if (time := capture_time(entry)) is not None:
            self.days.append(time.date().isoformat())

    def as_json(self) -> dict[str, Any]:
        """GeoCroissant's properties; nothing where no place is known."""
        if not self.boxes:
            return {}
        west, south = np.array(self.boxes)[:, :2].min(axis=0)
        east, north = np.array(self.boxes)[:, 2:].max(axis=0)
        corners = " ".join(f"{v:.6f}" for v in (south, west, north, east))
        when = {"temporalCoverage": f"{min(self.days)}/{max(self.days)}"} if self.days else {}
        return {
            "spatialCoverage": {"@type": "Place", "geo": {"@type": "GeoShape", "box": corners}},
            **when,
            "geocr:coordinateReferenceSystem": "EPSG:4326",
            "geocr:spatialResolution": {
                "@type": "QuantitativeValue",
                "value": round(float(np.median(self.gsds)), 3),
                "unitText": "m",
            },
            "geocr:bandConfiguration": {
                "@type": "geocr:BandConfiguration",
                "geocr:totalBands": 3,
                "geocr:bandNameList": ["Red", "Green", "Blue"],
            },
            "geocr:samplingStrategy": "Tiles with buildings, struck by disasters that are drawn.",
        }


def _record(entry: Entry, root: Path) -> dict[str, Any]:
    assert entry.label.path is not None
    files = {"post": entry.post, "target": entry.target, "label": entry.label.path}
    paths = {name: path.relative_to(root).as_posix() for name, path in files.items()}
    row = {**entry.as_json(), **paths, "caption": entry.captions[0]}
    return {name: row[name] for name, _, _ in FIELDS}


def _card(dataset: Dataset, sha256: str, size: int, extent: _Extent) -> dict[str, Any]:
    """The JSON-LD document; ``sha256`` and ``size`` (bytes) are of ``items.jsonl``."""
    terms = dataset.terms
    hazards = sorted({row["hazard"] for row in dataset.rows})
    geo = extent.as_json()
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "name": "afterscene-gbd",
        "description": (
            f"{len(dataset)} pairs of pre- and post-disaster pictures with damage levels of "
            f"buildings ({', '.join(hazards)}). The post pictures are synthetic: drawn by a model, "
            f"of disasters that did not happen. Terms: {terms.sentence}."
        ),
        "conformsTo": [SPEC, GEO] if geo else SPEC,
        **geo,
        "license": [TERMS[n].url if n in TERMS else n for n in licence_names(terms.licence)],
        "url": "https://github.com/afterscene/afterscene",
        "version": "1.0.0",
        "datePublished": _finished(dataset),
        "creator": {"@type": "sc:Organization", "name": f"AfterScene {__version__}"},
        "keywords": ["synthetic", "building damage", "remote sensing", *hazards],
        **({"citeAs": CREDIT} if XBD in licence_names(terms.licence) else {}),
        "rai:dataLimitations": (
            "Synthetic post pictures: never evidence of an event; labels come from hazard models."
        ),
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": "items.jsonl",
                "name": "items.jsonl",
                "contentUrl": "items.jsonl",
                "contentSize": f"{size} B",
                "encodingFormat": "application/jsonlines",
                "sha256": sha256,
            }
        ],
        "recordSet": [
            {
                "@type": "cr:RecordSet",
                "@id": "pairs",
                "name": "pairs",
                "key": {"@id": "pairs/id"},
                "field": [_field(*field) for field in FIELDS],
            }
        ],
    }


def _finished(dataset: Dataset) -> str:
    """The day (UTC) on which the set was finished: that of its manifest file."""
    seconds = (dataset.root / MANIFEST).stat().st_mtime
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()


def _field(name: str, kind: str, about: str) -> dict[str, Any]:
    return {
        "@type": "cr:Field",
        "@id": f"pairs/{name}",
        "name": name,
        "description": about,
        "dataType": kind,
        "source": {"fileObject": {"@id": "items.jsonl"}, "extract": {"column": name}},
    }
