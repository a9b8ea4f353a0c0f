"""GeoParquet 1.1: the buildings as one columnar file, WKB outlines in WGS84.

Mark and licence are columns, so that they stay with every row whatever a reader selects.
"""

from pathlib import Path

from afterscene.files import write_atomic
from afterscene.gbd.dataset import Dataset
from afterscene.gbd.export.places import CRS, placed


def export_geoparquet(dataset: Dataset, out: Path) -> list[Path]:
    """``buildings.parquet``. Raises BadLabel where no building has a place."""
    import geopandas

    properties, outlines, _ = placed(dataset)
    frame = geopandas.GeoDataFrame(properties, geometry=outlines, crs=CRS)
    path = out / "buildings.parquet"
    return [write_atomic(path, lambda temporary: frame.to_parquet(temporary, index=False))]
