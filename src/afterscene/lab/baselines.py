"""Baselines that draw a post image without a network: copy-paste and the average image.

*Copy-paste*: damaged buildings are cut out of the post images of a training split. Each building to
be damaged gets a donor of its level and hazard (of any hazard if its own has none), one of the
closest in size and proportion, rotated and scaled onto the footprint and blended over a few pixels.
Pixels of other buildings do not change. *Average*: the mean post image of the event in training,
which minimises the squared error if only the event is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from afterscene.errors import BadParameter
from afterscene.generators.crops import affected_mask
from afterscene.geodata.damage import Building, instances
from afterscene.geodata.leaks import Fingerprint, leaks
from afterscene.geodata.pair import LabelledPair
from afterscene.hazards import hazard_of

DAMAGED = (2, 3, 4)
#: Pixels beyond the footprint that a paste may touch, and the width of its blending edge.
MARGIN, FEATHER = 4, 4.0
#: One of so many closest donors is drawn at random, so that a ruin is not repeated along a street.
CHOICE = 5
SCALE = (0.5, 2.0)


@dataclass(frozen=True, kw_only=True)
class Rectangle:
    """The smallest rotated rectangle around an outline: pixels, and the angle of its long side."""

    centre: tuple[float, float]  # x, y
    long: float
    short: float
    angle: float

    @classmethod
    def of(cls, outline: BaseGeometry) -> Rectangle:
        """Measured on the corners of `outline`."""
        points = shapely.get_coordinates(outline).astype(np.float32)
        (x, y), (width, height), degrees = cv2.minAreaRect(points)
        if height > width:
            width, height, degrees = height, width, degrees + 90
        angle = float(np.deg2rad(degrees))
        return cls(centre=(x, y), long=max(width, 1.0), short=max(height, 1.0), angle=angle)

    def unlike(self, other: Rectangle) -> float:
        """Difference in size: sum of the absolute log ratios of both sides."""
        return abs(np.log(self.long / other.long)) + abs(np.log(self.short / other.short))


@dataclass(frozen=True, kw_only=True)
class Donor:
    """A damaged building cut out of a post image; the footprint is in pixels of the cut."""

    pixels: np.ndarray
    footprint: Rectangle
    level: int
    hazard: str


@dataclass(frozen=True, kw_only=True)
class TrainingPosts:
    """What the baselines know of a training split.

    `averages` holds the mean post (H, W, 3) uint8 by event, and over all under ``""``; `pairs`
    is the number of pairs read; `left_out` names pairs that are, lie near or look like evaluated
    ones.
    """

    donors: tuple[Donor, ...] = ()
    averages: dict[str, np.ndarray] = field(default_factory=dict)
    pairs: int = 0
    left_out: tuple[str, ...] = ()

    def average(self, event: str, shape: tuple[int, int]) -> np.ndarray:
        """The mean post of the event, or of all where it has none, on a grid of `shape`."""
        if not self.averages:
            raise BadParameter(
                "no training pair with a post image was read; give a folder with a split train"
            )
        mean = self.averages.get(event, self.averages[""])
        if mean.shape[:2] == shape:
            return mean.copy()
        return cv2.resize(mean, shape[::-1], interpolation=cv2.INTER_AREA)


def harvest(
    pairs: Iterable[LabelledPair],
    *,
    held_out: Sequence[Fingerprint] = (),
    advance: Callable[[int], None] = lambda _: None,
) -> TrainingPosts:
    """Cut donors and take means, pair by pair; only these stay in memory.

    ``held_out`` tiles, their neighbours and their copies are left out.
    """
    donors: list[Donor] = []
    left_out: list[str] = []
    sums, used = _Means(), 0
    for pair in pairs:
        advance(1)
        if any(leaks([pair.fingerprint], held_out)):
            left_out.append(pair.id)
            continue
        post = pair.post.rgb()
        sums.add(pair.event, post)
        donors += _cut_all(post, pair.buildings, hazard_of(pair.event) or "")
        used += 1
    return TrainingPosts(
        donors=tuple(donors), averages=sums.means(), pairs=used, left_out=tuple(left_out)
    )


class _Means:
    """Running sums of post images by event, all resized to the first one."""

    def __init__(self) -> None:
        self.sums: dict[str, np.ndarray] = {}
        self.counts: dict[str, int] = {}

    def add(self, event: str, post: np.ndarray) -> None:
        first = self.sums.get("")
        if first is not None and first.shape != post.shape:
            post = cv2.resize(post, first.shape[1::-1], interpolation=cv2.INTER_AREA)
        for name in {event, ""}:
            self.sums[name] = self.sums.get(name, np.zeros(1)) + post.astype(np.float64)
            self.counts[name] = self.counts.get(name, 0) + 1

    def means(self) -> dict[str, np.ndarray]:
        return {
            name: np.rint(total / self.counts[name]).astype(np.uint8)
            for name, total in self.sums.items()
        }


def _cut_all(post: np.ndarray, buildings: Sequence[Building], hazard: str) -> list[Donor]:
    cuts = (_cut(post, b, hazard) for b in buildings if b.level in DAMAGED)
    return [cut for cut in cuts if cut is not None]


def _cut(post: np.ndarray, building: Building, hazard: str) -> Donor | None:
    """The building with a margin of a third of its size; None if the image edge cuts it."""
    left, top, right, bottom = building.polygon.bounds
    height, width = post.shape[:2]
    if min(left, top) < 0 or right >= width or bottom >= height:
        return None
    margin = 8 + 0.35 * max(right - left, bottom - top)
    first_col, first_row = int(max(left - margin, 0)), int(max(top - margin, 0))
    last_col, last_row = int(min(right + margin, width)), int(min(bottom + margin, height))
    seen = Rectangle.of(building.polygon)
    x, y = seen.centre
    return Donor(
        pixels=post[first_row:last_row, first_col:last_col].copy(),
        footprint=Rectangle(
            centre=(x - first_col, y - first_row),
            long=seen.long,
            short=seen.short,
            angle=seen.angle,
        ),
        level=int(building.level or 0),
        hazard=hazard,
    )


def copy_paste(
    pre: np.ndarray,
    buildings: Sequence[Building],
    hazard: str,
    donors: Sequence[Donor],
    rng: np.random.Generator,
) -> np.ndarray:
    """`pre` (H, W, 3) uint8 with a donor pasted on each damaged building.

    Other pixels do not change, nor does a building of a level without donors.
    """
    picture = pre.astype(np.float32)
    owner = instances(buildings, pre.shape[:2])
    for number, building in enumerate(buildings, 1):
        if building.level not in DAMAGED:
            continue
        donor = choose(donors, building, hazard, rng)
        if donor is not None:
            _paste(picture, owner, number, building, donor)
    return np.rint(picture).astype(np.uint8)


def choose(
    donors: Sequence[Donor], building: Building, hazard: str, rng: np.random.Generator
) -> Donor | None:
    """One of the five donors closest in size, of the building's level and the hazard, or None."""
    fitting = [d for d in donors if d.level == building.level]
    fitting = [d for d in fitting if d.hazard == hazard] or fitting
    if not fitting:
        return None
    wanted = Rectangle.of(building.polygon)
    nearest = sorted(fitting, key=lambda d: d.footprint.unlike(wanted))[:CHOICE]
    return nearest[int(rng.integers(len(nearest)))]


def _paste(
    picture: np.ndarray, owner: np.ndarray, number: int, building: Building, donor: Donor
) -> None:
    """Blend the donor onto the building, in place."""
    height, width = owner.shape
    left, top, right, bottom = building.polygon.bounds
    rows = slice(max(int(top) - MARGIN - 2, 0), min(int(bottom) + MARGIN + 3, height))
    cols = slice(max(int(left) - MARGIN - 2, 0), min(int(right) + MARGIN + 3, width))
    if rows.start >= rows.stop or cols.start >= cols.stop:
        return
    mine = owner[rows, cols] == number
    blend = affected_mask(np.where(mine, 4, 0).astype(np.uint8), MARGIN, FEATHER)
    blend[(owner[rows, cols] > 0) & ~mine] = 0
    warped = cv2.warpAffine(
        donor.pixels,
        _motion(donor.footprint, Rectangle.of(building.polygon), (cols.start, rows.start)),
        (cols.stop - cols.start, rows.stop - rows.start),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT_101,
    )
    under = picture[rows, cols]
    picture[rows, cols] = under + blend[..., None] * (warped - under)


def _motion(source: Rectangle, target: Rectangle, origin: tuple[int, int]) -> np.ndarray:
    """(2, 3) matrix from pixels of a donor's cut to pixels of a window that starts at `origin`."""
    scale = np.sqrt(target.long * target.short / (source.long * source.short))
    scale = float(np.clip(scale, *SCALE))
    turn = target.angle - source.angle
    linear = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    centre = np.array(target.centre) - np.array(origin)
    return np.column_stack([linear, centre - linear @ np.array(source.centre)])
