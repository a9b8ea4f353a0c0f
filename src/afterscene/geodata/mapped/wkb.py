"""Outlines out of WKB (ISO 13249-3, and PostGIS's EWKB), checked before GEOS parses them.

GEOS reads a geometry inside a geometry inside a geometry until the stack ends, and with it the
process. An outline is never deeper than a multipolygon of polygons, so that is what passes.
"""

import struct
from collections.abc import Iterable

import numpy as np
import shapely

from afterscene.geodata.mapped.rows import LONGEST, NO_OUTLINE

POLYGON, MULTIPOLYGON = OUTLINES = 3, 6
_KNOWN = range(1, 18)
_Z, _M, _SRID = 0x80000000, 0x40000000, 0x20000000


def outlines(blobs: Iterable[object]) -> np.ndarray:
    """Polygons and multipolygons; None where one is broken, :data:`NO_OUTLINE` for other kinds."""
    blobs = list(blobs)
    kinds = [kind(blob) for blob in blobs]
    safe = [b if k in OUTLINES else None for b, k in zip(blobs, kinds, strict=True)]
    found = np.empty(len(safe), object)
    with np.errstate(all="ignore"):
        found[:] = shapely.from_wkb(np.array([*safe, None], object)[:-1], on_invalid="ignore")
    found[[k is not None and k not in OUTLINES for k in kinds]] = NO_OUTLINE
    return found


def kind(blob: object) -> int | None:
    """What it is, without its dimensions; None where it is damaged, or too large to be read."""
    if not isinstance(blob, bytes) or len(blob) > LONGEST:
        return None
    try:
        code, size, start = _head(blob, 0)
        if code == MULTIPOLYGON and not _holds_polygons(blob, size, start):
            return None
    except (struct.error, IndexError, KeyError):
        return None
    return code if code in _KNOWN else None


def _head(blob: bytes, at: int) -> tuple[int, int, int]:
    """(kind, bytes of a point, where what follows begins) of the geometry that begins there."""
    (code,) = struct.unpack_from(_order(blob, at) + "I", blob, at + 1)
    flags, code = code & 0xF0000000, code & 0x0FFFFFFF
    if code >= 4000:  # GEOS looks at 16 bits of it alone, and could see another kind than we do
        raise struct.error("no kind of geometry")
    thousands, code = divmod(code, 1000)
    third = bool(flags & _Z) or thousands in (1, 3)
    fourth = bool(flags & _M) or thousands in (2, 3)
    return code, 8 * (2 + third + fourth), at + 5 + (4 if flags & _SRID else 0)


def _order(blob: bytes, at: int) -> str:
    return {1: "<", 0: ">"}[blob[at]]


def _holds_polygons(blob: bytes, size: int, at: int) -> bool:
    """Whether each part of a multipolygon is a polygon, with rings that fit into the bytes."""
    (parts,) = struct.unpack_from(_order(blob, 0) + "I", blob, at)
    at += 4
    for _ in range(parts):
        code, size, start = _head(blob, at)
        if code != POLYGON:
            return False
        order = _order(blob, at) + "I"
        (rings,) = struct.unpack_from(order, blob, start)
        at = start + 4
        for _ in range(rings):
            at += 4 + size * struct.unpack_from(order, blob, at)[0]
    return at <= len(blob)
