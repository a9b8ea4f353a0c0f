"""Texts inside image files: the synthetic mark, and the place, for which PNG has no field.

CRS, transform and time stand in the texts ``AFTERSCENE_CRS``, ``AFTERSCENE_TRANSFORM`` and
``AFTERSCENE_TIME``: PNG text chunks, TIFF tags, or the JSON comment of our JPEGs.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import numpy as np
from affine import Affine
from PIL import Image

from afterscene.errors import BadImage, BadParameter
from afterscene.geodata.crs import known_crs
from afterscene.geodata.imagefiles import decoding, first_line, open_pillow, open_raster, sniff

TIME_TAG, CRS_TAG, TRANSFORM_TAG = "AFTERSCENE_TIME", "AFTERSCENE_CRS", "AFTERSCENE_TRANSFORM"


def read_tags(path: str | Path) -> dict[str, str]:
    """Texts in the file: PNG text chunks, TIFF tags, or the JSON comment of our JPEGs."""
    path = Path(path)
    kind = sniff(path)
    if kind == "GTiff":
        with open_raster(path) as source:
            return dict(source.tags())
    with decoding(path), open_pillow(path, kind) as image:
        return pillow_tags(image)


def pillow_tags(image: Image.Image) -> dict[str, str]:
    """The texts of an open PNG or JPEG."""
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
            known_crs(crs)
        transform = None if numbers is None else _parse_transform(numbers)
        return crs, transform, None if time is None else datetime.fromisoformat(time)
    except (BadParameter, TypeError, ValueError) as error:
        raise BadImage(
            f"{path}: its AFTERSCENE_ tags of place and time are damaged ({first_line(error)}); "
            "write it again"
        ) from error


def _parse_transform(text: str) -> Affine:
    numbers = [float(n) for n in text.split()]
    if len(numbers) != 6 or not np.isfinite(numbers).all():
        raise ValueError(f"{text[:80]!r} are not six numbers")
    return Affine(*numbers)
