"""What a file shows without reading all of it: its size, place and a small picture."""

from pathlib import Path

import numpy as np
import rasterio

from afterscene.errors import BadImage
from afterscene.geodata.decode import DECODERS_RAISE, GDAL, open_pillow, open_raster, sniff
from afterscene.geodata.footprints import Grid
from afterscene.geodata.scene import Scene, read_scene
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


def grid_of(path: Path) -> Grid:
    """Shape, CRS and transform; of a GeoTIFF without its pixels. Raises MissingFile, BadImage."""
    if sniff(path) != "GTiff":
        scene = read_scene(path)
        return Grid(shape=scene.shape, crs=scene.crs, transform=scene.transform)
    corner = read_scene(path, window=Window(0, 0, 1, 1))
    return Grid(shape=shape_of(path), crs=corner.crs, transform=corner.transform)


def small_picture(path: Path, side: int) -> np.ndarray:
    """(H, W, 3) uint8; a GeoTIFF is thinned while it is read, so that no side exceeds `side`."""
    return (thinned(path, side) if sniff(path) == "GTiff" else read_scene(path)).rgb()


def thinned(path: Path, side: int) -> Scene:
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
