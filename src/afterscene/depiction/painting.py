"""Building blocks of a drawn aftermath: rubble, holes in roofs, scattered debris, tints.

All work on (H, W, 3) float32 pictures in 0..1 and soft masks (H, W) in 0..1; where a mask is zero,
pixels keep their value exactly.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from afterscene.geodata.damage import DamageLevel, DamageMap, instances
from afterscene.geodata.drawn.canvas import fractal
from afterscene.geodata.drawn.palette import Colour

WOOD: tuple[Colour, ...] = ((0.62, 0.54, 0.43), (0.45, 0.38, 0.31), (0.75, 0.71, 0.65))
BRICK: tuple[Colour, ...] = ((0.60, 0.55, 0.50), (0.50, 0.43, 0.38), (0.68, 0.66, 0.63))

#: Blur of a satellite image (standard deviation, pixels): of brightness, and of colour, which is
#: recorded at a quarter of the resolution and pan-sharpened afterwards.
SMEAR, TINT = 0.5, 1.6


def nearness(where: np.ndarray, sigma: float) -> np.ndarray:
    """Return 0..1, (H, W) float32: nearness to a bool mask, fading over sigma pixels."""
    if not where.any():
        return np.zeros(where.shape, np.float32)
    away = cv2.distanceTransform((~where).astype(np.uint8), cv2.DIST_L2, 3)
    return np.asarray(np.exp(-((away / sigma) ** 2)))


@dataclass
class Painting:
    """A picture that is being painted, with the damage map that says what happened."""

    picture: np.ndarray
    damage: DamageMap
    rng: np.random.Generator

    def __post_init__(self) -> None:
        self.shape: tuple[int, int] = self.picture.shape[:2]
        self.index = instances(self.damage.buildings, self.shape)
        levels = np.array([0] + [int(b.level or 1) for b in self.damage.buildings])
        self.level = levels[self.index]

    @classmethod
    def of(cls, picture: np.ndarray, damage: DamageMap, rng: np.random.Generator) -> "Painting":
        """Return the painting that starts from an (H, W, 3) uint8 picture."""
        return cls(picture.astype(np.float32) / 255, damage, rng)

    def rgb(self) -> np.ndarray:
        """Return the picture as (H, W, 3) uint8."""
        return np.clip(np.rint(self.picture * 255), 0, 255).astype(np.uint8)

    def noise(self, *scales: float) -> np.ndarray:
        """Return (H, W) noise of unit variance with octaves of these scales in pixels."""
        return fractal(self.shape, scales, self.rng, fall=0.8)

    def at(self, level: DamageLevel) -> np.ndarray:
        """Return a bool mask of the footprints of this level."""
        return np.asarray(self.level == level)

    def green(self) -> np.ndarray:
        """Return 0..1: how much vegetation a pixel shows, except on roofs.

        Green must exceed both red and blue: blue or muddy water does not count, nor does anything
        dark and smooth, such as green water (its brightness varies by 0.002 to 0.004 over some
        pixels, that of crowns by 0.015 and more; measured on xBD's hurricane-michael).
        """
        r, g, b = self.picture.transpose(2, 0, 1)
        excess = np.minimum(g - r, g - b) / np.maximum(r + g + b, 0.1)
        plants = np.clip((excess - 0.02) / 0.04, 0, 1) * (self.index == 0)
        dark = self.dark()
        return np.asarray(plants * (1 - dark * self._smooth(dark)))

    def blue(self) -> np.ndarray:
        """Return 0..1: how much clear water a pixel shows, except on roofs."""
        r, g, b = self.picture.transpose(2, 0, 1)
        excess = (b - r) / np.maximum(r + g + b, 0.1)
        return np.asarray(np.clip(excess / 0.06, 0, 1) * (self.index == 0))

    def crowns(self) -> np.ndarray:
        """Return 0..1: green and dark, so trees rather than grass."""
        return np.asarray(self.green() * self.dark())

    def dark(self) -> np.ndarray:
        """Return 0..1: as dark as crowns are."""
        grey = cv2.GaussianBlur(self.picture.mean(axis=2), (0, 0), 1.2)
        return np.asarray(np.clip((0.30 - grey) / 0.08, 0, 1))

    def _smooth(self, dark: np.ndarray) -> np.ndarray:
        """Return 0..1: how even the dark around a pixel is; bright objects in it are ignored."""
        grey = self.picture.mean(axis=2)

        def near(values: np.ndarray, sigma: float) -> np.ndarray:
            share = cv2.GaussianBlur(dark, (0, 0), sigma)
            return np.asarray(cv2.GaussianBlur(values * dark, (0, 0), sigma) / (share + 1e-3))

        spread = np.sqrt(near((near(grey, 1.5) - near(grey, 6.0)) ** 2, 8.0))
        return np.asarray(1 - np.clip((spread - 0.006) / 0.006, 0, 1))

    def paint(self, colour: np.ndarray | Colour, mask: np.ndarray) -> None:
        """Mix a colour, (3,) or (H, W, 3), into the picture by the mask."""
        tone = np.asarray(colour, np.float32)
        self.picture += mask.astype(np.float32)[..., None] * (tone - self.picture)

    def shade(self, factor: np.ndarray, mask: np.ndarray) -> None:
        """Multiply the picture by a factor (H, W), weighted by the mask."""
        self.picture *= 1 + mask[..., None] * (factor[..., None] - 1)

    def sense(self, before: np.ndarray) -> None:
        """Blur what was drawn since ``before`` (H, W, 3) like a pan-sharpened image.

        Only inside its outline: all other pixels stay the same to the bit.
        """
        change = self.picture - before
        drawn = (change != 0).any(axis=2)
        light = change.mean(axis=2, keepdims=True)
        tint = cv2.GaussianBlur(change - light, (0, 0), TINT)
        light = cv2.GaussianBlur(light, (0, 0), SMEAR)[..., None]
        self.picture = np.where(drawn[..., None], before + light + tint, before)

    def rubble(self, colours: Sequence[Colour], *, grain: float = 2.2) -> np.ndarray:
        """Return an (H, W, 3) texture of broken pieces, lit from the side."""
        heap = cv2.GaussianBlur(self.noise(grain, 2 * grain), (0, 0), 0.6)
        pick = self.noise(grain, 3 * grain)
        out = np.empty((*self.shape, 3), np.float32)
        out[:] = colours[0]
        out[pick > 0.7] = colours[1]
        out[pick < -0.7] = colours[2]
        relief = np.clip(heap - np.roll(heap, (1, 1), (0, 1)), -1.6, 1.6)
        light = 1 + 0.20 * relief + 0.10 * self.noise(14.0, 7.0)
        lit = out * np.clip(light, 0.5, 1.35)[..., None]
        return np.asarray(cv2.GaussianBlur(lit, (0, 0), 0.6))

    def ragged(self, mask: np.ndarray, reach: float) -> np.ndarray:
        """Return the mask with an uneven edge, up to ``reach`` pixels farther out."""
        if not mask.any():
            return np.zeros(self.shape, np.float32)
        away = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 3)
        edge = reach * np.clip(0.5 + 0.5 * self.noise(3.0, 7.0), 0, 1)
        soft = np.clip(edge - away + 0.7, 0, 1)
        return np.asarray(np.where(mask, 1.0, soft), dtype=np.float32)

    def parts(
        self,
        level: DamageLevel,
        share: tuple[float, float],
        *,
        lumpy: float,
        scales: tuple[float, ...] = (6.0, 3.0),
    ) -> np.ndarray:
        """Return a mask over a share of each footprint of a level.

        The part is on one side; ``lumpy`` from 0 (straight edge) to 1 (patches of these scales in
        pixels) breaks it up.
        """
        out = np.zeros(self.shape, np.float32)
        patches = self.noise(*scales)
        for i, building in enumerate(self.damage.buildings):
            quarter, part = self.rng.integers(4), self.rng.uniform(*share)
            if building.level != level:
                continue
            ys, xs, side = self.along_walls(i, quarter * np.pi / 2)
            if len(xs) < 2:
                continue
            rank = (1 - lumpy) * side / max(float(side.std()), 1.0) + lumpy * patches[ys, xs]
            out[ys, xs] = rank > np.quantile(rank, 1 - part)
        return out

    def walls(self, i: int) -> tuple[np.ndarray, np.ndarray, float]:
        """Return rows and columns of footprint ``i``, and the angle of its longer axis."""
        ys, xs = np.nonzero(self.index == i + 1)
        if not len(xs):
            return ys, xs, 0.0
        x, y = xs - xs.mean(), ys - ys.mean()
        return ys, xs, 0.5 * float(np.arctan2(2 * (x * y).mean(), (x * x - y * y).mean()))

    def along_walls(self, i: int, turn: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return rows and columns of footprint ``i`` and their positions (pixels) along an axis.

        It is the footprint's longer axis turned by ``turn``, so that edges are parallel to walls.
        """
        ys, xs, angle = self.walls(i)
        if not len(xs):
            return ys, xs, np.zeros(0)
        angle += turn
        return ys, xs, (xs - xs.mean()) * np.cos(angle) + (ys - ys.mean()) * np.sin(angle)

    def debris(self, density: np.ndarray, colours: Sequence[Colour] | np.ndarray) -> None:
        """Scatter pieces of one to three pixels; ``density`` (H, W) is their share of ground."""
        ground = density * ((self.index == 0) | (self.level == DamageLevel.DESTROYED))
        for size, share in ((1, 0.75), (2, 0.22), (3, 0.03)):
            coarse = tuple(-(-n // size) for n in self.shape)
            dice = self.rng.random(coarse, dtype=np.float32)
            tone = self.rng.integers(0, len(colours), coarse)
            bright = self.rng.normal(0.95, 0.12, coarse).astype(np.float32)
            rows, cols = (np.arange(n) // size for n in self.shape)
            pieces = (dice[rows][:, cols] < share * ground).astype(np.float32)
            if not pieces.any():
                continue
            colour = np.array(colours, np.float32)[tone] * bright[..., None]
            near = cv2.dilate(pieces, np.ones((3, 3), np.uint8)) > 0
            soft = cv2.GaussianBlur(pieces, (0, 0), 0.55) * near
            spread = cv2.dilate(
                colour[rows][:, cols] * pieces[..., None], np.ones((3, 3), np.uint8)
            )
            self.paint(spread, soft)

    def around(self, level: DamageLevel, sigma: float) -> np.ndarray:
        """Return 0..1: nearness to footprints of at least this level, fading over sigma."""
        near = nearness((self.level >= level) & (self.level <= 4), sigma)
        return np.asarray(np.where(near > 0.02, near, 0), dtype=np.float32)


def outline(at: np.ndarray, turn: float, half: Sequence[float]) -> np.ndarray:
    """Corners of a turned rectangle in eighths of a pixel, from its half length and half width.

    ``(4, 2)`` int32, x before y, like ``at`` ``(2,)``.
    """
    axis = np.array([np.cos(turn), np.sin(turn)])
    along, across = half[0] * axis, half[1] * np.array([-axis[1], axis[0]])
    corners = np.stack([along + across, along - across, -along - across, across - along])
    return np.rint(8 * (at + corners)).astype(np.int32)
