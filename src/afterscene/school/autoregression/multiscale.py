"""Multi-scale PixelCNN: first a subsampled picture, then the pixels between.

After van den Oord et al. 2016, arXiv 1601.06759, sec. 3.5. The smallest scale is an unconditional
PixelCNN on every ``2**k``-th pixel. Each finer scale keeps the pixels that are already there and
draws the others in raster order, seeing the whole coarser picture through a few convolutions
(where they lie and what they are). The kept pixels are given, so they cost no probability:

    log p(x) = log p(x_coarse) + sum over the new pixels of log p(x_i | x_<i, x_coarse),

exact, since the coarse picture is a part of the fine one. Long-range structure is decided early, at
low cost.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from afterscene.errors import BadParameter
from afterscene.school.autoregression import pixels
from afterscene.school.autoregression.model import PictureModel
from afterscene.school.autoregression.pixelcnn import PixelCNNModel
from afterscene.school.networks.pixelcnn import PixelCNNConfig


class MultiScalePixelCNN(PictureModel):
    """``scales`` PixelCNNs of one configuration: on every pixel, every 2nd, every 4th ...

    ``context`` is the number of channels through which a scale sees the coarser picture. Height
    and width must be multiples of ``2 ** (scales - 1)``.
    """

    def __init__(self, config: PixelCNNConfig, *, scales: int = 2, context: int = 32) -> None:
        super().__init__()
        if scales < 2:
            raise BadParameter(f"multi-scale needs at least 2 scales, got {scales}")
        self.config, self.scales, self.channels = config, scales, config.channels
        self.base = PixelCNNModel(replace(config, context=0))
        finer = replace(config, context=context)
        self.models = nn.ModuleList(PixelCNNModel(finer) for _ in range(scales - 1))
        self.views = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(config.channels + 1, context, 5, padding=2),
                nn.SiLU(),
                nn.Conv2d(context, context, 5, padding=2),
                nn.SiLU(),
            )
            for _ in range(scales - 1)
        )

    def _finer(self) -> list[PixelCNNModel]:
        return list(self.models)  # type: ignore[arg-type]

    def _levels(self, x: Tensor) -> list[Tensor]:
        """The picture at every scale, coarsest first."""
        multiple = 2 ** (self.scales - 1)
        if x.shape[-1] % multiple or x.shape[-2] % multiple:
            raise BadParameter(
                f"height and width must be multiples of {multiple}, got {tuple(x.shape[-2:])}"
            )
        return [x[:, :, :: 2**k, :: 2**k] for k in reversed(range(self.scales))]

    def _context(self, index: int, coarse: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Condition picture, the coarse pixels in their places, and the mask of these places."""
        size = (2 * coarse.shape[-2], 2 * coarse.shape[-1])
        known = torch.zeros(size, dtype=torch.bool, device=coarse.device)
        known[::2, ::2] = True
        placed = torch.zeros(*coarse.shape[:2], *size, dtype=torch.int64, device=coarse.device)
        placed[:, :, ::2, ::2] = coarse
        dtype = next(self.parameters()).dtype
        mask = known.to(dtype).expand(len(coarse), 1, -1, -1)
        scaled = pixels.scale(placed, self.config.levels, dtype)
        seen = torch.cat([scaled * mask, mask], dim=1)
        return self.views[index](seen), placed, known

    def scale_log_probs(self, x: Tensor, *, label: Tensor | None = None) -> list[Tensor]:
        """Nats of the new pixels of each scale, coarsest first; each ``(N,)``."""
        levels = self._levels(x)
        totals = [self.base.log_prob(levels[0], label=label)]
        for index, model in enumerate(self._finer()):
            context, _, known = self._context(index, levels[index])
            values = model.values_log_prob(levels[index + 1], label=label, context=context)
            totals.append((values * ~known).flatten(1).sum(dim=1))
        return totals

    def log_prob(self, x: Tensor, *, label: Tensor | None = None) -> Tensor:
        """Exact log-likelihood in nats: ``(N,)``."""
        return torch.stack(self.scale_log_probs(x, label=label)).sum(dim=0)

    def states(self, x: Tensor, *, seed: int, **options: Any) -> Iterator[Tensor]:
        """Yield the picture after each row of each scale, coarse ones enlarged to the full size."""
        size = (x.shape[-2], x.shape[-1])
        blank, *_ = self._levels(x)
        picture = blank
        for picture in self.base.states(blank, seed=seed, **options):
            yield _enlarge(picture, size)
        for index, model in enumerate(self._finer()):
            context, placed, known = self._context(index, picture)
            # Each scale has its own numbers: the same ones would repeat the coarse draws.
            fresh = seed + (index + 1) * 2**40
            here = {"context": context, "known": known.cpu(), **options}
            for picture in model.states(placed, seed=fresh, **here):
                yield _enlarge(picture, size)


def _enlarge(x: Tensor, size: tuple[int, int]) -> Tensor:
    if tuple(x.shape[-2:]) == tuple(size):
        return x
    return F.interpolate(x.float(), size=size, mode="nearest").long()
