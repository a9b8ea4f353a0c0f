"""Training crops drawn on a graphics card: all tiles are in its memory, a batch is a few gathers.

What :mod:`afterscene.generators.crops` does with one crop at a time on the processor is done here
with a whole batch, whose positions :mod:`afterscene.training.devicecrops` draws. The batch is a
pure function of (seed, step) on one kind of device.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from afterscene.conditioning import Condition, class_of
from afterscene.generators.examples import (
    BESIDE,
    FEATHERS,
    OUTSIDE,
    RADII,
    Batch,
    CropConfig,
    TrainingTile,
    pictures_of,
)
from afterscene.geodata.levels import IGNORE
from afterscene.tensors import MIDDLE, as_they_are, from_numbers
from afterscene.training.devicecrops import Album, DeviceSpots
from afterscene.training.spots import Spots

#: Channels of a tile in memory: pre, registered, matched, level, distance to what changed.
PRE, REAL, MATCHED, LEVEL, FAR = slice(0, 3), slice(3, 6), slice(6, 9), 9, 10
#: Distances are kept in eighths of a pixel, so the largest is 31.
FINE = 8


class DeviceCrops:
    """Draws the batch of a step: ``batch(step) -> Batch``, all of it on ``device``.

    Args:
        tiles: At least one.
        config: How crops are drawn.
        seed: Equal seeds give equal batches.
        device: Where tiles are kept and batches drawn.
        hazards: Order of the class condition; a hazard that is not in it is "not given".
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
        stacks = (_stacked(tile, device) for tile in tiles)
        self.album = Album(stacks, [tile.shape for tile in tiles], device, nearest=LEVEL)
        self.hazard = torch.tensor([class_of(t.hazard, hazards) for t in tiles], device=device)
        self.style = from_numbers(np.stack([tile.style for tile in tiles])).to(device)
        self.middle = from_numbers(np.stack([tile.middle for tile in tiles])).to(device)
        self.gsd = from_numbers(np.array([tile.gsd for tile in tiles], np.float32)).to(device)
        self.steps = {size: self._steps(tiles, size) for size, _ in config.shapes}
        spots = Spots.of([tile.places for tile in tiles])
        self._spots = DeviceSpots(spots, config.level_weights, device)

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

    def _shake(self, count: int, draw: torch.Generator) -> tuple[Tensor, Tensor]:
        """Random gain and offset (in 0..255) of three channels, mostly shared: ``(N, 3)``."""
        jitter = self.config.jitter
        common = (self._spots.uniform(draw, 2, count, 1) * 2 - 1) * jitter
        own = (self._spots.uniform(draw, 2, count, 3) * 2 - 1) * (jitter / 3)
        both = common + own
        return both[0].exp(), MIDDLE * both[1]

    def _steps(self, tiles: Sequence[TrainingTile], size: int) -> Tensor:
        """Fewest and most pixels of a tile per pixel of a resampled crop, as logs: ``(P, 2)``."""
        steps = np.log([self.config.steps_of(tile, size) for tile in tiles])
        return from_numbers(steps.astype(np.float32)).to(self.device)

    def _step(self, size: int, tile: Tensor, draw: torch.Generator) -> Tensor | None:
        """Pixels of the tile per pixel of each crop; None: none is resampled."""
        if not self.config.resampled:
            return None
        count, (low, high) = len(tile), self.steps[size][tile].unbind(1)
        drawn = (low + (high - low) * self._spots.uniform(draw, count)).exp()
        return torch.where(self._spots.uniform(draw, count) < self.config.resampled, drawn, 1.0)

    @torch.no_grad()
    def _whole(self, size: int, count: int, draw: torch.Generator) -> Batch:
        config = self.config
        tile, middle = self._spots.draw(draw, count, size / BESIDE)
        step = self._step(size, tile, draw)
        windows = self._spots.windows(draw, size, tile, middle, turned=config.turned, step=step)
        values = self.album.gather(windows)
        pre, levels = values[..., PRE], values[..., LEVEL]
        changed = (values[..., FAR] < FINE).flatten(1).any(dim=1)
        edit = changed & (self._spots.uniform(draw, count) < config.edit_share)
        radius = (RADII[0] + (RADII[1] - RADII[0]) * self._spots.uniform(draw, count)).floor()
        feather = FEATHERS[0] + (FEATHERS[1] - FEATHERS[0]) * self._spots.uniform(draw, count)
        far = values[..., FAR] / FINE / windows.step[:, None, None]
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
        # The same gain and offset for both images: another sensor, the same change.
        gain, offset = self._shake(count, draw)
        pre, target = (
            (p - MIDDLE) * gain[:, None, None] + MIDDLE + offset[:, None, None]
            for p in (pre, target)
        )
        style = torch.cat([style[:, :3] * gain, style[:, 3:]], dim=1)
        unsaid = self._spots.uniform(draw, 4, count) < config.drop
        levels = torch.where(unsaid[0, :, None, None], float(IGNORE), levels).long()
        condition = Condition(
            pre=pictures_of(pre),
            levels=levels,
            affected=mask[:, None],
            hazard=torch.where(unsaid[1], -1, self.hazard[tile]),
            style=torch.where(unsaid[2, :, None], torch.nan, style),
            gsd=torch.where(unsaid[3], torch.nan, self.gsd[tile] * windows.step),
        )
        weight = (OUTSIDE + (1 - OUTSIDE) * mask)[:, None]
        return Batch(target=pictures_of(target), condition=condition, weight=weight)


def _stacked(tile: TrainingTile, device: torch.device) -> np.ndarray:
    """``(H, W, 11)`` uint8."""
    changed = tile.changed
    far = np.full(changed.shape, 255, np.uint8)
    if changed.any():
        found = _distance_to(as_they_are(changed).to(device), 255 // FINE + 1)
        far = (found * FINE).clamp(max=255).round().byte().cpu().numpy()
    pictures = [tile.pre, tile.registered, tile.matched]
    return np.concatenate([*pictures, tile.levels[..., None], far[..., None]], axis=2)


def _distance_to(mask: Tensor, reach: int) -> Tensor:
    """Pixels from each place of ``(H, W)`` to the nearest True: float32, at most ``reach``.

    Exact, by rows and then by columns (Felzenszwalb and Huttenlocher 2012), on the device.
    """
    near = torch.where(mask, 0.0, float(reach**2))
    for axis in (0, 1):
        best = near.clone()
        for step in range(1, min(reach, near.shape[axis])):
            length = near.shape[axis] - step
            low, high = near.narrow(axis, 0, length), near.narrow(axis, step, length)
            for to, value in (
                (best.narrow(axis, step, length), low),
                (best.narrow(axis, 0, length), high),
            ):
                torch.minimum(to, value + step**2, out=to)
        near = best
    return near.sqrt()
