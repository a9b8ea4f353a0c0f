"""Pre images from footprint maps: the recipe ``layout`` of ``afterscene train``.

The real pre images of the split ``train``, each beside its own coarse picture; ``val`` gives the
logged loss. A run and its model folder are those of a generator (:mod:`.generator`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch

from afterscene.generators.bridge import BridgeConfig
from afterscene.generators.checkpoint import save_weights
from afterscene.generators.crops import CropConfig, TrainingTile
from afterscene.generators.layouts import LOOKS, TONES, layout_tiles, tone_of
from afterscene.generators.render import RenderConfig
from afterscene.generators.training import TrainConfig
from afterscene.geodata.xbd import XbdTree
from afterscene.recipes.generator import PRECISIONS, Data, initial, make_trainer, seen_tiles
from afterscene.training.memory import averaged

__all__ = [
    "PRECISIONS",
    "LayoutConfig",
    "default",
    "finish",
    "initial",
    "load_data",
    "make_trainer",
]


@dataclass(frozen=True, kw_only=True)
class LayoutConfig(TrainConfig):
    """A bridge from coarse pictures to real ones; ``evaluations`` is the default of rendering."""

    crops: CropConfig = field(
        default_factory=lambda: CropConfig(shapes=((64, 16),), edit_share=0.0, jitter=0.1)
    )
    evaluations: int = 16


def default() -> LayoutConfig:
    """A 2 M-parameter bridge from footprints and coarse colours to a pre image."""
    return LayoutConfig(
        model=BridgeConfig(widths=(32, 64, 128), depths=(1, 2, 2)),
        steps=6_000,
        lr=5e-4,
        warmup=100,
        precision="fp32",
        snapshot_every=1_000,
    )


def load_data(folder: Path) -> Data:
    """Tiles of the splits ``train`` and ``val`` of an xBD tree. Raises MissingFile."""
    tree = XbdTree(folder)
    validation = tree.pairs("val") if "val" in tree.splits else []
    return layout_tiles(tree.pairs("train")), layout_tiles(validation) if validation else []


def finish(run: Path, folder: Path, config: LayoutConfig, data: Data) -> None:
    """Write the averaged weights of the newest state of ``run`` as a model folder (float16)."""
    tiles: Sequence[TrainingTile] = data[0]
    step, average, _ = averaged(run)
    about = {
        "kind": "layout",
        "schema": 1,
        "step": step,
        "model": asdict(config.model),
        "render": asdict(RenderConfig(steps=config.evaluations, sketched=())),
        "looks": {
            LOOKS: [_rounded(tile.style) for tile in tiles],
            TONES: [_rounded(tone_of(tile.pre)) for tile in tiles],
        },
        "tiles": seen_tiles(run, tiles),
        "licence": "CC-BY-NC-SA-4.0",
    }
    save_weights(folder, average, about, dtype=torch.float16)


def _rounded(values: np.ndarray) -> list[float]:
    return [round(float(v), 4) for v in values]
