"""How training crops are drawn on a graphics card: all pictures in its memory, a batch at once.

The rules are those of :class:`~afterscene.training.spots.Spots`, plus one: a share of the crops is
rotated by any angle, so that few images last for more steps. Pictures may differ in size: they lie
one after the other in one list of pixels. Each lies there a second time at half its size, from
which coarse crops are drawn, so that fine texture does not alias.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from afterscene.tensors import as_they_are, from_numbers
from afterscene.training.spots import Spots

#: Largest change of scale of a crop that is rotated by any angle, where no pixel size is drawn.
ZOOM = 1.2
#: Pixels of the picture per pixel of the crop from which on the half-sized picture is used.
HALVED = 1.5


@dataclass(frozen=True, kw_only=True)
class Windows:
    """Crops of a batch: their image ``(N,)``, rows and columns ``(N, 2, side, side)``, and step.

    ``step`` ``(N,)``: pixels of the image per pixel of the crop.
    """

    picture: Tensor
    places: Tensor
    step: Tensor


class Album:
    """Pictures ``(H, W, C)`` uint8 of any sizes on a device, to gather crops from.

    Args:
        pictures: At least one; all with the same channels. Taken one after the other, so that they
            need not all be in memory twice.
        shapes: (H, W) of each.
        device: Where they are kept.
        nearest: The channel that holds levels: it is never interpolated.
    """

    def __init__(
        self,
        pictures: Iterable[np.ndarray],
        shapes: Sequence[tuple[int, int]],
        device: torch.device,
        *,
        nearest: int,
    ) -> None:
        self.nearest = nearest
        both = [*shapes, *((h // 2, w // 2) for h, w in shapes)]
        self.shapes = torch.tensor(both, device=device)
        sizes = self.shapes.prod(dim=1)
        self.starts = sizes.cumsum(0) - sizes
        ends = [0, *sizes.cumsum(0).tolist()]
        for number, picture in enumerate(pictures):
            whole = as_they_are(picture).to(device)
            if number == 0:
                self.pixels = whole.new_empty(ends[-1], whole.shape[2])
            for place, one in ((number, whole), (number + len(shapes), self._halved(whole))):
                self.pixels[ends[place] : ends[place + 1]] = one.reshape(-1, one.shape[2])

    def _halved(self, picture: Tensor) -> Tensor:
        height, width = (length // 2 * 2 for length in picture.shape[:2])
        planes = picture[:height, :width].permute(2, 0, 1)[None].float()
        half = F.avg_pool2d(planes, 2)[0].round().byte().permute(1, 2, 0)
        half[..., self.nearest] = picture[:height:2, :width:2, self.nearest]
        return half

    def gather(self, windows: Windows) -> Tensor:
        """The values of the crops: ``(N, side, side, C)`` float32, interpolated linearly."""
        half = windows.step >= HALVED
        picture = windows.picture + half * (len(self.starts) // 2)
        coarse = half[:, None, None, None]
        at = torch.where(coarse, (windows.places - 0.5) / 2, windows.places)
        last = (self.shapes[picture] - 1)[:, :, None, None]
        at = torch.minimum(at.clamp(min=0), last)
        low = at.floor()
        down, right = (at - low).unsqueeze(-1).unbind(1)
        high = torch.minimum(low + 1, last)
        r0, c0, r1, c1 = (*low.long().unbind(1), *high.long().unbind(1))
        upper = torch.lerp(self._at(picture, r0, c0), self._at(picture, r0, c1), right)
        lower = torch.lerp(self._at(picture, r1, c0), self._at(picture, r1, c1), right)
        values = torch.lerp(upper, lower, down)
        row, col = at.round().long().unbind(1)
        values[..., self.nearest] = self._at(picture, row, col)[..., self.nearest]
        return values

    def _at(self, picture: Tensor, row: Tensor, col: Tensor) -> Tensor:
        start, width = (v[picture][:, None, None] for v in (self.starts, self.shapes[:, 1]))
        return self.pixels[start + row * width + col].float()


class DeviceSpots:
    """:class:`Spots` on a device, where a whole batch of crops is drawn at once.

    Args:
        spots: Those of the images, of any sizes.
        weights: Those of the four levels and of anywhere.
        device: Where positions are drawn.
    """

    def __init__(self, spots: Spots, weights: Sequence[float], device: torch.device) -> None:
        self.device = device
        self.sizes = torch.tensor(spots.shapes, device=device)
        both = zip(spots.pictures, spots.centres, strict=True)
        self._rows = [_rows(*one).to(device) for one in both]
        self._chances = from_numbers(spots.chances(weights)).to(device)

    def uniform(self, draw: torch.Generator, *shape: int) -> Tensor:
        """Numbers in [0, 1) from the generator ``draw`` on the device."""
        return torch.rand(shape, generator=draw, device=self.device)

    def draw(self, draw: torch.Generator, count: int, reach: float) -> tuple[Tensor, Tensor]:
        """Image of each crop ``(N,)`` and centre of its window ``(N, 2)``, by Spots' rules."""
        kind = torch.multinomial(self._chances, count, replacement=True, generator=draw)
        chance = self.uniform(draw, count)
        picture = (chance * len(self.sizes)).long()
        middle = self.uniform(draw, count, 2) * self.sizes[picture]
        near = (self.uniform(draw, count, 2) - 0.5) * (2 * reach)
        for number, rows in enumerate(self._rows):
            if len(rows):
                row = rows[(chance * len(rows)).long()]
                chosen = kind == number
                picture = torch.where(chosen, row[:, 0].long(), picture)
                middle = torch.where(chosen[:, None], row[:, 1:] + near, middle)
        return picture, middle

    def windows(
        self,
        draw: torch.Generator,
        side: int,
        picture: Tensor,
        middle: Tensor,
        *,
        turned: float,
        step: Tensor | None = None,
    ) -> Windows:
        """Where the pixels of the crops around ``middle`` lie; windows are moved inside.

        One of the eight symmetries of the square, or (for a share ``turned``) any angle; beyond its
        border an image is mirrored. ``step`` ``(N,)``: pixels of the image per pixel of the crop;
        None: 1, and near 1 where a crop is turned by any angle.
        """
        count = len(middle)
        free = self.uniform(draw, count) < turned
        quarter = (self.uniform(draw, count) * 4).floor() * (math.pi / 2)
        angle = torch.where(free, self.uniform(draw, count) * (2 * math.pi), quarter)
        spread = (self.uniform(draw, count) * 2 - 1) * math.log(ZOOM)
        if step is None:
            step = torch.where(free, (-spread).exp(), 1.0)
        mirror = torch.where(self.uniform(draw, count) < 0.5, -1.0, 1.0)
        cos, sin = angle.cos() * step, angle.sin() * step
        matrix = torch.stack([cos * mirror, -sin, sin * mirror, cos], dim=1).view(-1, 2, 2)
        axis = torch.arange(side, device=self.device) - (side - 1) / 2
        offset = torch.stack(torch.meshgrid(axis, axis, indexing="ij")).view(2, -1)
        places = matrix @ offset + (self._inside(picture, middle, side * step) - 0.5)[:, :, None]
        whole = ~free & (step == 1)
        places = torch.where(whole[:, None, None], places.round(), places)
        limit = (self.sizes[picture] - 1)[:, :, None]
        places = (limit - (limit - places.abs()).abs()).clamp(min=0)
        return Windows(picture=picture, places=places.view(count, 2, side, side), step=step)

    def _inside(self, picture: Tensor, middle: Tensor, extent: Tensor) -> Tensor:
        """The middles of windows of that extent in pixels, moved inside their images."""
        size = self.sizes[picture].float()
        low = torch.minimum(extent[:, None] / 2, size / 2)
        return torch.minimum(torch.maximum(middle, low), size - low).round()


def _rows(pictures: np.ndarray, centres: np.ndarray) -> Tensor:
    """``(n, 3)`` float32: picture, row and column."""
    return from_numbers(np.concatenate([pictures[:, None], centres], axis=1))
