"""Footprints from the files that people have, as buildings on the pixels of a scene.

An xBD label is taken as it is. All else comes out of the readers of :mod:`.mapped` in degrees and
is brought onto the grid. What cannot be used there, or lies outside of it, is left out and counted;
the same outline twice, in one file or in two, is one building; a name that stands twice gets a
number.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import shapely

from afterscene.errors import BadParameter, MissingFile
from afterscene.geodata.crs import WGS84, Way
from afterscene.geodata.damage import FARTHEST, Building
from afterscene.geodata.grid import Bounds, Grid
from afterscene.geodata.guess import why_none
from afterscene.geodata.labeljson import load_json
from afterscene.geodata.labelreading import read_label
from afterscene.geodata.leftout import OUTSIDE, RENAMED, TWICE, UNPLACED, LeftOut, Names
from afterscene.geodata.mapped import Footprint, iterate_footprints, located
from afterscene.geodata.mapped.rows import placed
from afterscene.geodata.resolution import placed_by

_FEATURES = re.compile(rb'"features"\s*:\s*\{')
_HEAD = 2**16
_DIGITS = 2
"""Of a pixel: two outlines that are equal to so many digits are one (a file may have rounded)."""


@dataclass(frozen=True, kw_only=True)
class Footprints:
    """Buildings in pixels of `grid`, which is placed by the label where the image is not.

    `left_out` counts what of the file is not among them, and what was changed.
    """

    buildings: tuple[Building, ...]
    grid: Grid
    left_out: LeftOut = field(default_factory=LeftOut)


def read_footprints(path: Path, grid: Grid) -> Footprints:
    """Footprints of `path` on `grid`; those of a file without names are named after their shape.

    Raises:
        MissingFile, BadLabel, BadRegions: the file is not there or is nothing of the kind.
        BadParameter: it is in degrees or metres, and the image has no place, or none of it lies on
            the image; the message says what may be the matter.
        MissingExtra: a format that needs the extra ``geo``.
    """
    file, layer = located(path)
    if not file.is_file():
        raise MissingFile(f"footprints {path} is not a file; check the path")
    if layer is None and is_label(file):
        return _from_label(file, grid)
    grid.check_placed(f"{path} has coordinates on the Earth")
    left_out = LeftOut()
    found = list(iterate_footprints(path, _box(grid), left_out=left_out))
    made = on_grid(found, grid, left_out)
    if not made.buildings and left_out:
        raise BadParameter(why_none([path], [grid], left_out))
    return made


def is_label(path: Path) -> bool:
    """Whether a JSON file is an xBD label: its features are an object, not a list."""
    if path.suffix.lower() not in (".json", ".geojson"):
        return False
    with path.open("rb") as file:
        head = file.read(_HEAD)
    return bool(_FEATURES.search(head)) and isinstance(load_json(path).get("features"), dict)


def is_geojson(path: Path) -> bool:
    """Whether a JSON file names a feature at its beginning; what it is worth, its reader says."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return b'"Feature' in file.read(_HEAD) and not is_label(path)


def on_grid(found: Sequence[Footprint], grid: Grid, left_out: LeftOut) -> Footprints:
    """Footprints on the pixels of a placed grid; the others are counted."""
    names = [f.uid or name_of(f) for f in found]
    outlines = np.array([*(f.outline for f in found), None], object)[:-1]
    return _onto(names, outlines, grid.to_pixels(WGS84), grid, left_out)


def name_of(footprint: Footprint) -> str:
    """A name out of the shape alone: equal in every tile that cuts the building."""
    return f"f{hashlib.blake2b(footprint.outline.wkb, digest_size=8).hexdigest()}"


def _box(grid: Grid) -> Bounds | None:
    """Where footprints of the grid may lie; None where that is no one box."""
    try:
        boxes = grid.bounds()
    except BadParameter:  # a part of it lies beyond the horizon of its projection
        return None
    return boxes[0] if len(boxes) == 1 else None


def _from_label(path: Path, grid: Grid) -> Footprints:
    label = read_label(path, on_problem="skip", grid=lambda: grid)
    grid = placed_by(grid, label.buildings)
    left_out = LeftOut()
    left_out.take(label.left_out)
    names = [b.uid for b in label.buildings]
    outlines = np.array([*(b.polygon for b in label.buildings), None], object)[:-1]
    made = _onto(names, outlines, None, grid, left_out)
    if not made.buildings and left_out:
        raise BadParameter(
            f"{path}: none of its buildings lies on {grid.image or 'the image'} ({left_out}); "
            "check that label and image belong together"
        )
    return made


def _onto(
    names: Sequence[str], outlines: np.ndarray, move: Way | None, grid: Grid, left_out: LeftOut
) -> Footprints:
    """Outlines that lie on the grid, each once."""
    height, width = grid.shape
    shapes = placed(outlines, move)
    xy, owner = shapely.get_coordinates(shapes, return_index=True)
    held = np.ones(len(shapes), bool)
    held[owner[~(np.abs(xy) <= FARTHEST).all(axis=1)]] = False
    near = held & shapely.intersects(shapes, shapely.box(0, 0, width, height))
    left_out.add(UNPLACED, (~held).sum())
    left_out.add(OUTSIDE, (held & ~near).sum())
    kept = np.flatnonzero(near)
    first = _first_of_each(shapes[kept])
    left_out.add(TWICE, len(kept) - len(first))
    uids = Names()
    buildings = []
    for number in kept[first].tolist():
        uid = uids.take(names[number])
        left_out.add(RENAMED, uid != names[number])
        buildings.append(Building(polygon=shapes[number], level=None, uid=uid))
    return Footprints(buildings=tuple(buildings), grid=grid, left_out=left_out)


def _first_of_each(shapes: np.ndarray) -> list[int]:
    """The numbers of the outlines that none before equals, wherever their rings begin."""
    rounded = shapely.transform(shapes, lambda xy: np.round(xy, _DIGITS) + 0.0)
    keys: Iterable[bytes] = shapely.to_wkb(shapely.normalize(rounded)).tolist()
    first: dict[bytes, int] = {}
    for number, key in enumerate(keys):
        first.setdefault(key, number)
    return list(first.values())
