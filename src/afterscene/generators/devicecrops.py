"""Training crops drawn on a graphics card: all tiles lie in its memory, a batch is a few gathers.

What :mod:`afterscene.generators.crops` draws one by one on the processor, some hundred a second,
is drawn here for a whole batch at once, by the same rules, plus one: a share of the crops is turned
and scaled by any amount (both pictures alike), so that a few tiles last for more steps. The batch
of (seed, step) is a pure function on one kind of device.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
import torch
from torch import Tensor

from afterscene.conditioning import Condition, class_of
from afterscene.generators.crops import (
    BESIDE,
    FEATHERS,
    OUTSIDE,
    RADII,
    Batch,
    CropConfig,
    TrainingTile,
    pictures_of,
)
from afterscene.geodata.damage import IGNORE
from afterscene.tensors import MIDDLE, as_they_are, from_numbers

#: Channels of a tile in memory: pre, registered, matched, level, distance to damage.
PRE, REAL, MATCHED, LEVEL, FAR = slice(0, 3), slice(3, 6), slice(6, 9), 9, 10
#: Distances are kept in eighths of a pixel, so the largest is 31.
FINE = 8
#: Largest change of scale of a crop that is turned by any angle.
ZOOM = 1.2


class DeviceCrops:
    """Draws the batch of a step: ``batch(step) -> Batch``, all of it on ``device``.

    Args:
        tiles: At least one, all of one size.
        config: How crops are drawn (``turned`` is the share of crops turned by any angle).
        seed: Equal seeds give equal batches.
        device: Where tiles are kept and batches drawn.
        hazards: Order of the class condition; a hazard that is not among them is not said.
    """

    def __init__(
        self,
        tiles: Sequence[TrainingTile],
        config: CropConfig,
        seed: int,
        device: torch.device,
        hazards: Sequence[str] = (),
    ) -> None:
        self.config, self.seed, self.device = config, seed, device
        self.size = torch.tensor(tiles[0].pre.shape[:2], device=device)
        self.tiles = torch.stack([as_they_are(_stacked(tile)) for tile in tiles]).to(device)
        self.hazard = torch.tensor([class_of(t.hazard, hazards) for t in tiles], device=device)
        self.style = from_numbers(np.stack([tile.style for tile in tiles])).to(device)
        self.middle = from_numbers(np.stack([tile.middle for tile in tiles])).to(device)
        weights = torch.tensor(config.level_weights)
        self._rows = [_of_level(tiles, level).to(device) for level in range(1, 5)]
        for kind, rows in enumerate(self._rows):
            if not len(rows):
                weights[kind] = 0
        self._weights = (weights / weights.sum()).to(device)

    def shape(self, step: int) -> tuple[int, int]:
        """Side and number of the crops of ``step``."""
        return self.config.shape(step)

    def batch(self, step: int, piece: slice = slice(None)) -> Batch:
        """A piece of the batch of ``step``."""
        size, count = self.shape(step)
        draw = torch.Generator(self.device).manual_seed(self.seed * 1_000_003 + step)
        batch = self._whole(size, count, draw)
        if piece == slice(None):
            return batch
        parts = {k: v[piece] for k, v in vars(batch.condition).items()}
        return Batch(
            target=batch.target[piece], condition=Condition(**parts), weight=batch.weight[piece]
        )

    def _uniform(self, draw: torch.Generator, *shape: int) -> Tensor:
        return torch.rand(shape, generator=draw, device=self.device)

    def _places(self, size: int, count: int, draw: torch.Generator) -> tuple[Tensor, Tensor]:
        """Tile of each crop ``(N,)`` and the middle of its window ``(N, 2)``, chosen by level."""
        kind = torch.multinomial(self._weights, count, replacement=True, generator=draw)
        chance = self._uniform(draw, count)
        tile = (chance * len(self.tiles)).long()
        centre = self._uniform(draw, count, 2) * self.size
        near = (self._uniform(draw, count, 2) - 0.5) * (size * 2 / BESIDE)
        for number, rows in enumerate(self._rows):
            if len(rows):
                row = rows[(chance * len(rows)).long()]
                chosen = kind == number
                tile = torch.where(chosen, row[:, 0].long(), tile)
                centre = torch.where(chosen[:, None], row[:, 1:] + near, centre)
        low = torch.full((2,), size / 2, device=self.device)
        return tile, (torch.minimum(torch.maximum(centre, low), self.size - low)).round()

    def _grid(self, size: int, middle: Tensor, draw: torch.Generator) -> tuple[Tensor, Tensor]:
        """Rows and columns ``(N, 2, size, size)`` of the pixels of each crop; its scale ``(N,)``.

        One of the eight symmetries of the square, or any angle and a scale near 1.
        """
        count = len(middle)
        turned = self._uniform(draw, count) < self.config.turned
        quarter = (self._uniform(draw, count) * 4).floor() * (math.pi / 2)
        free = self._uniform(draw, count) * (2 * math.pi)
        angle = torch.where(turned, free, quarter)
        spread = (self._uniform(draw, count) * 2 - 1) * math.log(ZOOM)
        scale = torch.where(turned, spread.exp(), 1.0)
        mirror = torch.where(self._uniform(draw, count) < 0.5, -1.0, 1.0)
        cos, sin = angle.cos() / scale, angle.sin() / scale
        matrix = torch.stack([cos * mirror, -sin, sin * mirror, cos], dim=1).view(-1, 2, 2)
        axis = torch.arange(size, device=self.device) - (size - 1) / 2
        offset = torch.stack(torch.meshgrid(axis, axis, indexing="ij")).view(2, -1)
        places = matrix @ offset + (middle - 0.5)[:, :, None]
        places = torch.where(turned[:, None, None], places, places.round())
        limit = (self.size - 1)[None, :, None]
        places = limit - (limit - places.abs()).abs()  # mirrored at the border of the tile
        return places.view(count, 2, size, size), scale

    def _values(self, tile: Tensor, places: Tensor) -> Tensor:
        """Channels at ``places`` between pixels, levels by the nearest one: ``(N, s, s, 11)``."""
        low = places.floor()
        share = places - low
        r0, c0 = low[:, 0].long(), low[:, 1].long()
        r1 = torch.minimum(r0 + 1, self.size[0] - 1)
        c1 = torch.minimum(c0 + 1, self.size[1] - 1)
        t = tile[:, None, None]
        down, right = share[:, 0, :, :, None], share[:, 1, :, :, None]
        top = torch.lerp(self.tiles[t, r0, c0].float(), self.tiles[t, r0, c1].float(), right)
        low_row = torch.lerp(self.tiles[t, r1, c0].float(), self.tiles[t, r1, c1].float(), right)
        values = torch.lerp(top, low_row, down)
        nearest = places.round().long()
        values[..., LEVEL] = self.tiles[t, nearest[:, 0], nearest[:, 1], LEVEL].float()
        return values

    def _shake(self, count: int, draw: torch.Generator) -> tuple[Tensor, Tensor]:
        """Random gain and offset (in 0..255) of three channels, mostly common: ``(N, 3)``."""
        jitter = self.config.jitter
        common = (self._uniform(draw, 2, count, 1) * 2 - 1) * jitter
        own = (self._uniform(draw, 2, count, 3) * 2 - 1) * (jitter / 3)
        both = common + own
        return both[0].exp(), MIDDLE * both[1]

    @torch.no_grad()
    def _whole(self, size: int, count: int, draw: torch.Generator) -> Batch:
        config = self.config
        tile, middle = self._places(size, count, draw)
        places, scale = self._grid(size, middle, draw)
        values = self._values(tile, places)
        pre, levels = values[..., PRE], values[..., LEVEL]
        damaged = ((levels >= 2) & (levels <= 4)).flatten(1).any(dim=1)
        edit = damaged & (self._uniform(draw, count) < config.edit_share)
        radius = (RADII[0] + (RADII[1] - RADII[0]) * self._uniform(draw, count)).floor()
        feather = FEATHERS[0] + (FEATHERS[1] - FEATHERS[0]) * self._uniform(draw, count)
        far = values[..., FAR] / FINE * scale[:, None, None]
        mask = ((radius[:, None, None] + 1 - far) / feather[:, None, None]).clamp(0, 1)
        mask = torch.where(edit[:, None, None], mask, 1.0)
        gain, offset = self._shake(count, draw)
        style = self.style[tile]
        shaken = style + torch.cat([offset / MIDDLE, gain.log()], dim=1)
        style = torch.where(edit[:, None], 0.0, shaken)
        own = self.middle[tile][:, None, None]
        real = (values[..., REAL] - own) * gain[:, None, None] + own + offset[:, None, None]
        changed = pre + mask[..., None] * (values[..., MATCHED] - pre)
        target = torch.where(edit[:, None, None, None], changed, real)
        # The same gain and offset for both pictures: another sensor, the same change.
        gain, offset = self._shake(count, draw)
        pre, target = (
            (p - MIDDLE) * gain[:, None, None] + MIDDLE + offset[:, None, None]
            for p in (pre, target)
        )
        style = torch.cat([style[:, :3] * gain, style[:, 3:]], dim=1)
        unsaid = self._uniform(draw, 3, count) < config.drop
        levels = torch.where(unsaid[0, :, None, None], float(IGNORE), levels).long()
        condition = Condition(
            pre=pictures_of(pre),
            levels=levels,
            affected=mask[:, None],
            hazard=torch.where(unsaid[1], -1, self.hazard[tile]),
            style=torch.where(unsaid[2, :, None], torch.nan, style),
        )
        weight = (OUTSIDE + (1 - OUTSIDE) * mask)[:, None]
        return Batch(target=pictures_of(target), condition=condition, weight=weight)


def _stacked(tile: TrainingTile) -> np.ndarray:
    """``(H, W, 11)`` uint8."""
    damaged = (tile.levels >= 2) & (tile.levels <= 4)
    far = np.full(damaged.shape, 255.0)
    if damaged.any():
        far = cv2.distanceTransform((~damaged).astype(np.uint8), cv2.DIST_L2, 5) * FINE
    maps = [tile.levels, np.clip(far, 0, 255).round().astype(np.uint8)]
    pictures = [tile.pre, tile.registered, tile.matched]
    return np.concatenate([*pictures, *(one[..., None] for one in maps)], axis=2)


def _of_level(tiles: Sequence[TrainingTile], level: int) -> Tensor:
    """``(n, 3)`` float32: tile, row and column of every building of that level."""
    rows = [
        (i, *tile.centres[j])
        for i, tile in enumerate(tiles)
        for j in np.flatnonzero(tile.centre_levels == level)
    ]
    return torch.tensor(rows, dtype=torch.float32).view(-1, 3)
