"""A footprint map as a plain sketch of colours: what a generator of pre images begins with.

Two ways lead to it. :func:`coarse` takes the detail away from a picture, real or drawn: the ground
becomes its mean over squares of :data:`SQUARE` pixels, each roof its own mean colour. And
:func:`draw_layout` invents such a picture for footprints of which nothing else is known: ground
between soil and lush, clumps of trees, roofs in the colours of a climate, and no streets, since
footprints do not tell them.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from afterscene.errors import BadParameter
from afterscene.geodata.damage import Building, instances
from afterscene.geodata.drawn.canvas import FINE, Canvas, fractal
from afterscene.geodata.drawn.nature import Forester, lay_ground
from afterscene.geodata.drawn.palette import Palette, choose_palette, jitter
from afterscene.geodata.drawn.sketched import SketchedPlace

#: Side in pixels of the squares over which ground is averaged, 4 m at half a metre.
SQUARE = 8
#: Pixels of ground for each clump of trees.
CLUMP = 900
LARGEST = 4096
#: Pixels of ground for each tree of a sketched wood.
WOOD = 60


def coarse(picture: np.ndarray, buildings: Sequence[Building]) -> np.ndarray:
    """``(H, W, 3)`` uint8 -> the same without detail; roofs keep their outlines exactly."""
    height, width = picture.shape[:2]
    index = instances(buildings, (height, width))
    ground = _ground(picture, index == 0)
    counts = np.bincount(index.ravel(), minlength=len(buildings) + 1)
    sums = [
        np.bincount(index.ravel(), picture[..., band].ravel(), len(buildings) + 1)
        for band in range(3)
    ]
    roofs = np.stack(sums, axis=1) / np.maximum(counts, 1)[:, None]
    flat = np.where((index > 0)[..., None], roofs[index], ground)
    return np.clip(flat, 0, 255).round().astype(np.uint8)


def _ground(picture: np.ndarray, free: np.ndarray) -> np.ndarray:
    """``(H, W, 3)`` float32: means of the free pixels of each square, or of a wider one."""
    height, width = free.shape
    weight = free.astype(np.float32)
    bright = picture.astype(np.float32) * weight[..., None]
    out = np.full((height, width, 3), picture.mean(axis=(0, 1)), np.float32)
    for square in (8 * SQUARE, 4 * SQUARE, 2 * SQUARE, SQUARE):  # the finest that has ground wins
        side = (-(-width // square), -(-height // square))
        share = cv2.resize(weight, side, interpolation=cv2.INTER_AREA)
        means = cv2.resize(bright, side, interpolation=cv2.INTER_AREA)
        means = means / np.maximum(share, 1e-6)[..., None]
        sure = np.clip(4 * cv2.resize(share, (width, height)), 0, 1)[..., None]
        out += sure * (cv2.resize(means, (width, height)) - out)
    return out


def draw_layout(
    buildings: Sequence[Building],
    shape: tuple[int, int],
    seed: int,
    *,
    sketch: SketchedPlace | None = None,
) -> np.ndarray:
    """``(H, W, 3)`` uint8: a drawn picture of ``shape`` pixels under these footprints.

    Roads, water and trees are those of a ``sketch``; without one there are clumps of trees, and no
    roads or water. Equal seeds give equal pictures.

    Raises BadParameter for a shape outside 16..4096.
    """
    height, width = shape
    if min(shape) < 16 or max(shape) > LARGEST:
        raise BadParameter(f"layout of {width} x {height} pixels: give 16 to {LARGEST} a side")
    rng = np.random.default_rng([seed, 0x1A7])
    palette = choose_palette(rng)
    canvas = Canvas(max(shape))
    square = (canvas.size, canvas.size)
    lush = np.full(square, palette.lushness, np.float32)
    lush += np.float32(0.25) * fractal(square, (220.0, 70.0), rng)
    lay_ground(canvas, lush, palette, rng)
    index = instances(buildings, square)
    free = cv2.dilate((index > 0).astype(np.uint8), np.ones((9, 9), np.uint8)) == 0
    forester = Forester(canvas, palette, rng)
    if sketch is not None:
        _lay_sketch(canvas, sketch, palette)
        free &= _square(sketch.woods, canvas.size)
        lush = np.ones_like(lush)
    clump = CLUMP if sketch is None else WOOD
    for _ in range(canvas.size**2 // clump):
        x, y = rng.uniform(0, canvas.size, 2)
        age = float(np.clip(rng.lognormal(0.85, 0.4), 0.9, 5.5))
        if free[int(y), int(x)] and rng.random() < np.clip(2 * lush[int(y), int(x)] - 0.4, 0, 1):
            forester.plant(float(x), float(y), age)
    picture = canvas.develop(palette, rng)[:height, :width].copy()
    index = index[:height, :width]
    roofs = np.zeros((len(buildings) + 1, 3), np.float32)
    for i in range(len(buildings)):
        tone = palette.roofs[int(rng.integers(len(palette.roofs)))]
        roofs[i + 1] = 255 * jitter(tone, 0.1, rng) * rng.uniform(0.75, 1.0)
    on = index > 0
    picture[on] = np.clip(roofs[index[on]], 0, 255)
    return picture


def _lay_sketch(canvas: Canvas, sketch: SketchedPlace, palette: Palette) -> None:
    """Colour the ground where a sketch has roads and water; both are smooth."""
    for mask, tone, rough in (
        (sketch.roads, palette.asphalt, 0.04),
        (sketch.water, palette.water, 0.03),
    ):
        fine = _square(mask, canvas.size).repeat(FINE, axis=0).repeat(FINE, axis=1)
        canvas.colour[fine] = tone
        canvas.rough[fine] = rough


def _square(mask: np.ndarray, size: int) -> np.ndarray:
    """A mask in the upper left corner of a square."""
    height, width = mask.shape
    return np.pad(mask, ((0, size - height), (0, size - width)))
