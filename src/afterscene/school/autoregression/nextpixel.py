"""Predict the next pixel from those already there: the plainest auto-regression.

In raster order a pixel sees a window of the rows above it and of its own row to the left
(Efros and Leung 1999 grew textures this way; Theis and Bethge 2015 and PixelCNN learned it). One
masked convolution reads the window, 1x1 layers follow, a head answers: a *regressor* ("mean") or a
*classifier* ("class"), whose answer is taken at its peak (temperature 0) or sampled. Taking
the peak runs into flat colour, sampling makes texture.

Training sees all pixels at once. Generation touches one window per pixel, never the whole picture.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from afterscene.school.autoregression import pixels
from afterscene.school.autoregression.heads import Kind, make_head
from afterscene.school.autoregression.model import PictureModel


@dataclass(frozen=True, kw_only=True)
class NextPixelConfig:
    """Sizes of a :class:`NextPixel`.

    Attributes:
        channels, levels: Channels of a picture and values a channel can take.
        reach: How many pixels the window extends up, left and right.
        width, depth: Features of the window and number of residual 1x1 layers.
        classes: Number of labels, the null label not counted; 0 = none.
        kind: ``class`` (a distribution) or ``mean`` (squared error).
    """

    channels: int = 3
    levels: int = 16
    reach: int = 7
    width: int = 128
    depth: int = 2
    classes: int = 0
    kind: Kind = "class"

    def __post_init__(self) -> None:
        if min(self.reach, self.width, self.depth, self.channels) < 1 or self.levels < 2:
            raise ValueError("reach, width, depth, channels must be at least 1 and levels 2")


class NextPixel(PictureModel):
    """A causal window and a head. Pictures ``(N, C, H, W)`` int64, ``label (N,)``, -1 not said."""

    mask: Tensor

    def __init__(self, config: NextPixelConfig) -> None:
        super().__init__()
        self.config, self.channels = config, config.channels
        reach, width = config.reach, config.width
        # One channel more says what lies inside the picture: outside is not a grey pixel.
        self.window = nn.Conv2d(config.channels + 1, width, (reach + 1, 2 * reach + 1))
        mask = torch.ones(1, 1, reach + 1, 2 * reach + 1)
        mask[..., -1, reach:] = 0.0
        self.register_buffer("mask", mask, persistent=False)
        self.layers = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.SiLU())
            for _ in range(config.depth)
        )
        self.label = nn.Embedding(config.classes + 1, width)
        self.head = make_head(config.kind, width, config.channels, config.levels)

    def _padded(self, x: Tensor) -> Tensor:
        """Scaled values and the inside channel, with ``reach`` zeros on three sides."""
        reach = self.config.reach
        scaled = pixels.scale(x, self.config.levels, self.window.weight.dtype)
        inside = torch.ones_like(scaled[:, :1])
        return F.pad(torch.cat([scaled, inside], dim=1), (reach, reach, reach, 0))

    def _think(self, window: Tensor, label: Tensor | None) -> Tensor:
        """Rows of window features ``(M, D)``, one label a row -> features for the head."""
        rows = pixels.label_rows(label, self.config.classes, len(window), window.device)
        hidden = F.silu(window + self.label(rows))
        for layer in self.layers:
            hidden = hidden + layer(hidden)
        return hidden

    def features(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        """Features of every pixel from the pixels before it: ``(N H W, D)``."""
        window = F.conv2d(self._padded(x), self.window.weight * self.mask, self.window.bias)
        rows = window.permute(0, 2, 3, 1).flatten(0, 2)
        if label is not None:
            label = label.repeat_interleave(x.shape[-2] * x.shape[-1])
        return self._think(rows, label)

    def loss(
        self,
        x: Tensor,
        *,
        label: Tensor | None = None,
        rng: np.random.Generator | None = None,
    ) -> Tensor:
        """Mean of the head's loss over all pixels (nats per value, or squared error)."""
        return self.head.loss(self.features(x, label), _rows(x)).mean()

    def log_prob(self, x: Tensor, *, label: Tensor | None = None) -> Tensor:
        """Exact log-likelihood in nats: ``(N,)``; a regressor raises ``BadParameter``."""
        return self.head.log_prob(self.features(x, label), _rows(x)).view(len(x), -1).sum(dim=1)

    def states(
        self,
        x: Tensor,
        *,
        seed: int,
        label: Tensor | None,
        temperature: float,
        start: Tensor | None = None,
        rows_given: int = 0,
    ) -> Iterator[Tensor]:
        """Yield the picture after each row; with ``start`` its first ``rows_given`` rows stay."""
        (height, width), reach = x.shape[-2:], self.config.reach
        u = pixels.uniforms(seed, len(x), (height, width, self.channels)).to(x.device)
        if start is not None:
            x[:, :, :rows_given] = start[:, :, :rows_given]
        canvas = self._padded(x)
        weight = (self.window.weight * self.mask).flatten(1)
        for i in range(rows_given if start is not None else 0, height):
            for j in range(width):
                crop = canvas[:, :, i : i + reach + 1, j : j + 2 * reach + 1].flatten(1)
                hidden = self._think(F.linear(crop, weight, self.window.bias), label)
                values, _ = self.head.draw(hidden, u[:, i, j], temperature)
                x[:, :, i, j] = values
                canvas[:, :-1, i + reach, j + reach] = pixels.scale(values, self.config.levels)
            yield x.clone()


def _rows(x: Tensor) -> Tensor:
    """``(N, C, H, W) -> (N H W, C)``."""
    return x.permute(0, 2, 3, 1).flatten(0, 2)
