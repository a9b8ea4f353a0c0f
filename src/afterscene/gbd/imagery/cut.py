"""Cuts images into the tiles of an xBD tree: pixels, footprints, and the shift between them.

An image is read window by window (1024 x 1024 from its upper left corner, the last ones padded with
nodata), so the memory needed is that of a tile, however large the image is. Tiles stay
georeferenced: GeoTIFF with the image's CRS, labels in pixels and degrees. Images of more than 8
bits are stretched with limits from the whole image, so that its tiles match; the limits are written
to the label. Footprints are read once for many images; those of a tile are shifted together, if the
shift can be measured (:mod:`afterscene.geodata.alignment`), and the result is written to the label,
too. A tile without buildings, or with mostly nodata, is left out and counted.
"""

import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import shapely
from shapely import STRtree

from afterscene.errors import AftersceneError, MissingFile
from afterscene.files import prepare_output
from afterscene.gbd.imagery.mapped import Frames, footprints_of, gather, own_of
from afterscene.gbd.imagery.pictures import SourcePicture
from afterscene.gbd.imagery.windows import SIDE, TileSource, windows
from afterscene.gbd.sources import CUT_FROM
from afterscene.geodata.alignment import footprint_shift
from afterscene.geodata.damage import Building
from afterscene.geodata.footprints import Footprints, is_label
from afterscene.geodata.grid import Bounds, Grid
from afterscene.geodata.guess import why_none
from afterscene.geodata.leftout import LeftOut
from afterscene.geodata.mapped.geojson import of_one_picture
from afterscene.geodata.resolution import check_pixels
from afterscene.geodata.scene import Scene, write_scene
from afterscene.geodata.seen import seen_shares
from afterscene.geodata.tiles import Window
from afterscene.geodata.xbd import make_label, write_label

TOGETHER = 64
"""Number of images whose footprints are collected in one pass over the files."""
LEAST_SEEN = 0.25
"""Smallest share of a tile that must be data."""


@dataclass(frozen=True, kw_only=True)
class CutTiles:
    """What was cut.

    ``tiles``: names; ``left_out``: reasons; ``shifts``: by status; ``skipped``: (picture, fault) of
    pictures that cannot be used; ``labels``: file of footprints -> the picture of its name.
    """

    tiles: list[str] = field(default_factory=list)
    left_out: LeftOut = field(default_factory=LeftOut)
    shifts: Counter[str] = field(default_factory=Counter)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    labels: dict[Path, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The counts as JSON values."""
        return {
            "tiles": len(self.tiles),
            "footprint_shifts": dict(sorted(self.shifts.items())),
            "skipped": [{"picture": name, "reason": why} for name, why in self.skipped],
        }


def cut_tiles(
    pictures: Sequence[SourcePicture],
    footprints: Sequence[Path],
    out: Path,
    *,
    on_error: str = "fail",
    side: int = SIDE,
) -> CutTiles:
    """Write the tiles of ``pictures`` as an xBD tree into ``out``, new or from an earlier call.

    ``footprints`` are files for all images, and folders with one file per image of the same name.

    Raises:
        OutputConflict: ``out`` holds something else.
        AftersceneError: of an image, unless ``on_error`` is ``skip``; of a footprint file.
        MissingFile: an image has no footprints, or nothing is left.
    """
    files = [path for path in footprints if not path.is_dir()]
    for path in files:
        if path.is_file() and is_label(path):
            raise of_one_picture(path)
    settings = {"side": side, "pictures": [_known(p) for p in pictures]}
    settings["footprints"] = [path.name for path in footprints]
    known = out.exists()
    files = [path for path in footprints if not path.is_dir()]
    for path in files:
        if path.is_file() and is_label(path):
            raise of_one_picture(path)
    prepare_output(out, "gbd tiles", run=settings)
    work = _Cutter(
        out=out,
        side=side,
        skip=on_error == "skip",
        files=files,
        folders=[path for path in footprints if path.is_dir()],
    )
    try:
        work.cut(pictures)
    except AftersceneError:
        if not known:  # else it would be in the way of the same call with other files
            shutil.rmtree(out, ignore_errors=True)
        raise
    return work.made


def _known(picture: SourcePicture) -> list[Any]:
    size = picture.path.stat().st_size if picture.path.is_file() else None
    return [picture.event, picture.name, size, *picture.bands]


@dataclass(frozen=True, kw_only=True)
class _Cutter:
    """One run of :func:`cut_tiles`: the output folder, and the results so far."""

    out: Path
    side: int
    skip: bool
    files: Sequence[Path]
    folders: Sequence[Path]
    made: CutTiles = field(default_factory=CutTiles)
    numbers: dict[str, Iterator[int]] = field(default_factory=dict)
    buildings: Counter[str] = field(default_factory=Counter)

    def cut(self, pictures: Sequence[SourcePicture]) -> None:
        """Cut all pictures, some at a time."""
        for name in ("images", "labels"):
            (self.out / name).mkdir(exist_ok=True)
        grids = self.grids(pictures)
        every = self.frames(grids)
        for start in range(0, len(pictures), TOGETHER):
            some = {p: grids[p] for p in pictures[start : start + TOGETHER] if p in grids}
            self.group(some, every, first=start == 0)
        if not self.made.tiles:
            raise MissingFile(self.why_none(every, grids))

    def grids(self, pictures: Sequence[SourcePicture]) -> dict[SourcePicture, Grid]:
        """The grid of each picture that can be used, by its header."""
        found = {}
        for picture in pictures:
            with self._faults(picture):
                found[picture] = picture.file.grid
        return found

    def frames(self, grids: Mapping[SourcePicture, Grid]) -> Frames:
        """Where those pictures lie that take their footprints from the shared files."""
        boxes: list[tuple[SourcePicture, Bounds]] = []
        for picture, grid in grids.items():
            if self.files and own_of(picture, self.folders) is None:
                with self._faults(picture):
                    boxes += [(picture, box) for box in grid.bounds()]
        return Frames(tuple(boxes))

    def group(self, grids: Mapping[SourcePicture, Grid], every: Frames, *, first: bool) -> None:
        """All tiles of some pictures, whose footprints are read together."""
        count = self.made.left_out if first else None
        shared = gather(self.files, every.only([*grids]), every, count)
        failed = {name for name, _ in self.made.skipped}
        for picture, grid in grids.items():
            if own := own_of(picture, self.folders):
                self.made.labels[own] = picture.name
            if picture.name not in failed:
                with self._faults(picture):
                    self._picture(picture, footprints_of(picture, grid, self.folders, shared))

    def why_none(self, every: Frames, grids: Mapping[SourcePicture, Grid]) -> str:
        """Why there is no tile."""
        there = list(dict.fromkeys(picture for picture, _ in every.boxes))
        if there and not self.buildings.total():
            return why_none(self.files, [grids[p] for p in there], self.made.left_out)
        reasons = [*self.made.left_out.lines(), *(why for _, why in self.made.skipped)]
        return f"no tile could be cut: {'; '.join(reasons) or 'no picture'}"

    @contextmanager
    def _faults(self, picture: SourcePicture) -> Iterator[None]:
        """An error of an image ends the run, or is recorded if such images are skipped."""
        try:
            yield
        except AftersceneError as error:
            if not self.skip:
                raise
            self.made.skipped.append((picture.name, str(error)))

    def _picture(self, picture: SourcePicture, footprints: Footprints) -> None:
        grid = footprints.grid
        check_pixels(grid, footprints.buildings)
        self.made.left_out.take(footprints.left_out)
        self.buildings["footprints"] += len(footprints.buildings)
        tree = STRtree([building.polygon for building in footprints.buildings])
        source = TileSource(picture.file, grid)
        for window in windows(grid.shape, self.side):
            number = next(self.numbers.setdefault(picture.event, count(1)))
            left, top = window.col, window.row
            frame = shapely.box(left, top, left + window.width, top + window.height)
            near = [footprints.buildings[k] for k in sorted(tree.query(frame, "intersects"))]
            name = f"{picture.event}_{number:08d}"
            if not near:
                self.made.left_out.add("tile without a building")
                continue
            self._tile(name, picture, source, window, near)

    def _tile(
        self,
        name: str,
        picture: SourcePicture,
        source: TileSource,
        window: Window,
        near: Sequence[Building],
    ) -> None:
        scene = source.read(window)
        if scene.valid.mean() < LEAST_SEEN:
            self.made.left_out.add("tile of mostly nodata")
            return
        local = [b.moved(-window.col, -window.row) for b in near]
        shift = footprint_shift(scene.rgb(), scene.valid, local)
        placed = [b.moved(*shift.move) for b in local]
        frame = shapely.box(0, 0, window.width, window.height)
        inside = [b for b in placed if b.polygon.intersects(frame.buffer(-0.5))]
        shares = seen_shares(inside, scene.valid)
        kept = [b for b, share in zip(inside, shares, strict=True) if share > 0]
        self.made.left_out.add("footprint where the picture has no data", len(inside) - len(kept))
        if not kept:
            self.made.left_out.add("tile without a building")
            return
        self.made.shifts[shift.status] += 1
        metadata = {
            **_metadata(name, picture, window, scene),
            "footprint_shift": shift.as_json(),
            "stretch": [list(limits) for limits in source.stretch],
        }
        label = make_label(kept, metadata=metadata, scene=scene)
        write_scene(scene, self.out / "images" / f"{name}_pre_disaster.tif", tags={})
        write_label(label, self.out / "labels" / f"{name}_pre_disaster.json")
        self.made.tiles.append(name)


def _metadata(name: str, picture: SourcePicture, window: Window, scene: Scene) -> dict[str, Any]:
    time = picture.time or scene.time
    size = {"height": window.height, "width": window.width}
    return {
        **picture.metadata,
        **({"gsd": scene.gsd} if scene.gsd else {}),
        **({"capture_date": time.isoformat()} if time else {}),
        "disaster": picture.event,
        **size,
        "original_height": window.height,
        "original_width": window.width,
        "img_name": f"{name}_pre_disaster.tif",
        CUT_FROM: picture.name,
        "window": [window.row, window.col],
    }
