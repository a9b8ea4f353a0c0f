"""A sheet of ground with reflectance, height and tilt, that the sun can light.

Things are painted as what they are (colour, height, how a plane faces the sun) at twice the final
resolution; :meth:`Canvas.develop` adds the light once, for all of them: roof planes turned to the
sun are bright, everything tall throws a shadow of the right length on whatever lies behind it, and
the sensor blurs and adds noise. That is the Lambertian model with a sky term,

    radiance = reflectance * (sky + sun * max(0, n . s) * not shadowed)
"""

from dataclasses import dataclass, field

import cv2
import numpy as np

from afterscene.geodata.drawn.palette import Palette

FINE = 2  # canvas pixels per image pixel
METRE = 4.0  # canvas pixels per metre at 0.5 m per image pixel
SHADOW = np.array([0.40, 0.45, 0.55], np.float32)  # share of light left; the sky is blue


def fractal(
    shape: tuple[int, int], scales: tuple[float, ...], rng: np.random.Generator, fall: float = 0.7
) -> np.ndarray:
    """Return (H, W) float32 noise of about unit variance: one octave for each scale in pixels.

    Every next octave is ``fall`` times as strong.
    """
    out, power = np.zeros(shape, np.float32), 0.0
    for i, scale in enumerate(scales):
        knots = [int(np.ceil(n / scale)) + 2 for n in shape]
        octave = rng.standard_normal(knots, dtype=np.float32)
        out += fall**i * cv2.resize(octave, shape[::-1], interpolation=cv2.INTER_CUBIC)
        power += (0.83 * fall**i) ** 2
    return out / np.float32(np.sqrt(power))


@dataclass
class Canvas:
    """Layers over (size * FINE) square pixels."""

    size: int
    colour: np.ndarray = field(init=False)  # reflectance (S, S, 3)
    height: np.ndarray = field(init=False)  # metres above ground (S, S)
    tilt: np.ndarray = field(init=False)  # light on the surface over light on flat ground (S, S)
    rough: np.ndarray = field(init=False)  # strength of the fine texture (S, S)

    def __post_init__(self) -> None:
        side = self.size * FINE
        self.colour = np.zeros((side, side, 3), np.float32)
        self.height = np.zeros((side, side), np.float32)
        self.tilt = np.ones((side, side), np.float32)
        self.rough = np.full((side, side), 0.1, np.float32)

    def develop(self, palette: Palette, rng: np.random.Generator) -> np.ndarray:
        """Light the sheet and return (size, size, 3) uint8 as the sensor sees it."""
        shape = self.height.shape
        texture = 0.6 * rng.standard_normal(shape, dtype=np.float32)
        texture += 0.8 * fractal(shape, (5.0, 11.0), rng)
        light = (1 + self.rough * texture) * (0.36 + 0.64 * self.tilt)
        shade = cv2.GaussianBlur(shadows(self.height, palette), (0, 0), 1.0)
        small = np.empty((self.size, self.size, 3), np.float32)
        for band in range(3):  # band by band: a third of the memory to walk through
            seen = self.colour[..., band] * light
            seen *= 1 - shade * (1 - SHADOW[band])
            side = (self.size, self.size)
            small[..., band] = cv2.resize(seen, side, interpolation=cv2.INTER_AREA)
        small = np.asarray(cv2.GaussianBlur(small, (0, 0), 0.5), np.float32)
        air = np.array([0.50, 0.53, 0.56], np.float32)
        small = small * np.array(palette.cast, np.float32) * (1 - palette.haze) + air * palette.haze
        small += rng.normal(0, 0.008, small.shape).astype(np.float32)
        return np.clip(small * 255, 0, 255).round().astype(np.uint8)


def sun_vector(palette: Palette) -> np.ndarray:
    """Return the unit vector (x right, y down, z up) towards the sun."""
    azimuth, elevation = np.deg2rad([palette.sun_azimuth, palette.sun_elevation])
    flat = np.cos(elevation)
    return np.array([flat * np.sin(azimuth), -flat * np.cos(azimuth), np.sin(elevation)])


def shadows(height: np.ndarray, palette: Palette) -> np.ndarray:
    """Return (S, S) float32, 1 where something taller stands towards the sun."""
    sun = sun_vector(palette)
    run = float(np.hypot(sun[0], sun[1]))
    drop = sun[2] / run / METRE  # metres the ray rises for each canvas pixel
    shade = np.zeros(height.shape, bool)
    rows, cols = height.shape
    for step in np.arange(1.5, height.max() / drop, 1.5):
        dx, dy = round(step * sun[0] / run), round(step * sun[1] / run)
        if abs(dx) >= cols or abs(dy) >= rows:
            break
        here = np.s_[max(0, -dy) : rows - max(0, dy), max(0, -dx) : cols - max(0, dx)]
        there = np.s_[max(0, dy) : rows + min(0, dy), max(0, dx) : cols + min(0, dx)]
        shade[here] |= height[there] - np.float32(step * drop) > height[here] + 0.15
    return shade.astype(np.float32)
