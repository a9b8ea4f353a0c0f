"""Buildings, their damage, and the raster of it.

A label is a type, not arithmetic: a :class:`Building` has a polygon and a :class:`DamageLevel`,
and only :func:`rasterize` turns them into the numbers of an xBD target. The official targets (xBD,
Gupta et al. 2019, arXiv 1911.09296) are reproduced by OpenCV's ``fillPoly`` on vertices rounded to
the nearest integer, in file order, later buildings over earlier ones.

Rules beyond the official files: a hole stays background except for its border pixels, which belong
to the building; the parts of a multipolygon are filled one after the other; where a ring crosses
itself the even-odd rule decides; what lies outside the raster is cut off; a polygon below one
pixel still marks the pixels that its border touches.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

import cv2
import numpy as np
import shapely
from shapely.geometry import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from afterscene.errors import BadParameter
from afterscene.geodata.levels import IGNORE as IGNORE
from afterscene.geodata.levels import LEVEL_WORDS as LEVEL_WORDS
from afterscene.geodata.levels import LEVELS as LEVELS
from afterscene.geodata.levels import DamageLevel as DamageLevel

Unclassified = Literal["ignore", "as-no-damage"]
FARTHEST = 1e9
"""No coordinate lies farther out, in pixels or degrees; sums and products stay exact enough."""
_FAR = 1 << 14  # fillPoly works in 32-bit integers with 16 fractional bits


#: (red, green, blue), from blue to red over yellow: told apart with any common colour blindness.
COLOURS: Mapping[DamageLevel, tuple[int, int, int]] = MappingProxyType(
    {
        DamageLevel.NO_DAMAGE: (59, 130, 196),
        DamageLevel.MINOR: (250, 218, 94),
        DamageLevel.MAJOR: (243, 134, 48),
        DamageLevel.DESTROYED: (192, 28, 40),
        DamageLevel.UNCLASSIFIED: (150, 150, 150),
    }
)


@dataclass(frozen=True, kw_only=True)
class Building:
    """One footprint: `polygon` in pixels (x = column, y = row, origin at the upper left corner).

    `level` is None before the disaster (not assessed); `lnglat` is the same outline in WGS84
    degrees where it is known. Raises BadParameter for an empty or non-finite polygon.
    """

    polygon: Polygon | MultiPolygon
    level: DamageLevel | None
    uid: str
    lnglat: Polygon | MultiPolygon | None = None

    def __post_init__(self) -> None:
        _check_outline(self.polygon, self.uid, "polygon")
        if self.lnglat is not None:
            _check_outline(self.lnglat, self.uid, "lnglat")
        if self.level is not None and not isinstance(self.level, DamageLevel):
            raise BadParameter(
                f"building {self.uid!r}: level {self.level!r} is not a DamageLevel; "
                "use DamageLevel(...) or None for not assessed"
            )

    def moved(self, x: float, y: float) -> "Building":
        """The building `x` columns right and `y` rows down, its ``lnglat`` forgotten."""
        polygon = shapely.transform(self.polygon, lambda xy: xy + np.array((x, y)))
        return replace(self, polygon=polygon, lnglat=None)


def _check_outline(outline: BaseGeometry, uid: str, field: str) -> None:
    if not isinstance(outline, Polygon | MultiPolygon) or outline.is_empty:
        raise BadParameter(f"building {uid!r}: {field} is not a polygon with an area; leave it out")
    if not (np.abs(shapely.get_coordinates(outline)) <= FARTHEST).all():
        raise BadParameter(
            f"building {uid!r}: {field} has NaN or a coordinate beyond {FARTHEST:.0e}; leave it out"
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class DamageMap:
    """What a hazard did: a level for each building, and the field that decided it.

    `intensity` is (H, W) float32 in `unit` (m/s, g, m of water ...); `parameters` are the hazard's
    fields, so that the map tells how it was made.
    """

    buildings: tuple[Building, ...]
    intensity: np.ndarray
    unit: str
    hazard: str
    parameters: Mapping[str, float | str]

    def __post_init__(self) -> None:
        if self.intensity.ndim != 2 or self.intensity.dtype != np.float32:
            raise BadParameter(
                f"damage map of {self.hazard!r}: intensity is {self.intensity.dtype} of shape "
                f"{self.intensity.shape}; give (H, W) float32"
            )
        object.__setattr__(self, "buildings", tuple(self.buildings))
        object.__setattr__(self, "parameters", MappingProxyType(dict(self.parameters)))


def rasterize(
    buildings: Iterable[Building],
    shape: tuple[int, int],
    *,
    unclassified: Unclassified = "ignore",
) -> np.ndarray:
    """The xBD target of `buildings`: (H, W) uint8, 0 background, 1..4 damage level.

    Un-classified buildings become 255 under ``ignore`` and 1 under ``as-no-damage``; buildings
    without a level (before the disaster) become 1, as in the official pre targets.
    """
    if unclassified not in ("ignore", "as-no-damage"):
        raise BadParameter(f"unclassified={unclassified!r}: choose 'ignore' or 'as-no-damage'")
    target = np.zeros(_checked(shape), np.uint8)
    for building in buildings:
        value = 1 if building.level is None else int(building.level)
        if value == DamageLevel.UNCLASSIFIED and unclassified == "as-no-damage":
            value = 1
        _fill(target, building, value)
    return target


def instances(buildings: Sequence[Building], shape: tuple[int, int]) -> np.ndarray:
    """Which building covers a pixel: (H, W) int32, 0 background, i + 1 for ``buildings[i]``."""
    index = np.zeros(_checked(shape), np.int32)
    for i, building in enumerate(buildings):
        _fill(index, building, i + 1)
    return index


def layers(buildings: Sequence[Building], shape: tuple[int, int]) -> Iterator[np.ndarray]:
    """Rasters as :func:`instances` draws them, in which each building with pixels has some.

    The first is that raster; buildings that others hide completely stand in a further one.
    """
    numbers = np.arange(len(buildings) + 1, dtype=np.int32)
    raster = instances(buildings, shape)
    yield raster
    while True:
        numbers = np.union1d([0], np.setdiff1d(numbers, raster)).astype(np.int32)
        raster = numbers[instances([buildings[i - 1] for i in numbers[1:]], shape)]
        if not raster.any():
            return
        yield raster


def _checked(shape: tuple[int, int]) -> tuple[int, int]:
    height, width = shape
    if height < 1 or width < 1:
        raise BadParameter(f"raster shape {shape} is empty; give (height, width) of at least 1")
    return height, width


def _fill(raster: np.ndarray, building: Building, value: int) -> None:
    for part in shapely.get_parts(building.polygon):
        for piece in _near(part, raster.shape):
            rings = [np.rint(ring.coords)[:, :2].astype(np.int32) for ring in _rings(piece)]
            cv2.fillPoly(raster, rings, value)


def _rings(polygon: Polygon) -> Iterator[shapely.LinearRing]:
    yield polygon.exterior
    yield from polygon.interiors


def _near(polygon: Polygon, shape: tuple[int, ...]) -> list[Polygon]:
    """`polygon`, or what of it lies near the raster where its numbers would overflow."""
    left, top, right, bottom = polygon.bounds
    height, width = shape
    if right < -1 or bottom < -1 or left > width + 1 or top > height + 1:
        return []
    if min(left, top) >= -_FAR and right <= width + _FAR and bottom <= height + _FAR:
        return [polygon]
    frame = shapely.box(-_FAR, -_FAR, width + _FAR, height + _FAR)
    cut = shapely.get_parts(shapely.intersection(shapely.make_valid(polygon), frame))
    return [piece for piece in cut if isinstance(piece, Polygon) and not piece.is_empty]
