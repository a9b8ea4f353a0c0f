"""Where a picture without a mask shows nothing: the black frame around what the satellite saw.

xBD tiles at the edge of a strip are PNG (here re-encoded as JPEG) padded with black, and nothing in
the file says so. A patch counts as padding where it is black (no band above :data:`BLACK`), touches
the edge of the picture, takes at least one part in :data:`LEAST` of it, and is flat: deep shade and
dark water have grain. It grows by :data:`FRINGE` pixels, over what JPEG blurs at its rim.
"""

import cv2
import numpy as np

BLACK = 10
LEAST = 400
FRINGE = 3
_FLAT = 2.0


def seen_pixels(rgb: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """``valid`` (H, W) of a picture; of one that says valid everywhere, without black padding."""
    return ~black_border(rgb) if valid.all() else valid


def black_border(rgb: np.ndarray) -> np.ndarray:
    """(H, W) bool, True on padding, of an (H, W, 3) uint8 picture."""
    dark = (rgb.max(axis=2) <= BLACK).astype(np.uint8)
    found = np.zeros(dark.shape, np.uint8)
    if not _edge(dark).any():
        return found > 0
    _, labels = cv2.connectedComponents(dark, connectivity=4)
    for label in np.unique(_edge(labels)):
        patch = labels == label
        if label and patch.sum() * LEAST >= patch.size and rgb[patch].mean() <= _FLAT:
            found[patch] = 1
    if not found.any():
        return found > 0
    grown = cv2.dilate(found, np.ones((2 * FRINGE + 1,) * 2, np.uint8)) > 0
    return grown & (rgb.max(axis=2) <= 8 * BLACK)


def _edge(raster: np.ndarray) -> np.ndarray:
    return np.concatenate([raster[0], raster[-1], raster[:, 0], raster[:, -1]])
