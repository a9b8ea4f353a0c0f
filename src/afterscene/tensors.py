"""The only door between pixels and torch.

Networks see (..., 3, H, W) float32 in [-1, 1]; the rest of a scene (valid mask, CRS, transform,
time) waits in `like` and is put back on the way out, so that what a network paints lies where the
picture lay. No other module turns pixels into tensors, nor scales them. Pictures are (..., H, W, 3)
arrays in 0..255; their tensors keep that order in memory (channels last), except of a scene.
"""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import torch

from afterscene.errors import BadParameter, NotFinite
from afterscene.geodata.scene import Scene

#: The grey of 0.
MIDDLE = 127.5

Values = TypeVar("Values", np.ndarray, torch.Tensor)


def to_unit(values: Values) -> Values:
    """Floating values of pixels, 0..255, to [-1, 1]: ``v / 127.5 - 1``."""
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
    """Levels, masks, looks: whole numbers become int64, others float32; the shape stays."""
    kind = np.float32 if numbers.dtype.kind == "f" else np.int64
    return as_they_are(numbers.astype(kind))


def as_they_are(array: np.ndarray) -> torch.Tensor:
    """The array as a tensor of its type and shape; pixels stay in 0..255."""
    return torch.from_numpy(np.ascontiguousarray(array))


def to_tensor(
    scene: Scene, *, stretch: Sequence[tuple[float, float]] | None = None
) -> torch.Tensor:
    """(3, H, W) float32: ``rgb / 127.5 - 1``. Nodata is -1; ask ``scene.valid`` which that is.

    `stretch` as in :meth:`Scene.rgb`: limits of the other image of a pair.
    """
    return from_pixels(scene.rgb(stretch=stretch)).contiguous()


def to_scene(tensor: torch.Tensor, like: Scene) -> Scene:
    """uint8 RGB scene on the grid of `like`: ``round(127.5 (x + 1))``, clipped to 0..255.

    ``to_scene(to_tensor(s), s)`` is ``s.rgb()`` to the bit. Pixels that are nodata in `like` stay
    nodata, with value 0. Raises BadParameter for another shape, NotFinite for NaN or infinity.
    """
    if tuple(tensor.shape) != (3, *like.shape):
        raise BadParameter(
            f"tensor of shape {tuple(tensor.shape)} is no picture on the grid of {like.source!r}; "
            f"give (3, {like.shape[0]}, {like.shape[1]})"
        )
    values = tensor.detach().to("cpu", torch.float32)
    if not torch.isfinite(values).all():
        raise NotFinite(
            f"the picture for {like.source!r} has NaN or infinity; render it again in float32 or "
            "with other settings"
        )
    pixels = np.ascontiguousarray(np.moveaxis(to_pixels(values), 2, 0))
    return like.replace(pixels=np.where(like.valid, pixels, np.uint8(0)))
