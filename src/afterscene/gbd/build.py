"""Builds pairs from a plan: a tree in xBD's layout, or only the new files in one folder.

::

    OUT/images/{name}_pre_disaster.png    the real pre image, pixels unchanged
    OUT/images/{name}_post_disaster.png   drawn, marked synthetic
    OUT/labels/{name}_{pre,post}_disaster.json
    OUT/targets/{name}_{pre,post}_disaster_target.png
    OUT/manifest.jsonl  afterscene-run.json  [skipped.jsonl]

``flat`` writes ``{name}_post_disaster.png``, ``.json`` and ``_target.png`` into OUT itself, and no
pre image; if that is a GeoTIFF, also a GeoTIFF on the same grid. Items are independent of each
other, each has its own seed, and a pair counts only once the done-record of its shard exists
(:mod:`afterscene.gbd.rundir`): a build can be stopped at any time and continued with the same
command, in this process, on workers or on Ray.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from afterscene.files import write_atomic
from afterscene.gbd.dataset import pair_file
from afterscene.gbd.generator import Generator
from afterscene.gbd.pair import MARK, Post, Rendering, as_rgb, make_post
from afterscene.gbd.plan import Item, Plan
from afterscene.gbd.provenance import post_label, pre_label, row, tags
from afterscene.gbd.runs import RunOptions, RunReport, run_plan
from afterscene.gbd.sources import check_sources, digest, hashes, read_source
from afterscene.geodata.border import seen_pixels
from afterscene.geodata.leftout import LeftOut
from afterscene.geodata.scene import Scene, write_scene
from afterscene.geodata.seen import known_target
from afterscene.geodata.xbd import XbdLabel, write_label

GEOTIFF = (".tif", ".tiff")


def build(
    plan: Plan,
    out: Path,
    generator: Generator,
    *,
    rendering: Rendering,
    options: RunOptions = RunOptions(),
    flat: bool = False,
) -> RunReport:
    """Make the pairs of the plan that are not in ``out`` yet.

    Sources of a plan that was not read from a file are checked first, all of them.

    Raises:
        OutputConflict: ``out`` holds a run with other settings; the message names the keys.
        AftersceneError: a source cannot be used; the class says why.
    """
    settings, labels, bad = dict(plan.settings), dict[str, XbdLabel](), dict[str, str]()
    left_out = LeftOut()
    if "sources" not in settings:
        sources = [*{item.source.id: item.source for item in plan.items}.values()]
        bad = check_sources(sources, options.on_error, labels if flat else None, left_out)
        settings["sources"] = digest(hashes(sources))
    settings |= rendering.settings(generator.hash)
    report = run_plan(
        replace(plan, settings=settings),
        out,
        kind="synthesize" if flat else "gbd build",
        make=PairMaker(out, generator, rendering, flat, labels),
        options=options,
        bad=bad,
    )
    return replace(report, left_out=left_out)


@dataclass(frozen=True)
class PairMaker:
    """``maker(item)`` writes all files of a pair and returns its manifest row.

    It can be sent to another process. ``labels`` of sources that were already checked are not read
    again.
    """

    out: Path
    generator: Generator
    rendering: Rendering
    flat: bool = False
    labels: Mapping[str, XbdLabel] = field(default_factory=dict)

    def __call__(self, item: Item) -> dict[str, Any]:
        scene, label = read_source(item.source, self.labels.get(item.source.id))
        post = make_post(item, scene, label, self.rendering, self.generator)
        return self.write(item, scene, label, post)

    def write(self, item: Item, scene: Scene, label: XbdLabel, post: Post) -> dict[str, Any]:
        """Write the files of a made pair; returns its manifest row."""
        how = (self.rendering, self.generator.hash)
        text = tags(item, *how)
        if not self.flat:
            for folder in ("images", "labels", "targets"):
                (self.out / folder).mkdir(exist_ok=True)
            _write_pre(item, self.out, scene, label)
        elif item.source.pre.suffix.lower() in GEOTIFF:
            write_scene(post.scene, self.out / f"{item.name}_post_disaster.tif", tags=text)
        image, target, written = (
            pair_file(self.out, kind, item.name, "post") for kind in ("images", "targets", "labels")
        )
        write_scene(post.scene, image, tags=text)
        write_label(post_label(post, item, *how), written)
        _write_target(post.target, target, text)
        return row(item, post, *how)


def _write_pre(item: Item, out: Path, scene: Scene, label: XbdLabel) -> None:
    """A PNG source is copied byte for byte; others become a PNG of the same pixels and mark."""
    image, target, written = (
        pair_file(out, kind, item.name, "pre") for kind in ("images", "targets", "labels")
    )
    source = item.source.pre
    if source.suffix.lower() == ".png":
        write_atomic(image, lambda temporary: shutil.copyfile(source, temporary))
    else:
        drawn = {MARK: "true"} if label.metadata.get("synthetic") is True else {}
        write_scene(as_rgb(scene), image, tags={"AFTERSCENE_SOURCE": item.source.id, **drawn})
    write_label(pre_label(label, item.name), written)
    _write_target(known_target(label.buildings, seen_pixels(scene.rgb(), scene.valid)), target, {})


def _write_target(target: np.ndarray, path: Path, text: Mapping[str, str]) -> None:
    """A target mask (uint8, levels of xBD) as a one-band PNG."""
    write_scene(Scene(pixels=target[None], valid=np.ones(target.shape, bool)), path, tags=text)
