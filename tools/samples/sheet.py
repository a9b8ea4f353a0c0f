"""The canvas of a sketch with what a town needs beside ground and trees: streets, roofs, water."""

import cv2
import numpy as np

from afterscene.geodata.drawn.canvas import FINE, Canvas, fractal, sun_vector
from afterscene.geodata.drawn.palette import Palette

CONCRETE = np.array([0.62, 0.60, 0.56], np.float32)
_SHIFT = 4  # fractional bits of OpenCV's polygon coordinates


class Sheet(Canvas):
    """A canvas to draw on in image pixels, developed at its own resolution."""

    def polygon(self, ring: np.ndarray, colour: np.ndarray, *, rough: float = 0.04) -> None:
        """Fill a ring (n, 2) of flat ground."""
        points = fixed(ring)
        cv2.fillPoly(self.colour, [points], colour_of(colour), shift=_SHIFT)
        cv2.fillPoly(self.rough, [points], rough, shift=_SHIFT)

    def line(
        self, path: np.ndarray, width: float, colour: np.ndarray, *, rough: float = 0.04
    ) -> None:
        """Draw a polyline (n, 2) of flat ground, ``width`` image pixels wide."""
        points, thick = fixed(path), max(1, round(width * FINE))
        for layer, value in ((self.colour, colour_of(colour)), (self.rough, rough)):
            cv2.polylines(layer, [points], False, value, thickness=thick, shift=_SHIFT)

    def tall(self, ring: np.ndarray, height: float) -> None:
        """Give a ring (n, 2) a height in metres, so that it throws a shadow."""
        points = np.rint((ring + 0.5) * FINE).astype(np.int32)
        cv2.fillPoly(self.height, [points], height)

    def develop(self, palette: Palette, rng: np.random.Generator) -> np.ndarray:
        """Light the sheet: (FINE * size, FINE * size, 3) uint8."""
        side = self.size
        self.size = self.height.shape[0]
        out = super().develop(palette, rng)
        self.size = side
        return out


def fixed(points: np.ndarray) -> np.ndarray:
    """Return image pixel coordinates as OpenCV's fixed-point canvas coordinates."""
    scaled = (np.asarray(points, dtype=np.float64)[:, :2] + 0.5) * FINE - 0.5
    return np.rint(scaled * 2**_SHIFT).astype(np.int32)


def colour_of(colour: np.ndarray) -> tuple[float, float, float]:
    """Return a colour as the tuple OpenCV takes."""
    return float(colour[0]), float(colour[1]), float(colour[2])


def plane_light(slope: np.ndarray, palette: Palette) -> float:
    """Return the direct light on a plane over that on flat ground.

    ``slope`` is the downhill direction (x, y) times rise over run.
    """
    sun = sun_vector(palette)
    normal = np.array([slope[0], slope[1], 1.0])
    return float(max(0.0, normal @ sun) / np.linalg.norm(normal) / sun[2])


def lay_water(canvas: Canvas, mask: np.ndarray, palette: Palette, rng: np.random.Generator) -> None:
    """Fill a (size, size) bool mask with water, a pale bank around it."""
    if not mask.any():
        return
    shape = canvas.height.shape
    soft = cv2.resize(mask.astype(np.float32), shape[::-1], interpolation=cv2.INTER_LINEAR)
    soft = cv2.GaussianBlur(soft, (0, 0), 3.0) + 0.06 * fractal(shape, (18.0, 7.0), rng)
    bank = (soft > 0.22) & (soft <= 0.5)
    wet = soft > 0.5
    canvas.colour[bank] = canvas.colour[bank] * 0.35 + np.float32(0.65) * np.array(
        palette.dirt, np.float32
    )
    depth = np.clip((soft - 0.5) * 2, 0, 1)[..., None]
    ripple = 1 + 0.05 * fractal(shape, (90.0, 30.0), rng)[..., None]
    deep = np.array(palette.water, np.float32)
    shallow = 0.6 * deep + 0.4 * np.array(palette.dirt, np.float32)
    canvas.colour[wet] = ((shallow + (deep - shallow) * np.sqrt(depth)) * ripple)[wet]
    canvas.rough[wet] = 0.025
