"""Detectors as recipes: the configurations of :data:`afterscene.detectors.DETECTORS`, resumable.

Real pairs of the split ``train`` of an xBD tree are trained on; ``val`` gives the logged
validation loss and pictures, and at the end decides the thresholds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import Tensor

from afterscene.detectors import DETECTORS, load, training
from afterscene.detectors.task import DetectorRun, DetectorTask
from afterscene.geodata.pair import LabelledPair, read_pairs
from afterscene.geodata.xbd import XbdTree
from afterscene.training.loop import Trainer
from afterscene.training.memory import averaged
from afterscene.training.processes import Group

Data = tuple[Sequence[LabelledPair], Sequence[LabelledPair]]


def unet() -> DetectorRun:
    """The shipped damage detector: a Siamese U-Net with an ImageNet encoder, 800 steps."""
    return DetectorRun.of(DETECTORS["unet"])


def tiny() -> DetectorRun:
    """A small damage detector from scratch for trying things: 200 steps, a minute on a CPU."""
    return DetectorRun.of(DETECTORS["tiny"])


def load_data(folder: Path) -> Data:
    """Pairs to train on and to decide thresholds with. Raises MissingFile."""
    tree = XbdTree(folder)
    return read_pairs(tree, "train"), read_pairs(tree, "val") if "val" in tree.splits else []


def make_trainer(
    config: DetectorRun, data: Data, out: Path, *, device: str, group: Group
) -> Trainer:
    """A run on that data."""
    pairs, validation = data
    task = DetectorTask(config, pairs, validation=validation, device=device)
    return Trainer(task, config, out, group=group)


def initial(folder: Path) -> tuple[Mapping[str, Tensor], None]:
    """The weights of a detector's folder, to start from."""
    return load(folder).network.state_dict(), None


def finish(run: Path, folder: Path, config: DetectorRun, data: Data) -> None:
    """Write the averaged weights of the newest state of ``run`` as a detector's folder."""
    step, average, seconds = averaged(run)
    task = DetectorTask(config, data[0])
    made = {"steps": step, "seconds": round(seconds, 1), "tiles": ()}
    training.finish(task, average, *data, made).save(folder)
