"""What shaking leaves of houses: heaps of brick and wood, fallen parts of roofs, cracks, dust.

The network alone smeared roofs into grey smoke; in the sketched picture rubble is seen on destroyed
houses, and cracks and fallen parts on others (card of the shipped generator).
"""

from __future__ import annotations

import numpy as np

from afterscene.depiction.painting import BRICK, WOOD, Painting
from afterscene.geodata.damage import DamageLevel, DamageMap

MINOR, MAJOR, DESTROYED = DamageLevel.MINOR, DamageLevel.MAJOR, DamageLevel.DESTROYED
DUST = (0.60, 0.57, 0.52)


def shake(picture: np.ndarray, damage: DamageMap, seed: int) -> np.ndarray:
    """``picture`` ``(H, W, 3)`` uint8 with collapsed and cracked houses; equal seeds, equal."""
    painting = Painting.of(picture, damage, np.random.default_rng([seed, 0xAF7E]))
    heap = painting.ragged(painting.at(DESTROYED), 6.5)
    painting.paint(painting.rubble(BRICK, grain=2.4), 0.95 * heap)
    fallen = painting.ragged(painting.parts(MAJOR, (0.35, 0.6), lumpy=0.2) > 0, 3.0)
    painting.paint(painting.rubble(BRICK), 0.95 * fallen)
    wood = painting.rubble(WOOD, grain=1.4)
    painting.paint(wood, 0.9 * painting.parts(MINOR, (0.05, 0.14), lumpy=0.8))
    cracks = np.abs(painting.noise(9.0)) < 0.05
    cracked = (cracks & painting.at(MINOR)).astype(np.float32)
    painting.shade(np.full(painting.shape, 0.55, np.float32), cracked)
    dust = 0.25 * painting.around(DESTROYED, 12.0) * (painting.index == 0)
    painting.paint(DUST, dust * np.clip(0.6 + 0.5 * painting.noise(10.0), 0, 1))
    litter = 0.10 * painting.around(DESTROYED, 9.0) + 0.03 * painting.around(MAJOR, 7.0)
    painting.debris(litter, BRICK)
    return painting.rgb()
