"""The only module that converts pixels to tensors and back.

Networks get (..., 3, H, W) float32 in [-1, 1]. No other module turns pixels into tensors, or
scales them. Images are (..., H, W, 3) arrays in 0..255; their tensors keep that order in memory
(channels last), except those of a scene.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import torch

if TYPE_CHECKING:
    from afterscene.geodata.scene import Scene

#: The grey of 0.
MIDDLE = 127.5

Values = TypeVar("Values", np.ndarray, torch.Tensor)


def to_unit(values: Values) -> Values:
    """Floating-point pixel values, 0..255, to [-1, 1]: ``v / 127.5 - 1``."""
    return values / MIDDLE - 1


def from_unit(values: Values) -> Values:
    """Values in [-1, 1] to 0..255, neither rounded nor clipped: ``127.5 (v + 1)``."""
    return (values + 1) * MIDDLE


def from_pixels(pixels: np.ndarray) -> torch.Tensor:
    """(..., H, W, 3) in 0..255 to (..., 3, H, W) float32 in [-1, 1]."""
    return to_unit(as_they_are(pixels).movedim(-1, -3).float())


def to_pixels(x: torch.Tensor) -> np.ndarray:
    """(..., 3, H, W) in [-1, 1] to (..., H, W, 3) uint8: ``round(127.5 (x + 1))``, clipped."""
    pixels = from_unit(x.detach().float()).round().clamp(0, 255).byte()
    return pixels.movedim(-3, -1).cpu().numpy()


def from_numbers(numbers: np.ndarray) -> torch.Tensor:
    """Levels, masks, styles: integers become int64, others float32; the shape stays the same."""
    kind = np.float32 if numbers.dtype.kind == "f" else np.int64
    return as_they_are(numbers.astype(kind))


def as_they_are(array: np.ndarray) -> torch.Tensor:
    """The array as a tensor of the same type and shape; pixels stay in 0..255."""
    return torch.from_numpy(np.ascontiguousarray(array))


def to_tensor(
    scene: Scene, *, stretch: Sequence[tuple[float, float]] | None = None
) -> torch.Tensor:
    """(3, H, W) float32: ``rgb / 127.5 - 1``. Nodata is -1; ``scene.valid`` says where it is.

    `stretch` as in :meth:`Scene.rgb`: limits of the other image of a pair.
    """
    return from_pixels(scene.rgb(stretch=stretch)).contiguous()
