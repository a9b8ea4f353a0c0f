"""Pictures for a report: damage levels as colours over a greyed scene, crops, and JPEG data."""

import base64
import io

import numpy as np
from PIL import Image

from afterscene.geodata.damage import COLOURS


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


def data_uri(rgb: np.ndarray, side: int = 640) -> str:
    """(H, W, 3) uint8, shrunk to `side` pixels, as a JPEG data URI for a page."""
    buffer = io.BytesIO()
    image = Image.fromarray(np.ascontiguousarray(no_larger(rgb, side)))
    image.save(buffer, "JPEG", quality=85, subsampling=0)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
