"""The two doors between geodata and torch.

Networks see (3, H, W) float32 in [-1, 1]; the rest of a scene (valid mask, CRS, transform, time)
waits in `like` and is put back on the way out, so that what a network paints lies where the
picture lay. No other module turns pixels into tensors.
"""

from collections.abc import Sequence

import numpy as np
import torch

from afterscene.errors import BadParameter, NotFinite
from afterscene.geodata.scene import Scene


def to_tensor(
    scene: Scene, *, stretch: Sequence[tuple[float, float]] | None = None
) -> torch.Tensor:
    """(3, H, W) float32: ``rgb / 127.5 - 1``. Nodata is -1; ask ``scene.valid`` which that is.

    `stretch` as in :meth:`Scene.rgb`: limits of the other image of a pair.
    """
    rgb = torch.from_numpy(scene.rgb(stretch=stretch))
    return rgb.permute(2, 0, 1).to(torch.float32).div_(127.5).sub_(1.0).contiguous()


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
    pixels = values.add(1.0).mul(127.5).round().clamp(0, 255).to(torch.uint8).numpy()
    return like.replace(pixels=np.where(like.valid, pixels, np.uint8(0)))
