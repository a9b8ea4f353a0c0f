"""Bytes on the disk to pixels, valid mask and place, with the limits set before the decoding.

PNG and JPEG are read by Pillow, GeoTIFF and 16-bit colour PNG by GDAL
(:mod:`afterscene.geodata.imagefiles`).

Rules: palette and CMYK become RGB; an alpha band becomes the valid mask (0 = nodata); 1-bit
becomes 0/255; int16 without negative valid pixels becomes uint16, every other type float32;
nodata (declared, NaN, mask or alpha) is False in `valid`; one frame only. EXIF orientation is not
applied, because labels refer to the stored pixels.
"""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
import rasterio
from affine import Affine
from PIL import Image
from rasterio.enums import ColorInterp
from rasterio.windows import Window as RasterWindow

from afterscene.errors import BadImage
from afterscene.geodata.imagefiles import check_size, decoding, open_pillow, open_raster, sniff
from afterscene.geodata.tags import pillow_tags, written_place
from afterscene.geodata.tiles import Window


class Decoded(NamedTuple):
    """Pixels (bands, H, W), valid (H, W), and what the file says of place and time."""

    pixels: np.ndarray
    valid: np.ndarray
    crs: str | None
    transform: Affine | None
    time: datetime | None


def decode(path: Path, window: Window | None = None) -> Decoded:
    """Read an image file. Raises MissingFile or BadImage; see the module for the rules."""
    kind = sniff(path)
    with decoding(path):
        if kind == "GTiff":
            return _decode_gdal(path, kind, window)
        deep = kind == "PNG" and _is_deep_colour(path)
        whole = _decode_gdal(path, kind, None) if deep else _decode_pillow(path, kind)
        return whole if window is None else _part(path, whole, window)


def _part(path: Path, whole: Decoded, window: Window) -> Decoded:
    _inside(path, window, whole.valid.shape)
    rows, cols = window.slices
    transform = None if whole.transform is None else moved(whole.transform, window)
    return Decoded(
        whole.pixels[:, rows, cols], whole.valid[rows, cols], whole.crs, transform, whole.time
    )


def _inside(path: Path, window: Window, shape: tuple[int, ...]) -> None:
    height, width = shape
    if not window.lies_in((height, width)):
        raise BadImage(f"{path}: {window} does not lie inside its {shape} pixels; move it")


def _is_deep_colour(path: Path) -> bool:
    """Pillow would cut 16-bit colour down to 8 bits: bit depth 16 and not plain grey."""
    with path.open("rb") as file:
        header = file.read(26)
    return len(header) == 26 and header[24] == 16 and header[25] != 0


def _decode_pillow(path: Path, kind: str) -> Decoded:
    if kind == "PNG":
        with open_pillow(path, kind) as image:
            image.verify()  # the check sums, which Pillow does not look at while it decodes
    with open_pillow(path, kind) as image:
        frames = getattr(image, "n_frames", 1)
        if frames != 1:
            raise BadImage(f"{path}: holds {frames} frames; export the one that is meant")
        array = np.asarray(_plain(image))
        tags = pillow_tags(image)
    array = array[..., None] if array.ndim == 2 else array
    bands = np.ascontiguousarray(np.moveaxis(array, 2, 0))
    valid = np.ones(bands.shape[1:], bool)
    if len(bands) in (2, 4):
        valid, bands = bands[-1] > 0, bands[:-1]
    if bands.dtype == np.int32:
        bands = bands.astype(np.uint16)
    return Decoded(bands, valid, *written_place(path, tags))


def _plain(image: Image.Image) -> Image.Image:
    """Any Pillow mode as L, LA, RGB, RGBA or 16-bit grey."""
    mode = image.mode
    if "transparency" in image.info and mode in ("1", "L", "RGB", "P"):
        return image.convert("LA" if mode in ("1", "L") else "RGBA")
    target = {"1": "L", "P": "RGB", "PA": "RGBA", "CMYK": "RGB", "YCbCr": "RGB", "La": "LA"}
    return image.convert(target[mode]) if mode in target else image


def moved(transform: Affine, window: Window) -> Affine:
    """The transform of the part under `window`."""
    a, b, c, d, e, f = transform[:6]
    return Affine(
        *(a, b, a * window.col + b * window.row + c),
        *(d, e, d * window.col + e * window.row + f),
    )


def _decode_gdal(path: Path, kind: str, part: Window | None) -> Decoded:
    window = RasterWindow(part.col, part.row, part.width, part.height) if part else None
    with open_raster(path, kind) as source:
        if part:
            _inside(path, part, source.shape)
        height, width = (part.height, part.width) if part else source.shape
        check_size(path, height, width, sum(np.dtype(d).itemsize for d in source.dtypes))
        if source.subdatasets:
            raise BadImage(f"{path}: holds {len(source.subdatasets)} pages; export one of them")
        _check_bands(path, source)
        bands = _data_bands(source)
        pixels = source.read(bands, window=window)
        valid = source.dataset_mask(window=window) > 0
        if source.colorinterp[0] == ColorInterp.palette:
            pixels, valid = _through_palette(pixels[0], source.colormap(1), valid)
        elif source.tags(1, ns="IMAGE_STRUCTURE").get("NBITS") == "1":
            pixels = pixels * np.uint8(255)
        crs, transform, time = written_place(path, source.tags())
        if source.crs:
            crs = source.crs.to_wkt()
        if not source.transform.is_identity:
            transform = source.transform
        if part and transform:
            transform = moved(transform, part)
    if pixels.dtype.kind == "f":
        valid = valid & np.isfinite(pixels).all(0)
    elif (pixels.dtype == np.int16) and pixels[:, valid].min(initial=0) >= 0:
        pixels = np.where(valid, pixels, 0).astype(np.uint16)
    if pixels.dtype not in (np.uint8, np.uint16, np.float32):
        pixels = pixels.astype(np.float32)
    return Decoded(pixels, valid, crs, transform, time)


def _data_bands(source: rasterio.DatasetReader) -> list[int]:
    return [i for i, c in enumerate(source.colorinterp, 1) if c != ColorInterp.alpha]


def _check_bands(path: Path, source: rasterio.DatasetReader) -> None:
    count = len(_data_bands(source))
    if count not in (1, 3, 4):
        raise BadImage(
            f"{path}: has {count} bands, AfterScene takes 1, 3 or 4; "
            "choose three with `gdal_translate -b 1 -b 2 -b 3`"
        )
    odd = [d for d in source.dtypes if "complex" in d or d == "int8"]
    if odd:
        raise BadImage(f"{path}: pixels are {odd[0]}, not brightness; export it as uint16")


def _through_palette(
    index: np.ndarray, colours: Mapping[int, tuple[int, int, int, int]], valid: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    table = np.zeros((max(256, int(index.max()) + 1), 4), np.uint8)
    for i, colour in colours.items():
        if i < len(table):
            table[i] = colour
    rgba = table[index]
    return np.ascontiguousarray(np.moveaxis(rgba[..., :3], 2, 0)), valid & (rgba[..., 3] > 0)
