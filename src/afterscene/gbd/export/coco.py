"""COCO: one ``annotations.json`` with the buildings of the post images, levels as categories.

Category ids are the values of an xBD target, 1 to 4. Pixels as in COCO (x right, y down). A polygon
with a hole has no COCO form, so it is written as an uncompressed run-length mask; what reaches
beyond the picture is cut off, for readers index pixels by these boxes. Un-classified buildings are
left out and counted, never taken for a level. ``file_name`` is relative to the set.
"""

from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from shapely.geometry import MultiPolygon, Polygon

from afterscene.files import write_json
from afterscene.gbd.dataset import Dataset, Entry
from afterscene.gbd.licences import TERMS
from afterscene.geodata.damage import LEVELS, Building, instances


def export_coco(dataset: Dataset, out: Path) -> list[Path]:
    """``annotations.json``: info, licenses, categories, images, annotations."""
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    licences: dict[str, int] = {}
    left_out = outside = 0
    for number, entry in enumerate(dataset, start=1):
        licence = licences.setdefault(entry.licence, len(licences) + 1)
        images.append(_image(number, entry, dataset.root, licence))
        for building in entry.label.buildings:
            inside = within(building, entry.shape)
            if building.level not in LEVELS:
                left_out += 1
            elif inside is None:
                outside += 1
            else:
                found = _annotation(len(annotations) + 1, number, inside, entry.shape)
                annotations.append({**found, "synthetic": entry.synthetic})
    document = {
        "info": {
            "description": "Global Building Damage: synthetic pairs made by AfterScene",
            "synthetic": all(image["synthetic"] for image in images),
            "licence": dataset.terms.as_json(),
            "unclassified_left_out": left_out,
            "outside_left_out": outside,
        },
        "licenses": [
            {"id": k, "name": name, "url": TERMS[name].url if name in TERMS else ""}
            for name, k in licences.items()
        ],
        "categories": [
            {"id": int(level), "name": level.word, "supercategory": "building"} for level in LEVELS
        ],
        "images": images,
        "annotations": annotations,
    }
    return [write_json(out / "annotations.json", document)]


def _image(number: int, entry: Entry, root: Path, licence: int) -> dict[str, Any]:
    height, width = entry.shape
    return {
        "id": number,
        "file_name": entry.post.relative_to(root).as_posix(),
        "pre_file_name": entry.pre.relative_to(root).as_posix() if entry.pre else None,
        "width": width,
        "height": height,
        "license": licence,
        "licence": entry.licence,
        "pair": entry.id,
        "hazard": entry.row["hazard"],
        "synthetic": entry.synthetic,
        "captions": list(entry.captions),
    }


def _annotation(
    number: int, image: int, building: Building, shape: tuple[int, int]
) -> dict[str, Any]:
    left, top, right, bottom = building.polygon.bounds
    assert building.level is not None
    return {
        "id": number,
        "image_id": image,
        "category_id": int(building.level),
        "bbox": [left, top, right - left, bottom - top],
        "area": shapely.make_valid(building.polygon).area,
        "iscrowd": 0,
        "segmentation": segmentation(building, shape),
        "uid": building.uid,
    }


def within(building: Building, shape: tuple[int, int]) -> Building | None:
    """The part of it that lies on the picture; None where nothing does."""
    height, width = shape
    left, top, right, bottom = building.polygon.bounds
    if left >= 0 and top >= 0 and right <= width and bottom <= height:
        return building
    frame = shapely.box(0, 0, width, height)
    cut = shapely.get_parts(shapely.intersection(shapely.make_valid(building.polygon), frame))
    parts = [p for p in cut if isinstance(p, Polygon) and p.area > 0]
    if not parts:
        return None
    outline = parts[0] if len(parts) == 1 else MultiPolygon(parts)
    return replace(building, polygon=outline, lnglat=None)


def segmentation(building: Building, shape: tuple[int, int]) -> Any:
    """``[[x, y, x, y ...], ...]``, or ``{"counts", "size"}`` if a part has a hole."""
    outlines = shapely.get_parts(building.polygon)
    if any(outline.interiors for outline in outlines):
        return run_lengths(instances([building], shape) > 0)
    return [np.asarray(o.exterior.coords)[:-1, :2].ravel().tolist() for o in outlines]


def run_lengths(mask: np.ndarray) -> dict[str, Any]:
    """COCO's uncompressed code: lengths of runs, column by column, starting with background."""
    counts = [] if not mask.ravel(order="F")[0] else [0]
    counts += [sum(1 for _ in run) for _, run in groupby(mask.ravel(order="F"))]
    return {"counts": counts, "size": list(mask.shape)}
