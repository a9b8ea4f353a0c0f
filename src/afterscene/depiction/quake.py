"""Houses after an earthquake: heaps of roof, concrete and brick, and dust around them.

A collapsed house is pieces of its roof on grey rubble that spreads a few metres beyond its outline;
of a partly collapsed house one side has come down, with a shadow where the standing part breaks
off; slight damage shows as a few fallen tiles and debris at the foot of the walls. Nothing here is
learned: xBD's mexico-earthquake has no destroyed building and five with major damage. Set by eye.
"""

from __future__ import annotations

import cv2
import numpy as np

from afterscene.depiction.heaps import scatter
from afterscene.depiction.painting import BRICK, Painting
from afterscene.geodata.damage import DamageLevel, DamageMap

MINOR, MAJOR, DESTROYED = DamageLevel.MINOR, DamageLevel.MAJOR, DamageLevel.DESTROYED
DUST, CONCRETE = (0.56, 0.54, 0.49), (0.50, 0.475, 0.44)
#: Colours of pieces besides those of the old roof: concrete, plaster, brick, gaps between them.
PIECES = ((0.58, 0.56, 0.52), (0.70, 0.68, 0.64), (0.50, 0.41, 0.36), (0.30, 0.28, 0.25))
#: Area of the pieces as a share of the collapsed area, and how far they spread, in pixels.
COVER, SPREAD = (0.7, 1.3), (1.2, 3.2)
#: Share of a roof that collapses with major damage, and of tiles that slip with minor damage.
FALLEN, SLIPPED = (0.3, 0.6), (0.02, 0.09)
#: Pixels of the smallest building that counts as a hall.
HALL = 3000


def shake(picture: np.ndarray, damage: DamageMap, seed: int) -> np.ndarray:
    """``picture`` ``(H, W, 3)`` uint8 with collapsed and cracked houses; fixed by the seed."""
    rng = np.random.default_rng([seed, 0xAF7E])
    painting = Painting.of(picture, damage, rng)
    whole = painting.picture.copy()
    side = painting.parts(MAJOR, FALLEN, lumpy=0.15) > 0
    dust = 0.45 * painting.around(DESTROYED, 9.0) + 0.25 * painting.around(MAJOR, 5.0)
    uneven = np.clip(0.6 + 0.5 * painting.noise(12.0, 5.0), 0, 1)
    painting.paint(DUST, np.clip(dust, 0, 0.6) * uneven * (painting.index == 0))
    _rubble(painting, side | painting.at(DESTROYED), whole)
    for i, building in enumerate(damage.buildings):
        cover, spread = rng.uniform(*COVER), rng.uniform(*SPREAD)
        down = painting.index == i + 1 if building.level == DESTROYED else None
        if building.level == MAJOR:
            down = (painting.index == i + 1) & side
        if down is not None and down.any():
            rows, cols = np.nonzero(down)
            colours = np.array(PIECES, np.float32)
            scatter(painting, rng, rows, cols, whole, colours, cover=cover, spread=spread)
    tiles = painting.parts(MINOR, SLIPPED, lumpy=0.5, scales=(4.0, 2.0)) * _small(painting)
    below = cv2.GaussianBlur(whole, (0, 0), 3.0) * 0.62
    painting.paint(below, 0.8 * cv2.GaussianBlur(tiles, (0, 0), 0.5) * painting.at(MINOR))
    litter = 0.03 * painting.around(MINOR, 3.0) + 0.08 * painting.around(MAJOR, 7.0)
    painting.debris(litter, (*BRICK, *PIECES[:2]))
    painting.sense(whole)
    return painting.rgb()


def _small(painting: Painting) -> np.ndarray:
    """``(H, W)`` bool: houses, without halls, whose sheet roofs lose no tiles."""
    sizes = np.bincount(painting.index.ravel())
    return np.asarray(sizes[painting.index] < HALL)


def _rubble(painting: Painting, down: np.ndarray, whole: np.ndarray) -> None:
    """Grey rubble under and a little around what collapsed, dark where walls still stand."""
    heap = painting.ragged(down, 4.0)
    tone = 1 + 0.16 * painting.noise(2.2, 5.0) + 0.10 * painting.noise(12.0)
    roof = cv2.GaussianBlur(whole, (0, 0), 4.0)
    grey = 0.65 * np.array(CONCRETE, np.float32) + 0.35 * 0.8 * roof
    painting.paint(grey * tone[..., None], 0.92 * heap)
    standing = (painting.index > 0) & ~down
    edge = cv2.dilate(standing.astype(np.uint8), np.ones((3, 3), np.uint8)) * down
    dark = np.full(painting.shape, 0.5, np.float32)
    painting.shade(dark, cv2.GaussianBlur(edge.astype(np.float32), (0, 0), 0.7) * down)
