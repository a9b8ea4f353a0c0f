"""A small untrained generator and a training tile made of squares, for the laws below."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from shapely.geometry import box

from afterscene.generators.appearance import tone_of
from afterscene.generators.bridge import BridgeConfig, BridgeModel
from afterscene.generators.examples import TrainingTile
from afterscene.generators.generator import BridgeGenerator
from afterscene.generators.render import RenderConfig
from afterscene.geodata.damage import Building, DamageLevel, DamageMap
from afterscene.geodata.pair import LabelledPair
from afterscene.geodata.scene import Scene
from afterscene.recipes.record import Data, write_data
from afterscene.training.spots import Places

TINY = BridgeConfig(patch=2, widths=(8, 16), depths=(1, 1), embedding=16)


def data_of(run: Path, tiles: list[TrainingTile], validation: Sequence[TrainingTile] = ()) -> Data:
    """The tiles as the data of a run, written down in its folder."""
    data = Data(
        train=tiles,
        validation=validation,
        contents={"train": {tile.name: "" for tile in tiles}, "validation": {}},
        sources=[],
        held_out=frozenset(),
        leaks=[],
    )
    write_data(run, data, [])
    return data


def model(seed: int = 0) -> BridgeModel:
    """A network with random weights everywhere: zero-initialised parts would hide mistakes."""
    torch.manual_seed(seed)
    made = BridgeModel(TINY).eval()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.normal_(0, 0.08)
    return made


def generator(**render) -> BridgeGenerator:
    config = RenderConfig(**{"steps": 3, "precision": "fp32", **render})
    styles = {"wind": np.full((1, 6), 0.1, np.float32)}
    return BridgeGenerator(model=model(), styles=styles, config=config)


def scene(height: int = 64, width: int = 64, seed: int = 0) -> Scene:
    pixels = np.random.default_rng(seed).integers(0, 255, (3, height, width)).astype(np.uint8)
    return Scene(pixels=pixels, valid=np.ones((height, width), bool), source="toy")


def damage(*buildings: Building, shape: tuple[int, int] = (64, 64)) -> DamageMap:
    return DamageMap(
        buildings=buildings,
        intensity=np.zeros(shape, np.float32),
        unit="",
        hazard="wind",
        parameters={},
    )


def building(left: int, top: int, level: DamageLevel, side: int = 10) -> Building:
    return Building(
        polygon=box(left, top, left + side, top + side), level=level, uid=f"{left}-{top}"
    )


def pair_of(
    pre: np.ndarray, post: np.ndarray, buildings: Sequence[Building], id: str = "toy"
) -> LabelledPair:
    """A pair of two pictures ``(H, W, 3)``."""
    scenes = {"pre": Scene.of_rgb(pre), "post": Scene.of_rgb(post)}
    return LabelledPair(id=id, buildings=tuple(buildings), **scenes)


def tile(seed: int = 0) -> TrainingTile:
    """The tile of :func:`pair`."""
    return tile_of(pair(seed))


def pair(seed: int = 0) -> LabelledPair:
    """Destroyed squares turn white, untouched ones stay: what a network can learn in seconds."""
    rng = np.random.default_rng(seed)
    pre = rng.integers(60, 120, (160, 160, 3)).astype(np.uint8)
    post, houses = pre.copy(), []
    for row in range(20, 150, 40):
        for col in range(20, 150, 40):
            level = DamageLevel.DESTROYED if rng.random() < 0.5 else DamageLevel.NO_DAMAGE
            houses.append(building(col - 8, row - 8, level, side=15))
            area = np.s_[row - 8 : row + 8, col - 8 : col + 8]
            pre[area] = post[area] = 150
            if level == DamageLevel.DESTROYED:
                post[area] = 240
    return pair_of(pre, post, houses)


def tile_of(pair: LabelledPair, **more: object) -> TrainingTile:
    """The tile of a pair that lies well, with fields of its own."""
    post = pair.post.picture
    fields: dict = {
        "name": pair.id,
        "hazard": "wildfire",
        "places": Places.of(pair),
        "style": np.zeros(6, np.float32),
        "middle": np.full(3, 90, np.float32),
        "pre": pair.pre.picture,
        "covered": np.zeros(pair.shape, bool),
        "registered": post,
        "matched": post,
        "levels": pair.known,
        "tone": tone_of(pair.pre.picture),
    }
    return TrainingTile(**(fields | more))
