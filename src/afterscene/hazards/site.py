"""The position of a scene within an event that is larger than the scene.

Tiles of one event must agree at their common border: a storm that passes one of them passes the
other. A :class:`Site` says where the scene's upper left corner is in the event's plane (metres, x
east, y south, origin at the event's north-west corner) and how large the event is. Then "the middle
of the scene" is the middle of the event for every hazard, random draws are those of the event, and
smooth noise depends on the position in the event (a lattice of hashed values), not on the tile.
"""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from afterscene.errors import BadParameter


@dataclass(frozen=True, kw_only=True)
class Site:
    """The position of a scene in an event.

    ``x``, ``y``: the scene's corner in the event; ``height``, ``width``: the event (all m);
    ``gsd``: metres per pixel.
    """

    x: float
    y: float
    height: float
    width: float
    gsd: float

    def __post_init__(self) -> None:
        values = (self.x, self.y, self.height, self.width, self.gsd)
        if not np.isfinite(values).all() or min(self.height, self.width, self.gsd) <= 0:
            raise BadParameter(f"{self}: give finite metres, and sides and gsd above 0")

    def knots(self, rows: range, columns: range, seed: int) -> NDArray[np.float32]:
        """Standard normal values of the event's lattice; each depends on its position alone."""
        out = np.empty((len(rows), len(columns)), np.float32)
        for i, row in enumerate(rows):
            for j, column in enumerate(columns):
                name = f"{seed}/{row}/{column}".encode()
                digest = hashlib.blake2b(name, digest_size=8).digest()
                rng = np.random.default_rng(int.from_bytes(digest, "big"))
                out[i, j] = rng.standard_normal()
        return out
