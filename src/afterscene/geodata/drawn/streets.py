"""Streets, drives, parking and cars of a drawn town."""

import numpy as np

from afterscene.geodata.drawn.canvas import Canvas
from afterscene.geodata.drawn.houses import Wing, paint_wing
from afterscene.geodata.drawn.palette import Palette, jitter
from afterscene.geodata.drawn.plan import Street, Style

CONCRETE = np.array([0.62, 0.60, 0.56], np.float32)
WHITE = np.array([0.78, 0.78, 0.75], np.float32)
_CARS = (
    (0.85, 0.85, 0.85),
    (0.75, 0.76, 0.78),
    (0.12, 0.12, 0.13),
    (0.3, 0.31, 0.33),
    (0.5, 0.1, 0.09),
    (0.15, 0.2, 0.38),
    (0.6, 0.58, 0.5),
)


def pave(
    canvas: Canvas, streets: list[Street], style: Style, palette: Palette, rng: np.random.Generator
) -> None:
    """Draw all streets: verge, sidewalk and kerb under the asphalt of all, then the marks."""
    dirt, tar = np.array(palette.dirt, np.float32), np.array(palette.asphalt, np.float32)
    for street in streets:
        if style.walks:
            canvas.line(street.path, street.width + 11, CONCRETE * 0.97)
            canvas.line(street.path, street.width + 7, np.array(palette.ground[2]), rough=0.12)
            canvas.line(street.path, street.width + 1.5, CONCRETE * 0.9)
        else:
            canvas.line(street.path, street.width + 4, 0.85 * dirt, rough=0.12)
    for street in streets:
        loose = style.dirt and not street.main
        tone = jitter(palette.dirt if loose else palette.asphalt, 0.05, rng)
        canvas.line(street.path, street.width, tone, rough=0.09 if loose else 0.045)
        if not loose:
            canvas.line(street.path, 0.38 * street.width, tone * 0.96, rough=0.05)
    for street in streets:
        if street.main:
            _marks(canvas, street, tar)


def _marks(canvas: Canvas, street: Street, tar: np.ndarray) -> None:
    yellow = np.array([0.66, 0.57, 0.26], np.float32)
    canvas.line(street.path, street.width, tar, rough=0.045)
    canvas.line(street.path, 0.5, 0.6 * yellow + 0.4 * tar)
    ahead = np.gradient(street.path, axis=0)
    right = np.stack([-ahead[:, 1], ahead[:, 0]], axis=1)
    right /= np.maximum(np.linalg.norm(right, axis=1, keepdims=True), 1e-9)
    for side in (-1, 1):
        canvas.line(street.path + side * (street.width / 2 - 1.2) * right, 0.5, 0.8 * WHITE)
        lane = street.path + side * street.width / 4 * right
        for i in range(0, len(lane) - 1, 3):
            canvas.line(lane[i : i + 2], 0.5, 0.85 * WHITE)


def park_car(
    canvas: Canvas, spot: np.ndarray, angle: float, palette: Palette, rng: np.random.Generator
) -> None:
    """Put a car of 4.4 m x 1.8 m at an image pixel: body, then a dark windscreen."""
    body = Wing(
        centre=(float(spot[0]), float(spot[1])),
        length=8.8,
        width=3.7,
        angle=angle,
        roof="flat",
        eaves=1.0,
    )
    colour = jitter(_CARS[int(rng.integers(len(_CARS)))], 0.06, rng)
    paint_wing(canvas, body, colour, palette)
    front = spot + 1.5 * body.axes[0]
    glass = Wing(
        centre=(float(front[0]), float(front[1])),
        length=1.7,
        width=3.2,
        angle=angle,
        roof="flat",
        eaves=1.5,
    )
    paint_wing(canvas, glass, np.array([0.1, 0.11, 0.13]), palette)


def traffic(
    canvas: Canvas, streets: list[Street], palette: Palette, rng: np.random.Generator
) -> None:
    """Put cars along the streets: parked at the kerb, driving in the lanes of main streets."""
    for street in streets:
        ahead = np.gradient(street.path, axis=0)
        for i in range(len(street.path)):
            if rng.random() > (0.06 if street.main else 0.075):
                continue
            way = ahead[i] / max(float(np.linalg.norm(ahead[i])), 1e-9)
            side = rng.choice([-1.0, 1.0])
            off = street.width * (0.25 if street.main else 0.5) - (0 if street.main else 2.3)
            spot = street.path[i] + side * off * np.array([-way[1], way[0]])
            if (spot > -10).all() and (spot < canvas.size + 10).all():
                turn = np.pi if side < 0 else 0.0
                park_car(canvas, spot, float(np.arctan2(way[1], way[0])) + turn, palette, rng)


def parking(
    canvas: Canvas, ring: np.ndarray, angle: float, palette: Palette, rng: np.random.Generator
) -> None:
    """Fill a four-cornered ring with asphalt, stalls and cars, rows along ``angle``."""
    canvas.polygon(ring, jitter(palette.asphalt, 0.05, rng), rough=0.05)
    origin, u, v = ring[0], ring[1] - ring[0], ring[3] - ring[0]
    length, depth = float(np.linalg.norm(u)), float(np.linalg.norm(v))
    if min(length, depth) < 14:
        return
    u, v = u / length, v / depth
    for row in np.arange(7, depth - 5, 23.0):
        for col in np.arange(3, length - 3, 5.6):
            foot = origin + col * u + (row - 4.5) * v
            canvas.line(np.stack([foot, foot + 9 * v]), 0.4, 0.75 * WHITE)
            if rng.random() < 0.38 and col < length - 8:
                spot = origin + (col + 2.8) * u + row * v
                turn = np.pi / 2 * rng.choice([-1.0, 1.0])
                park_car(canvas, spot, angle + turn, palette, rng)
