"""Synthesize: given pre images and footprints, the post image, label and target of each.

The files of ``{stem}_pre_disaster.png`` are ``{stem}_post_disaster.png``, ``.json`` and
``_target.png``, side by side in one folder with ``manifest.jsonl``; a GeoTIFF also gives a GeoTIFF
on the same grid. With the severity and the seed of a row of ``gbd build``'s manifest the same
picture comes out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from afterscene.errors import BadParameter
from afterscene.gbd.pair import (
    Renderer,
    Rendering,
    make_post,
    read_source,
    row,
    tags,
    write_post,
)
from afterscene.gbd.plan import Item, Source
from afterscene.gbd.runs import RunOptions, RunReport, check_sources, digest, run_shards
from afterscene.gbd.shards import ItemList
from afterscene.geodata.scene import write_scene
from afterscene.hazards import make_hazard

PRE = "_pre_disaster"
GEOTIFF = (".tif", ".tiff")


def match_labels(pres: Sequence[Path], labels: Sequence[Path]) -> tuple[Source, ...]:
    """Each pre image with its label: one label file for each image in the same order, or one folder
    that holds ``{image stem}.json``.

    Raises:
        BadParameter: the numbers differ, or two images would write the same files.
    """
    if len(labels) == 1 and labels[0].is_dir():
        files = [labels[0] / f"{pre.stem}.json" for pre in pres]
    elif len(labels) == len(pres):
        files = list(labels)
    else:
        raise BadParameter(
            f"{len(pres)} images but {len(labels)} label files; give --labels once for each image "
            "in the same order, or one folder with a {stem}.json for each"
        )
    sources = tuple(_source(pre, label) for pre, label in zip(pres, files, strict=True))
    stems = [source.id for source in sources]
    for stem in stems:
        if stems.count(stem) > 1:
            raise BadParameter(f"two images are named {stem}; give them in two commands")
    return sources


def _source(pre: Path, label: Path) -> Source:
    stem = pre.stem.removesuffix(PRE)
    if not stem:
        raise BadParameter(f"{pre}: nothing is left of the name without {PRE}; rename the image")
    return Source(id=stem, event=stem.rsplit("_", 1)[0], pre=pre, label=label, strict=True)


@dataclass(frozen=True, kw_only=True)
class Strike:
    """Which disaster is asked for. Raises UnknownName or BadParameter, as the hazard does."""

    hazard: str
    severity: float
    seed: int
    parameters: Mapping[str, float | str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        make_hazard(self.hazard, self.severity, **self.parameters)
        if self.seed < 0:
            raise BadParameter(f"the seed is {self.seed}; give a whole number of 0 or more")


def synthesize(
    sources: Sequence[Source],
    strike: Strike,
    out: Path,
    generator: Renderer,
    *,
    rendering: Rendering,
    options: RunOptions = RunOptions(),
) -> RunReport:
    """Write the aftermath of each source into ``out``.

    Raises:
        OutputConflict: ``out`` holds another run.
        MissingFile, BadImage, BadLabel: of a source.
    """
    items = [
        Item(
            name=source.id,
            source=source,
            draw=0,
            hazard=strike.hazard,
            severity=strike.severity,
            seed=strike.seed,
            parameters=strike.parameters,
        )
        for source in sources
    ]
    settings = {
        "hazard": strike.hazard,
        "parameters": dict(strike.parameters),
        "severity": strike.severity,
        "seed": strike.seed,
        **rendering.settings(generator.hash),
        "sources": digest(sources),
    }
    return run_shards(
        ItemList(items),
        out,
        kind="synthesize",
        settings=settings,
        make=lambda item: _make(item, out, generator, rendering),
        options=options,
        bad=check_sources(sources, options.on_error),
    )


def _make(item: Item, out: Path, generator: Renderer, rendering: Rendering) -> dict[str, Any]:
    scene, label = read_source(item.source)
    post = make_post(item, scene, label, rendering, generator)
    text = tags(item, rendering, generator.hash)
    stem = f"{item.name}_post_disaster"
    if item.source.pre.suffix.lower() in GEOTIFF:
        write_scene(post.scene, out / f"{stem}.tif", tags=text)
    write_post(post, out / f"{stem}.png", out / f"{stem}.json", out / f"{stem}_target.png", text)
    return row(item, post, rendering, generator.hash)
