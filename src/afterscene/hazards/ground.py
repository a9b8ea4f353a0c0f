"""The ground a hazard acts on: the scene's grid in metres, with noise and sampling.

Axes: x grows with the column (east), y with the row (south), both in metres from the outer corner
of pixel (0, 0). A compass bearing of 0 degrees points up the picture (north), 90 to the right.
Smooth fields are computed on a coarse lattice of cell centres and interpolated bilinearly to the
pixels: a 1024 x 1024 scene costs no more than a 128 x 128 one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
import shapely
from numpy.typing import NDArray

from afterscene.depiction.evidence import Evidence
from afterscene.geodata.damage import Building, instances
from afterscene.geodata.resolution import metres_per_pixel
from afterscene.geodata.scene import Scene
from afterscene.hazards.site import Site

DEFAULT_GSD = 0.5
#: Share of a picture above which water counts as a river, lake or sea.
LEAST_WATER = 0.003
Array = NDArray[np.float32]


@dataclass(frozen=True)
class Lattice:
    """Cell centres ``x``, ``y`` (h, w) in metres, covering a grid of ``shape`` pixels.

    ``steps`` is the size (y, x) of a cell in metres.
    """

    x: Array
    y: Array
    shape: tuple[int, int]
    steps: tuple[float, float]

    def spread(self, values: np.ndarray) -> Array:
        """Interpolate (h, w) cell values bilinearly to (H, W) pixels."""
        height, width = self.shape
        cells = np.ascontiguousarray(values, dtype=np.float32)
        return np.asarray(cv2.resize(cells, (width, height), interpolation=cv2.INTER_LINEAR))


@dataclass(frozen=True)
class Ground:
    """A scene with its buildings, seen as a plane in metres."""

    scene: Scene
    buildings: Sequence[Building]
    site: Site | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) in pixels."""
        return self.scene.shape

    @cached_property
    def gsd(self) -> float:
        """Metres per pixel by the place of the scene or of its buildings; 0.5 if neither tells."""
        if self.site is not None:
            return self.site.gsd
        return metres_per_pixel(self.scene.grid, self.buildings) or DEFAULT_GSD

    @property
    def extent(self) -> tuple[float, float]:
        """(height, width) in metres of the scene, or of the event that it is part of."""
        if self.site is not None:
            return self.site.height, self.site.width
        return self.size

    @property
    def size(self) -> tuple[float, float]:
        """(height, width) of the scene itself in metres."""
        return self.shape[0] * self.gsd, self.shape[1] * self.gsd

    @property
    def centre(self) -> tuple[float, float]:
        """(x, y) of the middle of the scene (the event) in metres."""
        return self.extent[1] / 2, self.extent[0] / 2

    @property
    def radius(self) -> float:
        """Half the diagonal in metres: no point lies farther from the centre."""
        return float(np.hypot(*self.extent) / 2)

    @property
    def corner(self) -> tuple[float, float]:
        """(x, y) of the scene's upper left corner in metres."""
        return (0.0, 0.0) if self.site is None else (self.site.x, self.site.y)

    def start(self, along: np.ndarray, bearing: float) -> float:
        """Where something that moves along ``bearing`` enters the scene.

        The smallest of ``along`` (metres from the centre), or the event's first corner, so that
        neighbouring tiles agree.
        """
        if self.site is None:
            return float(along.min())
        ux, uy = heading(bearing)
        return -(abs(ux) * self.extent[1] + abs(uy) * self.extent[0]) / 2

    def lattice(self, cells: int = 128) -> Lattice:
        """Return at most ``cells`` x ``cells`` cell centres over the scene."""
        count = [min(cells, n) for n in self.shape]
        steps = [n / c * self.gsd for n, c in zip(self.shape, count, strict=True)]
        y, x = (
            (np.arange(c, dtype=np.float32) + 0.5) * s for c, s in zip(count, steps, strict=True)
        )
        x, y = x + np.float32(self.corner[0]), y + np.float32(self.corner[1])
        grid_y, grid_x = np.meshgrid(y, x, indexing="ij")
        return Lattice(grid_x, grid_y, self.shape, (steps[0], steps[1]))

    def noise(self, length: float, rng: np.random.Generator, *, cells: int = 256) -> Array:
        """Return a smooth (H, W) field in -2.5..2.5 with mean 0 and variance about 1.

        ``length`` is the distance between independent values, in m. Within an event the field is
        that of the event: neighbouring tiles have the same values at their border.
        """
        if self.site is not None:
            return self._event_noise(self.site, length, int(rng.integers(2**63)))
        knots = [int(np.ceil(side / length)) + 3 for side in self.extent]
        knots = [min(k, cells) for k in knots]
        values = rng.standard_normal(knots).astype(np.float32)
        # Cubic interpolation averages between knots and keeps about 0.7 of the variance.
        height, width = self.shape
        full = cv2.resize(values / 0.83, (width, height), interpolation=cv2.INTER_CUBIC)
        return np.asarray(np.clip(full, -2.5, 2.5), dtype=np.float32)

    def _event_noise(self, site: Site, length: float, seed: int) -> Array:
        """Cubic interpolation between the event's lattice values, at each pixel's centre."""
        first = [int(np.floor(c / length)) - 2 for c in (site.y, site.x)]
        sides = [int(np.ceil(side / length)) + 6 for side in self.size]
        ranges = [range(f, f + n) for f, n in zip(first, sides, strict=True)]
        knots = site.knots(ranges[0], ranges[1], seed) / np.float32(0.83)
        y, x = (
            ((np.arange(n) + 0.5) * site.gsd + c) / length - f
            for n, c, f in zip(self.shape, (site.y, site.x), first, strict=True)
        )
        columns, rows = np.meshgrid(x.astype(np.float32), y.astype(np.float32))
        full = cv2.remap(knots, columns, rows, cv2.INTER_CUBIC)
        return np.asarray(np.clip(full, -2.5, 2.5), dtype=np.float32)

    @cached_property
    def water(self) -> NDArray[np.bool_] | None:
        """(H, W) where the picture shows open water; None if hardly any, or for a tile of an event.

        The tiles of an event share one field, which must not depend on the picture of one tile.
        """
        if self.site is not None:
            return None
        picture = self.scene.rgb().astype(np.float32) / 255
        seen = Evidence(picture=picture, roofs=self.cover() > 0, gsd=self.gsd).water
        return seen if seen.mean() > LEAST_WATER else None

    def sample(self, raster: np.ndarray) -> NDArray[np.float64]:
        """Return (n,) means of ``raster`` over each footprint's vertices and centre.

        Points outside the grid get the nearest pixel.
        """
        far = np.array([self.shape[1] - 1, self.shape[0] - 1])
        out = np.zeros(len(self.buildings))
        for i, building in enumerate(self.buildings):
            middle = shapely.get_coordinates(building.polygon.centroid)
            points = np.vstack([shapely.get_coordinates(building.polygon), middle])
            cols, rows = np.rint(points.clip(0, far)).astype(int).T
            out[i] = raster[rows, cols].mean()
        return out

    def cover(self) -> Array:
        """Return (H, W) 1 where a building stands, else 0."""
        return (instances(self.buildings, self.shape) > 0).astype(np.float32)


def heading(bearing: float) -> tuple[float, float]:
    """Return the unit vector (x, y) of a compass bearing in degrees; y points down the picture."""
    angle = np.deg2rad(bearing)
    return float(np.sin(angle)), float(-np.cos(angle))


def along_across(
    x: np.ndarray, y: np.ndarray, origin: tuple[float, float], bearing: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return signed distances in metres along a bearing from ``origin`` and to its right."""
    ux, uy = heading(bearing)
    dx, dy = x - origin[0], y - origin[1]
    return dx * ux + dy * uy, -dx * uy + dy * ux


def crossing(ground: Ground, bearing: float) -> Array:
    """Return (H, W) 0..1: how far along a bearing a pixel lies, from first to last in the scene."""
    cells = ground.lattice()
    along, _ = along_across(cells.x, cells.y, ground.centre, bearing)
    first, last = float(along.min()), float(along.max())
    return np.clip((cells.spread(along) - first) / max(last - first, 1e-6), 0, 1)


def drawn(value: float | None, low: float, high: float, rng: np.random.Generator) -> float:
    """Return ``value``, or a uniform draw where it is None.

    A number is drawn in both cases, so that fixing one parameter does not change the others.
    """
    draw = float(rng.uniform(low, high))
    return draw if value is None else float(value)
