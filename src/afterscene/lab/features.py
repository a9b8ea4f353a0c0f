"""A named feature space in which images are compared, and the crops that are described in it.

Distances between sets of images depend on the network that describes them (Heusel et al. 2017,
arXiv 1706.08500, used Inception). Here it is EfficientNet-Lite0 with ImageNet weights, which come
in a small package; the figures are **not** comparable with published Inception figures, only with
each other. For distances between sets, an image is described by the spatial mean of the last map
(320 values, stride 32); for the distance between two images of one place, by the maps of all five
strides.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from afterscene.geodata.damage import Building
from afterscene.networks.efficientnet import EfficientNetLite0
from afterscene.pretrained import lite0_available, read_lite0, weights_path
from afterscene.tensors import from_pixels

CROP = 96
BATCH = 32


class FeatureSpace(Protocol):
    """What describes images: a name for the tables, and the maps of a network."""

    name: str

    def maps(self, pictures: np.ndarray) -> list[Tensor]:
        """(N, S, S, 3) uint8 -> maps (N, C_k, H_k, W_k) float32; the last one is the deepest."""


class LiteFeatures:
    """EfficientNet-Lite0 with ImageNet weights. Raises MissingExtra without them."""

    name = "efficientnet-lite0 (ImageNet), spatial mean of the last map, 320 values"

    def __init__(self) -> None:
        network = EfficientNetLite0()
        network.load_state_dict(read_lite0(weights_path()))
        self._network = network.eval()

    def maps(self, pictures: np.ndarray) -> list[Tensor]:
        """See :class:`FeatureSpace`."""
        parts = [self._batch(pictures[i : i + BATCH]) for i in range(0, len(pictures), BATCH)]
        if not parts:
            return [torch.zeros((0, width, 1, 1)) for width in self._network.channels]
        return [torch.cat(maps) for maps in zip(*parts, strict=True)]

    @torch.inference_mode()
    def _batch(self, pictures: np.ndarray) -> list[Tensor]:
        return self._network(from_pixels(pictures))


def default_features() -> FeatureSpace | None:
    """The feature space if its weights are installed, else None (the tables then say so)."""
    return LiteFeatures() if lite0_available() else None


def pooled(maps: list[Tensor]) -> np.ndarray:
    """(N, C) float32: the spatial mean of the deepest map."""
    return maps[-1].mean(dim=(2, 3)).numpy()


@dataclass(frozen=True, kw_only=True)
class Crops:
    """Positions of the crops of one scene.

    `corners` (n, 2) row and column; `levels` (n,) 1 to 4, and 0 for struck ground.
    """

    corners: np.ndarray
    levels: np.ndarray
    size: int

    def cut(self, picture: np.ndarray) -> np.ndarray:
        """(H, W, 3) -> (n, size, size, 3)."""
        found = list(self._windows(picture))
        return np.stack(found) if found else np.zeros((0, self.size, self.size, 3), np.uint8)

    def _windows(self, picture: np.ndarray) -> Iterator[np.ndarray]:
        for row, col in self.corners:
            yield picture[row : row + self.size, col : col + self.size]


def crops_around(
    buildings: tuple[Building, ...],
    shape: tuple[int, int],
    size: int = CROP,
    field: np.ndarray | None = None,
) -> Crops:
    """One crop per assessed building, centred on it and moved inside the scene.

    In a scene smaller than `size`, crops have the length of its shorter side. With a `field`
    (H, W), the squares of a grid follow, as level 0, in which the field is mostly above 0.
    """
    size = min(size, *shape)
    struck = np.zeros((0, 2), int) if field is None else _struck(field, size)
    assessed = [b for b in buildings if b.level is not None and 1 <= b.level <= 4]
    centres = np.array([(b.polygon.centroid.y, b.polygon.centroid.x) for b in assessed])
    corners = np.rint(centres.reshape(-1, 2) - size / 2)
    corners = np.clip(corners, 0, np.array(shape) - size).astype(int)
    levels = [int(b.level or 0) for b in assessed] + [0] * len(struck)
    return Crops(corners=np.concatenate([corners, struck]), levels=np.array(levels, int), size=size)


def _struck(field: np.ndarray, size: int) -> np.ndarray:
    """(n, 2) corners of the grid squares of which the field covers more than half."""
    rows, cols = (np.arange(0, n - size + 1, size) for n in field.shape)
    found = [
        (r, c) for r in rows for c in cols if (field[r : r + size, c : c + size] > 0).mean() > 0.5
    ]
    return np.array(found, int).reshape(-1, 2)
