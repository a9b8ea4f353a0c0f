"""Drawn pairs in an xBD folder: what the demo trains and tests on where no data is at hand.

Towns are drawings from a seed (:mod:`afterscene.geodata.drawn`); which house suffers what is
decided by the same hazards as everywhere, and painted by the same painters
(:mod:`afterscene.depiction`). They stand in for real pairs so that the
whole way can be walked without data, and every file says that it is drawn.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from afterscene.depiction import draw_aftermath
from afterscene.files import write_json
from afterscene.gbd.pair import MARK
from afterscene.gbd.plan import item_seed
from afterscene.geodata.damage import Building, DamageMap, rasterize
from afterscene.geodata.drawn import draw_town
from afterscene.geodata.scene import Scene, write_scene
from afterscene.geodata.xbd import XbdLabel, make_label, write_label
from afterscene.hazards import depiction_of, make_hazard

GSD = 0.5  # metres per pixel of a drawn town
SEVERITY = (0.45, 0.95)
#: (drawn town, its buildings, seed) -> the same place as a photograph would show it.
Photograph = Callable[[Scene, Sequence[Building], int], Scene]
DRAWN = {MARK: "true", "AFTERSCENE_DRAWN": "true"}


def draw_pairs(
    out: Path,
    hazards: Sequence[str],
    *,
    seed: int,
    size: int,
    splits: dict[str, int],
    photograph: Photograph | None = None,
    on_progress: Callable[[int], None] = lambda _: None,
) -> Path:
    """Write an xBD folder of drawn pairs: for each split this many towns a hazard.

    ``photograph`` turns a drawn town into its pre image; None: the drawing is the pre image. The
    pair ``drawn-{hazard}_{8 digits}`` is a function of (seed, hazard, number) and the size.
    """
    for folder in ("images", "labels", "targets"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    names: dict[str, list[str]] = {split: [] for split in splits}
    for hazard in hazards:
        number = 0
        for split, count in splits.items():
            for _ in range(count):
                name = f"drawn-{hazard}_{number:08d}"
                _draw_pair(out, name, hazard, item_seed(seed, name) % 2**31, size, photograph)
                names[split].append(name)
                number += 1
                on_progress(1)
    write_json(out / "splits.json", names)
    return out


def _draw_pair(
    out: Path, name: str, hazard: str, seed: int, size: int, photograph: Photograph | None
) -> None:
    pre, buildings = draw_town(seed, size)
    if photograph is not None:
        pre = photograph(pre, buildings, seed)
    severity = round(float(np.random.default_rng([seed, 2]).uniform(*SEVERITY)), 4)
    damage = make_hazard(hazard, severity)(pre, buildings, np.random.default_rng(seed))
    post = draw_aftermath(pre, damage, depiction_of(damage.hazard), seed)
    plain = tuple(replace(b, level=None) for b in buildings)
    _write(out, f"{name}_pre_disaster", pre, plain)
    _write(out, f"{name}_post_disaster", post, damage.buildings)


def _write(out: Path, stem: str, scene: Scene, buildings: tuple[Building, ...]) -> None:
    height, width = scene.shape
    metadata = {
        "disaster": stem.rsplit("_", 3)[0],
        "gsd": GSD,
        "width": width,
        "height": height,
        "img_name": f"{stem}.png",
        "synthetic": True,
        "drawn": scene.source,
    }
    label: XbdLabel = make_label(buildings, metadata=metadata, scene=scene)
    target = rasterize(buildings, scene.shape)
    mask = Scene(pixels=target[None], valid=np.ones(target.shape, bool))
    write_scene(scene, out / "images" / f"{stem}.png", tags=DRAWN)
    write_scene(mask, out / "targets" / f"{stem}_target.png", tags=DRAWN)
    write_label(label, out / "labels" / f"{stem}.json")


def drawn_post(pre: Scene, damage: DamageMap, seed: int) -> np.ndarray:
    """(H, W, 3) uint8: the same damage as a drawing, to hold beside the rendered picture."""
    return draw_aftermath(pre, damage, depiction_of(damage.hazard), seed).rgb()
