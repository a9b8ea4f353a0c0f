"""Pixel-wise comparison: similarity, changes where nothing should change, and seams.

SSIM (Wang et al. 2004) with its Gaussian window of 11 pixels and sigma 1.5 on luminance, as a map,
so that it can be averaged over the roofs that the hazard did not damage. Real pairs are taken from
two angles under two suns: against the real post image even a perfect picture scores low, so two
values are reported, similarity to the real post image and to the pre image (how sharp an undamaged
roof stays).
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

WINDOW, SIGMA = 11, 1.5
C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
#: Number of lines on either side of a window border whose gradient is compared with that across it.
NEARBY = 32


def luminance(rgb: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 -> (H, W) float32, 0 to 255 (ITU-R BT.601)."""
    return rgb.astype(np.float32) @ np.array((0.299, 0.587, 0.114), np.float32)


def ssim_map(one: np.ndarray, two: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 twice -> (H, W) float32 structural similarity, 1 where equal."""
    x, y = luminance(one), luminance(two)
    mean_x, mean_y = _blur(x), _blur(y)
    var_x = _blur(x * x) - mean_x**2
    var_y = _blur(y * y) - mean_y**2
    cov = _blur(x * y) - mean_x * mean_y
    return ((2 * mean_x * mean_y + C1) * (2 * cov + C2)) / (
        (mean_x**2 + mean_y**2 + C1) * (var_x + var_y + C2)
    )


def squared_error(one: np.ndarray, two: np.ndarray) -> np.ndarray:
    """(H, W) float32: squared difference, mean over the channels."""
    return np.square(one.astype(np.float32) - two.astype(np.float32)).mean(axis=2)


def psnr(mean_squared_error: float) -> float | None:
    """Decibels of 255^2 over the error; None if the images are equal (it would be infinite)."""
    if mean_squared_error <= 0:
        return None
    return float(10 * np.log10(255**2 / mean_squared_error))


def change(one: np.ndarray, two: np.ndarray, where: np.ndarray) -> tuple[int, int, int]:
    """(largest difference of a value, pixels that differ, pixels) among those `where` is True."""
    difference = np.abs(one.astype(np.int16) - two.astype(np.int16)).max(axis=2)[where]
    largest = int(difference.max()) if difference.size else 0
    return largest, int((difference > 0).sum()), int(difference.size)


def seam_score(
    picture: np.ndarray, rows: Sequence[int], cols: Sequence[int], where: np.ndarray | None = None
) -> float | None:
    """Gradient energy across window borders over that across the lines nearby; about 1: no seam.

    Args:
        picture: (H, W, 3) uint8.
        rows: first row of each window but the first.
        cols: first column of each window but the first.
        where: (H, W) bool, pixels that count; None: all.

    Returns:
        None if there is no border, or no pixel that counts at one.
    """
    grey = luminance(picture)
    count = np.ones(grey.shape, bool) if where is None else where
    at_border, around = np.zeros(2), np.zeros(2)
    for axis, borders in ((0, rows), (1, cols)):
        line, seen = (grey, count) if axis == 0 else (grey.T, count.T)
        energy = np.square(np.diff(line, axis=0))
        both = seen[1:] & seen[:-1]
        for border in borders:
            for place in range(max(border - NEARBY, 1), min(border + NEARBY + 1, len(line))):
                total = at_border if place == border else around
                total += (energy[place - 1][both[place - 1]].sum(), both[place - 1].sum())
    if not (at_border[1] and around[1] and around[0]):
        return None
    return float((at_border[0] / at_border[1]) / (around[0] / around[1]))


def _blur(plane: np.ndarray) -> np.ndarray:
    return cv2.GaussianBlur(plane, (WINDOW, WINDOW), SIGMA, borderType=cv2.BORDER_REFLECT_101)
