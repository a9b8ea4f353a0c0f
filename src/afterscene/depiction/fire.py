"""Ground, trees and houses after a fire.

Seen from above, a burnt house is its floor plan in ash: grey, with pale and charred pieces, the
remains of outer and inner walls as light lines, ash on the lot around it. Major damage: the same on
one part of the roof; minor: soot along an edge. Grass follows the field of heat. Colours of lots
and pools were measured, see below; the others were set by eye on an unlabelled pair of xBD's
``socal-fire`` and on the tiles of Santa Rosa in the split ``val``.
"""

from __future__ import annotations

import cv2
import numpy as np

from afterscene.depiction.evidence import Evidence, rise
from afterscene.depiction.painting import Painting
from afterscene.geodata.damage import DamageLevel, DamageMap

MINOR, MAJOR, DESTROYED = DamageLevel.MINOR, DamageLevel.MAJOR, DamageLevel.DESTROYED
ASH, PALE, CHAR = (0.48, 0.455, 0.415), (0.63, 0.60, 0.555), (0.27, 0.255, 0.235)
WALL, SOOT, SOIL = (0.74, 0.715, 0.675), (0.20, 0.19, 0.18), (0.34, 0.31, 0.27)
RUBBLE = (0.78, 0.76, 0.72)
#: Largest relative difference in brightness between the ash of two houses.
TONES = 0.25
#: Green excess of grass.
GRASS = 0.03
#: Pixels between inner walls: 3 to 6 m at 0.5 m per pixel.
ROOM = (5.0, 12.0)
#: Ash on the lot of a burnt house: colour, and shares of it on ground and on crowns at distances in
#: metres from the house. On 16 `train` tiles of santa-rosa-wildfire with most burnt houses ground
#: and crowns are lighter and less green up to some 10 m, and as elsewhere beyond.
LOT, METRES = (0.50, 0.48, 0.40), (1.5, 4.5, 8.0, 13.0, 23.0)
ON_GROUND, ON_CROWNS = (0.75, 0.40, 0.15, 0.04, 0.0), (0.38, 0.23, 0.12, 0.06, 0.0)
#: Colour of pools near burnt houses (turquoise before), and how near, in metres; same tiles.
POOL, REACHED = (0.36, 0.42, 0.34), 30.0
#: Heat in kW/m2 from which grass burns and at which most is burnt; how much darker it is then.
SCORCHED, BURNT = (4.0, 14.0), 0.4


def scorch(picture: np.ndarray, damage: DamageMap, seed: int) -> np.ndarray:
    """``picture`` ``(H, W, 3)`` uint8 with ash around burnt houses, and burnt grass.

    Houses stay, and so do water and, beyond the lots, trees: most of them stand green after a fire.
    """
    painting = Painting.of(picture, damage, np.random.default_rng([seed, 0xAF7E]))
    seen = Evidence.of(picture, damage)
    away = _away(painting) * seen.gsd
    free = (painting.index == 0) & ~seen.water
    pool = painting.blue() * (seen.light > 0.35) * free
    grass = seen.green > GRASS
    patches = np.clip(0.6 + 0.5 * painting.noise(30.0, 12.0), 0, 1)
    burnt = BURNT * rise(damage.intensity, *SCORCHED) * patches
    painting.shade(
        np.full(painting.shape, 0.5, np.float32), burnt * grass * (1 - seen.canopy) * free
    )
    shares = np.where(
        seen.canopy > 0.5, np.interp(away, METRES, ON_CROWNS), np.interp(away, METRES, ON_GROUND)
    )
    uneven = np.clip(1 + 0.35 * painting.noise(9.0, 4.0), 0, 1.6)
    tone = (1 + 0.12 * painting.noise(2.0, 5.0))[..., None]
    painting.paint(np.array(LOT, np.float32) * tone, np.clip(shares * uneven, 0, 0.9) * free)
    painting.paint(np.array(POOL, np.float32) * tone, pool * (away < REACHED))
    return painting.rgb()


def _away(painting: Painting) -> np.ndarray:
    """``(H, W)``: pixels to the next destroyed house, far if there is none."""
    gone = painting.at(DESTROYED)
    if not gone.any():
        return np.full(painting.shape, 1e6, np.float32)
    return np.asarray(cv2.distanceTransform((~gone).astype(np.uint8), cv2.DIST_L2, 3))


def burn(picture: np.ndarray, damage: DamageMap, seed: int) -> np.ndarray:
    """``picture`` ``(H, W, 3)`` uint8 with burnt houses and scorched lots; fixed by the seed."""
    rng = np.random.default_rng((seed, 43))
    painting = Painting.of(picture, damage, rng)
    scorched = np.clip(painting.around(DESTROYED, 9.0) + 0.6 * painting.around(MAJOR, 6.0), 0, 1)
    uneven = np.clip(0.7 + 0.3 * painting.noise(10.0, 4.0), 0, 1)
    soil = np.array(SOIL, np.float32) * (1 + 0.10 * painting.noise(2.0, 5.0))[..., None]
    painting.paint(soil, 0.8 * scorched * uneven * (painting.index == 0))
    tone = 1 + rng.uniform(-TONES, TONES, len(damage.buildings) + 1).astype(np.float32)
    ash = _ash(painting) * cv2.GaussianBlur(tone[painting.index], (0, 0), 2.0)[..., None]
    spilt = painting.around(DESTROYED, 7.0) * np.clip(
        0.25 + 0.45 * painting.noise(6.0, 2.5, 1.2), 0, 0.9
    )
    painting.paint(ash * 0.9, spilt * (painting.index == 0))
    heap = painting.ragged(painting.at(DESTROYED), 4.0)
    half = painting.parts(MAJOR, (0.35, 0.65), lumpy=0.35, scales=(9.0, 5.0))
    painting.paint(ash, 0.95 * np.maximum(cv2.GaussianBlur(heap, (0, 0), 0.7), half))
    painting.paint(
        WALL, 0.9 * _walls(painting, rng) * np.clip(0.4 + 0.6 * painting.noise(5.0, 2.0), 0, 1)
    )
    painting.paint(SOOT, 0.6 * painting.parts(MINOR, (0.08, 0.25), lumpy=0.5, scales=(9.0, 5.0)))
    return painting.rgb()


def _ash(painting: Painting) -> np.ndarray:
    """``(H, W, 3)``: ash, paler and charred in patches of some metres, and pieces of rubble."""
    patches = 0.28 * painting.noise(9.0, 4.0)
    pieces = painting.noise(1.8, 1.0)
    out = np.empty((*painting.shape, 3), np.float32)
    out[:] = ASH
    for colour, share in (
        (PALE, np.clip(patches, 0, 1)),
        (CHAR, np.clip(-patches - 0.1, 0, 1)),
        (RUBBLE, np.clip(0.8 * (pieces + patches - 0.7), 0, 0.9)),
        (CHAR, np.clip(0.6 * (-pieces - 0.6), 0, 0.8)),
    ):
        out += share[..., None] * (np.array(colour, np.float32) - out)
    return cv2.GaussianBlur(out, (0, 0), 0.6)


def _walls(painting: Painting, rng: np.random.Generator) -> np.ndarray:
    """``(H, W)`` in [0, 1]: remains of the outer and inner walls of destroyed houses."""
    gone = painting.at(DESTROYED)
    inside = cv2.erode(gone.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    lines = 0.7 * (gone & ~inside).astype(np.float32)
    for i, building in enumerate(painting.damage.buildings):
        room, offset = rng.uniform(*ROOM, 2), rng.uniform(0, 1, 2)
        if building.level != DESTROYED:
            continue
        for turn, gap, start in zip((0.0, np.pi / 2), room, offset, strict=True):
            ys, xs, side = painting.along_walls(i, turn)
            if len(xs) < 30:
                continue
            lines[ys, xs] = np.maximum(lines[ys, xs], 0.7 * ((side / gap + start) % 1 < 1.2 / gap))
    return np.clip(cv2.GaussianBlur(lines, (0, 0), 0.6), 0, 1)
