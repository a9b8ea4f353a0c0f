"""Bytes on the disk to pixels, valid mask and place, with the limits set before the decoding.

What a file is, its first bytes say; the suffix decides nothing beyond being one that we take. PNG
and JPEG are read by Pillow, GeoTIFF and 16-bit colour PNG by GDAL with a list of one driver, so
that no other format (a VRT names any file or URL) can pose as an image. No sidecar file is read.

Rules: palette and CMYK become RGB; an alpha band becomes the valid mask (0 = nodata); 1-bit
becomes 0/255; int16 without negative valid pixels becomes uint16, every other type float32;
nodata (declared, NaN, mask or alpha) is False in `valid`; one frame only. EXIF orientation is not
applied, because labels refer to the stored pixels.
"""

import json
import warnings
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyproj
import rasterio
from affine import Affine
from PIL import Image, UnidentifiedImageError
from pyproj.exceptions import CRSError
from rasterio._err import CPLE_BaseError
from rasterio.enums import ColorInterp
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.windows import Window as RasterWindow

from afterscene.errors import BadImage, BadParameter, MissingFile
from afterscene.geodata.tiles import Window

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff")
MAX_BYTES = 2 << 30
"""Decoded bytes that are held at once: 2 GiB, such as 16,384 x 16,384 pixels of 8 bytes."""

TIME_TAG, CRS_TAG, TRANSFORM_TAG = "AFTERSCENE_TIME", "AFTERSCENE_CRS", "AFTERSCENE_TRANSFORM"

_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"II*\x00", "GTiff"),
    (b"MM\x00*", "GTiff"),
    (b"II+\x00", "GTiff"),
    (b"MM\x00+", "GTiff"),
)
GDAL = {
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "GDAL_PAM_ENABLED": "NO",
    "GTIFF_IGNORE_READ_ERRORS": "NO",
}


DECODERS_RAISE = (
    *(RasterioError, CPLE_BaseError),  # rasterio lets GDAL's own errors through here and there
    *(OSError, SyntaxError, ValueError, EOFError, MemoryError),
)


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
    try:
        if kind == "GTiff":
            return _decode_gdal(path, kind, window)
        deep = kind == "PNG" and _is_deep_colour(path)
        whole = _decode_gdal(path, kind, None) if deep else _decode_pillow(path, kind)
        return whole if window is None else _part(path, whole, window)
    except DECODERS_RAISE as error:
        raise BadImage(
            f"{path}: cannot be decoded ({_first_line(error)}); it is damaged or cut off: "
            "fetch or export it again"
        ) from error


def read_tags(path: str | Path) -> dict[str, str]:
    """Texts in the file: PNG text chunks, TIFF tags, or the JSON comment of our JPEGs."""
    path = Path(path)
    kind = sniff(path)
    try:
        if kind == "GTiff":
            with rasterio.Env(**GDAL), open_raster(path, kind) as source:
                return dict(source.tags())
        with open_pillow(path, kind) as image:
            return _pillow_tags(image)
    except DECODERS_RAISE as error:
        raise BadImage(
            f"{path}: tags cannot be read ({_first_line(error)}); fetch or export it again"
        ) from error


def sniff(path: Path) -> str:
    """``PNG``, ``JPEG`` or ``GTiff`` by the first bytes. Raises MissingFile, BadImage."""
    if path.suffix.lower() not in SUFFIXES:
        raise BadImage(f"{path}: suffix {path.suffix!r} is not one of {', '.join(SUFFIXES)}")
    if not path.is_file():
        raise MissingFile(f"{path} is not a file; check the path")
    try:
        with path.open("rb") as file:
            head = file.read(8)
    except OSError as error:
        raise MissingFile(f"{path} cannot be read ({error.strerror}); check its rights") from error
    for signature, kind in _SIGNATURES:
        if head.startswith(signature):
            return kind
    what = f"its first bytes are {head!r}" if head else "it is empty"
    raise BadImage(f"{path} is no PNG, JPEG or TIFF ({what}); export it as one of these")


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


def _limit(path: Path, height: int, width: int, bytes_each: int) -> None:
    if height * width * bytes_each > MAX_BYTES:
        raise BadImage(
            f"{path}: {height} x {width} pixels of {bytes_each} bytes are more than the "
            f"{MAX_BYTES:,} bytes that are read at once; cut it into tiles, or read windows of a "
            "GeoTIFF"
        )


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


def open_pillow(path: Path, kind: str) -> Image.Image:
    """The header of a PNG or JPEG. Raises BadImage."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        try:
            image = Image.open(path, formats=[kind])
        except Image.DecompressionBombError as error:
            raise BadImage(
                f"{path}: {_first_line(error)}; cut it into tiles, or convert it to GeoTIFF"
            ) from error
        except UnidentifiedImageError as error:
            raise BadImage(f"{path}: the {kind} header is damaged; fetch it again") from error
    _limit(path, image.height, image.width, len(image.getbands()))
    return image


def _decode_pillow(path: Path, kind: str) -> Decoded:
    if kind == "PNG":
        with open_pillow(path, kind) as image:
            image.verify()  # the check sums, which Pillow does not look at while it decodes
    with open_pillow(path, kind) as image:
        frames = getattr(image, "n_frames", 1)
        if frames != 1:
            raise BadImage(f"{path}: holds {frames} frames; export the one that is meant")
        array = np.asarray(_plain(image))
        tags = _pillow_tags(image)
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


def _pillow_tags(image: Image.Image) -> dict[str, str]:
    texts = {k: v for k, v in getattr(image, "text", {}).items() if isinstance(v, str)}
    comment = image.info.get("comment")
    if isinstance(comment, bytes):
        try:
            said = json.loads(comment)
        except (ValueError, RecursionError):
            return {**texts, "comment": comment.decode("latin-1")}
        if isinstance(said, dict):
            return {**texts, **{str(k): str(v) for k, v in said.items()}}
    return texts


def written_place(
    path: Path, tags: Mapping[str, str]
) -> tuple[str | None, Affine | None, datetime | None]:
    """CRS, transform and time that ``write_scene`` left as texts. Raises BadImage for nonsense."""
    crs, numbers, time = tags.get(CRS_TAG), tags.get(TRANSFORM_TAG), tags.get(TIME_TAG)
    try:
        if crs is not None:
            check_crs(crs)
        transform = None if numbers is None else _parse_transform(numbers)
        return crs, transform, None if time is None else datetime.fromisoformat(time)
    except (BadParameter, TypeError, ValueError) as error:
        raise BadImage(
            f"{path}: its AFTERSCENE_ tags of place and time are damaged ({_first_line(error)}); "
            "write it again"
        ) from error


def _parse_transform(text: str) -> Affine:
    numbers = [float(n) for n in text.split()]
    if len(numbers) != 6 or not np.isfinite(numbers).all():
        raise ValueError(f"{text[:80]!r} are not six numbers")
    return Affine(*numbers)


def check_crs(crs: str) -> None:
    """Raise BadParameter where `crs` is nothing that PROJ knows."""
    try:
        pyproj.CRS.from_user_input(crs)
    except CRSError as error:
        raise BadParameter(
            f"CRS {crs[:80]!r} is not known; use one such as 'EPSG:32616'"
        ) from error


def moved(transform: Affine, window: Window) -> Affine:
    """The transform of the part under `window`."""
    a, b, c, d, e, f = transform[:6]
    return Affine(
        *(a, b, a * window.col + b * window.row + c),
        *(d, e, d * window.col + e * window.row + f),
    )


def open_raster(path: Path, kind: str) -> rasterio.DatasetReader:
    """Open with GDAL's driver `kind` and no other; within ``rasterio.Env(**GDAL)``."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        return rasterio.open(path.absolute(), driver=kind)


def _decode_gdal(path: Path, kind: str, part: Window | None) -> Decoded:
    window = RasterWindow(part.col, part.row, part.width, part.height) if part else None
    with rasterio.Env(**GDAL), open_raster(path, kind) as source:
        if part:
            _inside(path, part, source.shape)
        height, width = (part.height, part.width) if part else source.shape
        _limit(path, height, width, sum(np.dtype(d).itemsize for d in source.dtypes))
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
