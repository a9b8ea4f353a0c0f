"""What ``synthesize --frames`` does: the frames, then the film."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from afterscene.cli.options import whole_files
from afterscene.cli.output import Output
from afterscene.errors import OutputConflict

if TYPE_CHECKING:
    from afterscene.gbd import Generator, Plan, Rendering

FRAMES = "-frames"
"""What the folder of the frames has after the name of its film."""


def check_film(plan: Plan, out: Path, frames: int, overwrite: bool) -> None:
    """Refuse what cannot become a film, before a model is loaded.

    Raises:
        BadParameter: too few or many frames, more than one image, or another suffix.
        MissingExtra: MP4 without its extra.
        OutputConflict: the film exists or is a folder, or its folder is not there.
    """
    from afterscene.gbd.filmfile import check_suffix
    from afterscene.gbd.filmruns import frames_plan

    check_suffix(out)
    frames_plan(plan, frames)
    if out.is_dir():
        raise OutputConflict(f"{out} is a folder; choose another name for the film")
    if not out.parent.is_dir():
        raise OutputConflict(f"{out.parent} is no folder; make it, or choose another --out")
    with whole_files([out], overwrite):
        pass


def film(
    plan: Plan,
    out: Path,
    drawing: tuple[Generator, Rendering],
    *,
    frames: int,
    as_pairs: bool,
    overwrite: bool,
    output: Output,
) -> None:
    """Draw the frames beside the film, write it, and remove them unless they are to be pairs."""
    from afterscene.gbd import RunOptions
    from afterscene.gbd.dataset import pair_file
    from afterscene.gbd.filmfile import write_film
    from afterscene.gbd.filmruns import make_film
    from afterscene.geodata.scene import read_tags

    generator, rendering = drawing
    folder = out.with_name(out.stem + FRAMES)
    with output.progress("frames", frames) as advance:
        options = RunOptions(overwrite=overwrite, on_progress=advance)
        report = make_film(
            plan, folder, generator, rendering=rendering, options=options, frames=frames
        )
    pictures = [pair_file(folder, "images", row["id"], "post") for row in report.rows]
    last = report.rows[-1]
    with whole_files([out], overwrite):
        write_film(pictures, out, read_tags(pictures[-1]))
    output.left_out(report.left_out)
    kept = as_pairs or not report.made  # a whole set that was there already is somebody's
    if not kept:
        shutil.rmtree(folder)
    value = {
        "film": str(out),
        "frames": frames,
        "pairs": str(folder) if kept else None,
        "levels": last["levels"],
    }
    levels = ", ".join(f"{n} {word}" for word, n in last["levels"].items())
    pairs = f"; the frames as pairs in {folder}" if kept else ""
    output.result(value, f"{frames} frames in {out}; buildings at its end: {levels}{pairs}")
