"""Windows that cover a scene, and the weights that join them again without a seam.

A model sees tiles of one size; a scene has any size. :func:`tiles` lays windows over it so that
each pixel lies in at least one, neighbours share `overlap` pixels or more, and the last window of
a row or column is shifted inside instead of hanging over the edge. :func:`feather` gives the
weight of each pixel of a window: a linear ramp over the overlap. Add weighted tiles, add the
weights, divide: the sum of the normalised weights is one at every pixel.
"""

from dataclasses import dataclass

import numpy as np

from afterscene.errors import BadParameter


@dataclass(frozen=True)
class Window:
    """Rows ``row .. row + height`` and columns ``col .. col + width`` of a scene."""

    row: int
    col: int
    height: int
    width: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """``array[..., *window.slices]`` is what the window shows."""
        return slice(self.row, self.row + self.height), slice(self.col, self.col + self.width)

    def lies_in(self, shape: tuple[int, int]) -> bool:
        """Is every pixel of the window, and there is one, a pixel of a scene of `shape`?"""
        return (
            0 <= self.row < self.row + self.height <= shape[0]
            and 0 <= self.col < self.col + self.width <= shape[1]
        )


def tiles(shape: tuple[int, int], *, size: int, overlap: int) -> list[Window]:
    """Windows of `size` that cover (H, W) = `shape`, row by row, sharing `overlap` or more.

    Where the scene is smaller than a tile, the window is as small as the scene. Raises
    BadParameter unless 0 <= overlap < size and the shape is not empty.
    """
    height, width = shape
    if height < 1 or width < 1:
        raise BadParameter(f"scene shape {shape} is empty; give (height, width) of at least 1")
    if not 0 <= overlap < size:
        raise BadParameter(f"overlap {overlap} must be at least 0 and below the tile size {size}")
    return [
        Window(row, col, min(size, height), min(size, width))
        for row in _starts(height, size, overlap)
        for col in _starts(width, size, overlap)
    ]


def _starts(length: int, size: int, overlap: int) -> list[int]:
    last = max(0, length - size)
    return [*range(0, last, size - overlap), last]


def feather(window_size: int | tuple[int, int], overlap: int) -> np.ndarray:
    """Blend weights of one window: (H, W) float32 in (0, 1], product of two trapezoids.

    Along an axis the weight rises linearly over the first `overlap` pixels, at pixel centres
    ((i + 1/2) / overlap), stays 1, and falls the same way. Neighbours that share exactly
    `overlap` <= H / 2 pixels sum to 1 as they are; in general divide by the summed weights.
    """
    height, width = (
        (window_size, window_size) if isinstance(window_size, int) else tuple(window_size)
    )
    if height < 1 or width < 1 or overlap < 0:
        raise BadParameter(f"window {height} x {width} with overlap {overlap}: sizes must be > 0")
    return np.outer(_ramp(height, overlap), _ramp(width, overlap)).astype(np.float32)


def _ramp(length: int, overlap: int) -> np.ndarray:
    to_edge = np.minimum(np.arange(length), np.arange(length)[::-1]) + 0.5
    return np.minimum(1.0, to_edge / max(overlap, 0.5))
