"""How an event passes over a scene: when it reaches each pixel, and how it grows there.

A film has its own time t, from 0 (before) to 1 (after). A :class:`Passage` says which share of the
final intensity each pixel has met by then, ``progress(t)``: 0 everywhere at t = 0, 1 everywhere at
t = 1, and never less than before. The intensity so far is the final field times that share, and the
level of each building follows from the same capacities as the final one. So its level never
decreases, and in the last frame it is that of the scene without a film.

Film time is no clock: it shows the order of things, and gives slow and fast ones their room.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from afterscene.geodata.damage import DamageLevel, DamageMap
from afterscene.hazards.ground import Array, Ground

Knots = tuple[tuple[float, float], ...]


@dataclass(frozen=True, kw_only=True)
class Phase:
    """A part of an event: from ``onset`` on, within ``growth``, it brings ``share`` of the field.

    Each is a number or (H, W), in units of the passage's clock.
    """

    onset: Array | float
    growth: Array | float
    share: Array | float = 1.0

    def at(self, clock: float) -> Array:
        """The share that it has brought when the clock stands there."""
        grown = np.clip((clock - self.onset) / np.maximum(self.growth, 1e-4), 0, 1)
        return np.asarray(self.share * grown, np.float32)


@dataclass(frozen=True, kw_only=True)
class Passage:
    """An event in film time.

    Attributes:
        phases: Each pixel has the largest share that any of them has brought.
        tide: (time, height) knots of something that rises and falls; the clock of the phases is
            the greatest height so far. Without waves it rises from 0 to 1.
        bearing: Compass direction in which it moves, if it has one.
        track: (time, column, row) knots of its centre in pixels, if it has one.
    """

    phases: tuple[Phase, ...] = (Phase(onset=0.08, growth=0.8),)
    tide: Knots = ((0.0, 0.0), (1.0, 1.0))
    bearing: float | None = None
    track: tuple[tuple[float, float, float], ...] = ()

    def height(self, t: float) -> float:
        """How high the water (or what else comes and goes) stands, 0 to 1."""
        times, heights = zip(*self.tide, strict=True)
        return float(np.interp(t, times, heights))

    def clock(self, t: float) -> float:
        """The greatest height until then."""
        return max([self.height(t), *(height for time, height in self.tide if time <= t)])

    def progress(self, t: float, shape: tuple[int, int]) -> Array:
        """(H, W) float32 in [0, 1]: the share of the final intensity that was met until ``t``."""
        if not 0 < t < 1:
            return np.full(shape, float(t >= 1), np.float32)
        met = np.zeros(shape, np.float32)
        for phase in self.phases:
            met = np.maximum(met, phase.at(self.clock(t)))
        return np.clip(met, 0, 1)

    def ended(self, t: float) -> Array | float:
        """Of places to which the last of several phases comes: how far it has; 1 elsewhere."""
        if len(self.phases) == 1 or t >= 1:
            return 1.0
        return np.where(self.before_last() >= 1, 1, self.phases[-1].at(self.clock(t))).astype(
            np.float32
        )

    def before_last(self) -> Array:
        """The largest share that the phases before the last one bring."""
        shares = [np.asarray(phase.share, np.float32) for phase in self.phases[:-1]]
        return np.maximum.reduce(shares)

    def arrival(self, shape: tuple[int, int]) -> Array:
        """(H, W) when the phase that brings the most begins."""
        return np.broadcast_to(np.asarray(self.phases[-1].onset, np.float32), shape)

    def centre(self, t: float) -> tuple[float, float] | None:
        """(column, row) of its centre at ``t``; None without a track."""
        if not self.track:
            return None
        times, columns, rows = zip(*self.track, strict=True)
        return float(np.interp(t, times, columns)), float(np.interp(t, times, rows))


@dataclass(frozen=True)
class Footings:
    """Where the intensity at each building is read: means over its vertices and its centre."""

    rows: np.ndarray
    columns: np.ndarray
    first: np.ndarray

    @classmethod
    def of(cls, ground: Ground) -> "Footings":
        """Those of the buildings of ``ground``."""
        far = np.array([ground.shape[1] - 1, ground.shape[0] - 1])
        parts = [
            np.vstack([shapely.get_coordinates(s) for s in (b.polygon, b.polygon.centroid)])
            for b in ground.buildings
        ]
        columns, rows = np.rint(np.vstack(parts or [np.zeros((0, 2))]).clip(0, far)).astype(int).T
        first = np.cumsum([0, *(len(part) for part in parts)])[:-1]
        return cls(rows, columns, first.astype(int))

    def __call__(self, raster: np.ndarray) -> np.ndarray:
        """(n,) sums of ``raster`` over the points of each building."""
        if not len(self.first):
            return np.zeros(0)
        return np.add.reduceat(raster[self.rows, self.columns].astype(np.float64), self.first)


def levels_in_time(
    damage: DamageMap,
    limits: np.ndarray,
    ground: Ground,
    passage: Passage,
    times: Sequence[float],
) -> np.ndarray:
    """The level of each building at each time: (times, n) int, never less than before.

    A building reaches a level of its final ones when the intensity so far exceeds its capacity,
    ``limits`` (n, 3). Where the final level is more than that intensity gives (a sentence may ask
    for it), it is reached at the end. A building that is not classified stays so.
    """
    final = np.array([int(b.level or 1) for b in damage.buildings], int)
    points = Footings.of(ground)
    most = points(damage.intensity)
    count = np.maximum(points(np.ones_like(damage.intensity)), 1)
    with np.errstate(divide="ignore"):
        needed = np.where(most[:, None] > 0, limits / (most / count)[:, None], 1.0)
    needed = np.minimum(needed, 1.0)
    needed[np.arange(2, 5) > final[:, None]] = np.inf
    found = np.empty((len(times), len(final)), int)
    for row, t in enumerate(times):
        met = passage.progress(t, ground.shape)
        so_far = points(damage.intensity * met)
        share = np.where(most > 0, so_far / np.where(most > 0, most, 1), points(met) / count)
        found[row] = 1 + ((share[:, None] >= needed) & (share[:, None] > 0)).sum(axis=1)
    unknown = final == DamageLevel.UNCLASSIFIED
    found[:, unknown] = int(DamageLevel.UNCLASSIFIED)
    return found
