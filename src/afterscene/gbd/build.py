"""Build a tree of pairs in xBD's layout from a plan.

::

    OUT/images/{name}_pre_disaster.png    the real pre image, pixels unchanged
    OUT/images/{name}_post_disaster.png   drawn, marked synthetic
    OUT/labels/{name}_{pre,post}_disaster.json
    OUT/targets/{name}_{pre,post}_disaster_target.png
    OUT/manifest.jsonl  afterscene-run.json  [skipped.jsonl]

Items are independent of each other, each has a seed of its own, and a pair counts only once the
done-record of its shard stands (:mod:`afterscene.gbd.rundir`): stop at any moment, start the same
command again, in this process, on workers or on Ray.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from afterscene.errors import AftersceneError, MissingFile
from afterscene.files import write_atomic
from afterscene.gbd.pair import (
    Renderer,
    Rendering,
    as_rgb,
    make_post,
    read_source,
    renamed,
    row,
    tags,
    write_post,
    write_target,
)
from afterscene.gbd.plan import Item, Plan, Source
from afterscene.gbd.planfile import StoredPlan
from afterscene.gbd.runs import RunOptions, RunReport, check_sources, digest, run_shards
from afterscene.gbd.shards import ItemList
from afterscene.geodata.damage import rasterize
from afterscene.geodata.scene import Scene, write_scene
from afterscene.geodata.xbd import XbdLabel, XbdTree, read_label, write_label


def find_sources(xbd: Path, split: str | None = None) -> tuple[Source, ...]:
    """The pairs of an xBD tree whose pre label has a building; a label that cannot be read stays
    in, so that the build names it.

    Raises:
        MissingFile: the folder, the split, or any pre label with a building is not there.
    """
    pairs = XbdTree(xbd).pairs(split)
    sources = [
        Source(id=pair.id, event=pair.event, pre=pair.pre, label=pair.pre_label)
        for pair in pairs
        if pair.pre_label is not None and _has_buildings(pair.pre_label)
    ]
    if not sources:
        raise MissingFile(
            f"{xbd}: no pre image with labelled buildings among its {len(pairs)} pairs; "
            "give an xBD folder with images/ and labels/"
        )
    return tuple(sources)


def _has_buildings(path: Path) -> bool:
    try:
        return len(read_label(path).buildings) > 0
    except AftersceneError:
        return True


def build(
    plan: Plan,
    out: Path,
    generator: Renderer,
    *,
    rendering: Rendering,
    options: RunOptions = RunOptions(),
) -> RunReport:
    """Make the pairs of the plan that are not in ``out`` yet.

    Raises:
        OutputConflict: ``out`` holds a run with other settings; the message names the keys.
        AftersceneError: a source cannot be used, by the leaf that fits.
    """
    items = plan.items()
    bad = check_sources((item.source for item in items), options.on_error)
    settings = {
        "hazard": plan.hazard,
        "parameters": dict(plan.parameters),
        "severity": list(plan.severity),
        "count": plan.count,
        "seed": plan.seed,
        **rendering.settings(generator.hash),
        "sources": digest(item.source for item in items),
    }
    return run_shards(
        ItemList(items),
        out,
        kind="gbd build",
        settings=settings,
        make=PairMaker(out, generator, rendering),
        options=options,
        bad=bad,
    )


def build_stored(
    plan: StoredPlan,
    out: Path,
    generator: Renderer,
    *,
    rendering: Rendering,
    options: RunOptions = RunOptions(),
) -> RunReport:
    """Make the shards of a plan file that are not in ``out`` yet. Raises as :func:`build`."""
    return run_shards(
        plan,
        out,
        kind="gbd build",
        settings={**plan.settings, **rendering.settings(generator.hash)},
        make=PairMaker(out, generator, rendering),
        options=options,
    )


def make_tile(
    plan: StoredPlan, name: str, out: Path, generator: Renderer, *, rendering: Rendering
) -> RunReport:
    """Make one pair of a plan file, exactly as the full build does.

    Raises:
        UnknownName: the plan has no item of that name.
        OutputConflict: ``out`` holds something else.
    """
    return run_shards(
        ItemList([plan.find(name)]),
        out,
        kind="gbd tile",
        settings={**plan.settings, **rendering.settings(generator.hash), "tile": name},
        make=PairMaker(out, generator, rendering),
        options=RunOptions(),
    )


@dataclass(frozen=True)
class PairMaker:
    """``maker(item)`` writes all files of a pair and returns its manifest row; it can travel to
    another process.
    """

    out: Path
    generator: Renderer
    rendering: Rendering

    def __call__(self, item: Item) -> dict[str, Any]:
        return make_pair(item, self.out, self.generator, self.rendering)


def make_pair(item: Item, out: Path, generator: Renderer, rendering: Rendering) -> dict[str, Any]:
    """Write all files of one pair; returns its manifest row."""
    scene, label = read_source(item.source)
    post = make_post(item, scene, label, rendering, generator)
    for folder in ("images", "labels", "targets"):
        (out / folder).mkdir(exist_ok=True)
    _write_pre(item, out, scene, label)
    stem = f"{item.name}_post_disaster"
    write_post(
        post,
        out / "images" / f"{stem}.png",
        out / "labels" / f"{stem}.json",
        out / "targets" / f"{stem}_target.png",
        tags(item, rendering, generator.hash),
    )
    return row(item, post, rendering, generator.hash)


def _write_pre(item: Item, out: Path, scene: Scene, label: XbdLabel) -> None:
    """A PNG source is copied byte for byte; others become a PNG of the same pixels."""
    stem = f"{item.name}_pre_disaster"
    image = out / "images" / f"{stem}.png"
    source = item.source.pre
    if source.suffix.lower() == ".png":
        write_atomic(image, lambda temporary: shutil.copyfile(source, temporary))
    else:
        write_scene(as_rgb(scene), image, tags={"AFTERSCENE_SOURCE": item.source.id})
    write_label(renamed(label, item.name), out / "labels" / f"{stem}.json")
    target = rasterize(label.buildings, scene.shape)
    write_target(target, out / "targets" / f"{stem}_target.png", {})
