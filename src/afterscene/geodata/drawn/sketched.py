"""A place sketched by hand (``pre --sketch``): strokes for roads, closed shapes for roofs.

Dark ink that closes a shape of a building's size is a roof, as is a solid dark blot; all other ink
is a road's middle line. Green scribbles are trees, blue is water: a closed blue line is filled, an
open one is a stream. Small gaps between strokes are closed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from shapely.geometry import Polygon

from afterscene.geodata.damage import Building
from afterscene.geodata.painted import read_painted

#: The colours of the kinds, several shades each.
PALETTE = (
    *(("roofs and roads", (level,) * 3) for level in (20, 55, 90)),
    *(("trees", (30, 150, 50)), ("trees", (20, 90, 30)), ("trees", (110, 200, 110))),
    *(("water", (30, 90, 220)), ("water", (20, 30, 160)), ("water", (110, 170, 240))),
)
#: Square metres of a roof, and how much of its convex hull it covers.
SMALLEST_ROOF, LARGEST_ROOF, SOLID = 9.0, 2500.0, 0.7
#: Metres: width of a road and of a stream, length of the shortest road, gaps that are closed.
ROAD, STREAM, SHORTEST, GAP = 6.0, 4.0, 12.0, 3.0


@dataclass(frozen=True, kw_only=True, eq=False)
class SketchedPlace:
    """What a sketch holds: footprints, and (H, W) bool masks of roads, water and woods."""

    buildings: tuple[Building, ...]
    roads: np.ndarray
    water: np.ndarray
    woods: np.ndarray

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) in pixels."""
        height, width = self.roads.shape
        return height, width


def read_sketched_place(path: Path, gsd: float) -> SketchedPlace:
    """The place of a sketch whose pixels are ``gsd`` metres wide.

    Raises:
        MissingFile, BadImage: it cannot be read.
        BadParameter: it has a colour that means nothing, or is blank.
    """
    kinds, _ = read_painted(path, PALETTE, strokes=True)
    ink, green, blue = (kinds == k for k in (1, 2, 3))
    width = _width_of(ink)
    roofs = list(_roofs(ink, green | blue, width, gsd))
    covered = np.zeros(ink.shape, np.uint8)
    for outline in roofs:
        cv2.fillPoly(covered, [outline], 1)
    near = _grown(covered > 0, width + 2)
    buildings = tuple(
        Building(uid=f"sketch-{k}", level=None, polygon=Polygon(outline))
        for k, outline in enumerate(roofs)
    )
    roads = _grown(_long(ink & ~near, SHORTEST / gsd), max(ROAD / gsd - width, 0) / 2)
    water = _filled(blue, GAP / gsd)
    return SketchedPlace(
        buildings=buildings,
        roads=roads & (covered == 0),
        water=_grown(water, max(STREAM / gsd - _width_of(blue), 0) / 2) & (covered == 0),
        woods=_filled(green, GAP / gsd) & (covered == 0),
    )


def _roofs(ink: np.ndarray, over: np.ndarray, width: float, gsd: float) -> Iterator[np.ndarray]:
    """Outlines (n, 2) int32 of the roofs, along the middle of their strokes.

    Other colours ``over`` the ink hide some of it; half of the rim must be ink.
    """
    joined = _closed(ink | over, GAP / gsd)
    solid = cv2.morphologyEx(ink.astype(np.uint8), cv2.MORPH_OPEN, _brush(2 * width + 3))
    for mask, grow in ((~joined, width / 2), (solid > 0, 0.0)):
        count, parts, stats, _ = cv2.connectedComponentsWithStats(
            mask.astype(np.uint8), connectivity=4
        )
        for k in range(1, count):
            left, top, wide, high, area = stats[k]
            at_rim = left == 0 or top == 0 or left + wide == ink.shape[1] or top + high == len(ink)
            if at_rim or not SMALLEST_ROOF / 2 <= area * gsd**2 <= LARGEST_ROOF:
                continue
            own = parts == k
            rim = _grown(own, GAP / gsd) & ~own
            if grow and 2 * (rim & _grown(ink, 1)).sum() < rim.sum():
                continue
            outline = _outline(_grown(own, grow))
            if _is_roof(outline, gsd):
                yield outline


def _outline(region: np.ndarray) -> np.ndarray:
    """The rectangle around a region where it fills that, else its outline without wobbles."""
    found, _ = cv2.findContours(region.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    contour = max(found, key=cv2.contourArea)
    box = cv2.minAreaRect(contour)
    if cv2.contourArea(contour) > 0.75 * box[1][0] * box[1][1]:
        return np.asarray(cv2.boxPoints(box).round().astype(np.int32))
    smooth = cv2.approxPolyDP(contour, 0.02 * cv2.arcLength(contour, True), True)
    return np.asarray(smooth[:, 0].astype(np.int32))


def _is_roof(outline: np.ndarray, gsd: float) -> bool:
    if len(outline) < 3 or not Polygon(outline).is_valid:
        return False
    area = float(cv2.contourArea(outline))
    hull = float(cv2.contourArea(cv2.convexHull(outline)))
    return SMALLEST_ROOF <= area * gsd**2 <= LARGEST_ROOF and area >= SOLID * hull


def _width_of(ink: np.ndarray) -> float:
    """Pixels across a usual stroke; 0 without any."""
    inner = cv2.distanceTransform(np.pad(ink, 1).astype(np.uint8), cv2.DIST_L2, 5)
    ridge = (inner > 0) & (inner >= cv2.dilate(inner, _brush(3)))
    return 2 * float(np.median(inner[ridge])) if ridge.any() else 0.0


def _long(ink: np.ndarray, least: float) -> np.ndarray:
    """The ink of strokes at least so many pixels long."""
    _, parts, stats, _ = cv2.connectedComponentsWithStats(ink.astype(np.uint8), connectivity=8)
    sides = np.hypot(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT])
    keep = sides >= least
    keep[0] = False
    return np.asarray(keep[parts])


def _filled(mask: np.ndarray, gap: float) -> np.ndarray:
    """A mask with its gaps closed and what it encloses filled."""
    joined = _closed(mask, gap).astype(np.uint8)
    found, _ = cv2.findContours(joined, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return np.asarray(cv2.drawContours(joined, found, -1, 1, -1) > 0)


def _closed(mask: np.ndarray, gap: float) -> np.ndarray:
    return np.asarray(cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, _brush(gap)) > 0)


def _grown(mask: np.ndarray, reach: float) -> np.ndarray:
    """All within ``reach`` pixels of a mask."""
    return np.asarray(cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5) <= reach)


def _brush(width: float) -> np.ndarray:
    side = max(1, round(width))
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))
