"""Detectors as recipes: the configurations of :data:`afterscene.detectors.DETECTORS`, resumable.

They are trained on the real pairs of a split of an xBD tree, and on synthetic pairs if folders are
given; the validation split gives the logged loss and pictures, and at the end the thresholds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from afterscene.detectors import DETECTORS, load_detector, training
from afterscene.detectors.objects import fit_objects
from afterscene.detectors.task import DetectorRun, DetectorTask
from afterscene.geodata.leftout import LeftOut
from afterscene.geodata.pair import LabelledPair, read_pairs
from afterscene.geodata.xbd import XbdTree
from afterscene.recipes.data import Folders, Part
from afterscene.recipes.record import Data, tiles_of
from afterscene.training.loop import Trainer
from afterscene.training.memory import averaged
from afterscene.training.processes import Group


def unet() -> DetectorRun:
    """The shipped damage detector: a Siamese U-Net with an ImageNet encoder, 800 steps."""
    return DetectorRun.of(DETECTORS["unet"])


def tiny() -> DetectorRun:
    """A small damage detector from scratch, for experiments: 200 steps, a minute on a CPU."""
    return DetectorRun.of(DETECTORS["tiny"])


def swin() -> DetectorRun:
    """A damage detector on transformers' Swin, from scratch unless backbone=FOLDER is given."""
    return DetectorRun.of(DETECTORS["swin"])


def clip() -> DetectorRun:
    """A damage detector on a CLIP-style encoder whose levels are sentences."""
    return DetectorRun.of(DETECTORS["clip"])


def load_data(tree: XbdTree, folders: Folders, left_out: LeftOut) -> tuple[list[Part], list[Part]]:
    """Pairs to train on and to decide thresholds with; others are counted. Raises MissingFile."""
    train = [_part(pair) for pair in read_pairs(tree, folders.split, left_out=left_out)]
    asked = folders.validation if folders.validates(tree) else None
    held = read_pairs(tree, asked, left_out=left_out) if asked else []
    return train, [_part(pair) for pair in held]


def synthetic_parts(folder: Path, left_out: LeftOut) -> list[Part]:
    """The pairs of a GBD folder; others are counted. Raises MissingFile."""
    sources = source_names(folder)
    pairs = read_pairs(folder, synthetic=True, left_out=left_out)
    return [_part(pair, sources.get(pair.id, "")) for pair in pairs]


def _part(pair: LabelledPair, source: str = "") -> Part:
    return Part(item=pair, pair=pair, fingerprint=pair.fingerprint, source=source)


def source_names(folder: Path) -> dict[str, str]:
    """The real tile that each pair of a GBD folder was made from, as far as its manifest says."""
    path = folder / "manifest.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else ()
    rows = [json.loads(line) for line in lines if line]
    return {row["id"]: row["source"] for row in rows if "source" in row}


def make_trainer(
    config: DetectorRun, data: Data, out: Path, *, device: str, group: Group
) -> Trainer:
    """A trainer for that data."""
    task = DetectorTask(config, data.train, validation=data.validation, device=device)
    return Trainer(task, config, out, group=group)


def initial(folder: Path, config: DetectorRun) -> Mapping[str, Tensor]:
    """The weights of a detector's folder, as initial weights."""
    return load_detector(folder).network.state_dict()


def finish(run: Path, folder: Path, config: DetectorRun, data: Data) -> None:
    """Write the averaged weights of the newest state of ``run`` as a detector's folder."""
    step, average, seconds = averaged(run)
    task = DetectorTask(config, data.train)
    made = {"steps": step, "seconds": round(seconds, 1), "tiles": tiles_of(run)}
    detector = training.finish(task, average, data.train, data.validation, made)
    if config.objects:
        detector = fit_objects(detector, data.train, seed=config.seed)
    detector.save(folder)
