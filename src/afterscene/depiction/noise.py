"""Smooth random maps: for drifts of colour, uneven ground, threads of a flow."""

from __future__ import annotations

import cv2
import numpy as np


def smooth_noise(shape: tuple[int, int], size: int, rng: np.random.Generator) -> np.ndarray:
    """Unit-variance smooth noise with features of ``size`` pixels: ``(H, W)`` float32."""
    height, width = shape
    coarse = rng.normal(0, 1, (height // size + 3, width // size + 3)).astype(np.float32)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)


def combed_noise(
    shape: tuple[int, int], bearing: float, sizes: tuple[float, float], rng: np.random.Generator
) -> np.ndarray:
    """Smooth noise, float32, with features of given length along a compass bearing and width."""
    far = float(np.hypot(*shape)) / 2
    knots = [int(np.ceil(2 * far / size)) + 4 for size in sizes]
    coarse = rng.normal(0, 1, knots).astype(np.float32)
    y, x = (np.arange(n, dtype=np.float32) - n / 2 for n in shape)
    turn = np.deg2rad(bearing)
    along = (x[None] * np.sin(turn) - y[:, None] * np.cos(turn) + far) / sizes[0] + 1
    across = (x[None] * np.cos(turn) + y[:, None] * np.sin(turn) + far) / sizes[1] + 1
    maps = (across.astype(np.float32), along.astype(np.float32))
    return np.asarray(cv2.remap(coarse, *maps, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT))
