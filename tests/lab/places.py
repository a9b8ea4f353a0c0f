"""Toy xBD pairs with posts: a house's colour afterwards is its level, which a judge can read."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from afterscene.detectors import Prediction
from afterscene.geodata.damage import Building, DamageLevel, DamageMap, instances, rasterize
from afterscene.geodata.scene import Scene
from toys import ToyGenerator, box_wkt

SIDE, CELL, HOUSE = 160, 32, 14
GROUND = 90
AFTER = {1: (200, 200, 200), 2: (220, 200, 40), 3: (40, 90, 215), 4: (20, 20, 20)}
WORDS = {level.value: level.word for level in DamageLevel}


def write_pair(folder: Path, stem: str, seed: int, levels: Sequence[int] = (1, 2, 3, 4)) -> None:
    """25 houses on a grid, levels drawn from `levels`, post image, labels of both times."""
    rng = np.random.default_rng(seed)
    pre = rng.integers(GROUND - 30, GROUND + 30, (SIDE, SIDE, 3), np.uint8)
    boxes, drawn = [], rng.permutation(np.resize(levels, (SIDE // CELL) ** 2))
    for number in range(len(drawn)):
        row, col = divmod(number, SIDE // CELL)
        top, left = CELL * row + 8, CELL * col + 8
        boxes.append((left, top, left + HOUSE, top + HOUSE))
    post = pre.copy()
    for (left, top, right, bottom), level in zip(boxes, drawn, strict=True):
        pre[top : bottom + 1, left : right + 1] = AFTER[1]
        post[top : bottom + 1, left : right + 1] = AFTER.get(int(level), AFTER[1])
    for part in ("images", "labels"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    for when, pixels in (("pre", pre), ("post", post)):
        name = f"{stem}_{when}_disaster"
        Image.fromarray(pixels).save(folder / "images" / f"{name}.png")
        entries = [
            {
                "properties": {"feature_type": "building", "uid": f"h{k}"}
                | ({"subtype": WORDS[int(level)]} if when == "post" else {}),
                "wkt": box_wkt(*box),
            }
            for k, (box, level) in enumerate(zip(boxes, drawn, strict=True))
        ]
        metadata = {"disaster": stem.rsplit("_", 1)[0], "width": SIDE, "height": SIDE}
        text = {"features": {"lng_lat": [], "xy": entries}, "metadata": metadata}
        (folder / "labels" / f"{name}.json").write_text(json.dumps(text))


def paired_tree(folder: Path) -> Path:
    """Wind and wildfire pairs; ``test`` asks 25 houses of each level in all."""
    splits: dict[str, list[str]] = {"train": [], "test": []}
    for seed, (event, split) in enumerate(
        (event, split)
        for split, count in (("train", 1), ("test", 2))
        for event in ("hurricane-michael", "santa-rosa-wildfire")
        for _ in range(count)
    ):
        stem = f"{event}_{seed:08d}"
        write_pair(folder, stem, seed)
        splits[split].append(stem)
    (folder / "splits.json").write_text(json.dumps(splits))
    return folder


class ReadingJudge:
    """Reads a house's level from its colour in the post image, and never errs on real posts."""

    def predict(self, pre: Scene, post: Scene, *, footprints: Sequence[Building] | None = None):
        assert footprints is not None
        owner = instances(footprints, pre.shape)
        damage = np.ones(pre.shape, np.uint8)
        rgb = post.rgb().astype(int)
        for number in range(1, len(footprints) + 1):
            here = owner == number
            colour = np.median(rgb[here], axis=0)
            damage[here] = min(AFTER, key=lambda k: np.abs(colour - AFTER[k]).sum())
        return Prediction(
            localization=(owner > 0).astype(np.uint8),
            damage=damage,
            probabilities=np.zeros((5, *pre.shape), np.float32),
        )


class PerfectGenerator:
    """Paints each asked level in its colour; counts how often it was asked."""

    hash = "ab" * 32
    drawn_as = ToyGenerator.drawn_as

    def __init__(self) -> None:
        self.calls = 0

    def render(self, pre: Scene, damage: DamageMap, *, seed: int, mode="edit", steps=None, **_):
        self.calls += 1
        pixels = pre.rgb()
        levels = rasterize(damage.buildings, pre.shape)
        for level in (2, 3, 4):
            pixels[levels == level] = AFTER[level]
        if mode == "reacquire":
            pixels = np.clip(pixels.astype(int) + 5, 0, 255).astype(np.uint8)
        return pre.replace(pixels=np.ascontiguousarray(pixels.transpose(2, 0, 1)))
