"""GeoPackage (OGC 12-128): the buildings as the layer ``buildings`` in WGS84.

Mark and licence are columns of each row and metadata of the layer. A GeoPackage has a time of last
change; it is set to the epoch, so that the same set gives the same content.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from afterscene.files import write_atomic
from afterscene.gbd.dataset import Dataset
from afterscene.gbd.export.places import CRS, placed

VERSION = "1.3"
"""Newer versions bring nothing that is used here, and make GDAL before 3.7 warn."""
EPOCH = "1970-01-01T00:00:00.000Z"


def write(dataset: Dataset, out: Path) -> list[Path]:
    """``buildings.gpkg``. Raises BadLabel where no building has a place."""
    import geopandas
    import pyogrio

    properties, outlines, left_out = placed(dataset)
    frame = geopandas.GeoDataFrame(properties, geometry=outlines, crs=CRS)
    metadata = {
        "synthetic": json.dumps(bool(frame["synthetic"].all())),
        "licence": dataset.terms.licence,
        "left_out_without_place": str(left_out),
    }
    before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": EPOCH})
    try:
        return [write_atomic(out / "buildings.gpkg", lambda path: _write(path, frame, metadata))]
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": before})


def _write(path: Path, frame: Any, metadata: Mapping[str, str]) -> None:
    """Under a name that ends in .gpkg, as the format asks, then under the one that is wanted."""
    import pyogrio

    named = path.with_suffix(".gpkg")
    try:
        pyogrio.write_dataframe(
            frame,
            named,
            driver="GPKG",
            layer="buildings",
            promote_to_multi=True,
            layer_metadata=dict(metadata),
            dataset_options={"VERSION": VERSION},
        )
        named.replace(path)
    finally:
        named.unlink(missing_ok=True)
