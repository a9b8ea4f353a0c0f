"""What fire leaves of houses, drawn as a first sketch, for a generator that has seen no fire.

Seen from above a burnt house is its own plan in ash: grey, with pale and charred pieces, darker
where things charred, the stumps of outer and inner walls as light lines, some of the ash spilt over
a lot that is scorched brown. Half burnt (major): the same on one part of the roof; minor: soot
along an edge. Ground and trees are
:func:`afterscene.geodata.drawn.aftermath.paint_aftermath`'s. Colours were set by eye on a pair
without labels of xBD's ``socal-fire`` and on the tiles of Santa Rosa in the split ``val``.
"""

from __future__ import annotations

import cv2
import numpy as np

from afterscene.geodata.damage import DamageLevel, DamageMap
from afterscene.geodata.drawn.ruin import Wreck

MINOR, MAJOR, DESTROYED = DamageLevel.MINOR, DamageLevel.MAJOR, DamageLevel.DESTROYED
ASH, PALE, CHAR = (0.48, 0.455, 0.415), (0.63, 0.60, 0.555), (0.27, 0.255, 0.235)
WALL, SOOT, SOIL = (0.74, 0.715, 0.675), (0.20, 0.19, 0.18), (0.34, 0.31, 0.27)
RUBBLE = (0.78, 0.76, 0.72)
#: Largest share by which the ash of one house is lighter or darker than that of another.
TONES = 0.25
#: Pixels between inner walls, 3 to 6 m at half a metre.
ROOM = (5.0, 12.0)


def burn(picture: np.ndarray, damage: DamageMap, seed: int) -> np.ndarray:
    """``picture`` ``(H, W, 3)`` uint8 with burnt houses and scorched lots; equal seeds, equal."""
    rng = np.random.default_rng((seed, 43))
    wreck = Wreck.of(picture, damage, rng)
    scorched = np.clip(wreck.around(DESTROYED, 9.0) + 0.6 * wreck.around(MAJOR, 6.0), 0, 1)
    uneven = np.clip(0.7 + 0.3 * wreck.noise(10.0, 4.0), 0, 1)
    soil = np.array(SOIL, np.float32) * (1 + 0.10 * wreck.noise(2.0, 5.0))[..., None]
    wreck.paint(soil, 0.8 * scorched * uneven * (wreck.index == 0))
    tone = 1 + rng.uniform(-TONES, TONES, len(damage.buildings) + 1).astype(np.float32)
    ash = _ash(wreck) * cv2.GaussianBlur(tone[wreck.index], (0, 0), 2.0)[..., None]
    spilt = wreck.around(DESTROYED, 7.0) * np.clip(0.25 + 0.45 * wreck.noise(6.0, 2.5, 1.2), 0, 0.9)
    wreck.paint(ash * 0.9, spilt * (wreck.index == 0))
    heap = wreck.ragged(wreck.at(DESTROYED), 4.0)
    half = wreck.parts(MAJOR, (0.35, 0.65), lumpy=0.35, scales=(9.0, 5.0))
    wreck.paint(ash, 0.95 * np.maximum(cv2.GaussianBlur(heap, (0, 0), 0.7), half))
    wreck.paint(WALL, 0.9 * _walls(wreck, rng) * np.clip(0.4 + 0.6 * wreck.noise(5.0, 2.0), 0, 1))
    wreck.paint(SOOT, 0.6 * wreck.parts(MINOR, (0.08, 0.25), lumpy=0.5, scales=(9.0, 5.0)))
    return wreck.rgb()


def _ash(wreck: Wreck) -> np.ndarray:
    """``(H, W, 3)``: ash, paler and charred in patches of some metres, and pieces of rubble."""
    patches = 0.28 * wreck.noise(9.0, 4.0)
    pieces = wreck.noise(1.8, 1.0)
    out = np.empty((*wreck.shape, 3), np.float32)
    out[:] = ASH
    for colour, share in (
        (PALE, np.clip(patches, 0, 1)),
        (CHAR, np.clip(-patches - 0.1, 0, 1)),
        (RUBBLE, np.clip(0.8 * (pieces + patches - 0.7), 0, 0.9)),
        (CHAR, np.clip(0.6 * (-pieces - 0.6), 0, 0.8)),
    ):
        out += share[..., None] * (np.array(colour, np.float32) - out)
    return cv2.GaussianBlur(out, (0, 0), 0.6)


def _walls(wreck: Wreck, rng: np.random.Generator) -> np.ndarray:
    """``(H, W)`` in [0, 1]: stumps of outer and inner walls of destroyed houses."""
    gone = wreck.at(DESTROYED)
    inside = cv2.erode(gone.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    lines = 0.7 * (gone & ~inside).astype(np.float32)
    for i, building in enumerate(wreck.damage.buildings):
        room, offset = rng.uniform(*ROOM, 2), rng.uniform(0, 1, 2)
        if building.level != DESTROYED:
            continue
        for turn, gap, start in zip((0.0, np.pi / 2), room, offset, strict=True):
            ys, xs, side = wreck.along_walls(i, turn)
            if len(xs) < 30:
                continue
            lines[ys, xs] = np.maximum(lines[ys, xs], 0.7 * ((side / gap + start) % 1 < 1.2 / gap))
    return np.clip(cv2.GaussianBlur(lines, (0, 0), 0.6), 0, 1)
