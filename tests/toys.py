"""Toys that several rooms' tests share: a tiny xBD folder and a renderer that needs no weights."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from afterscene.geodata.damage import DamageMap, rasterize
from afterscene.geodata.scene import Scene

SIDE = 64
BOXES = ((6, 6, 20, 18), (30, 8, 46, 22), (10, 34, 26, 50), (38, 38, 56, 54))


class ToyGenerator:
    """Paints damaged buildings with noise of the seed; keeps all else to the bit."""

    hash = "c0ffee" * 10 + "0000"

    def drawn_as(self, hazard: str) -> str:
        return hazard

    def render(self, pre: Scene, damage: DamageMap, *, seed: int, **_: object) -> Scene:
        levels = rasterize(damage.buildings, pre.shape)
        noise = np.random.default_rng(seed).integers(0, 256, pre.pixels.shape, np.uint8)
        return pre.replace(pixels=np.where(levels > 1, noise, pre.pixels))


def box_wkt(left: float, top: float, right: float, bottom: float) -> str:
    return (
        f"POLYGON (({left} {top}, {right} {top}, {right} {bottom}, {left} {bottom}, {left} {top}))"
    )


def label_text(wkts: Sequence[str], name: str, subtype: str | None = None, side: int = SIDE) -> str:
    properties = [
        {"feature_type": "building", "uid": f"b{k}"} | ({"subtype": subtype} if subtype else {})
        for k in range(len(wkts))
    ]
    entries = [{"properties": p, "wkt": w} for p, w in zip(properties, wkts, strict=True)]
    event = name.rsplit("_", 3)[0]
    metadata = {"disaster": event, "width": side, "height": side, "img_name": f"{name}.png"}
    return json.dumps({"features": {"lng_lat": [], "xy": entries}, "metadata": metadata})


def write_pre(folder: Path, stem: str, seed: int = 0, wkts: Sequence[str] | None = None) -> Path:
    """``images/{stem}_pre_disaster.png`` with its label; returns the image's path."""
    rng = np.random.default_rng(seed)
    pixels = rng.integers(60, 120, (SIDE, SIDE, 3), np.uint8)
    for left, top, right, bottom in BOXES:
        pixels[top : bottom + 1, left : right + 1] = 180
    for name in ("images", "labels"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    image = folder / "images" / f"{stem}_pre_disaster.png"
    Image.fromarray(pixels).save(image)
    outlines = [box_wkt(*b) for b in BOXES] if wkts is None else wkts
    text = label_text(outlines, f"{stem}_pre_disaster")
    (folder / "labels" / f"{stem}_pre_disaster.json").write_text(text, encoding="utf-8")
    return image


def toy_tree(folder: Path, count: int = 3) -> Path:
    """An xBD folder of ``count`` pre images and a split ``train`` with all of them."""
    stems = [f"toy-town_{k:08d}" for k in range(count)]
    for k, stem in enumerate(stems):
        write_pre(folder, stem, seed=k)
    (folder / "splits.json").write_text(json.dumps({"train": stems, "test": stems[:1]}))
    return folder


def plan_file(path: Path, tree: Path, *, shard_size: int, select: dict | None = None, **config):
    """A plan on all sources of the tree (or those that ``select`` says), written and read back."""
    from afterscene import gbd

    found = gbd.select_sources(tree, **(select or {}))
    plan = gbd.draw_plan(found.sources, gbd.PlanConfig(**config))
    return gbd.write_plan(plan, path, root=tree, shard_size=shard_size)


def synthesize(sources, hazard: str, out: Path):
    """The flat folder of ``afterscene synthesize`` with the toy's pictures, at full severity."""
    from afterscene import gbd

    plan = gbd.plan_each(sources, hazard, severity=1.0, seed=1, parameters={})
    return gbd.build(plan, out, ToyGenerator(), rendering=gbd.Rendering(), flat=True)


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file below the folder by its relative path."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
