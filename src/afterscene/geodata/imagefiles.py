"""Which files are images, by their first bytes alone, and how they are opened.

The suffix decides nothing beyond being one that we take. GDAL gets a list of one driver, so that no
other format (a VRT names any file or URL) can pose as an image, and reads no sidecar file. Limits
are set before anything is decoded.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import rasterio
from PIL import Image, UnidentifiedImageError
from rasterio._err import CPLE_BaseError
from rasterio.enums import Interleaving
from rasterio.errors import NotGeoreferencedWarning, RasterioError

from afterscene.errors import BadImage, MissingFile

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff")
MAX_BYTES = 2 << 30
"""Bytes that reading may take at once, the copies on the way included: 2 GiB."""
_COPIES = 3
"""Decoder, array and picture hold the values at one time; the valid mask comes on top."""
LARGE, RATIO, HOLES = 256 << 20, 200, 5000
"""A file that unpacks to more than so many bytes, and so many times its size, is refused.

Read in windows it may be a mosaic of few pictures; what is nearly all holes is refused there, too.
"""

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
    "GDAL_CACHEMAX": 256 << 20,  # else a twentieth of the machine's memory
}
_DECODERS_RAISE = (
    *(RasterioError, CPLE_BaseError),  # rasterio lets GDAL's own errors through here and there
    *(OSError, SyntaxError, ValueError, EOFError, MemoryError),
)


def sniff(path: Path) -> str:
    """``PNG``, ``JPEG`` or ``GTiff`` by the first bytes. Raises MissingFile, BadImage."""
    if path.suffix.lower() not in SUFFIXES:
        kind = "is a folder" if path.is_dir() else f"ends in {path.suffix!r}"
        raise BadImage(f"{path} {kind}; give an image that ends in {', '.join(SUFFIXES)}")
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
    raise BadImage(f"{path} is not a PNG, JPEG or TIFF ({what}); export it as one of these")


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
    """Raise BadImage where reading so many pixels would take more than is held at once."""
    needed = height * width * (_COPIES * bytes_each + 2)
    if needed > MAX_BYTES:
        raise BadImage(
            f"{path}: {height} x {width} pixels of {bytes_each} bytes take {needed:,} bytes to "
            f"read, {MAX_BYTES:,} are allowed; cut it into tiles, or read windows of a GeoTIFF"
        )


def check_unpacked(
    path: Path, height: int, width: int, bytes_each: int, ratio: int = RATIO
) -> None:
    """Raise BadImage where a small file unpacks to a huge picture: a bomb, or an empty one."""
    unpacked, size = height * width * bytes_each, path.stat().st_size
    if unpacked > LARGE and unpacked > ratio * size:
        raise BadImage(
            f"{path}: {size:,} bytes would unpack to {unpacked:,} ({height} x {width} pixels), "
            "which no picture of the ground does; cut out the part that holds data"
        )


def open_pillow(path: Path, kind: str, *, indices: bool = False) -> Image.Image:
    """The header of a PNG or JPEG. Raises BadImage.

    With ``indices`` the values of a palette file are meant, and not the colours for them.
    """
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
    each = 4 if image.mode[0] in "IFP" and not indices else len(image.getbands())
    check_size(path, image.height, image.width, each)
    check_unpacked(path, image.height, image.width, each)
    return image


def decoded_pillow(path: Path, kind: str, *, indices: bool = False) -> Image.Image:
    """The pixels of a PNG or JPEG whose check sums are right. Raises BadImage: it is animated."""
    if kind == "PNG":
        with open_pillow(path, kind, indices=indices) as image:
            image.verify()  # the check sums, which Pillow does not look at while it decodes
    image = open_pillow(path, kind, indices=indices)
    frames = getattr(image, "n_frames", 1)
    if frames != 1:
        raise BadImage(f"{path}: holds {frames} frames; export the one that is meant")
    image.load()
    return image


def needs_gdal(path: Path, kind: str) -> bool:
    """Whether GDAL decodes a file: a TIFF, or 16-bit colour that Pillow would cut to 8 bits."""
    if kind != "PNG":
        return kind == "GTiff"
    depth, colour = png_header(path)
    return depth == 16 and colour != 0


def png_header(path: Path) -> tuple[int, int]:
    """Bit depth and colour type of a PNG (0: grey, 3: palette); zeros where it is cut off."""
    with path.open("rb") as file:
        header = file.read(26)
    return (header[24], header[25]) if len(header) == 26 else (0, 0)


@contextmanager
def open_raster(path: Path, kind: str = "GTiff") -> Iterator[rasterio.DatasetReader]:
    """A file opened with GDAL's driver `kind` and no other. Raises BadImage, also within."""
    with decoding(path), rasterio.Env(**_GDAL):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            source = rasterio.open(path.absolute(), driver=kind)
        with source:
            _check_blocks(path, source)
            yield source


def _check_blocks(path: Path, source: rasterio.DatasetReader) -> None:
    """Raise BadImage for holes alone, and for a strip or tile that is too large.

    One is unpacked as a whole, however small the window that is read of it.
    """
    each = source.count * bytes_of(source)
    check_unpacked(path, source.height, source.width, each, HOLES)
    height, width = source.block_shapes[0]
    together = source.count if source.interleaving == Interleaving.pixel else 1
    check_size(path, height, width, together * bytes_of(source))


def bytes_of(source: rasterio.DatasetReader) -> int:
    """Bytes of a value; all bands of a TIFF are of one type."""
    kind = source.dtypes[0]
    return 4 if kind == "complex_int16" else np.dtype(kind).itemsize
