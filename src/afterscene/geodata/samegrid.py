"""Whether two images show one place pixel by pixel: the only test of it in the house.

Two files share a grid where they have the same number of pixels, reference systems that mean the
same (WKT of GDAL or of Esri, a PROJ string, ``EPSG:n``, with or without a height), and corners
that lie less than :data:`CLOSE` pixels apart. What a file does not say cannot differ: a PNG without
a place is compared by its size alone.
"""

import warnings
from shlex import quote

import numpy as np
from affine import Affine

from afterscene.errors import BadImage, OddPair
from afterscene.geodata.crs import known_crs, same_crs, way
from afterscene.geodata.fit import applied
from afterscene.geodata.grid import Grid, is_map

CLOSE = 0.25
"""Pixels by which the corners of one image may miss those of the other."""


def same_grid(pre: Grid, post: Grid) -> Grid:
    """The grid of both images; if only one has a place, that one's, with a warning (OddPair).

    Raises:
        BadImage: they differ; the message has both values and the command that mends it.
    """
    differ = [*_sizes(pre, post), *_systems(pre, post)] or _corners(pre, post)
    if differ:
        first, second = str(pre.image or "the pre image"), str(post.image or "the post image")
        raise BadImage(
            f"{first} and {second} are not on one grid: {'; '.join(differ)}. "
            f"{_advice(pre, first, second)}"
        )
    if pre.placed == post.placed:
        return pre
    known, other = (pre, post) if pre.placed else (post, pre)
    warnings.warn(
        f"{other.image or 'one image'} has no place on the Earth; it is taken to show the same "
        f"ground as {known.image or 'the other'}",
        OddPair,
        stacklevel=2,
    )
    return known


def _sizes(pre: Grid, post: Grid) -> list[str]:
    if pre.shape == post.shape:
        return []
    return [f"{_size(pre)} against {_size(post)}"]


def _size(grid: Grid) -> str:
    height, width = grid.shape
    each = f" of {grid.gsd:.3g} m" if grid.gsd else ""
    return f"{width} x {height} pixels{each}"


def _systems(pre: Grid, post: Grid) -> list[str]:
    if pre.crs is None or post.crs is None or _one_system(pre, post):
        return []
    return [f"CRS {_name(pre.crs)} against {_name(post.crs)}"]


def _one_system(pre: Grid, post: Grid) -> bool:
    assert pre.crs is not None and post.crs is not None
    said = same_crs(pre.crs, post.crs)
    if said is not None:
        return said
    if not (is_map(pre.transform) and pre.placed and post.placed):
        return False
    # A datum that is not named (+ellps=WGS84): do the coordinates mean the same pixels?
    there = way(post.crs, pre.crs)(applied(_map(pre))(_frame(pre)))
    return _apart(pre, there) <= CLOSE


def _corners(pre: Grid, post: Grid) -> list[str]:
    if not (is_map(pre.transform) and is_map(post.transform)):
        return []
    away = _apart(pre, applied(_map(post))(_frame(post)))
    if away <= CLOSE:
        return []
    far = f"{away:.3g}" if away < 100 else f"{away:,.0f}"
    return [
        f"their corners lie {far} pixels apart (upper left corner and pixel: {_where(pre)} "
        f"against {_where(post)})"
    ]


def _frame(grid: Grid) -> np.ndarray:
    """(4, 2) corners in pixels."""
    height, width = grid.shape
    return np.array([(0, 0), (width, 0), (width, height), (0, height)], float)


def _map(grid: Grid) -> Affine:
    assert grid.transform is not None
    return grid.transform


def _apart(grid: Grid, corners: np.ndarray) -> float:
    """The largest distance in pixels between a grid's corners and those; infinite without one."""
    far = np.hypot(*(applied(~_map(grid))(corners) - _frame(grid)).T)
    return float(far.max()) if np.isfinite(far).all() else float("inf")


def _where(grid: Grid) -> str:
    a, _, c, _, e, f = _map(grid)[:6]
    return f"({c:.10g}, {f:.10g}), {a:.6g} x {e:.6g}"


def _name(crs: str) -> str:
    known = known_crs(crs)
    code = known.to_authority()
    return f"{':'.join(code)} ({known.name})" if code else repr(known.name[:60])


def _advice(pre: Grid, first: str, second: str) -> str:
    """The command that brings the second onto the first."""
    if not pre.placed or pre.transform is None or pre.transform.b or pre.transform.d:
        return f"Bring {second} onto the pixels of {first} first"
    (left, top), _, (right, bottom), _ = applied(_map(pre))(_frame(pre)).tolist()
    height, width = pre.shape
    code = known_crs(str(pre.crs)).to_authority()
    system = ":".join(code) if code else "CRS"
    return (
        f"Warp the second onto the first: gdalwarp -t_srs {system} -te {left:.10g} {bottom:.10g} "
        f"{right:.10g} {top:.10g} -ts {width} {height} -r cubic {quote(second)} warped.tif"
    )
