"""No evaluation tile may have been learned from, under its own name or another's.

Two guards. By name: a training source must not carry the id of an evaluation tile. By look: the
perceptual hash of its pre image (:mod:`afterscene.geodata.looks`) must differ in more than 16 bits.
A flat picture (open water, no data) is compared by name alone.
"""

from collections.abc import Sequence

import numpy as np

from afterscene.detectors import TrainingPair
from afterscene.errors import LeakFound
from afterscene.geodata.looks import NEAR, SIDE, difference_hash


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
