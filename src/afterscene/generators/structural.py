"""What wind breaks, drawn as a first sketch: bare decking, holes, tarps, strewn debris.

The shipped bridge, asked for minor or major wind damage, smears the roof: it has seen few examples
and its mean is grey. What the Joint Damage Scale names can be drawn: shingles missing in patches
with the wood below them bare (minor), a part of the roof open (major), a heap that has spread
(destroyed), and pieces around all of them. The sketch is then refined by the bridge from a
noised start (SDEdit, Meng et al. 2022, arXiv 2108.01073), which gives it the texture and light of
real post images. Shares, colours and reach were set by eye on post images of the split ``train``.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from afterscene.generators.burnt import burn
from afterscene.geodata.damage import DamageLevel, DamageMap
from afterscene.geodata.drawn.aftermath import paint_aftermath
from afterscene.geodata.drawn.ruin import WOOD, Wreck

MINOR, MAJOR, DESTROYED = DamageLevel.MINOR, DamageLevel.MAJOR, DamageLevel.DESTROYED
HAZARDS = ("wind", "tornado")
#: Drawn as a whole, ground and buildings, for a generator that has not learned them.
AFTERMATHS = ("wildfire", "earthquake")
#: What lies below shingles: decking, weathered boards, felt, tar; each building has one.
BELOW = ((0.74, 0.58, 0.46), (0.66, 0.57, 0.47), (0.50, 0.48, 0.46), (0.32, 0.30, 0.28))
HOW_OFTEN = (0.45, 0.25, 0.2, 0.1)
HOLE = (0.20, 0.19, 0.17)
TARP = (0.30, 0.45, 0.68)
PIECES = ((0.80, 0.64, 0.52), (0.82, 0.82, 0.80), (0.45, 0.42, 0.38), (0.62, 0.50, 0.40))
#: Share of the roof that lies bare, and of it that is open to the inside.
BARE = {MINOR: (0.05, 0.20), MAJOR: (0.25, 0.60)}
PATCHES = (22.0, 9.0, 4.0)


def draw_ground(picture: np.ndarray, damage: DamageMap, seed: int) -> np.ndarray:
    """The pre image on burnt or dusty ground, its buildings still whole: ``(H, W, 3)`` uint8."""
    if damage.hazard not in AFTERMATHS:
        return picture
    whole = [replace(b, level=DamageLevel.NO_DAMAGE) for b in damage.buildings]
    return paint_aftermath(picture, replace(damage, buildings=tuple(whole)), seed)


def sketch(picture: np.ndarray, damage: DamageMap, seed: int) -> np.ndarray | None:
    """The pre image with broken roofs and debris: ``(H, W, 3)`` uint8; None: nothing to draw.

    Args:
        picture: ``(H, W, 3)`` uint8.
        damage: Levels of the buildings; for wind and tornado its intensity is not used.
        seed: Equal seeds give equal sketches.
    """
    if damage.hazard == "wildfire":
        return burn(draw_ground(picture, damage, seed), damage, seed)
    if damage.hazard in AFTERMATHS:
        return paint_aftermath(picture, damage, seed)
    if damage.hazard not in HAZARDS:
        return None
    rng = np.random.default_rng((seed, 41))
    wreck = Wreck(picture.astype(np.float32) / 255, damage, rng)
    debris = (
        0.03 * wreck.around(MINOR, 8.0)
        + 0.10 * wreck.around(MAJOR, 9.0)
        + 0.30 * wreck.around(DESTROYED, 10.0)
    )
    wreck.debris(debris * np.clip(0.7 + 0.6 * wreck.noise(12.0, 5.0), 0, 2), PIECES)
    kinds = rng.choice(len(BELOW), len(damage.buildings) + 1, p=HOW_OFTEN)
    below = np.array(BELOW, np.float32)[kinds][wreck.index]
    boards = below * (1 + 0.13 * wreck.noise(1.5, 5.0))[..., None]
    for level, share in BARE.items():
        bare = wreck.parts(level, share, lumpy=0.45, scales=PATCHES)
        wreck.paint(boards, 0.85 * cv2.GaussianBlur(bare, (0, 0), 0.6))
    covered = wreck.parts(MINOR, (0.0, 0.12), lumpy=0.2)
    wreck.paint(TARP, 0.8 * covered * (wreck.noise(60.0) > 0.8))
    opened = wreck.parts(MAJOR, (0.04, 0.16), lumpy=0.45, scales=PATCHES)
    inside = np.array(HOLE, np.float32) * (1 + 0.4 * wreck.noise(2.0, 4.0))[..., None]
    wreck.paint(inside, 0.85 * opened)
    heap = wreck.ragged(wreck.at(DESTROYED), 5.0)
    wreck.paint(wreck.rubble((*PIECES[:1], *WOOD[:2]), grain=1.7), 0.95 * heap)
    return np.clip(np.rint(wreck.picture * 255), 0, 255).astype(np.uint8)
