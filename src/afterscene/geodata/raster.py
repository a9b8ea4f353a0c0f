"""Values of a raster at points, one pixel at a time: for layers too large to hold.

Only GeoTIFF, by its first bytes and with GDAL's list of one driver (:mod:`.decode`), so that no
VRT can pose as a layer and read another file. Any CRS; a point off the raster or on nodata is NaN.
"""

from pathlib import Path

import numpy as np
import pyproj
import rasterio

from afterscene.errors import BadImage
from afterscene.geodata.imagefiles import DECODERS_RAISE, GDAL, open_raster, sniff


def values_at(path: Path, lnglat: np.ndarray) -> np.ndarray:
    """(n, 2) WGS84 degrees to (n,) float64 values of the first band.

    Raises:
        MissingFile, BadImage: the file cannot be used, or has no place.
    """
    kind = sniff(path)
    if kind != "GTiff":
        raise BadImage(f"{path}: a layer must be a GeoTIFF, this is a {kind}; export it as one")
    out = np.full(len(lnglat), np.nan)
    try:
        with rasterio.Env(**GDAL), open_raster(path, kind) as source:
            if source.crs is None or source.transform.is_identity:
                raise BadImage(f"{path}: has no CRS and transform; export it with its place")
            way = pyproj.Transformer.from_crs("EPSG:4326", source.crs.to_wkt(), always_xy=True)
            x, y = way.transform(lnglat[:, 0], lnglat[:, 1])
            good = np.isfinite(x) & np.isfinite(y)
            points = zip(np.asarray(x)[good], np.asarray(y)[good], strict=True)
            values = source.sample(points, indexes=1, masked=True)
            out[good] = [np.nan if v.mask.any() else float(v.data[0]) for v in values]
    except DECODERS_RAISE as error:
        raise BadImage(f"{path}: cannot be read as a layer ({error}); export it again") from error
    return out
