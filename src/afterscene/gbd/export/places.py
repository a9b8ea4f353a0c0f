"""Buildings with their place on the Earth: what the geographic formats have in common.

A building's outline is the ``lng_lat`` of its label (WGS84 degrees). One whose place is not known
is left out and counted; a set in which none is known has no geographic form. Outlines are wound as
RFC 7946 asks, outer rings counter-clockwise.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from shapely.affinity import affine_transform
from shapely.geometry import MultiPolygon, Polygon, box
from shapely.geometry.polygon import orient

from afterscene.errors import BadLabel
from afterscene.gbd.dataset import Dataset, Entry
from afterscene.geodata.damage import Building
from afterscene.geodata.fit import fit_lnglat

CRS = "EPSG:4326"


def placed(dataset: Dataset) -> tuple[list[dict[str, Any]], list[Polygon | MultiPolygon], int]:
    """Properties and outlines of all buildings with a place, and how many have none.

    Raises:
        BadLabel: no building of the set has one.
    """
    properties, outlines, left_out = [], [], 0
    for entry, building in _buildings(dataset):
        if building.lnglat is None:
            left_out += 1
            continue
        properties.append(_properties(entry, building))
        outlines.append(_wound(building.lnglat))
    if not outlines:
        raise BadLabel(
            f"{dataset.root}: none of its {left_out} buildings has lng_lat in its label, so none "
            "has a place; choose the format coco or webdataset"
        )
    return properties, outlines, left_out


def _buildings(dataset: Dataset) -> Iterator[tuple[Entry, Building]]:
    for entry in dataset:
        for building in entry.label.buildings:
            yield entry, building


def _properties(entry: Entry, building: Building) -> dict[str, Any]:
    return {
        "pair": entry.id,
        "uid": building.uid,
        "level": building.level.word if building.level is not None else None,
        "hazard": entry.row["hazard"],
        "severity": float(entry.row["severity"]),
        "event": entry.event,
        "synthetic": entry.synthetic,
        "licence": entry.licence,
    }


def _wound(outline: Polygon | MultiPolygon) -> Polygon | MultiPolygon:
    if isinstance(outline, MultiPolygon):
        return MultiPolygon([orient(part) for part in outline.geoms])
    return orient(outline)


def frame(entry: Entry) -> Polygon | None:
    """The picture's outline in degrees, counter-clockwise; None where the place is not known."""
    fit = fit_lnglat(entry.label.buildings)
    if fit is None:
        return None
    height, width = entry.shape
    a, b, c, d, e, f = fit.affine[:6]
    return orient(affine_transform(box(0, 0, width, height), (a, b, d, e, c, f)))


def capture_time(entry: Entry) -> datetime | None:
    """When the pre picture was taken; None where its label does not tell."""
    said = (entry.pre_label or entry.label).metadata.get("capture_date")
    try:
        time = datetime.fromisoformat(str(said))
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
