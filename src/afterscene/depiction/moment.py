"""A moment of an event, for painting what is seen only while it passes, and the noise of films.

Noise of a film is a function of the place and of how far something has moved, never of the frame:
what stands still does not flicker, what moves keeps its shape.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from afterscene.geodata.damage import DamageMap

#: Knots after which flowing noise repeats itself.
KNOTS = 48


@dataclass(frozen=True, kw_only=True)
class Moment:
    """One frame of a film, for its painters; rasters are ``(H, W)``.

    Attributes:
        t: Film time, 0 to 1; the first and last frame are not painted.
        damage: The final damage map.
        progress: Share of the final intensity met so far, 0 to 1.
        age: Film time since the event came to a place; below 0: not yet there.
        struck: Film time since the damage of the building here was first seen; -1 elsewhere.
        roofs: Bool, where a building stands.
        changed: Bool, where the last frame differs from the first.
        bearing: Compass direction in which the event moves, if it has one.
        height: How high the water stands now, 0 to 1.
        rising: Whether the water rises.
        centre: (column, row) of the event's centre, if it has one.
        gsd: Metres per pixel.
        seed: Seed of the film.
    """

    t: float
    damage: DamageMap
    progress: np.ndarray
    age: np.ndarray
    struck: np.ndarray
    roofs: np.ndarray
    changed: np.ndarray
    bearing: float | None
    height: float
    rising: bool
    centre: tuple[float, float] | None
    gsd: float
    seed: int

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W)."""
        return self.damage.intensity.shape[0], self.damage.intensity.shape[1]

    @property
    def along(self) -> tuple[float, float]:
        """(columns, rows) of the way it moves, of length 1; east without a bearing."""
        angle = np.deg2rad(90.0 if self.bearing is None else self.bearing)
        return float(np.sin(angle)), float(-np.cos(angle))

    def noise(
        self,
        purpose: int,
        metres: tuple[float, float],
        *,
        moved: float = 0.0,
        bearing: float | None = None,
    ) -> np.ndarray:
        """Smooth noise ``(H, W)`` float32 of about unit variance that has moved so many metres.

        ``metres``: size of its features along the bearing (None: that of the event) and across.
        """
        rng = np.random.default_rng((self.seed, 62, purpose))
        knots = rng.normal(0, 1.2, (KNOTS, KNOTS)).astype(np.float32)
        turn = self.bearing if bearing is None else bearing
        angle = np.deg2rad(90.0 if turn is None else turn)
        ux, uy = np.sin(angle), -np.cos(angle)
        step = self.gsd / np.array(metres)
        offset = moved / metres[0]
        height, width = self.shape
        x, y = (
            np.arange(width, dtype=np.float32)[None],
            np.arange(height, dtype=np.float32)[:, None],
        )
        along = (ux * step[0]) * x + (uy * step[0]) * y - offset
        across = (-uy * step[1]) * x + (ux * step[1]) * y
        return np.asarray(
            cv2.remap(
                np.pad(knots, 2, mode="wrap"),
                (along % KNOTS + 2).astype(np.float32),
                (across % KNOTS + 2).astype(np.float32),
                cv2.INTER_CUBIC,
            )
        )

    def billows(self, purpose: int, metres: float, *, moved: float) -> np.ndarray:
        """Noise in [0, 1] with round heads and sharp clefts, as smoke and dust clouds have."""
        total = np.zeros(self.shape, np.float32)
        for k, share in enumerate((0.42, 0.27, 0.18, 0.13)):
            size = metres / 2.1**k
            octave = self.noise(purpose + k, (size * 1.2, size), moved=moved)
            total += share * np.minimum(np.abs(octave) / 1.7, 1)
        return np.clip((total - 0.08) / 0.72, 0, 1)

    def pieces(self, purpose: int, moved: float) -> np.ndarray:
        """``(H, W)`` in [0, 1]: small things that fly, drawn out along their way."""
        drops = self.noise(purpose, (1.8, 0.7), moved=moved)
        return np.clip((drops - 2.2) / 0.5, 0, 1)


def lit(billows: np.ndarray, gsd: float) -> np.ndarray:
    """Light on a cloud of that shape from the upper left, about 1."""
    soft = cv2.GaussianBlur(billows, (0, 0), max(0.8 / gsd, 0.5))
    wide = cv2.GaussianBlur(billows, (0, 0), max(3.0 / gsd, 0.5))
    slope = soft - np.roll(soft, (2, 2), (0, 1)) + 1.5 * (wide - np.roll(wide, (3, 3), (0, 1)))
    return np.clip(1 + 0.9 * slope + 0.16 * (soft - 0.5), 0.78, 1.16)


def plume(
    source: np.ndarray, along: tuple[float, float], gsd: float, *, reach: float, spread: float
) -> np.ndarray:
    """What rises from ``source`` ``(H, W)`` and drifts ``reach`` metres, widening as it goes."""
    height, width = source.shape
    small = max(round(2.0 / gsd), 1)
    size = (max(width // small, 1), max(height // small, 1))
    coarse = cv2.resize(source.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    cell, steps = gsd * small, 14
    total = np.zeros(size[::-1], np.float32)
    for k in range(steps):
        far = reach * (k / (steps - 1)) ** 1.4
        sigma = max((1.5 + spread * far) / cell, 0.3)
        ways = [[1.0, 0.0, along[0] * far / cell], [0.0, 1.0, along[1] * far / cell]]
        move = np.array(ways, np.float32)
        puff = cv2.warpAffine(coarse, move, size, flags=cv2.INTER_LINEAR)
        total += np.exp(-2.2 * k / steps) * cv2.GaussianBlur(puff, (0, 0), sigma)
    return np.asarray(cv2.resize(total, (width, height), interpolation=cv2.INTER_LINEAR))


def fading(t: float, start: float, stop: float, edge: float = 0.12) -> float:
    """1 between ``start`` and ``stop``, 0 outside, with smooth edges inside."""
    inside = np.clip(min(t - start, stop - t) / edge, 0, 1)
    return float(inside * inside * (3 - 2 * inside))


def over(picture: np.ndarray, colour: np.ndarray | tuple, opacity: np.ndarray) -> np.ndarray:
    """``picture`` ``(H, W, 3)`` uint8 under a colour, 0 to 1; below 2% it stays as it is."""
    where = opacity >= 0.02
    if not where.any():
        return picture
    alpha = np.where(where, opacity, 0).astype(np.float32)[..., None]
    mixed = picture + alpha * (255 * np.asarray(colour, np.float32) - picture)
    return np.clip(mixed, 0, 255).round().astype(np.uint8)
