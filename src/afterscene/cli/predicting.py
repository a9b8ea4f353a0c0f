"""What ``detect predict`` does with each pair."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from afterscene.detectors import Detector
from afterscene.detectors.pairs import load_target
from afterscene.errors import BadParameter, MissingFile
from afterscene.geodata.damage import IGNORE, DamageLevel
from afterscene.geodata.scene import Scene, read_scene, write_scene
from afterscene.geodata.xbd import Pair, XbdTree
from afterscene.metrics.folders import OFFICIAL_SHAPE, write_official

GEOTIFF = (".tif", ".tiff")


@dataclass(frozen=True, kw_only=True)
class Job:
    """One pair to predict; ``pair`` is None for two files that were named by hand."""

    id: str
    pre: Path
    post: Path
    pair: Pair | None = None


def jobs(xbd: Path | None, split: str | None, pre: Path | None, post: Path | None) -> list[Job]:
    """The pairs of a folder, or the one pair of files.

    Raises:
        BadParameter: neither or both are given.
        MissingFile: a file is not there, or the folder has no pair.
    """
    if xbd is not None and pre is None and post is None:
        pairs = [pair for pair in XbdTree(xbd).pairs(split) if pair.post is not None]
        found = [Job(id=p.id, pre=p.pre, post=p.post, pair=p) for p in pairs if p.post is not None]
        if not found:
            raise MissingFile(f"{xbd}: no pair with a post image; check the folder and the split")
        return found
    if xbd is None and pre is not None and post is not None:
        return [Job(id=pre.stem.removesuffix("_pre_disaster"), pre=pre, post=post)]
    raise BadParameter("give either --xbd, or --pre together with --post")


def write_prediction(
    detector: Detector, job: Job, number: int, out: Path, *, flips: bool = False
) -> dict[str, Any]:
    """Predict one pair and write it; the row says where, and counts pixels by level."""
    pre = read_scene(job.pre)
    found = detector.predict(pre, read_scene(job.post), flips=flips)
    suffix = ".tif" if job.pre.suffix.lower() in GEOTIFF else ".png"
    path = out / f"{job.id}_prediction{suffix}"
    valid = np.ones(pre.shape, bool)
    mask = Scene(pixels=found.target[None], valid=valid, crs=pre.crs, transform=pre.transform)
    write_scene(mask, path)
    if job.pair is not None and pre.shape == OFFICIAL_SHAPE:
        _write_official(job.pair, number, found.localization, found.damage, out)
    counts = np.bincount(found.target.ravel(), minlength=5)
    levels = {level.word: int(counts[level]) for level in DamageLevel if level != IGNORE}
    return {"id": job.id, "file": path.name, "number": number, "pixels": levels}


def _write_official(
    pair: Pair, number: int, localization: np.ndarray, damage: np.ndarray, out: Path
) -> None:
    """Prediction and target in xView2's layout. It knows no "ignore": un-classified buildings
    become no-damage in these target files, as in the challenge's baseline.
    """
    for folder in ("predictions", "targets"):
        (out / folder).mkdir(exist_ok=True)
    write_official(out / "predictions", number, "localization", localization)
    write_official(out / "predictions", number, "damage", damage * localization)
    if pair.post_label is None and pair.target is None:
        return
    target = load_target(pair, damage.shape)
    target = np.where(target == IGNORE, 1, target).astype(np.uint8)
    write_official(out / "targets", number, "localization", target > 0, role="target")
    write_official(out / "targets", number, "damage", target, role="target")
