"""How far a post image lies beside its pre image, in whole pixels.

Real pairs are registered to some metres only. A network that is to edit the pre image would learn
to blur what is merely shifted; so the post image is moved back first. Edges are compared, since
the two acquisitions differ in sun, season and tone (normalised cross-correlation, Lewis 1995).
"""

from __future__ import annotations

import cv2
import numpy as np

#: Correlation that a shift must reach, and gain over no shift, to be believed.
ENOUGH = 0.2
BETTER = 0.02


def estimate_shift(pre: np.ndarray, post: np.ndarray, limit: int = 12) -> tuple[int, int]:
    """Rows and columns by which ``post`` must be moved to lie on ``pre``.

    Args:
        pre, post: ``(H, W, 3)`` uint8.
        limit: Largest shift looked for, in pixels; pictures must be more than twice as large.

    Returns:
        ``(0, 0)`` where no shift is clearly better than none.
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
