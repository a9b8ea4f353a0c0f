"""Cut pictures into the tiles of an xBD tree: pixels, footprints, how far these lay off.

A picture is read window by window (1024 x 1024 from its upper left corner, the last ones filled up
with nodata), so the memory needed is that of a tile however large it is. Tiles keep their place:
GeoTIFF with the picture's CRS, labels with pixels and degrees. Pictures of more than 8 bits are
stretched by limits taken from the whole picture, so that its tiles match; the limits stand in the
label. Footprints are read once for many pictures; those of a tile are moved as one, where the tile
tells how far (:mod:`afterscene.geodata.alignment`), and what was found stands in the label, too.
A tile without buildings, or with mostly nodata, is left out and counted.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from shapely import STRtree

from afterscene.errors import AftersceneError, MissingFile
from afterscene.files import prepare_output
from afterscene.gbd.imagery.pictures import SourcePicture
from afterscene.gbd.imagery.windows import SIDE, TileSource, windows
from afterscene.geodata import mapped
from afterscene.geodata.alignment import footprint_shift
from afterscene.geodata.damage import Building
from afterscene.geodata.footprints import (
    Footprints,
    Grid,
    boxes,
    name_of,
    on_grid,
    read_footprints,
)
from afterscene.geodata.overview import ImageFile
from afterscene.geodata.scene import Scene, write_scene
from afterscene.geodata.seen import seen_shares
from afterscene.geodata.tiles import Window
from afterscene.geodata.xbd import make_label, write_label

TOGETHER = 64
"""Pictures whose footprints are gathered in one reading of the files."""
LEAST_SEEN = 0.25
"""Share of a tile that must be data."""


@dataclass(frozen=True, kw_only=True)
class CutTiles:
    """What was cut.

    ``tiles``: names; ``left_out``: reasons; ``shifts``: by status; ``skipped``: (picture, fault) of
    pictures that cannot be used.
    """

    tiles: list[str] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    shifts: Counter[str] = field(default_factory=Counter)
    skipped: list[tuple[str, str]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The counts as JSON values."""
        return {
            "tiles": len(self.tiles),
            "left_out": dict(sorted(self.left_out.items())),
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
    """Write the tiles of ``pictures`` as an xBD tree into ``out``, which is new or of this call.

    ``footprints`` are files for all pictures, and folders with a file of a picture's own name.

    Raises:
        OutputConflict: ``out`` holds something else.
        AftersceneError: of a picture, unless ``on_error`` is ``skip``; of a footprint file.
        MissingFile: a picture has no footprints, or nothing is left.
    """
    settings = {"side": side, "pictures": [_known(p) for p in pictures]}
    settings["footprints"] = [path.name for path in footprints]
    prepare_output(out, "gbd tiles", run=settings)
    for name in ("images", "labels"):
        (out / name).mkdir(exist_ok=True)
    work = _Cutter(out=out, side=side, skip=on_error == "skip")
    for start in range(0, len(pictures), TOGETHER):
        work.group(pictures[start : start + TOGETHER], footprints)
    if not work.made.tiles:
        reasons = [*work.made.left_out, *(why for _, why in work.made.skipped)]
        raise MissingFile(f"no tile could be cut: {', '.join(reasons) or 'no picture'}")
    return work.made


def _known(picture: SourcePicture) -> list[Any]:
    size = picture.path.stat().st_size if picture.path.is_file() else None
    return [picture.event, picture.name, size]


@dataclass(frozen=True, kw_only=True)
class _Cutter:
    """One run of :func:`cut_tiles`: where to, and what has been found so far."""

    out: Path
    side: int
    skip: bool
    made: CutTiles = field(default_factory=CutTiles)
    numbers: dict[str, Iterator[int]] = field(default_factory=dict)

    def group(self, pictures: Sequence[SourcePicture], footprints: Sequence[Path]) -> None:
        """All tiles of some pictures, whose footprints are read together."""
        files = [path for path in footprints if not path.is_dir()]
        folders = [path for path in footprints if path.is_dir()]
        grids: dict[SourcePicture, Grid] = {}
        frames: list[tuple[SourcePicture, mapped.Bounds]] = []
        for picture in pictures:
            with self._faults(picture):
                grids[picture] = ImageFile(picture.path).grid
                if files and grids[picture].crs is not None:
                    frames += [(picture, box) for box in boxes(grids[picture])]
        shared = _mapped(files, frames)
        for picture, grid in grids.items():
            with self._faults(picture):
                self._picture(picture, _footprints(picture, grid, folders, files, shared))

    @contextmanager
    def _faults(self, picture: SourcePicture) -> Iterator[None]:
        """An error of a picture ends the run, or is noted where such pictures are skipped."""
        try:
            yield
        except AftersceneError as error:
            if not self.skip:
                raise
            self.made.skipped.append((picture.name, str(error)))

    def _picture(self, picture: SourcePicture, footprints: Footprints) -> None:
        grid = footprints.grid
        self.made.left_out["footprint that is no polygon"] += footprints.unusable
        tree = STRtree([building.polygon for building in footprints.buildings])
        source = TileSource(ImageFile(picture.path), grid)
        for window in windows(grid.shape, self.side):
            number = next(self.numbers.setdefault(picture.event, count(1)))
            left, top = window.col, window.row
            frame = shapely.box(left, top, left + window.width, top + window.height)
            near = [footprints.buildings[k] for k in sorted(tree.query(frame, "intersects"))]
            name = f"{picture.event}_{number:08d}"
            if not near:
                self.made.left_out["tile without a building"] += 1
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
            self.made.left_out["tile of mostly nodata"] += 1
            return
        local = [b.moved(-window.col, -window.row) for b in near]
        shift = footprint_shift(scene.rgb(), scene.valid, local)
        placed = [b.moved(*shift.move) for b in local]
        frame = shapely.box(0, 0, window.width, window.height)
        inside = [b for b in placed if b.polygon.intersects(frame.buffer(-0.5))]
        shares = seen_shares(inside, scene.valid)
        kept = [b for b, share in zip(inside, shares, strict=True) if share > 0]
        if lost := len(inside) - len(kept):
            self.made.left_out["footprint where the picture has no data"] += lost
        if not kept:
            self.made.left_out["tile without a building"] += 1
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


def _footprints(
    picture: SourcePicture,
    grid: Grid,
    folders: Sequence[Path],
    files: Sequence[Path],
    shared: Mapping[SourcePicture, Sequence[mapped.Footprint]],
) -> Footprints:
    """A picture's own file where a folder has one, else its part of the shared files."""
    for folder in folders:
        for end in (end for reader in mapped.READERS.values() for end in reader.endings):
            if (path := folder / f"{picture.path.stem}{end}").is_file():
                return read_footprints(path, grid)
    if not files:
        raise MissingFile(
            f"{picture.path}: no footprints; put {picture.path.stem}.geojson (or .json, .gpkg, "
            ".csv, .parquet) into the folder, or give a file for all pictures"
        )
    found = [(name_of(f), f.outline) for f in shared.get(picture, ())]
    return on_grid(files[0], found, grid)


def _mapped(
    files: Sequence[Path], frames: Sequence[tuple[SourcePicture, mapped.Bounds]]
) -> dict[SourcePicture, list[mapped.Footprint]]:
    """Footprints of shared files, picture by picture; each file is read once."""
    found: dict[SourcePicture, list[mapped.Footprint]] = {picture: [] for picture, _ in frames}
    if not frames:
        return found
    tree = STRtree([shapely.box(*box) for _, box in frames])
    west, south, east, north = np.array([box for _, box in frames]).T
    around = tuple(map(float, (west.min(), south.min(), east.max(), north.max())))
    for file in files:
        for footprint in mapped.iterate_footprints(file, around):  # type: ignore[arg-type]
            touched = tree.query(footprint.outline, "intersects").tolist()
            for picture in dict.fromkeys(frames[k][0] for k in touched):
                found[picture].append(footprint)
    return found


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
        "picture": picture.name,
        "window": [window.row, window.col],
    }
