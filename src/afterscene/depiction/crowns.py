"""What gusts do to trees and open ground: crowns give way to ground, and litter lies on it.

The ground carries litter near undamaged houses too, so that change alone does not mean damage.
Colours and shares were set by eye and by what was measured on ``train`` pairs of xBD's
hurricane-michael, see :func:`strip`.
"""

from __future__ import annotations

import cv2
import numpy as np

from afterscene.depiction.painting import Painting, nearness
from afterscene.geodata.damage import DamageLevel, DamageMap

SCRAPS = ((0.80, 0.72, 0.64), (0.84, 0.84, 0.82), (0.45, 0.42, 0.38), (0.62, 0.50, 0.40))
#: Metres per second at which trees begin to lose leaves, and at which few are left.
LEAVES = (25.0, 60.0)
#: How far crowns come to look like open ground, of a colour as GROUND where none is seen: share of
#: red, green and blue near buildings (falling over so many pixels) and in the woods.
FAR, TOWN, WOODS, GROUND = 60.0, (0.52, 0.36, 0.36), (0.30, 0.05, 0.04), (0.43, 0.45, 0.36)
#: How much of that a scene takes, how much more near buildings with major damage, destroyed or not
#: classified, where the gusts were harder, and how much of the crowns' own structure stays.
THIN, HARDER, KEPT = (0.6, 1.2), 0.5, 0.5
#: New structure: size in pixels, deviation of brightness near buildings and in the woods.
ROUGH = ((8.0, 0.035, 0.024), (20.0, 0.03, 0.02))
#: Share of the ground that pieces cover, elsewhere and near those buildings.
LITTER = (0.006, 0.036)


def strip(picture: np.ndarray, damage: DamageMap, seed: int) -> np.ndarray:
    """``picture`` ``(H, W, 3)`` uint8 after the gusts: crowns give way to ground, some litter.

    On 44 ``train`` pairs of hurricane-michael hardly a crown keeps its structure: brightness finer
    than 20 pixels correlates by 0.2 with that of before (open ground 0.4); near buildings crowns
    come half-way to the red and a third to the green and blue of open ground, in the woods a third
    and not at all. A field without a unit is not known: the gusts were full everywhere.
    """
    rng = np.random.default_rng((seed, 45))
    painting = Painting.of(picture, damage, rng)
    low, high = LEAVES
    gust = np.clip((damage.intensity - low) / (high - low), 0, 1) if damage.unit else 1.0
    heavy, near = (
        nearness(painting.level >= DamageLevel.MAJOR, FAR),
        nearness(painting.index > 0, FAR),
    )
    thin = np.clip(rng.uniform(*THIN) + 0.2 * painting.noise(28.0, 12.0), 0, 1.2)
    thin = (thin + HARDER * heavy) * gust
    before, smooth = painting.picture, cv2.GaussianBlur(painting.picture, (0, 0), 6.0)
    crowns = np.clip(5 * painting.green() * np.maximum(painting.dark(), 0.3) - 1, 0, 1)
    share = np.array(WOODS) + near[..., None] * np.subtract(TOWN, WOODS)
    kept = (KEPT * (1 - 0.8 * heavy))[..., None]
    bare = smooth + kept * (before - smooth)
    bare = bare + thin[..., None] * share * (_open(painting, crowns) - smooth)
    for size, town, woods in ROUGH:
        rough = (woods + near * (town - woods)) * np.minimum(thin, 1) * painting.noise(size)
        bare = bare + rough[..., None]
    crowns = np.clip(2 * cv2.GaussianBlur(crowns, (0, 0), 1.5) - 0.5, 0, 1)
    painting.paint(bare, (painting.index == 0) * crowns * np.minimum(1.5 * thin, 1))
    litter = LITTER[0] + (LITTER[1] - LITTER[0]) * heavy
    painting.debris(litter * thin * np.clip(0.5 + painting.noise(14.0, 6.0), 0, 2), SCRAPS)
    return painting.rgb()


def _open(painting: Painting, crowns: np.ndarray) -> np.ndarray:
    """``(H, W, 3)``: the colour of the open ground around each place."""
    free = (painting.index == 0) & (painting.blue() < 0.5) & (painting.dark() < 0.5)
    free = free * (1 - np.minimum(3 * crowns, 1)).astype(np.float32)
    weight = cv2.GaussianBlur(free, (0, 0), 40.0)[..., None]
    around = cv2.GaussianBlur(painting.picture * free[..., None], (0, 0), 40.0)
    return (around + 0.02 * np.array(GROUND, np.float32)) / (weight + 0.02)
