"""Crops of real overhead images for the league: learned from some images, judged by others.

A folder holds one sub-folder of pictures for each kind of land use. Every fifth picture of a kind
is held out as a whole, so that no crop of it is ever learned. Pictures are averaged down by three
(0.3 m to about 1 m a pixel, so that a crop shows more than one roof) and cut to few levels, the
same ones for every method: bits per value and distances then mean the same for all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from afterscene.errors import BadImage, MissingFile
from afterscene.files import visible
from afterscene.geodata.scene import read_scene
from afterscene.school.autoregression import quantize
from afterscene.tensors import from_pixels

SUFFIXES = {".jpg", ".jpeg", ".png", ".tif", ".tiff"}
HELD_OUT = 5  # every fifth picture
REDUCE = 3


@dataclass(frozen=True, kw_only=True)
class LeagueCrops:
    """``x (M, 3, size, size)`` int64 in 0 .. levels - 1, ``label (M,)`` into ``names``."""

    x: Tensor
    label: Tensor
    names: tuple[str, ...]
    levels: int

    def colours(self) -> np.ndarray:
        """``(M, size, size, 3)`` uint8."""
        return colours(self.x, self.levels)


def colours(x: Tensor, levels: int) -> np.ndarray:
    """Integer pictures ``(N, 3, H, W)`` as ``(N, H, W, 3)`` uint8: the middles of their bins."""
    grey = (x.float() + 0.5) * (256 / levels) - 0.5
    return grey.clamp(0, 255).round().byte().permute(0, 2, 3, 1).numpy()


def read_crops(
    folder: Path, *, size: int, levels: int, each: int, seed: int = 0
) -> tuple[LeagueCrops, LeagueCrops]:
    """``each`` crops of every picture: those to learn from and those held out.

    Raises:
        MissingFile: no sub-folder with at least five pictures.
        BadImage: a picture that is too small or cannot be read.
    """
    kinds = [found for found in visible(folder) if len(_pictures(found)) >= HELD_OUT]
    if not kinds:
        raise MissingFile(
            f"{folder} holds no sub-folder with at least {HELD_OUT} pictures; give a folder with "
            "one sub-folder for each kind of land use, as UC Merced has them"
        )
    rng = np.random.default_rng(seed)
    parts: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    labels: tuple[list[int], list[int]] = ([], [])
    for index, kind in enumerate(kinds):
        for number, path in enumerate(_pictures(kind)):
            held = int(number % HELD_OUT == HELD_OUT - 1)
            parts[held].extend(_cut(path, size, each, rng))
            labels[held].extend([index] * each)
    names = tuple(kind.name for kind in kinds)
    train, test = (
        LeagueCrops(x=_tensor(crops, levels), label=torch.tensor(label), names=names, levels=levels)
        for crops, label in zip(parts, labels, strict=True)
    )
    return train, test


def _pictures(kind: Path) -> list[Path]:
    return [p for p in visible(kind) if p.suffix.lower() in SUFFIXES]


def _cut(path: Path, size: int, each: int, rng: np.random.Generator) -> list[np.ndarray]:
    image = np.asarray(Image.fromarray(read_scene(path).rgb()).reduce(REDUCE))
    if min(image.shape[:2]) < size:
        raise BadImage(
            f"{path} has {image.shape[0]} x {image.shape[1]} pixels after averaging by {REDUCE}, "
            f"a crop needs {size}; leave it out"
        )
    crops = []
    for _ in range(each):
        row, col = (int(rng.integers(side - size + 1)) for side in image.shape[:2])
        crops.append(image[row : row + size, col : col + size])
    return crops


def _tensor(crops: list[np.ndarray], levels: int) -> Tensor:
    return quantize(from_pixels(np.stack(crops)), levels)
