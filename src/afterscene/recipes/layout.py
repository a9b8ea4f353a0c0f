"""Pre images from footprint maps: the recipe ``layout`` of ``afterscene train``.

Trained on the real pre images of the split ``train``, each with its own coarse picture; ``val``
gives the logged loss. A run and its model folder are those of a generator (:mod:`.generator`).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from afterscene.generators.bridge import BridgeConfig
from afterscene.generators.examples import CropConfig
from afterscene.generators.layouts import STYLES, TONES, layout_tiles
from afterscene.generators.render import RenderConfig
from afterscene.generators.training import TrainConfig
from afterscene.geodata.leftout import LeftOut
from afterscene.geodata.xbd import Pair, XbdTree
from afterscene.recipes.data import Folders, Part
from afterscene.recipes.export import rounded, write_model
from afterscene.recipes.generator import make_trainer, parts
from afterscene.recipes.initial import initial
from afterscene.recipes.record import Data

__all__ = [
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
    """A 4.5 M-parameter bridge from footprints and coarse colours to a pre image, as shipped."""
    return LayoutConfig(
        model=BridgeConfig(widths=(48, 96, 192), depths=(1, 2, 2)),
        crops=CropConfig(shapes=((128, 128),), edit_share=0.0, jitter=0.1, turned=0.35),
        steps=2_300,
        lr=1e-3,
        floor=0.02,
        save_every=1_000,
        validate_every=1_000,
    )


def load_data(tree: XbdTree, folders: Folders, left_out: LeftOut) -> tuple[list[Part], list[Part]]:
    """Tiles for training and for validation; others are counted. Raises MissingFile."""
    train, held = tree.pairs(folders.split, left_out), folders.validating(tree, left_out)
    return _layout_parts(train, left_out), _layout_parts(held, left_out)


def _layout_parts(pairs: list[Pair], left_out: LeftOut) -> list[Part]:
    """A layout tile's ``pre`` is a coarse picture, its ``post`` the pre image of the place."""
    made = parts(layout_tiles(pairs, left_out)) if pairs else []
    prints = (replace(p.fingerprint, picture=p.pair.post.picture) for p in made)
    return [replace(p, fingerprint=own) for p, own in zip(made, prints, strict=True)]


def finish(run: Path, folder: Path, config: LayoutConfig, data: Data) -> None:
    """Write the averaged weights of the newest state of ``run`` as a model folder (float16)."""
    tiles = data.train
    styles = {
        STYLES: [rounded(tile.style) for tile in tiles],
        TONES: [rounded(tile.tone) for tile in tiles],
    }
    render = RenderConfig(steps=config.evaluations)
    write_model(run, folder, config, kind="layout", render=render, styles=styles)
