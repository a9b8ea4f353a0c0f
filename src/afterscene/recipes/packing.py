"""Writes a pack: all that a generator's training needs, in one file of at most so many megabytes.

Pictures are stored as WebP of the best quality that fits, levels as PNG, without loss; registering
the pairs and measuring their styles is done here. The leak guard has seen the data before, and what
the run writes into its ``data.json`` comes from here. :mod:`.packed` trains from it.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from afterscene.errors import BadParameter
from afterscene.files import write_atomic
from afterscene.generators.examples import TrainingTile
from afterscene.generators.training import TrainConfig
from afterscene.recipes.pack import ABOUT, FORMAT
from afterscene.recipes.record import Data

MEGABYTE = 1_000_000
#: WebP qualities that are tried, and by how much better a post image is stored: it is the target.
WORST, BEST, BETTER = 20, 92, 4
#: Share of the budget that is planned for.
FILLED = 0.95
#: Tiles that the size is estimated from, and validation tiles that travel along.
SAMPLE, HELD = 12, 12


@dataclass(frozen=True, kw_only=True)
class Packed:
    """What was packed.

    Attributes:
        bytes: Size of the file.
        quality: WebP quality of the pre images.
        psnr: Of the stored pictures, in decibels, over a sample.
        train, validation: Numbers of tiles.
    """

    bytes: int
    quality: int
    psnr: float
    train: int
    validation: int


def write_pack(out: Path, recipe: str, config: TrainConfig, data: Data, *, budget: float) -> Packed:
    """Write ``data`` and ``config`` of ``recipe`` into one file of at most ``budget`` megabytes.

    Raises:
        BadParameter: it does not fit at any quality.
    """
    splits = {"train": list(data.train), "validation": _few(data.validation)}
    every = [tile for tiles in splits.values() for tile in tiles]
    limit = budget * MEGABYTE
    quality = _quality(every, FILLED * limit)
    while True:
        content = _written(splits, recipe, config, data, quality)
        if len(content) <= limit:
            break
        quality -= 3
        if quality < WORST:
            raise BadParameter(
                f"{len(every)} tiles do not fit into {budget:g} MB; raise --budget, or give fewer"
            )
    write_atomic(out, content)
    return Packed(
        bytes=len(content),
        quality=quality,
        psnr=round(_psnr(_few(every, SAMPLE), quality), 1),
        train=len(splits["train"]),
        validation=len(splits["validation"]),
    )


def _few(tiles: Sequence[TrainingTile], most: int = HELD) -> list[TrainingTile]:
    """At most so many, evenly spread."""
    step = max(-(-len(tiles) // most), 1)
    return list(tiles[::step])


def _quality(tiles: Sequence[TrainingTile], limit: float) -> int:
    """The best quality at which the tiles are estimated to fit; else the worst."""
    sample = _few(tiles, SAMPLE)
    pixels, total = (sum(np.prod(t.shape) for t in some) for some in (sample, tiles))
    low, high = WORST, BEST
    while low < high:
        middle = (low + high + 1) // 2
        size = sum(len(c) for tile in sample for _, c in _files(tile, middle))
        low, high = (middle, high) if size * total / pixels <= limit else (low, middle - 1)
    return low


def _written(
    splits: dict[str, list[TrainingTile]],
    recipe: str,
    config: TrainConfig,
    data: Data,
    quality: int,
) -> bytes:
    about: dict[str, Any] = {
        "format": FORMAT,
        "recipe": recipe,
        "config": asdict(config),
        "quality": quality,
        "held_out": sorted(data.held_out),
        "licence": "CC-BY-NC-SA-4.0",
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for split, tiles in splits.items():
            about[split] = []
            for number, tile in enumerate(tiles):
                files = {}
                for kind, content in _files(tile, quality):
                    files[kind] = f"{split}/{number:04d}-{kind}"
                    archive.writestr(files[kind], content)
                row = {**_row(tile), "hash": data.contents[split][tile.name], "files": files}
                about[split].append(row)
        archive.writestr(ABOUT, json.dumps(about), zipfile.ZIP_DEFLATED)
    return file.getvalue()


def _row(tile: TrainingTile) -> dict[str, Any]:
    return {
        "name": tile.name,
        "hazard": tile.hazard,
        "gsd": tile.gsd,
        "style": [float(v) for v in tile.style],
        "middle": [float(v) for v in tile.middle],
        "tone": [float(v) for v in tile.tone],
        "building_levels": [int(v) for v in tile.places.levels],
        "centres": tile.places.centres.astype(float).round(1).tolist(),
    }


def _files(tile: TrainingTile, quality: int) -> Iterator[tuple[str, bytes]]:
    """``pre``, ``post`` (registered), ``levels`` and ``covered`` of a tile, encoded."""
    yield "pre", _webp(tile.pre, quality)
    yield "post", _webp(tile.registered, quality + BETTER)
    file = io.BytesIO()
    Image.fromarray(tile.levels).save(file, "PNG", optimize=True)
    yield "levels", file.getvalue()
    file = io.BytesIO()
    Image.fromarray(tile.covered).save(file, "PNG", optimize=True)
    yield "covered", file.getvalue()


def _webp(picture: np.ndarray, quality: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "WEBP", quality=quality, method=4)
    return file.getvalue()


def _psnr(tiles: Sequence[TrainingTile], quality: int) -> float:
    """Mean over pre and registered post images."""
    values = []
    for tile in tiles:
        for picture, own in ((tile.pre, quality), (tile.registered, quality + BETTER)):
            with Image.open(io.BytesIO(_webp(picture, own))) as image:
                error = np.asarray(image).astype(np.float32) - picture
            values.append(10 * np.log10(255**2 / max(float((error**2).mean()), 1e-6)))
    return float(np.mean(values))
