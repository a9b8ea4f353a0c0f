"""No evaluation tile may have been learned from, under its own name or another's.

Two guards. By name: a training source must not carry the id of an evaluation tile. By look: a
perceptual hash of each pre image (dHash: shrink to 17 x 16 grey values and note for each of the 256
neighbours in a row whether it grows brighter) must differ in more than 16 bits. On the 152 real
tiles of the project the nearest two different ones differ in 33 bits, while a tile saved again as
JPEG at quality 50, blurred, halved in size or brightened stays within 9 bits for 19 of 20.
A flat picture (open water, no data) has no such pattern and is compared by name alone.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from afterscene.detectors import TrainingPair
from afterscene.errors import LeakFound

SIDE = 16
NEAR = 16
#: Grey values: a picture whose shrunk version varies less has no pattern to compare.
FLAT = 1.5


def difference_hash(rgb: np.ndarray) -> np.ndarray | None:
    """(H, W, 3) uint8 -> (256,) bool, or None for a flat picture."""
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (SIDE + 1, SIDE), interpolation=cv2.INTER_AREA).astype(np.int16)
    if small.std() < FLAT:
        return None
    return (small[:, 1:] > small[:, :-1]).ravel()


def check_leaks(training: Sequence[TrainingPair], evaluation: Sequence[TrainingPair]) -> None:
    """Raise LeakFound where an evaluation tile, or one that looks like it, is in `training`.

    Synthetic pairs count by the pre image that they were made from.
    """
    kept = {pair.id: pair for pair in evaluation}
    for pair in training:
        if pair.id in kept:
            raise LeakFound(
                f"training pair {pair.id} is an evaluation tile; "
                "remove it from the training sources, or evaluate on another split"
            )
    hashes = [(pair.id, difference_hash(pair.pre)) for pair in evaluation]
    known = [(name, bits) for name, bits in hashes if bits is not None]
    if not known:
        return
    table = np.stack([bits for _, bits in known])
    for pair in training:
        bits = difference_hash(pair.pre)
        if bits is None:
            continue
        distance = (table != bits).sum(axis=1)
        nearest = int(distance.argmin())
        if distance[nearest] <= NEAR:
            raise LeakFound(
                f"training pair {pair.id} looks like evaluation tile {known[nearest][0]} "
                f"({distance[nearest]} of {SIDE * SIDE} bits differ, {NEAR} or fewer are a copy); "
                "remove it from the training sources"
            )
