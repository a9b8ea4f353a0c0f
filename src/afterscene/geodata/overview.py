"""What a file shows without reading all of it: size, place, parts, values at points, small picture.

A layer must be a GeoTIFF, by its first bytes, so that no VRT can pose as one and read another file.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from afterscene.errors import BadImage, BadParameter
from afterscene.geodata.crs import WGS84, way
from afterscene.geodata.decode import raster_pixels, raster_place
from afterscene.geodata.grid import Grid
from afterscene.geodata.imagefiles import decoding, open_pillow, open_raster, sniff
from afterscene.geodata.scene import Scene, read_scene
from afterscene.geodata.tags import read_tags, written_place
from afterscene.geodata.tiles import Window


def shape_of(path: Path) -> tuple[int, int]:
    """(H, W) of an image file by its header. Raises MissingFile, BadImage."""
    kind = sniff(path)
    if kind == "GTiff":
        with open_raster(path) as source:
            return int(source.height), int(source.width)
    with decoding(path), open_pillow(path, kind) as image:
        return image.height, image.width


@dataclass(frozen=True)
class ImageFile:
    """An image to be read in parts.

    A GeoTIFF by windows; a PNG or JPEG, which has none, is decoded once and kept. ``bands`` is what
    a catalogue calls its bands, where the file does not say it itself.
    """

    path: Path
    bands: tuple[str, ...] = ()

    @cached_property
    def grid(self) -> Grid:
        """Shape, CRS and transform by the header; no pixel is decoded for it."""
        if self._windowed:
            with open_raster(self.path) as source:
                crs, transform, _ = raster_place(self.path, source)
                shape = int(source.height), int(source.width)
        else:
            crs, transform, _ = written_place(self.path, read_tags(self.path))
            shape = shape_of(self.path)
        return Grid(shape=shape, crs=crs, transform=transform, image=self.path)

    def read(self, window: Window) -> Scene:
        """The part under ``window``. Raises BadImage."""
        if self._windowed:
            return read_scene(self.path, window=window, bands=self.bands)
        return self._whole.crop(window)

    def small(self, side: int) -> Scene:
        """All of it; a GeoTIFF is thinned while it is read, so that no side exceeds ``side``."""
        return _thinned(self.path, side, self.bands) if self._windowed else self._whole

    @cached_property
    def _windowed(self) -> bool:
        return sniff(self.path) == "GTiff"

    @cached_property
    def _whole(self) -> Scene:
        return read_scene(self.path)


def _thinned(path: Path, side: int, bands: tuple[str, ...]) -> Scene:
    """A GeoTIFF with every so many pixels left out, no side longer than `side`, without a place."""
    with open_raster(path) as source:
        scale = min(1.0, side / max(source.shape))
        height, width = (max(1, round(scale * n)) for n in source.shape)
        pixels, valid = raster_pixels(path, source, out=(height, width), bands=bands)
    return Scene(pixels=pixels, valid=valid)


def values_at(path: Path, lnglat: np.ndarray) -> np.ndarray:
    """(n, 2) WGS84 degrees to (n,) float64 values of a layer's first band, pixel by pixel.

    NaN off the raster and on nodata. Raises MissingFile; BadImage, if it is not a georeferenced
    GeoTIFF.
    """
    if (kind := sniff(path)) != "GTiff":
        raise BadImage(f"{path}: a layer must be a GeoTIFF, this is a {kind}; export it as one")
    out = np.full(len(lnglat), np.nan)
    with open_raster(path) as source:
        if source.crs is None or source.transform.is_identity:
            raise BadImage(f"{path}: has no CRS and transform; export it with its place")
        try:
            xy = way(WGS84, source.crs.to_wkt())(lnglat)
        except BadParameter as error:
            raise BadImage(f"{path}: {error}") from error
        good = np.isfinite(xy).all(axis=1)
        points = xy[good].tolist()
        values = source.sample(points, indexes=1, masked=True)
        out[good] = [np.nan if v.mask.any() else float(v.data[0]) for v in values]
    return out
