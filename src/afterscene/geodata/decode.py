"""Decodes image files to pixels, valid mask and place; limits are checked before decoding.

PNG and JPEG are read by Pillow, GeoTIFF and 16-bit colour PNG by GDAL
(:mod:`afterscene.geodata.imagefiles`).

Rules: bands come in the order red, green, blue, near infrared, by what the file says of them
(:mod:`afterscene.geodata.bands`); palette and CMYK become RGB; an alpha band becomes the valid mask
(0 = nodata); 1-bit becomes 0/255, "white is zero" is turned over; int16 without negative valid
pixels becomes uint16, every other type float32; one frame only. EXIF orientation is not applied,
because labels refer to the stored pixels.

False in `valid` is: what a mask or alpha leaves out; declared nodata in all bands, or in one where
the value cannot be a brightness (below 0); a number of :data:`FILLS` in any band of a signed or
float file, declared or not; NaN, infinity, and what float32 cannot hold.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import rasterio
from affine import Affine
from PIL import Image
from rasterio.enums import ColorInterp
from rasterio.windows import Window as RasterWindow

from afterscene.errors import BadImage
from afterscene.geodata.bands import BandOrder, band_order
from afterscene.geodata.imagefiles import (
    bytes_of,
    check_size,
    check_unpacked,
    decoded_pillow,
    decoding,
    needs_gdal,
    open_raster,
    sniff,
)
from afterscene.geodata.tags import pillow_tags, written_place
from afterscene.geodata.tiles import Window

FILLS = (
    *(-9999.0, -99999.0, -999.0, -32768.0, -32767.0, -1e10, -1e20, 1e20, -1e32, 1e32),
    *(9.969209968386869e36, float(np.finfo(np.float32).min), float(np.finfo(np.float32).max)),
)
"""What programs write where there is no data; no brightness has one of these values."""


class Decoded(NamedTuple):
    """Pixels (bands, H, W), valid (H, W), and what the file says of place and time."""

    pixels: np.ndarray
    valid: np.ndarray
    crs: str | None
    transform: Affine | None
    time: datetime | None


def decode(path: Path, window: Window | None = None, bands: Sequence[str] = ()) -> Decoded:
    """Read an image file. Raises MissingFile or BadImage; see the module for the rules.

    ``bands`` is what a catalogue calls its bands (:func:`band_order`).
    """
    kind = sniff(path)
    with decoding(path):
        if kind == "GTiff":
            return _decode_gdal(path, kind, window, bands)
        read = _decode_gdal if needs_gdal(path, kind) else _decode_pillow
        whole = read(path, kind)
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


def _decode_pillow(path: Path, kind: str) -> Decoded:
    image = decoded_pillow(path, kind)
    array, tags = np.asarray(_plain(image)), pillow_tags(image)
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


def _decode_gdal(
    path: Path, kind: str, part: Window | None = None, bands: Sequence[str] = ()
) -> Decoded:
    with open_raster(path, kind) as source:
        if part:
            _inside(path, part, source.shape)
        if source.subdatasets:
            raise BadImage(f"{path}: holds {len(source.subdatasets)} pages; export one of them")
        pixels, valid = raster_pixels(path, source, part, bands=bands)
        crs, transform, time = raster_place(path, source)
    if part and transform:
        transform = moved(transform, part)
    return Decoded(pixels, valid, crs, transform, time)


def raster_place(
    path: Path, source: rasterio.DatasetReader
) -> tuple[str | None, Affine | None, datetime | None]:
    """CRS, transform and time of an open file: its georeference, else our texts."""
    crs, transform, time = written_place(path, source.tags())
    if source.crs:
        crs = source.crs.to_wkt()
    if not source.transform.is_identity:
        transform = source.transform
    return crs, transform, time


def raster_pixels(
    path: Path,
    source: rasterio.DatasetReader,
    part: Window | None = None,
    out: tuple[int, int] | None = None,
    bands: Sequence[str] = (),
) -> tuple[np.ndarray, np.ndarray]:
    """Pixels and valid of an open file: of a window, or thinned to the shape ``out``.

    Raises BadImage: its bands or numbers are none of a picture, or they are too many.
    """
    odd = [d for d in source.dtypes if "complex" in d or d == "int8"]
    if odd:
        raise BadImage(f"{path}: pixels are {odd[0]}, not brightness; export it as uint16")
    order = band_order(path, source, bands)
    height, width = out or ((part.height, part.width) if part else source.shape)
    check_size(path, height, width, len(order.bands) * bytes_of(source))
    if (height, width) == source.shape:
        check_unpacked(path, height, width, source.count * bytes_of(source))
    window = RasterWindow(part.col, part.row, part.width, part.height) if part else None
    shape = out and (len(order.bands), *out)
    pixels = source.read(order.bands, window=window, out_shape=shape)
    valid = _valid(source, order, pixels, window=window, out_shape=out)
    structure = source.tags(ns="IMAGE_STRUCTURE")
    if source.colorinterp[order.bands[0] - 1] == ColorInterp.palette:
        return _through_palette(pixels[0], source.colormap(1), valid)
    if source.tags(1, ns="IMAGE_STRUCTURE").get("NBITS") == "1":
        pixels = pixels * np.uint8(255)
    if structure.get("MINISWHITE") == "YES" and pixels.dtype.kind == "u":
        pixels = np.iinfo(pixels.dtype).max - pixels
    return _plain_numbers(pixels, valid)


def _valid(
    source: rasterio.DatasetReader, order: BandOrder, pixels: np.ndarray, **part: Any
) -> np.ndarray:
    """(H, W) bool by what the file declares: alpha, mask, nodata."""
    declared = source.nodatavals[order.bands[0] - 1]
    if order.alpha or ColorInterp.alpha not in source.colorinterp:
        valid = source.dataset_mask(**part) > 0
    else:  # GDAL would take the band that is none for alpha
        valid = np.ones(pixels.shape[1:], bool)
    if declared is None or not _holds(pixels.dtype, declared):
        return valid
    empty = pixels == pixels.dtype.type(declared)
    return valid & ~(empty.any(axis=0) if declared < 0 else empty.all(axis=0))


def _plain_numbers(pixels: np.ndarray, valid: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """As uint8, uint16 or float32, with what cannot be a brightness left out."""
    if pixels.dtype.kind in "if":
        valid = valid & ~_filled(pixels)
    if pixels.dtype == np.int16 and pixels[:, valid].min(initial=0) >= 0:
        pixels = np.where(valid, pixels, 0).astype(np.uint16)
    if pixels.dtype not in (np.uint8, np.uint16, np.float32):
        with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite
            pixels = pixels.astype(np.float32)
    if pixels.dtype.kind == "f":
        valid = valid & np.isfinite(pixels).all(axis=0)
    return pixels, valid


def _filled(pixels: np.ndarray) -> np.ndarray:
    """(H, W) bool: where a band holds one of :data:`FILLS`."""
    far = pixels <= -999
    if pixels.dtype.kind == "f":
        far |= pixels >= 1e20
    if far.any():
        fills = [fill for fill in FILLS if _holds(pixels.dtype, fill)]
        far[far] = np.isin(pixels[far], np.array(fills, pixels.dtype))
    return np.asarray(far.any(axis=0))


def _holds(dtype: np.dtype, fill: float) -> bool:
    limits = np.finfo(dtype) if dtype.kind == "f" else np.iinfo(dtype)
    return bool(limits.min <= fill <= limits.max)


def _through_palette(
    index: np.ndarray, colours: Mapping[int, tuple[int, int, int, int]], valid: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    table = np.zeros((max(256, int(index.max()) + 1), 4), np.uint8)
    for i, colour in colours.items():
        if i < len(table):
            table[i] = colour
    rgba = table[index]
    return np.ascontiguousarray(np.moveaxis(rgba[..., :3], 2, 0)), valid & (rgba[..., 3] > 0)
