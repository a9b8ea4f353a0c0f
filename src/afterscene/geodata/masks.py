"""Masks of levels: files whose values are meant as numbers and not as brightness.

A target or a prediction holds 0 to 4 (and 255) a pixel. Many are saved with a palette, so that a
viewer shows them in colours; the official xView2 reader (``np.array(Image.open(path))``) takes the
indices of these, and so does this one, whatever the palette's colours and transparency. Values
come as they are stored: 1-bit as 0 and 1, 2- and 4-bit grey unscaled, 16-bit and float where they
are whole numbers up to 255, three equal bands as one. A picture in colours, or a JPEG, whose
values are only nearly those that were saved, is refused.
"""

from pathlib import Path

import numpy as np

from afterscene.errors import BadImage
from afterscene.geodata.imagefiles import (
    bytes_of,
    check_size,
    decoded_pillow,
    decoding,
    needs_gdal,
    open_raster,
    png_header,
    sniff,
)

_ADVICE = "save the levels (0 to 4, 255 to ignore) as one band of 8 bits"


def read_mask(path: str | Path) -> np.ndarray:
    """(H, W) uint8 as stored. Raises MissingFile, BadImage; see the module for the rules."""
    path = Path(path)
    kind = sniff(path)
    if kind == "JPEG":
        raise BadImage(f"{path}: is a JPEG, which keeps no exact values; {_ADVICE} in a PNG")
    with decoding(path):
        bands = _of_raster(path, kind) if needs_gdal(path, kind) else _of_png(path)
    if len(bands) > 1 and (bands != bands[:1]).any():
        raise BadImage(f"{path}: is a picture in colours, not a mask of levels; {_ADVICE}")
    mask = bands[0]
    with np.errstate(invalid="ignore"):
        whole = mask.astype(np.uint8)
    if not np.array_equal(whole, mask):
        odd = mask[whole != mask][0]
        raise BadImage(f"{path}: has the value {odd:g}, which is not a level; {_ADVICE}")
    return whole


def _of_png(path: Path) -> np.ndarray:
    """(bands, H, W) without an alpha band."""
    values = np.asarray(decoded_pillow(path, "PNG", indices=True))
    if values.ndim == 2:
        depth, colour = png_header(path)
        scale = 255 // (2**depth - 1) if colour == 0 and depth in (2, 4) else 1
        return (values // scale if scale > 1 else values)[None]
    return np.moveaxis(values[..., : 1 if values.shape[2] < 3 else 3], 2, 0)


def _of_raster(path: Path, kind: str) -> np.ndarray:
    with open_raster(path, kind) as source:
        odd = [d for d in source.dtypes if "complex" in d]
        if odd:
            raise BadImage(f"{path}: values are {odd[0]}, no levels; {_ADVICE}")
        alpha = source.colorinterp[-1].name == "alpha"
        bands = list(range(1, source.count + (0 if alpha and source.count > 1 else 1)))
        if len(bands) not in (1, 3):
            raise BadImage(f"{path}: has {len(bands)} bands, a mask has one; {_ADVICE}")
        height, width = source.shape
        check_size(path, height, width, len(bands) * bytes_of(source))
        return source.read(bands)
