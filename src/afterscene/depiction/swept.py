"""Ground after a tsunami has drained: bare silt, scattered debris, few trees.

The sea is where it was. On land the wave removed lawns and most trees; what remains is pale silt
with dark wet patches, roads faintly visible below it, and pieces of houses and wood everywhere,
most of them along the line where the water stopped. Colours and grain are those of bare shore in
`train` post images of xBD's palu-tsunami (mean 0.49, 0.48, 0.41 and 0.53, 0.50, 0.44, deviation
0.08 and 0.10 with the debris on it).
"""

from __future__ import annotations

import cv2
import numpy as np

from afterscene.depiction.evidence import Evidence, rise
from afterscene.depiction.painting import BRICK, WOOD, Painting
from afterscene.geodata.damage import DamageMap

SILT, WET = (0.52, 0.49, 0.415), (0.34, 0.335, 0.29)
#: Metres of water from which the ground begins to be bare, is bare, and trees are removed.
BARED, FELLED = (0.3, 1.8), (1.0, 5.0)
#: How much of roads and pavement shows through the silt, and of other ground.
HARD, SOFT = 0.55, 0.12
#: Share of the ground covered by debris, along the way and where the water stopped (depth in m).
STREWN, STOPPED, LINE = 0.05, 0.22, (0.15, 1.0)
SCRAPS = (*WOOD, *BRICK, (0.82, 0.81, 0.78), (0.55, 0.36, 0.30), (0.36, 0.44, 0.58))


def sweep(picture: np.ndarray, damage: DamageMap, seed: int) -> np.ndarray:
    """``picture`` ``(H, W, 3)`` uint8 after a wave with the field's depth in metres."""
    depth = damage.intensity.astype(np.float32)
    if damage.unit != "m" or not (depth > 0).any():
        return picture.copy()
    painting = Painting.of(picture, damage, np.random.default_rng((seed, 47)))
    seen = Evidence.of(picture, damage)
    before = painting.picture.copy()
    land = (~seen.treeless & (depth > 0)).astype(np.float32)
    patchy = np.clip(0.85 + 0.3 * painting.noise(60.0, 20.0, 7.0), 0, 1)
    force = land * rise(depth, *BARED) * patchy
    stay = seen.canopy * (rise(depth, *FELLED) < 0.5 + 0.35 * painting.noise(14.0, 8.0))
    painting.paint(_silt(painting, seen), force * (1 - _soft(stay)))
    line = rise(depth, 0.0, LINE[0]) * (1 - rise(depth, LINE[0], LINE[1]))
    clumps = np.clip(0.5 + 0.9 * painting.noise(26.0, 9.0, 4.0), 0, 2.5)
    density = (STREWN * force + STOPPED * land * line) * clumps * (1 - 0.7 * stay)
    painting.debris(density, SCRAPS)
    painting.sense(before)
    return painting.rgb()


def _silt(painting: Painting, seen: Evidence) -> np.ndarray:
    """``(H, W, 3)``: bare ground, wet in patches, with traces of what was there."""
    tone = 1 + 0.07 * painting.noise(50.0, 16.0) + 0.05 * painting.noise(3.5, 1.6)
    wet = np.clip(painting.noise(45.0, 15.0) - 0.7, 0, 1)[..., None]
    silt = np.array(SILT, np.float32) + wet * np.subtract(WET, SILT).astype(np.float32)
    hard = (1 - rise(np.abs(seen.green), 0.02, 0.05)) * (1 - seen.canopy)
    below = (SOFT + (HARD - SOFT) * hard)[..., None]
    smooth = cv2.GaussianBlur(painting.picture, (0, 0), 1.0)
    return np.asarray(silt * tone[..., None] + below * (smooth - silt), np.float32)


def _soft(mask: np.ndarray) -> np.ndarray:
    return np.asarray(cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 0.7))
