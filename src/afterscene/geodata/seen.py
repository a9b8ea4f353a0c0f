"""Buildings and pixels without data: their level is unknown and must not be learned.

A level needs pixels: a building of which less than :data:`LEAST` of its pixels in the picture hold
data is un-classified, and a target is 255 wherever the picture holds none.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from afterscene.geodata.damage import IGNORE, Building, DamageLevel, layers, rasterize

LEAST = 0.5
"""Share of a footprint's pixels that must hold data."""


def seen_shares(buildings: Sequence[Building], seen: np.ndarray) -> np.ndarray:
    """(buildings,) share of each footprint that holds data, of what of it lies in the picture.

    ``seen`` is (H, W) bool. 1 where nothing of a building lies in the picture.
    """
    if seen.all() or not buildings:
        return np.ones(len(buildings))
    shape = (seen.shape[0], seen.shape[1])
    inside, known = np.zeros((2, len(buildings) + 1))
    for owner in layers(buildings, shape):
        ids = owner.ravel()
        inside += np.bincount(ids, minlength=len(inside))
        known += np.bincount(ids, seen.ravel(), minlength=len(inside))
    return np.asarray(np.where(inside > 0, known / np.maximum(inside, 1), 1.0)[1:])


def unseen_unclassified(buildings: Sequence[Building], seen: np.ndarray) -> tuple[Building, ...]:
    """The buildings, un-classified where too little of one holds data; one without level stays."""
    lost = seen_shares(buildings, seen) < LEAST
    return tuple(
        replace(b, level=DamageLevel.UNCLASSIFIED) if gone and b.level is not None else b
        for b, gone in zip(buildings, lost, strict=True)
    )


def known_target(buildings: Iterable[Building], seen: np.ndarray) -> np.ndarray:
    """The xBD target (:func:`rasterize`) with 255 where the picture holds no data."""
    target = rasterize(buildings, (seen.shape[0], seen.shape[1]))
    return target if seen.all() else np.where(seen, target, np.uint8(IGNORE))
