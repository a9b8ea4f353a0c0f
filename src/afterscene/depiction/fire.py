"""Ground, trees and houses after a fire.

Seen from above, a burnt house is its floor plan in ash: grey, with pale and charred pieces, the
remains of outer and inner walls as light lines, some of the ash spilt over a lot that is scorched
brown. Major damage: the same on one part of the roof; minor: soot along an edge. Ground and trees
follow the field of heat. Colours were set by eye on an unlabelled pair of xBD's ``socal-fire`` and
on the tiles of Santa Rosa in the split ``val``.
"""

from __future__ import annotations

import cv2
import numpy as np

from afterscene.depiction.evidence import rise
from afterscene.depiction.painting import Painting
from afterscene.geodata.damage import DamageLevel, DamageMap

MINOR, MAJOR, DESTROYED = DamageLevel.MINOR, DamageLevel.MAJOR, DamageLevel.DESTROYED
ASH, PALE, CHAR = (0.48, 0.455, 0.415), (0.63, 0.60, 0.555), (0.27, 0.255, 0.235)
WALL, SOOT, SOIL = (0.74, 0.715, 0.675), (0.20, 0.19, 0.18), (0.34, 0.31, 0.27)
RUBBLE = (0.78, 0.76, 0.72)
#: Largest relative difference in brightness between the ash of two houses.
TONES = 0.25
#: Pixels between inner walls: 3 to 6 m at 0.5 m per pixel.
ROOM = (5.0, 12.0)


#: Heat in kW/m2 from which ground is scorched, and at which it is burnt.
SCORCHED = (4.0, 14.0)


def scorch(picture: np.ndarray, damage: DamageMap, seed: int) -> np.ndarray:
    """``picture`` ``(H, W, 3)`` uint8 with burnt ground and intact houses; water stays."""
    painting = Painting.of(picture, damage, np.random.default_rng([seed, 0xAF7E]))
    burnt = rise(damage.intensity, *SCORCHED)
    patchy = burnt * np.clip(0.8 + 0.35 * painting.noise(30.0, 12.0), 0, 1)
    grey = painting.picture.mean(axis=2, keepdims=True)
    trees, grass = painting.crowns(), painting.green()
    open_ground = patchy * (painting.index == 0) * (1 - painting.blue())
    ash = np.array((1.05, 0.97, 0.86), np.float32) * (0.72 * grey + 0.07)
    painting.paint(ash, open_ground * np.clip(0.35 + 0.6 * grass, 0, 1))
    tone = (1 + 0.3 * painting.noise(2.0, 4.0))[..., None]
    black = np.array((0.20, 0.18, 0.15), np.float32) * tone
    painting.paint(black, open_ground * trees * np.clip(0.75 + 0.4 * painting.noise(14.0), 0, 1))
    return painting.rgb()


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
