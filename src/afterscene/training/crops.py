"""How training crops are drawn: position, rotation and resampling.

Damage is rare: two of three buildings are undamaged, and a random crop shows mostly trees. So a
level is drawn first, then a building of that level, then a window near it; some windows are placed
anywhere, so that forests and car parks are seen too. Images from above may be flipped and turned by
90 degrees freely. Changes to the pixels of a crop are up to its user.

:class:`Spots` draws one crop after the other on a processor, some hundred per second, from images
of any size. :class:`DeviceSpots` draws a whole batch on a graphics card by the same rules, plus
one: a share of the crops is rotated and scaled by any amount, so that few images last for more
steps.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

from afterscene.geodata.damage import IGNORE, LEVELS
from afterscene.geodata.pair import LabelledPair
from afterscene.tensors import from_numbers

#: Weights are those of the four levels, then that of a window anywhere.
ANYWHERE = 4
#: The symmetries of the square.
WAYS = 8
#: Largest change of scale of a crop that is rotated by any angle.
ZOOM = 1.2


@dataclass(frozen=True, eq=False)
class Spots:
    """Where the buildings in a set of images are.

    Attributes:
        shapes: (H, W) of each picture.
        pictures: For each level the picture of each of its buildings, ``(n,)``.
        centres: Their middles, ``(n, 2)`` float32 row and column.
    """

    shapes: tuple[tuple[int, int], ...]
    pictures: tuple[np.ndarray, ...]
    centres: tuple[np.ndarray, ...]

    @classmethod
    def of(cls, pairs: Sequence[LabelledPair]) -> Spots:
        """All buildings of a known level."""
        levels = [pair.levels for pair in pairs]
        owner = np.repeat(np.arange(len(pairs)), [len(one) for one in levels])
        level = np.concatenate([*levels, np.zeros(0, np.uint8)])
        centre = np.concatenate([*(pair.centres for pair in pairs), np.zeros((0, 2), np.float32)])
        return cls(
            shapes=tuple(pair.shape for pair in pairs),
            pictures=tuple(owner[level == one] for one in LEVELS),
            centres=tuple(centre[level == one] for one in LEVELS),
        )

    @property
    def counts(self) -> tuple[int, ...]:
        """Buildings of each level."""
        return tuple(len(one) for one in self.pictures)

    def chances(self, weights: Sequence[float]) -> np.ndarray:
        """(5,) probability of a building of each level, and of anywhere; 0 for absent levels.

        ``weights`` are those of the same five; if none remains, all crops are placed anywhere.
        """
        there = np.array([*(n > 0 for n in self.counts), True])
        chances = np.where(there, weights, 0.0)
        if not chances.any():
            chances[ANYWHERE] = 1.0
        return chances / chances.sum()

    def draw(
        self, rng: np.random.Generator, chances: np.ndarray, reach: float
    ) -> tuple[int, np.ndarray]:
        """An image, and the centre (row, column) of a window within ``reach`` of a building."""
        kind = int(rng.choice(len(chances), p=chances))
        if kind == ANYWHERE:
            picture = int(rng.integers(len(self.shapes)))
            return picture, rng.uniform((0, 0), self.shapes[picture])
        one = rng.integers(len(self.pictures[kind]))
        middle = self.centres[kind][one] + rng.uniform(-reach, reach, 2)
        return int(self.pictures[kind][one]), middle


def corner(middle: np.ndarray, side: int, shape: tuple[int, int]) -> tuple[int, int]:
    """First row and column of the window around ``middle``, moved inside the picture."""
    limit = np.maximum(np.array(shape) - side, 0)
    row, col = np.clip(np.round(middle - side / 2), 0, limit).astype(int)
    return int(row), int(col)


def cut(picture: np.ndarray, row: int, col: int, side: int, size: int | None = None) -> np.ndarray:
    """The ``side`` x ``side`` window that begins there, resampled to ``size``.

    (H, W, C) are pixels: interpolated linearly; a smaller image is padded by repeating its border.
    (H, W) are levels: the nearest one is used; padding gets the value "ignore".
    """
    size = side if size is None else size
    levels = picture.ndim == 2
    part = np.ascontiguousarray(picture[row : row + side, col : col + side])
    below, right = side - part.shape[0], side - part.shape[1]
    if below or right:
        kind = cv2.BORDER_CONSTANT if levels else cv2.BORDER_REPLICATE
        part = cv2.copyMakeBorder(part, 0, below, 0, right, kind, value=(IGNORE,))
    if side != size:
        how = cv2.INTER_NEAREST if levels else cv2.INTER_LINEAR
        part = cv2.resize(part, (size, size), interpolation=how)
    return part


def turned(picture: np.ndarray, way: int) -> np.ndarray:
    """One of the eight symmetries of the square: quarter turns, with or without a flip."""
    turned = np.rot90(picture, way % 4)
    return np.ascontiguousarray(turned[::-1] if way >= WAYS // 2 else turned)


class DeviceSpots:
    """:class:`Spots` on a device, where a whole batch of crops is drawn at once.

    Args:
        spots: Those of images of one size.
        weights: Those of the four levels and of anywhere.
        device: Where positions are drawn.
    """

    def __init__(self, spots: Spots, weights: Sequence[float], device: torch.device) -> None:
        self.device = device
        self.size = torch.tensor(spots.shapes[0], device=device)
        self.count = len(spots.shapes)
        both = zip(spots.pictures, spots.centres, strict=True)
        self._rows = [_rows(*one).to(device) for one in both]
        self._chances = from_numbers(spots.chances(weights)).to(device)

    def uniform(self, draw: torch.Generator, *shape: int) -> Tensor:
        """Numbers in [0, 1) from the generator ``draw`` on the device."""
        return torch.rand(shape, generator=draw, device=self.device)

    def draw(
        self, draw: torch.Generator, side: int, count: int, reach: float
    ) -> tuple[Tensor, Tensor]:
        """Image of each crop ``(N,)`` and centre of its window ``(N, 2)``, by Spots' rules."""
        kind = torch.multinomial(self._chances, count, replacement=True, generator=draw)
        chance = self.uniform(draw, count)
        picture = (chance * self.count).long()
        middle = self.uniform(draw, count, 2) * self.size
        near = (self.uniform(draw, count, 2) - 0.5) * (2 * reach)
        for number, rows in enumerate(self._rows):
            if len(rows):
                row = rows[(chance * len(rows)).long()]
                chosen = kind == number
                picture = torch.where(chosen, row[:, 0].long(), picture)
                middle = torch.where(chosen[:, None], row[:, 1:] + near, middle)
        low = torch.full((2,), side / 2, device=self.device)
        return picture, (torch.minimum(torch.maximum(middle, low), self.size - low)).round()

    def grid(
        self, draw: torch.Generator, side: int, middle: Tensor, turned: float
    ) -> tuple[Tensor, Tensor]:
        """Rows and columns ``(N, 2, side, side)`` of the pixels of each crop; its scale ``(N,)``.

        One of the eight symmetries of the square, or (for a share ``turned``) any angle and a scale
        near 1; beyond its border an image is mirrored.
        """
        count = len(middle)
        free = self.uniform(draw, count) < turned
        quarter = (self.uniform(draw, count) * 4).floor() * (math.pi / 2)
        angle = torch.where(free, self.uniform(draw, count) * (2 * math.pi), quarter)
        spread = (self.uniform(draw, count) * 2 - 1) * math.log(ZOOM)
        scale = torch.where(free, spread.exp(), 1.0)
        mirror = torch.where(self.uniform(draw, count) < 0.5, -1.0, 1.0)
        cos, sin = angle.cos() / scale, angle.sin() / scale
        matrix = torch.stack([cos * mirror, -sin, sin * mirror, cos], dim=1).view(-1, 2, 2)
        axis = torch.arange(side, device=self.device) - (side - 1) / 2
        offset = torch.stack(torch.meshgrid(axis, axis, indexing="ij")).view(2, -1)
        places = matrix @ offset + (middle - 0.5)[:, :, None]
        places = torch.where(free[:, None, None], places, places.round())
        limit = (self.size - 1)[None, :, None]
        places = limit - (limit - places.abs()).abs()
        return places.view(count, 2, side, side), scale


def gathered(stack: Tensor, picture: Tensor, places: Tensor, levels: int) -> Tensor:
    """Channels of ``stack`` ``(P, H, W, C)`` at ``places``: ``(N, side, side, C)`` float32.

    Values are interpolated linearly, except in the channel ``levels``, where the nearest is used.
    """
    last = [length - 1 for length in stack.shape[1:3]]
    low = places.floor()
    share = places - low
    r0, c0 = low[:, 0].long(), low[:, 1].long()
    r1, c1 = (r0 + 1).clamp(max=last[0]), (c0 + 1).clamp(max=last[1])
    one = picture[:, None, None]
    down, right = share[:, 0, :, :, None], share[:, 1, :, :, None]
    upper = torch.lerp(stack[one, r0, c0].float(), stack[one, r0, c1].float(), right)
    lower = torch.lerp(stack[one, r1, c0].float(), stack[one, r1, c1].float(), right)
    values = torch.lerp(upper, lower, down)
    nearest = places.round().long()
    values[..., levels] = stack[one, nearest[:, 0], nearest[:, 1], levels].float()
    return values


def _rows(pictures: np.ndarray, centres: np.ndarray) -> Tensor:
    """``(n, 3)`` float32: picture, row and column."""
    return from_numbers(np.concatenate([pictures[:, None], centres], axis=1))
