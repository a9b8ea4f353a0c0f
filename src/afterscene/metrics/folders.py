"""Writes and scores folders in the official xView2 layout.

Two folders of masks, ``{test|hold}_{localization|damage}_{5 digits}_{prediction|target}.png``, all
1024 x 1024 uint8 in 0..4. The layout has no "ignore": whoever wrote the target files decided how
un-classified buildings count, and the result says so.
"""

import dataclasses
import re
from pathlib import Path
from typing import Literal

import numpy as np

from afterscene.errors import BadImage, BadParameter, MissingFile
from afterscene.files import visible
from afterscene.geodata.masks import read_mask
from afterscene.geodata.scene import Scene, write_scene
from afterscene.metrics.confusion import Confusion
from afterscene.metrics.xview2 import ScoreResult

OFFICIAL_SHAPE = (1024, 1024)
Kind = Literal["localization", "damage"]
Role = Literal["prediction", "target"]


def score_folder(predictions: str | Path, targets: str | Path) -> ScoreResult:
    """Score a folder in the official layout.

    Every ``{test|hold}_damage_{5 digits}_target.png`` in `targets` needs its localization target
    and, in `predictions`, ``..._localization_..._prediction.png`` and ``..._damage_...``; all
    1024 x 1024 uint8 in 0..4. Raises MissingFile, BadImage. Un-classified buildings count as in the
    target files; the result says so.
    """
    predictions, targets = Path(predictions), Path(targets)
    tiles = sorted(
        (name["split"], name["index"])
        for path in visible(targets)
        if (name := _TARGET.fullmatch(path.name))
    )
    if not tiles:
        raise MissingFile(
            f"{targets} holds no target such as test_damage_00000_target.png; give the folder of "
            "the official targets"
        )
    total = Confusion()
    for split, index in tiles:
        masks = [
            _read_official(folder / f"{split}_{kind}_{index}_{role}.png")
            for folder, role in ((predictions, "prediction"), (targets, "target"))
            for kind in ("localization", "damage")
        ]
        total = total.add(masks[0], masks[1], masks[3], localization_target=masks[2])
    return dataclasses.replace(total.result(), unclassified="as in the target files")


_TARGET = re.compile(r"(?P<split>test|hold)_damage_(?P<index>\d{5})_target\.png")


def _read_official(path: Path) -> np.ndarray:
    mask = read_mask(path)
    if mask.shape != OFFICIAL_SHAPE:
        raise BadImage(
            f"{path} has {mask.shape[1]} x {mask.shape[0]} pixels; an official mask has 1024 x 1024"
        )
    if mask.max() > 4:
        raise BadImage(f"{path} has the value {mask.max()}; an official mask has 0 to 4")
    return mask


def write_official(
    folder: str | Path,
    index: int,
    kind: Kind,
    mask: np.ndarray,
    *,
    role: Role = "prediction",
    split: Literal["test", "hold"] = "test",
) -> Path:
    """Write one mask as ``{split}_{kind}_{index:05d}_{role}.png`` and return its path.

    The official layout has no "ignore": a 255 in `mask` is refused like every value above 4, so
    that the caller has to choose 0 or 1 for un-classified buildings.
    """
    if (kind, role, split) not in _NAMES or not 0 <= index <= 99_999:
        raise BadParameter(
            f"{split}_{kind}_{index}_{role} is not an official name; use test or hold, "
            "localization or damage, 0 to 99999, prediction or target"
        )
    if mask.shape != OFFICIAL_SHAPE or mask.min() < 0 or mask.max() > 4:
        raise BadParameter(
            f"{kind} mask {index} is of shape {mask.shape} with values {mask.min()} to "
            f"{mask.max()}; an official mask is 1024 x 1024 in 0 to 4"
        )
    path = Path(folder) / f"{split}_{kind}_{index:05d}_{role}.png"
    pixels = mask.astype(np.uint8)[None]
    write_scene(Scene(pixels=pixels, valid=np.ones(mask.shape, bool)), path)
    return path


_NAMES = {
    (kind, role, split)
    for kind in ("localization", "damage")
    for role in ("prediction", "target")
    for split in ("test", "hold")
}
