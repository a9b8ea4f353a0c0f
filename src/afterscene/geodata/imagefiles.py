"""Which files are images, and how their headers are opened: by their first bytes, nothing else.

The suffix decides nothing beyond being one that we take. GDAL gets a list of one driver, so that no
other format (a VRT names any file or URL) can pose as an image, and reads no sidecar file. Limits
are set before anything is decoded.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import rasterio
from PIL import Image, UnidentifiedImageError
from rasterio._err import CPLE_BaseError
from rasterio.errors import NotGeoreferencedWarning, RasterioError

from afterscene.errors import BadImage, MissingFile

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff")
MAX_BYTES = 2 << 30
"""Decoded bytes that are held at once: 2 GiB, such as 16,384 x 16,384 pixels of 8 bytes."""

_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"II*\x00", "GTiff"),
    (b"MM\x00*", "GTiff"),
    (b"II+\x00", "GTiff"),
    (b"MM\x00+", "GTiff"),
)
_GDAL = {
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "GDAL_PAM_ENABLED": "NO",
    "GTIFF_IGNORE_READ_ERRORS": "NO",
}
_DECODERS_RAISE = (
    *(RasterioError, CPLE_BaseError),  # rasterio lets GDAL's own errors through here and there
    *(OSError, SyntaxError, ValueError, EOFError, MemoryError),
)


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


def first_line(error: Exception) -> str:
    """What went wrong, for a sentence."""
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


@contextmanager
def decoding(path: Path) -> Iterator[None]:
    """Whatever a decoder raises within becomes a BadImage that names the file."""
    try:
        yield
    except _DECODERS_RAISE as error:
        raise BadImage(
            f"{path}: cannot be decoded ({first_line(error)}); it is damaged or cut off: "
            "fetch or export it again"
        ) from error


def check_size(path: Path, height: int, width: int, bytes_each: int) -> None:
    """Raise BadImage where more would be decoded than is held at once."""
    if height * width * bytes_each > MAX_BYTES:
        raise BadImage(
            f"{path}: {height} x {width} pixels of {bytes_each} bytes are more than the "
            f"{MAX_BYTES:,} bytes that are read at once; cut it into tiles, or read windows of a "
            "GeoTIFF"
        )


def open_pillow(path: Path, kind: str) -> Image.Image:
    """The header of a PNG or JPEG. Raises BadImage."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        try:
            image = Image.open(path, formats=[kind])
        except Image.DecompressionBombError as error:
            raise BadImage(
                f"{path}: {first_line(error)}; cut it into tiles, or convert it to GeoTIFF"
            ) from error
        except UnidentifiedImageError as error:
            raise BadImage(f"{path}: the {kind} header is damaged; fetch it again") from error
    check_size(path, image.height, image.width, len(image.getbands()))
    return image


@contextmanager
def open_raster(path: Path, kind: str = "GTiff") -> Iterator[rasterio.DatasetReader]:
    """A file opened with GDAL's driver `kind` and no other. Raises BadImage, also within."""
    with decoding(path), rasterio.Env(**_GDAL):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            source = rasterio.open(path.absolute(), driver=kind)
        with source:
            yield source
