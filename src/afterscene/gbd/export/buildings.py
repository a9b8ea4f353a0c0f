"""The buildings of a set with geographic coordinates: GeoJSON, GeoPackage and GeoParquet.

A building's outline is the ``lng_lat`` of its label (WGS84 degrees), with its outer ring
counter-clockwise as in RFC 7946. A building without coordinates is left out and counted; a set
without any coordinates cannot be exported. Mark and licence are columns of every row, so that they
are kept whatever a reader selects, and metadata of the whole file if its format allows that.
"""

import json
from pathlib import Path
from typing import Any

import shapely
from shapely.geometry import MultiPolygon, Polygon, mapping

from afterscene.errors import BadLabel
from afterscene.files import write_atomic
from afterscene.gbd.dataset import Dataset, Entry
from afterscene.gbd.export.places import CRS
from afterscene.geodata.damage import Building
from afterscene.geodata.geopackage import write_geopackage


def export_geojson(dataset: Dataset, out: Path) -> list[Path]:
    """``buildings.geojson`` (RFC 7946), a FeatureCollection. Raises BadLabel: no coordinates."""
    rows, outlines, left_out = _placed(dataset)
    document = {
        "type": "FeatureCollection",
        "synthetic": all(row["synthetic"] for row in rows),
        "licence": dataset.terms.licence,
        "left_out_without_place": left_out,
        "features": [
            {"type": "Feature", "properties": row, "geometry": mapping(outline)}
            for row, outline in zip(rows, outlines, strict=True)
        ],
    }
    text = json.dumps(document, ensure_ascii=False, allow_nan=False)
    return [write_atomic(out / "buildings.geojson", (text + "\n").encode())]


def export_geopackage(dataset: Dataset, out: Path) -> list[Path]:
    """``buildings.gpkg`` (OGC 12-128), layer ``buildings``. Raises BadLabel: no coordinates."""
    rows, outlines, left_out = _placed(dataset)
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    told = (
        f"synthetic: {str(all(columns['synthetic'])).lower()}; licence: {dataset.terms.licence}; "
        f"buildings left out because they have no coordinates: {left_out}"
    )
    path = out / "buildings.gpkg"
    return [write_geopackage(path, "buildings", outlines, columns, crs=CRS, description=told)]


def export_geoparquet(dataset: Dataset, out: Path) -> list[Path]:
    """``buildings.parquet`` (GeoParquet 1.1, WKB). Raises BadLabel: no coordinates."""
    import geopandas

    rows, outlines, _ = _placed(dataset)
    frame = geopandas.GeoDataFrame(rows, geometry=outlines, crs=CRS)
    path = out / "buildings.parquet"
    return [write_atomic(path, lambda temporary: frame.to_parquet(temporary, index=False))]


def _placed(dataset: Dataset) -> tuple[list[dict[str, Any]], list[Polygon | MultiPolygon], int]:
    """Properties and outlines of all buildings with coordinates, and how many have none."""
    known = [(entry, b) for entry in dataset for b in entry.label.buildings]
    found = [(_properties(entry, b), b.lnglat) for entry, b in known if b.lnglat is not None]
    left_out = len(known) - len(found)
    if not found:
        raise BadLabel(
            f"{dataset.root}: none of its {left_out} buildings has coordinates (lng_lat) in its "
            "label; choose the format coco or webdataset"
        )
    rows, outlines = zip(*found, strict=True)
    return list(rows), list(shapely.orient_polygons(outlines)), left_out


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
