"""Registers a post image to its pre image, as a whole and at each building.

Real pairs are registered to some metres only, and roofs lean with the viewing angle. A network that
edits the pre image would learn to blur what is merely shifted, so the post image is registered
first. Edges are compared, since the two acquisitions differ in sun, season and tone (normalised
cross-correlation, Lewis 1995).
"""

from __future__ import annotations

import cv2
import numpy as np

#: Correlation that a shift must reach, and its gain over no shift, to be used.
ENOUGH = 0.2
BETTER = 0.02
LOCALLY_ENOUGH = 0.35


def register(pre: np.ndarray, post: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """``post`` registered to ``pre`` as a whole, then at each building of ``boxes`` if possible."""
    whole = move(post, *estimate_shift(pre, post))
    return warp(whole, *local_shifts(pre, whole, boxes))


def estimate_shift(pre: np.ndarray, post: np.ndarray, limit: int = 12) -> tuple[int, int]:
    """Rows and columns by which ``post`` must be moved to match ``pre``.

    Args:
        pre: ``(H, W, 3)`` uint8.
        post: ``(H, W, 3)`` uint8.
        limit: Largest shift that is tried, in pixels; images must be more than twice as large.

    Returns:
        ``(0, 0)`` if no shift is clearly better than none.
    """
    if min(pre.shape[:2]) <= 4 * limit:
        return 0, 0
    before, after = _edges(pre), _edges(post)[limit:-limit, limit:-limit]
    match = cv2.matchTemplate(before, after, cv2.TM_CCOEFF_NORMED)
    row, col = np.unravel_index(int(match.argmax()), match.shape)
    best, still = float(match[row, col]), float(match[limit, limit])
    if best < ENOUGH or best < still + BETTER:
        return 0, 0
    return int(row) - limit, int(col) - limit


def local_shifts(
    pre: np.ndarray, post: np.ndarray, boxes: np.ndarray, limit: int = 8
) -> tuple[np.ndarray, np.ndarray]:
    """Shifts of single buildings, where they can be measured.

    Args:
        pre: ``(H, W, 3)`` uint8.
        post: ``(H, W, 3)`` uint8, already registered as a whole.
        boxes: ``(B, 4)`` first row, first column, end row, end column of each building.
        limit: Largest shift that is tried, in pixels.

    Returns:
        ``(n, 2)`` centres (row, column) and ``(n, 2)`` shifts of the buildings for which one shift
        is clearly best; the others are left out.
    """
    before, after = _edges(pre), _edges(post)
    centres, shifts = [], []
    for top, left, bottom, right in boxes.round().astype(int):
        top, left = max(top - 4, limit), max(left - 4, limit)
        bottom = min(bottom + 4, pre.shape[0] - limit)
        right = min(right + 4, pre.shape[1] - limit)
        if min(bottom - top, right - left) < 16:
            continue
        wide = before[top - limit : bottom + limit, left - limit : right + limit]
        match = cv2.matchTemplate(wide, after[top:bottom, left:right], cv2.TM_CCOEFF_NORMED)
        row, col = np.unravel_index(int(match.argmax()), match.shape)
        if match[row, col] > LOCALLY_ENOUGH:
            centres.append(((top + bottom) / 2, (left + right) / 2))
            shifts.append((row - limit, col - limit))
    return np.array(centres, np.float32).reshape(-1, 2), np.array(shifts, np.float32).reshape(-1, 2)


def warp(
    picture: np.ndarray, centres: np.ndarray, shifts: np.ndarray, reach: float = 40.0
) -> np.ndarray:
    """``(H, W, 3)`` moved smoothly by the shifts of nearby buildings, by 0 far from all of them.

    The field is the average of the shifts under Gaussians of ``reach`` pixels, pulled towards 0 by
    a constant weight.
    """
    height, width = picture.shape[:2]
    if not len(centres):
        return picture
    step = 8
    rows, cols = np.mgrid[0 : height + step : step, 0 : width + step : step].astype(np.float32)
    weights = np.exp(
        -((rows[..., None] - centres[:, 0]) ** 2 + (cols[..., None] - centres[:, 1]) ** 2)
        / (2 * reach**2)
    )
    coarse = (weights @ shifts) / (weights.sum(-1, keepdims=True) + 0.2)
    size = (coarse.shape[1] * step, coarse.shape[0] * step)
    field = cv2.resize(coarse.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
    field = field[:height, :width]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    moved = cv2.remap(
        picture,
        x - field[..., 1],
        y - field[..., 0],
        cv2.INTER_CUBIC,  # linear interpolation would blur the texture to be learned
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(moved)


def move(picture: np.ndarray, rows: int, cols: int) -> np.ndarray:
    """``(H, W, 3)`` moved down by ``rows`` and right by ``cols``; the border is repeated."""
    height, width = picture.shape[:2]
    matrix = np.array([[1, 0, cols], [0, 1, rows]], np.float32)
    moved = cv2.warpAffine(
        picture, matrix, (width, height), flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(moved)


def _edges(picture: np.ndarray) -> np.ndarray:
    grey = cv2.GaussianBlur(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32), (0, 0), 1)
    return np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
