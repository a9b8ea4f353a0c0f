"""Houses: a footprint of one to three rectangles, each with a roof that faces the sun its own way.

A wing is a rectangle with a gable, hip or flat roof. Its height is the eaves plus the roof's pitch
times the distance from the nearest sloping edge; where wings meet, the higher surface wins, which
gives the valleys of an L- or T-shaped roof. The footprint is the exact union of the rectangles.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from shapely.geometry import Polygon
from shapely.ops import unary_union
from sheet import Sheet, plane_light

from afterscene.geodata.drawn.canvas import FINE
from afterscene.geodata.drawn.palette import Palette

Roof = Literal["gable", "hip", "flat"]


@dataclass(frozen=True, kw_only=True)
class Wing:
    """A rectangle: centre (x, y), ``length`` x ``width`` pixels, long axis at ``angle`` radians."""

    centre: tuple[float, float]
    length: float
    width: float
    angle: float
    roof: Roof
    eaves: float = 3.0  # m
    pitch: float = 0.45  # m rise per m run

    @property
    def axes(self) -> tuple[np.ndarray, np.ndarray]:
        """Unit vectors along the length and along the width."""
        c, s = np.cos(self.angle), np.sin(self.angle)
        return np.array([c, s]), np.array([-s, c])

    def ring(self, grow: float = 0.0) -> np.ndarray:
        """Return the four corners (4, 2), moved out by ``grow`` pixels."""
        u, v = self.axes
        half_l, half_w = self.length / 2 + grow, self.width / 2 + grow
        signs = ((-1, -1), (1, -1), (1, 1), (-1, 1))
        return np.array([np.array(self.centre) + a * half_l * u + b * half_w * v for a, b in signs])


def footprint(wings: list[Wing]) -> Polygon | None:
    """Return the union of the wings, or None where they do not hang together."""
    union = unary_union([Polygon(w.ring()) for w in wings])
    return union if isinstance(union, Polygon) and union.area > 1 else None


def house_wings(
    centre: np.ndarray, angle: float, size: tuple[float, float], rng: np.random.Generator
) -> list[Wing]:
    """Return the wings of a family house of about ``size`` (along, across the street) pixels."""
    length, width = size
    roof: Roof = "hip" if rng.random() < 0.45 else "gable"
    pitch, eaves = rng.uniform(0.3, 0.6), rng.uniform(2.6, 3.4) + 2.6 * (rng.random() < 0.15)
    turned = width > length
    main = Wing(
        centre=(float(centre[0]), float(centre[1])),
        length=max(size),
        width=min(size),
        angle=angle + (np.pi / 2 if turned else 0.0),
        roof=roof,
        eaves=eaves,
        pitch=pitch,
    )
    wings = [main]
    for _ in range(int(rng.choice([0, 1, 2], p=[0.35, 0.45, 0.2]))):
        wings.append(_side_wing(main, rng))
    return wings


def _side_wing(main: Wing, rng: np.random.Generator) -> Wing:
    """Return a wing across the main one that sticks out on one side (L or T)."""
    u, v = main.axes
    width = rng.uniform(0.32, 0.5) * main.length
    out = rng.uniform(0.2, 0.45) * main.width
    side = rng.choice([-1.0, 1.0])
    free = main.length / 2 - width / 2
    shift = free * (rng.choice([-1.0, 1.0]) if rng.random() < 0.75 else rng.uniform(-0.3, 0.3))
    middle = np.array(main.centre) + shift * u + side * (out / 2) * v
    length = main.width + out
    long_first = length >= width
    return Wing(
        centre=(float(middle[0]), float(middle[1])),
        length=max(length, width),
        width=min(length, width),
        angle=main.angle + (np.pi / 2 if long_first else 0.0),
        roof=main.roof,
        eaves=main.eaves - 0.1,
        pitch=main.pitch,
    )


def paint_wing(canvas: Sheet, wing: Wing, colour: np.ndarray, palette: Palette) -> None:
    """Put a wing's roof on the canvas where it is higher than what stands there."""
    u, v = wing.axes
    ring = wing.ring()
    side = canvas.size
    low = np.floor((ring.min(axis=0) - 1) * FINE).astype(int).clip(0, side * FINE)
    high = np.ceil((ring.max(axis=0) + 2) * FINE).astype(int).clip(0, side * FINE)
    if (high <= low).any():
        return
    box = np.s_[low[1] : high[1], low[0] : high[0]]
    rows, cols = np.mgrid[box].astype(np.float32)
    x, y = (cols + 0.5) / FINE - 0.5 - wing.centre[0], (rows + 0.5) / FINE - 0.5 - wing.centre[1]
    a, b = x * u[0] + y * u[1], x * v[0] + y * v[1]
    end, edge = wing.length / 2 - np.abs(a), wing.width / 2 - np.abs(b)
    height, tilt = _roof(wing, (a, b), (end, edge), palette)
    inside = (end > 0) & (edge > 0) & (height > canvas.height[box])
    # Courses of shingles run along the eaves, ribs of metal down the slope: a faint stripe.
    stripe = 1 + 0.035 * np.sign(np.sin(np.where(wing.roof == "hip", a + b, b) * 2.4))
    rim = np.where(np.minimum(end, edge) < 0.7, 0.93, 1.0)
    canvas.colour[box][inside] = (colour * (stripe * rim)[..., None])[inside]
    canvas.height[box][inside] = height[inside]
    canvas.tilt[box][inside] = tilt[inside]
    canvas.rough[box][inside] = 0.025 if wing.roof == "flat" else 0.06


def _roof(
    wing: Wing,
    at: tuple[np.ndarray, np.ndarray],
    rim: tuple[np.ndarray, np.ndarray],
    palette: Palette,
) -> tuple[np.ndarray, np.ndarray]:
    """Return height in m and relative light at ``at`` (along, across), ``rim`` from the edges."""
    (a, b), (end, edge) = at, rim
    if wing.roof == "flat":
        parapet = np.where(np.minimum(end, edge) < 1.0, 0.4, 0.0)
        return wing.eaves + parapet, np.ones_like(a)
    u, v = wing.axes
    sides = [plane_light(sign * wing.pitch * v, palette) for sign in (-1, 1)]
    tilt = np.where(b < 0, sides[0], sides[1])
    run = edge
    if wing.roof == "hip":
        ends = [plane_light(sign * wing.pitch * u, palette) for sign in (-1, 1)]
        tilt = np.where(end < edge, np.where(a < 0, ends[0], ends[1]), tilt)
        run = np.minimum(edge, end)
    return wing.eaves + wing.pitch * 0.5 * np.maximum(run, 0), tilt
