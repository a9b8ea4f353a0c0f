"""How a crop is cut out on a processor: window, resampling, quarter turns.

:class:`~afterscene.training.spots.Spots` says where. Images from above may be flipped and turned by
90 degrees freely. Changes to the pixels of a crop are up to its user.
:mod:`afterscene.training.devicecrops` draws a whole batch on a graphics card by the same rules.
"""

from __future__ import annotations

import cv2
import numpy as np

from afterscene.geodata.levels import IGNORE

#: The symmetries of the square.
WAYS = 8
#: Pixels of the picture per pixel of the crop from which on they are averaged: interpolated between
#: single ones, fine texture would alias.
AVERAGED = 1.25


def corner(middle: np.ndarray, side: int, shape: tuple[int, int]) -> tuple[int, int]:
    """First row and column of the window around ``middle``, moved inside the picture."""
    limit = np.maximum(np.array(shape) - side, 0)
    row, col = np.clip(np.round(middle - side / 2), 0, limit).astype(int)
    return int(row), int(col)


def cut(picture: np.ndarray, row: int, col: int, side: int, size: int | None = None) -> np.ndarray:
    """The ``side`` x ``side`` window that begins there, resampled to ``size``.

    (H, W, C) are pixels: interpolated linearly, and averaged where the crop is much coarser; a
    smaller image is padded by repeating its border.
    (H, W) are levels: the nearest one is used; padding gets the value "ignore".
    """
    size = side if size is None else size
    levels = picture.ndim == 2
    part = np.ascontiguousarray(picture[row : row + side, col : col + side])
    below, right = side - part.shape[0], side - part.shape[1]
    if below or right:
        kind = cv2.BORDER_CONSTANT if levels else cv2.BORDER_REPLICATE
        part = cv2.copyMakeBorder(part, 0, below, 0, right, kind, value=(IGNORE,))
    if side != size:
        pixels = cv2.INTER_AREA if side >= AVERAGED * size else cv2.INTER_LINEAR
        how = cv2.INTER_NEAREST if levels else pixels
        part = cv2.resize(part, (size, size), interpolation=how)
    return part


def turned(picture: np.ndarray, way: int) -> np.ndarray:
    """One of the eight symmetries of the square: quarter turns, with or without a flip."""
    turned = np.rot90(picture, way % 4)
    return np.ascontiguousarray(turned[::-1] if way >= WAYS // 2 else turned)
