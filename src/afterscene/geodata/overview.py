"""What a file shows without reading all of it: its size, place, parts and a small picture."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import rasterio

from afterscene.errors import BadImage
from afterscene.geodata.footprints import Grid
from afterscene.geodata.imagefiles import DECODERS_RAISE, GDAL, open_pillow, open_raster, sniff
from afterscene.geodata.scene import Scene, read_scene
from afterscene.geodata.tags import read_tags, written_place
from afterscene.geodata.tiles import Window


def shape_of(path: Path) -> tuple[int, int]:
    """(H, W) of an image file by its header. Raises MissingFile, BadImage."""
    kind = sniff(path)
    try:
        if kind == "GTiff":
            with rasterio.Env(**GDAL), open_raster(path, kind) as source:
                return int(source.height), int(source.width)
        with open_pillow(path, kind) as image:
            return image.height, image.width
    except DECODERS_RAISE as error:
        raise BadImage(f"{path}: cannot be opened ({error}); export it again") from error


@dataclass(frozen=True)
class ImageFile:
    """An image to be read in parts.

    A GeoTIFF by windows; a PNG or JPEG, which has none, is decoded once and kept.
    """

    path: Path

    @cached_property
    def grid(self) -> Grid:
        """Shape, CRS and transform; nothing is decoded for it but a corner of a GeoTIFF."""
        if self._windowed:
            corner = read_scene(self.path, window=Window(0, 0, 1, 1))
            crs, transform = corner.crs, corner.transform
        else:
            crs, transform, _ = written_place(self.path, read_tags(self.path))
        return Grid(shape=shape_of(self.path), crs=crs, transform=transform)

    def read(self, window: Window) -> Scene:
        """The part under ``window``. Raises BadImage."""
        if self._windowed:
            return read_scene(self.path, window=window)
        return self._whole.crop(window)

    def small(self, side: int) -> Scene:
        """All of it; a GeoTIFF is thinned while it is read, so that no side exceeds ``side``."""
        return _thinned(self.path, side) if self._windowed else self._whole

    @cached_property
    def _windowed(self) -> bool:
        return sniff(self.path) == "GTiff"

    @cached_property
    def _whole(self) -> Scene:
        return read_scene(self.path)


def _thinned(path: Path, side: int) -> Scene:
    """A GeoTIFF with every so many pixels left out, no side longer than `side`, without a place.

    Raises:
        BadImage: it cannot be read.
    """
    try:
        with rasterio.Env(**GDAL), open_raster(path, "GTiff") as source:
            height, width = source.height, source.width
            scale = min(1.0, side / max(height, width))
            shape = (max(1, round(scale * height)), max(1, round(scale * width)))
            bands = [1, 2, 3] if source.count >= 3 else [1]
            pixels = source.read(bands, out_shape=(len(bands), *shape))
            valid = source.dataset_mask(out_shape=shape) > 0
    except DECODERS_RAISE as error:
        raise BadImage(f"{path}: cannot be read ({error}); export it again") from error
    if pixels.dtype not in (np.uint8, np.uint16):
        pixels = pixels.astype(np.float32)
        valid &= np.isfinite(pixels).all(axis=0)
    return Scene(pixels=pixels, valid=valid)
