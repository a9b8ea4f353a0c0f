"""Pictures for a report: damage levels as colours over a greyed scene, crops, and JPEG data."""

import base64
import io

import cv2
import numpy as np
from PIL import Image

from afterscene.geodata.damage import COLOURS

FIELD = (88, 28, 135)
"""Colour of an intensity field: none of the levels' and seldom seen from above."""


def paint_damage(
    target: np.ndarray, under: np.ndarray | None = None, *, strength: float = 0.85
) -> np.ndarray:
    """(H, W) uint8 target 0..4 or 255 -> (H, W, 3) uint8 picture.

    Colours are blended with weight `strength` over `under` (H, W, 3), greyed and darkened, or over
    black.
    """
    if under is None:
        picture = np.zeros((*target.shape, 3), dtype=np.float32)
    else:
        grey = under.astype(np.float32).mean(axis=2, keepdims=True)
        picture = np.repeat(grey * 0.7, 3, axis=2)
    for level, colour in COLOURS.items():
        mask = target == level
        picture[mask] = (1 - strength) * picture[mask] + strength * np.array(colour)
    return np.rint(picture).astype(np.uint8)


def busiest_window(target: np.ndarray, size: int) -> tuple[slice, slice]:
    """The `size` x `size` window (or smaller, if the image is) with the most damaged pixels.

    Undamaged buildings count a hundredth, so that a tile without damage shows its houses.
    """
    worth = np.where((target >= 2) & (target <= 4), 1.0, np.where(target == 1, 0.01, 0.0))
    total = np.pad(worth.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    height, width = (min(size, side) for side in target.shape)
    sums = (
        total[height:, width:]
        - total[:-height, width:]
        - total[height:, :-width]
        + total[:-height, :-width]
    )
    row, col = np.unravel_index(int(sums.argmax()), sums.shape)
    return slice(int(row), int(row) + height), slice(int(col), int(col) + width)


def no_larger(rgb: np.ndarray, side: int) -> np.ndarray:
    """Shrunk so that no side exceeds `side` pixels, with the same proportions."""
    longest = max(rgb.shape[:2])
    if longest <= side:
        return rgb
    height, width = (max(1, round(n * side / longest)) for n in rgb.shape[:2])
    return np.asarray(Image.fromarray(rgb).resize((width, height), Image.Resampling.LANCZOS))


def jpeg(rgb: np.ndarray, side: int = 640) -> bytes:
    """(H, W, 3) uint8, shrunk to `side` pixels, as a JPEG."""
    buffer = io.BytesIO()
    image = Image.fromarray(np.ascontiguousarray(no_larger(rgb, side)))
    image.save(buffer, "JPEG", quality=85, subsampling=0)
    return buffer.getvalue()


def data_uri(rgb: np.ndarray, side: int = 640) -> str:
    """:func:`jpeg` as a data URI for a page."""
    return "data:image/jpeg;base64," + base64.b64encode(jpeg(rgb, side)).decode()


def field_uri(field: np.ndarray, side: int = 640) -> str:
    """(H, W) >= 0 as a data URI of a PNG to lay over a picture: the stronger, the less clear."""
    share = field / max(float(field.max()), 1e-9)
    alpha = np.rint(150 * np.clip(share, 0, 1)).astype(np.uint8)
    colour = np.broadcast_to(np.array(FIELD, np.uint8), (*field.shape, 3))
    image = Image.fromarray(np.dstack([colour, alpha]))
    image.thumbnail((side, side))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def marked(rgb: np.ndarray, word: str = "SYNTHETIC") -> np.ndarray:
    """A copy of (H, W, 3) uint8 with the word in its lower right corner, white on black."""
    size = max(rgb.shape[1] / 512, 0.5)
    font, thick = cv2.FONT_HERSHEY_SIMPLEX, max(1, round(1.6 * size))
    (width, height), below = cv2.getTextSize(word, font, 0.5 * size, thick)
    out, gap = rgb.copy(), round(8 * size)
    bottom, right = rgb.shape[:2]
    corner = (right - width - 2 * gap, bottom - height - below - gap)
    cv2.rectangle(out, corner, (right, bottom), (0, 0, 0), -1)
    start = (right - width - gap, bottom - below - gap // 2)
    cv2.putText(out, word, start, font, 0.5 * size, (255, 255, 255), thick, cv2.LINE_AA)
    return out
