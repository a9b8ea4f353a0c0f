"""The condition of p(post | pre, damage, hazard, style, gsd): a record, not keyword arguments.

Every part may be ``None``, which means "not given" and reaches the network as a learned null (a
channel or an embedding of its own), never as zero: zero is a value (DiffusionSat drops a number by
setting it to 0, which is also a real longitude or date).

``style`` says how the new acquisition differs from the pre image where the hazard changed nothing:
difference of the channel means and log ratio of the channel standard deviations. All zero is "the
same style", as needed for editing the pre image.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

#: Mean difference and log standard-deviation ratio of three channels.
STYLE_SIZE = 6

#: Background and the four levels, then "level not given".
LEVEL_CHANNELS = 6

#: Channels of :meth:`Condition.picture`: pre image, levels, affected.
PICTURE_CHANNELS = 3 + LEVEL_CHANNELS + 1


@dataclass(frozen=True, kw_only=True)
class Condition:
    """What the post images of a batch have to show.

    Attributes:
        pre: Pre image ``(N, 3, H, W)`` in the colours of the model that it is for; all maps have
            its height and width.
        levels: Damage level per pixel ``(N, H, W)`` int64: 0 background, 1-4 the xBD levels,
            255 un-classified (level not given there). ``None``: given nowhere.
        affected: ``(N, 1, H, W)`` in [0, 1], where the post image may differ from ``pre``.
            ``None``: everywhere.
        hazard: ``(N,)`` int64 class in the order of the model's weights, -1: not given. ``None``:
            not given.
        style: ``(N, 6)`` float, NaN in a row: not given. ``None``: not given.
        gsd: ``(N,)`` float metres per pixel, NaN: not given. ``None``: not given.
    """

    pre: Tensor
    levels: Tensor | None = None
    affected: Tensor | None = None
    hazard: Tensor | None = None
    style: Tensor | None = None
    gsd: Tensor | None = None

    def picture(self) -> Tensor:
        """The image-shaped conditions as channels: ``(N, 10, H, W)``, of the dtype of ``pre``."""
        count, _, height, width = self.pre.shape
        affected = self.affected
        if affected is None:
            affected = self.pre.new_ones((count, 1, height, width))
        return torch.cat([self.pre, self._one_hot(), affected], dim=1)

    def _one_hot(self) -> Tensor:
        """Background, levels 1 to 4, not given: ``(N, 6, H, W)``."""
        count, _, height, width = self.pre.shape
        levels = self.levels
        if levels is None:
            levels = self.pre.new_full((count, height, width), 255, dtype=torch.int64)
        index = torch.where(levels > 4, LEVEL_CHANNELS - 1, levels)
        kinds = torch.arange(LEVEL_CHANNELS, device=levels.device)
        return (index[:, None] == kinds[None, :, None, None]).to(self.pre.dtype)


def class_of(hazard: str, known: Sequence[str]) -> int:
    """The class of ``hazard`` for a model with that order; -1 (not given) if it knows none."""
    return known.index(hazard) if hazard in known else -1
