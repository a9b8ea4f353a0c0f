"""Ground and trees of a drawn layout."""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from afterscene.geodata.drawn.canvas import FINE, METRE, Canvas, fractal, sun_vector
from afterscene.geodata.drawn.palette import Palette, jitter


def lay_ground(
    canvas: Canvas, lush: np.ndarray, palette: Palette, rng: np.random.Generator
) -> None:
    """Colour the ground from how lush it is (size, size): soil < 0, dry about 0.3, green > 0.6."""
    shape = canvas.height.shape
    full = cv2.resize(lush, shape[::-1], interpolation=cv2.INTER_LINEAR)
    full = full + 0.10 * fractal(shape, (160.0, 60.0, 24.0, 9.0), rng, fall=0.85)
    ramp = np.array(palette.ground, np.float32)
    stops = np.array([0.0, 0.33, 0.66, 1.0])
    grades = np.linspace(0, 1, 256)
    table = np.stack([np.interp(grades, stops, band) for band in ramp.T], axis=1)
    index = (np.clip(full, 0, 1) * 255).astype(np.uint8)
    canvas.colour[:] = table.astype(np.float32)[index]
    canvas.colour *= (1 + 0.05 * fractal(shape, (220.0, 40.0), rng))[..., None]
    canvas.rough[:] = 0.10


@dataclass(frozen=True)
class Crown:
    """A tree crown seen from above, radius 32 pixels, to be shrunk to size."""

    alpha: np.ndarray
    light: np.ndarray
    dome: np.ndarray

    def sized(self, radius: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return (alpha, light, dome) for ``radius`` canvas pixels."""
        side = max(5, 2 * round(radius) + 3)
        return tuple(  # type: ignore[return-value]
            cv2.resize(layer, (side, side), interpolation=cv2.INTER_AREA)
            for layer in (self.alpha, self.light, self.dome)
        )


class Forester:
    """Plants trees: keeps a few crowns of each kind and puts them on a canvas."""

    def __init__(self, canvas: Canvas, palette: Palette, rng: np.random.Generator) -> None:
        self.canvas, self.palette, self.rng = canvas, palette, rng

    @cached_property
    def crowns(self) -> list[Crown]:
        """Eight crowns, the later ones conifers (pointed, regular)."""
        return [self._crown(pointed=i >= 5) for i in range(8)]

    def _crown(self, *, pointed: bool) -> Crown:
        side, rng = 71, self.rng
        rows, cols = np.mgrid[:side, :side].astype(np.float32) - side // 2
        angle = np.arctan2(rows, cols)
        edge = np.ones_like(angle)
        for k in range(2, 9):
            swing = rng.normal(0, 0.03 if pointed else 0.3 / k)
            edge += np.float32(swing) * np.cos(k * angle + np.float32(rng.uniform(0, 6.3)))
        r = np.hypot(rows, cols) / (31 * np.clip(edge, 0.6, 1.25))
        body = np.clip(1 - r, 0, 1) if pointed else np.sqrt(np.clip(1 - r**2, 0, 1))
        lumps = fractal((side, side), (11.0, 6.0), rng)
        dome = np.clip(body + 0.13 * lumps * (r < 1), 0, None)
        gy, gx = np.gradient(cv2.GaussianBlur(dome, (0, 0), 1.5) * 31)
        sun = sun_vector(self.palette)
        lit = (sun[2] - 0.75 * (gx * sun[0] + gy * sun[1])) / np.sqrt(1 + 0.5 * (gx**2 + gy**2))
        light = np.clip(lit / sun[2], 0.15, 1.7) * (1 + 0.12 * lumps)
        return Crown(
            np.clip((1.02 - r) * 5, 0, 1).astype(np.float32),
            light.astype(np.float32),
            dome.astype(np.float32),
        )

    def plant(self, x: float, y: float, radius: float) -> None:
        """Put a tree of ``radius`` metres at an image pixel; tall as it is wide, roughly."""
        rng, canvas = self.rng, self.canvas
        conifer = rng.random() < self.palette.conifers
        crown = self.crowns[int(rng.integers(5, 8) if conifer else rng.integers(0, 5))]
        tone = jitter(self.palette.trees[int(rng.integers(len(self.palette.trees)))], 0.12, rng)
        alpha, light, dome = crown.sized(radius * METRE)
        side = alpha.shape[0]
        top, left = round((y + 0.5) * FINE - side / 2), round((x + 0.5) * FINE - side / 2)
        limit = canvas.height.shape[0]
        r0, r1, c0, c1 = max(top, 0), min(top + side, limit), max(left, 0), min(left + side, limit)
        if r0 >= r1 or c0 >= c1:
            return
        cut, box = np.s_[r0 - top : r1 - top, c0 - left : c1 - left], np.s_[r0:r1, c0:c1]
        a = alpha[cut][..., None]
        canvas.colour[box] += a * (tone * light[cut][..., None] - canvas.colour[box])
        solid = alpha[cut] > 0.5
        tall = radius * float(rng.uniform(1.2, 2.0) * (1.4 if conifer else 1.0))
        grown = tall * (0.45 + 0.55 * dome[cut])
        canvas.height[box][solid] = np.maximum(canvas.height[box], grown)[solid]
        canvas.tilt[box][solid] = 1.0
        canvas.rough[box][solid] = 0.16
