"""What ``detect predict`` does with each pair."""

from pathlib import Path
from typing import Any

import numpy as np

from afterscene.detectors import Detector, Prediction
from afterscene.errors import BadParameter, MissingFile
from afterscene.geodata.damage import IGNORE, DamageLevel, rasterize
from afterscene.geodata.pair import LabelledPair, read_pair
from afterscene.geodata.scene import write_scene
from afterscene.geodata.xbd import Pair, XbdTree
from afterscene.metrics.folders import OFFICIAL_SHAPE, write_official

GEOTIFF = (".tif", ".tiff")


def chosen(xbd: Path | None, split: str | None, pre: Path | None, post: Path | None) -> list[Pair]:
    """The pairs of a folder, or the one pair of files, which belongs to no event.

    Raises:
        BadParameter: neither or both are given.
        MissingFile: a file is not there, or the folder has no pair.
    """
    if xbd is not None and pre is None and post is None:
        pairs = [pair for pair in XbdTree(xbd).pairs(split) if pair.post is not None]
        if not pairs:
            raise MissingFile(f"{xbd}: no pair with a post image; check the folder and the split")
        return pairs
    if xbd is None and pre is not None and post is not None:
        return [Pair(id=pre.stem.removesuffix("_pre_disaster"), event="", pre=pre, post=post)]
    raise BadParameter("give either --xbd, or --pre together with --post")


def write_prediction(
    detector: Detector, files: Pair, number: int, out: Path, *, flips: bool = False
) -> dict[str, Any]:
    """Predict one pair and write it; the row says where, and counts pixels by level."""
    pair = read_pair(files)
    found = detector.predict(pair.pre, pair.post, flips=flips)
    suffix = ".tif" if files.pre.suffix.lower() in GEOTIFF else ".png"
    path = out / f"{pair.id}_prediction{suffix}"
    everywhere = np.ones(pair.shape, bool)
    write_scene(pair.pre.replace(pixels=found.target[None], valid=everywhere, time=None), path)
    if pair.event and pair.shape == OFFICIAL_SHAPE:
        _write_official(pair, number, found, out)
    counts = np.bincount(found.target.ravel(), minlength=5)
    levels = {level.word: int(counts[level]) for level in DamageLevel if level != IGNORE}
    return {"id": pair.id, "file": path.name, "number": number, "pixels": levels}


def _write_official(pair: LabelledPair, number: int, found: Prediction, out: Path) -> None:
    """Prediction and target in xView2's layout. It knows no "ignore": un-classified buildings
    become no-damage in these target files, as in the challenge's baseline.
    """
    for folder in ("predictions", "targets"):
        (out / folder).mkdir(exist_ok=True)
    write_official(out / "predictions", number, "localization", found.localization)
    write_official(out / "predictions", number, "damage", found.target)
    if not pair.labelled:
        return
    target = rasterize(pair.buildings, pair.shape, unclassified="as-no-damage")
    write_official(out / "targets", number, "localization", target > 0, role="target")
    write_official(out / "targets", number, "damage", target, role="target")
