"""Predictions in a folder: by the tiles' names and, for whole tiles, in xView2's layout."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from afterscene.detectors.detector import Detector, Prediction
from afterscene.geodata.damage import IGNORE, LEVELS, rasterize
from afterscene.geodata.pair import LabelledPair, read_pair
from afterscene.geodata.scene import Scene, write_scene
from afterscene.geodata.xbd import Pair
from afterscene.metrics.folders import OFFICIAL_SHAPE, write_official

GEOTIFF = (".tif", ".tiff")


def predict_folder(
    detector: Detector,
    pairs: Iterable[Pair],
    out: Path,
    *,
    flips: bool = False,
    advance: Callable[[int], None] = lambda _: None,
) -> list[dict[str, Any]]:
    """Predict every pair into the folder ``out``; a row each says where, with pixels by level.

    ``{id}_prediction.png`` holds 0 background and 1..4 on the pre image's grid, and 255 where an
    image has no data (``.tif`` for a GeoTIFF, in which that is nodata as well). Tiles of 1024 x
    1024 that belong to an event also go into ``predictions/`` and, where labelled, ``targets/`` in
    the official layout, numbered in the order of `pairs`. That knows no "ignore": un-classified
    buildings become no-damage in these target files, as in the challenge's baseline. Raises
    MissingFile, BadImage, BadLabel.
    """
    rows = []
    for number, files in enumerate(pairs):
        pair = read_pair(files)
        found = detector.predict(pair.pre, pair.post, flips=flips)
        suffix = ".tif" if files.pre.suffix.lower() in GEOTIFF else ".png"
        path = out / f"{pair.id}_prediction{suffix}"
        _write(pair.pre, found, path)
        if pair.event and pair.shape == OFFICIAL_SHAPE:
            _write_official(pair, number, found, out)
        counts = np.bincount(found.target.ravel(), minlength=5)
        levels = {level.word: int(counts[level]) for level in LEVELS}
        row = {"id": pair.id, "file": path.name, "number": number, "pixels": levels}
        rows.append({**row, "no_data": int((found.known == IGNORE).sum())})
        advance(1)
    return rows


def _write(pre: Scene, found: Prediction, path: Path) -> None:
    """PNG has no field for nodata, and alpha would make a second band: 255 says it alone."""
    values = found.known.astype(np.uint8)
    valid = values != IGNORE if path.suffix == ".tif" else np.ones(pre.shape, bool)
    write_scene(pre.replace(pixels=values[None], valid=valid, time=None), path)


def _write_official(pair: LabelledPair, number: int, found: Prediction, out: Path) -> None:
    for folder in ("predictions", "targets"):
        (out / folder).mkdir(exist_ok=True)
    write_official(out / "predictions", number, "localization", found.localization)
    write_official(out / "predictions", number, "damage", found.target)
    if not pair.labelled:
        return
    target = rasterize(pair.buildings, pair.shape, unclassified="as-no-damage")
    write_official(out / "targets", number, "localization", target > 0, role="target")
    write_official(out / "targets", number, "damage", target, role="target")
