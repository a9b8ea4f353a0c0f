"""Generators of post images: the shipped one, and a small one for experiments.

They learn damage from the real pairs of the split ``train`` of an xBD tree, and the styles of other
hazards from pairs without labels (``unlabelled/``), with "level not given". They see nothing of
``val`` or ``test``; ``val`` only gives the logged validation loss.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from afterscene.generators.bridge import BridgeConfig
from afterscene.generators.distillation import DistilConfig
from afterscene.generators.examples import CropConfig, TrainingTile
from afterscene.generators.tiles import load_tiles, unlabelled_pairs
from afterscene.generators.training import TrainConfig, bridge_trainer
from afterscene.geodata.leftout import LeftOut
from afterscene.geodata.pair import LabelledPair
from afterscene.geodata.xbd import XbdTree
from afterscene.recipes.data import Folders, Part
from afterscene.recipes.export import finish_bridge
from afterscene.recipes.initial import initial
from afterscene.recipes.record import Data
from afterscene.training.loop import Trainer
from afterscene.training.processes import Group

__all__ = ["compact", "default", "distilled", "finish", "initial", "load_data", "make_trainer"]


def default() -> TrainConfig:
    """A 17 M-parameter bridge, the shipped weights: eight minutes on a graphics card."""
    return TrainConfig(
        model=BridgeConfig(widths=(64, 128, 256, 320), depths=(1, 2, 2, 2), gsd=True),
        crops=CropConfig(shapes=((160, 80),), edit_share=0.5, turned=0.35, resampled=0.5),
        steps=12_500,
        lr=6e-4,
        floor=0.02,
        compiled=True,
        save_every=3_000,
        validate_every=3_000,
    )


def compact() -> TrainConfig:
    """A 10 M-parameter bridge, 2.5 times as fast as ``generator`` where there is no bfloat16."""
    model = BridgeConfig(widths=(48, 96, 192, 256), depths=(1, 1, 2, 2), lean=True, gsd=True)
    return replace(default(), model=model, steps=25_000)


def distilled() -> DistilConfig:
    """A trained ``generator`` (--init) learns to draw in two evaluations, against a critic."""
    return DistilConfig.of(default())


def small() -> TrainConfig:
    """A 0.5 M-parameter bridge for experiments: crops of 64 pixels, fp32, minutes on a CPU."""
    return TrainConfig(
        model=BridgeConfig(widths=(24, 48, 72), depths=(1, 1, 1), embedding=96, gsd=True),
        crops=CropConfig(shapes=((64, 8),), resampled=0.5),
        steps=1_000,
        warmup=50,
        precision="fp32",
        save_every=100,
        validate_every=100,
        snapshot_every=100,
    )


def load_data(tree: XbdTree, folders: Folders, left_out: LeftOut) -> tuple[list[Part], list[Part]]:
    """Tiles for training and for validation, from an xBD tree.

    Pairs of images in a subfolder ``unlabelled/`` are used for training as well. What cannot be
    used is counted. Raises MissingFile, and the errors of reading them.
    """
    pairs = tree.pairs(folders.split, left_out)
    if (tree.root / "unlabelled").is_dir():
        pairs = pairs + unlabelled_pairs(tree.root / "unlabelled", left_out)
    held = folders.validating(tree, left_out)
    return parts(load_tiles(pairs, left_out)), parts(load_tiles(held, left_out))


def parts(made: Iterable[tuple[LabelledPair, TrainingTile]]) -> list[Part]:
    """Each tile with its pair."""
    return [Part(item=tile, pair=pair, fingerprint=pair.fingerprint) for pair, tile in made]


def make_trainer(
    config: TrainConfig, data: Data, out: Path, *, device: str, group: Group
) -> Trainer:
    """A trainer for that data."""
    held = data.validation
    return bridge_trainer(config, data.train, out, validation=held, device=device, group=group)


def finish(run: Path, folder: Path, config: TrainConfig, data: Data) -> None:
    """Write the averaged weights of the newest state of ``run`` as a model folder (float16)."""
    finish_bridge(run, folder, config, data.train)
