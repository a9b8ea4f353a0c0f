"""Windows of a scene: where a network is evaluated, and which part of its output is kept.

All windows of a scene have the same size, because kernels are chosen by size and round differently,
and each has a halo as wide as the network's reach: so every window gives the same estimate at a
pixel.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

from torch import Tensor

from afterscene.conditioning import Condition
from afterscene.generators.bridge import BridgeModel

#: Scenes up to this side are one window; larger ones are cut into windows of CORE + 2 halos.
WHOLE = 1152
CORE = 768


@dataclass(frozen=True)
class Patch:
    """A window to evaluate (``outer``) and the part of it to keep (``inner`` = ``keep``)."""

    outer: tuple[slice, slice]
    inner: tuple[slice, slice]
    keep: tuple[slice, slice]


def halo_of(model: BridgeModel) -> int:
    """The network's reach around a pixel, rounded up to its stride."""
    stride = model.network.config.stride
    return -(-model.network.config.reach // stride) * stride


def patches(height: int, width: int, halo: int, origin: int = 0) -> list[Patch]:
    """Windows of equal size that together keep each pixel of the grid exactly once."""
    if max(height, width) <= WHOLE:
        whole = (slice(0, height), slice(0, width))
        return [Patch(whole, whole, whole)]
    rows, cols = _cuts(height, halo, origin), _cuts(width, halo, origin)
    return [Patch((r[0], c[0]), (r[1], c[1]), (r[2], c[2])) for r in rows for c in cols]


def _cuts(length: int, halo: int, origin: int) -> list[tuple[slice, slice, slice]]:
    """Along one axis: (outer in the scene, inner in the outer, inner in the scene).

    The k-th border is one halo behind the k-th multiple of CORE, minus ``origin``.
    """
    size = min(CORE + 2 * halo, length)
    inner = range(CORE + halo - origin, length - halo, CORE) if size < length else range(0)
    borders = [0, *inner, length]
    cuts = []
    for start, stop in pairwise(borders):
        first = min(max(start - halo, 0), length - size)
        outer = slice(first, first + size)
        cuts.append((outer, slice(start - first, stop - first), slice(start, stop)))
    return cuts


def needed(affected: Tensor | None, halo: int, stride: int) -> tuple[slice, slice]:
    """The box around everything that may change, with its halo, on the network's grid."""
    if affected is None or not affected.any():
        return slice(0, None), slice(0, None)
    box = []
    for axis in (-1, -2):
        places = affected[0, 0].any(dim=axis).nonzero()
        first, last = int(places.min()) - halo, int(places.max()) + 1 + halo
        box.append(slice(max(first // stride * stride, 0), -(-last // stride) * stride))
    return box[0], box[1]


def crop(scene: Condition, window: tuple[slice, slice]) -> Condition:
    """The condition cut to a window of the scene."""
    parts = {
        name: None if value is None else value[..., *window]
        for name, value in (("levels", scene.levels), ("affected", scene.affected))
    }
    return replace(scene, pre=scene.pre[..., *window], **parts)
