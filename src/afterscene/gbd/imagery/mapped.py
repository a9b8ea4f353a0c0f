"""Which footprints of a file for many pictures belong to which picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import shapely
from shapely import STRtree
from shapely.geometry.base import BaseGeometry

from afterscene.errors import MissingFile
from afterscene.gbd.imagery.pictures import SourcePicture
from afterscene.geodata.footprints import Footprints, on_grid, read_footprints
from afterscene.geodata.grid import Bounds, Grid
from afterscene.geodata.leftout import OUTSIDE, LeftOut
from afterscene.geodata.mapped import Footprint, iterate_footprints, own_file


@dataclass(frozen=True)
class Frames:
    """The boxes of pictures in degrees, some of which have two."""

    boxes: tuple[tuple[SourcePicture, Bounds], ...]

    @cached_property
    def _tree(self) -> STRtree:
        return STRtree([shapely.box(*box) for _, box in self.boxes])

    @property
    def around(self) -> Bounds:
        """One box around all."""
        west, south, east, north = np.array([box for _, box in self.boxes]).T
        return float(west.min()), float(south.min()), float(east.max()), float(north.max())

    def touched(self, outline: BaseGeometry) -> list[SourcePicture]:
        """The pictures that an outline touches."""
        numbers = self._tree.query(outline, "intersects").tolist()
        return list(dict.fromkeys(self.boxes[k][0] for k in numbers))

    def only(self, pictures: Sequence[SourcePicture]) -> Frames:
        """Those of some pictures."""
        wanted = {*pictures}
        return Frames(tuple((p, box) for p, box in self.boxes if p in wanted))


def gather(
    files: Sequence[Path], frames: Frames, every: Frames, left_out: LeftOut | None
) -> dict[SourcePicture, list[Footprint]]:
    """The footprints of each picture of ``frames``; each file is read once.

    ``left_out``, where it is given, counts what cannot be used and what lies on no picture of
    ``every``: that is known once, however many groups of pictures the files are read for.
    """
    found: dict[SourcePicture, list[Footprint]] = {picture: [] for picture, _ in frames.boxes}
    if not found:
        return found
    around = (frames if left_out is None else every).around
    for file in files:
        for footprint in iterate_footprints(file, around, left_out=left_out):
            touched = frames.touched(footprint.outline)
            for picture in touched:
                found[picture].append(footprint)
            if left_out is not None and not touched and not every.touched(footprint.outline):
                left_out.add(OUTSIDE)
    return found


def footprints_of(
    picture: SourcePicture,
    grid: Grid,
    folders: Sequence[Path],
    shared: Mapping[SourcePicture, Sequence[Footprint]],
) -> Footprints:
    """A picture's own file where a folder has one, else its part of the shared files."""
    own = own_of(picture, folders)
    if own is not None:
        return read_footprints(own, grid)
    if picture not in shared:
        raise MissingFile(
            f"{picture.path}: no footprints; put {picture.path.stem}.geojson (or .json, .gpkg, "
            ".csv, .parquet) into the folder, or give a file for all pictures"
        )
    made = on_grid(shared[picture], grid, LeftOut())
    del made.left_out.reasons[OUTSIDE]  # beside this picture, but in its box: counted by gather
    return made


def own_of(picture: SourcePicture, folders: Sequence[Path]) -> Path | None:
    """The footprint file of a picture's own name; None where no folder has one."""
    return next((own for folder in folders if (own := own_file(folder, picture.path))), None)
