"""First sketches of damage that a generator has not learned, for the bridge to refine.

The shipped bridge, asked for minor or major wind damage, smears the roof: it has seen few examples
and its mean is grey. What the Joint Damage Scale names can be drawn (:mod:`.blown`, :mod:`.burnt`,
:mod:`afterscene.geodata.drawn.aftermath`). The sketch enters the bridge noised (SDEdit, Meng et
al. 2022, arXiv 2108.01073), which gives it the texture and light of real post images.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from afterscene.generators.blown import blow, strip
from afterscene.generators.burnt import burn
from afterscene.geodata.damage import DamageLevel, DamageMap
from afterscene.geodata.drawn.aftermath import paint_aftermath

#: Drawn on the buildings, and on the trees around them.
HAZARDS = ("wind", "tornado")
#: Drawn as a whole, ground and buildings, for a generator that has not learned them.
AFTERMATHS = ("wildfire", "earthquake")


def draw_ground(
    picture: np.ndarray, damage: DamageMap, seed: int, *, within: np.ndarray | None = None
) -> np.ndarray:
    """The pre image on burnt, dusty or wind-blown ground, its buildings whole: ``(H, W, 3)`` uint8.

    within: ``(H, W)`` in [0, 1], how far wind may change a pixel; None: everywhere.
    """
    if damage.hazard in HAZARDS:
        blown = strip(picture, damage, seed)
        if within is None:
            return blown
        mixed = picture + within[..., None] * (blown.astype(np.float32) - picture)
        return mixed.round().astype(np.uint8)
    if damage.hazard not in AFTERMATHS:
        return picture
    whole = [replace(b, level=DamageLevel.NO_DAMAGE) for b in damage.buildings]
    return paint_aftermath(picture, replace(damage, buildings=tuple(whole)), seed)


def sketch(
    picture: np.ndarray, ground: np.ndarray, damage: DamageMap, seed: int
) -> np.ndarray | None:
    """The scene with its damage: ``(H, W, 3)`` uint8; None: nothing to draw.

    Args:
        picture: Before the disaster, ``(H, W, 3)`` uint8.
        ground: The same with what :func:`draw_ground` did to it.
        damage: Levels of the buildings; for wind and tornado its intensity is not used.
        seed: Equal seeds give equal sketches.
    """
    if damage.hazard == "wildfire":
        return burn(ground, damage, seed)
    if damage.hazard in HAZARDS:
        return blow(ground, damage, seed)
    return paint_aftermath(picture, damage, seed) if damage.hazard in AFTERMATHS else None


def touched(first: np.ndarray, ground: np.ndarray, reach: int = 3) -> np.ndarray:
    """``(H, W)`` float32 in [0, 1]: where a sketch drew, ``reach`` pixels wider, with a soft edge.

    What it left alone the bridge need not touch: its grain on whole roofs would say "damaged".
    """
    drawn = (first != ground).any(axis=2).astype(np.uint8)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return cv2.GaussianBlur(cv2.dilate(drawn, kernel).astype(np.float32), (0, 0), 1.0)
