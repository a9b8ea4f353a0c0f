"""GeoPackage (OGC 12-128): the buildings as the layer ``buildings`` in WGS84.

Mark and licence are columns of each row, and stand in the description of the layer.
"""

from pathlib import Path

from afterscene.gbd.dataset import Dataset
from afterscene.gbd.export.places import CRS, placed
from afterscene.geodata.geopackage import write_geopackage


def export_geopackage(dataset: Dataset, out: Path) -> list[Path]:
    """``buildings.gpkg``. Raises BadLabel where no building has a place."""
    rows, outlines, left_out = placed(dataset)
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    told = (
        f"synthetic: {str(all(columns['synthetic'])).lower()}; licence: {dataset.terms.licence}; "
        f"buildings left out because they have no place: {left_out}"
    )
    path = out / "buildings.gpkg"
    return [write_geopackage(path, "buildings", outlines, columns, crs=CRS, description=told)]
