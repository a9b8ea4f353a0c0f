"""From the features of a pixel to its value.

:class:`PixelHead` keeps the exact rule of PixelCNN inside a pixel, R -> G -> B: the logits of a
channel see the features and the earlier channels of the same pixel. The channels of one pixel
depend on each other far more than neighbouring pixels do; drawn independently they give confetti.
:class:`MeanHead` answers one number per channel and is trained with squared error: it is
deterministic, and it is why regression blurs.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from afterscene.errors import BadParameter
from afterscene.school.autoregression import pixels

Kind = Literal["class", "mean"]


class PixelHead(nn.Module):
    """Features ``(M, D)`` -> a distribution over the values ``(M, C)`` of M pixels."""

    def __init__(self, features: int, channels: int, levels: int, hidden: int = 64) -> None:
        super().__init__()
        self.channels, self.levels = channels, levels
        self.doors = nn.ModuleList(nn.Linear(features, hidden) for _ in range(channels))
        self.earlier = nn.ModuleList(nn.Embedding(levels, hidden) for _ in range(channels - 1))
        self.out = nn.ModuleList(nn.Linear(hidden, levels) for _ in range(channels))

    def _logits_of(self, channel: int, features: Tensor, values: Tensor) -> Tensor:
        hidden = self.doors[channel](features)
        for before in range(channel):
            hidden = hidden + self.earlier[before](values[:, before])
        return self.out[channel](F.silu(hidden))

    def logits(self, features: Tensor, values: Tensor) -> Tensor:
        """``(M, C, levels)``; row c depends on ``values[:, :c]`` only."""
        return torch.stack(
            [self._logits_of(channel, features, values) for channel in range(self.channels)], dim=1
        )

    def log_prob(self, features: Tensor, values: Tensor) -> Tensor:
        """Nats per pixel: ``(M,)``."""
        return pixels.log_prob_of(self.logits(features, values), values).sum(dim=1)

    def loss(self, features: Tensor, values: Tensor) -> Tensor:
        """Negative log-likelihood per pixel in nats per channel: ``(M,)``."""
        return -self.log_prob(features, values) / self.channels

    def draw(self, features: Tensor, u: Tensor, temperature: float = 1.0) -> tuple[Tensor, Tensor]:
        """Values ``(M, C)`` from uniforms ``u (M, C)``, and their log-probability ``(M,)``."""
        values = torch.zeros(len(features), self.channels, dtype=torch.int64, device=u.device)
        total = features.new_zeros(len(features))
        for channel in range(self.channels):
            logits = self._logits_of(channel, features, values)
            values[:, channel] = pixels.sample_values(logits, u[:, channel], temperature)
            total = total + pixels.log_prob_of(logits, values[:, channel])
        return values, total


class MeanHead(nn.Module):
    """Features ``(M, D)`` -> one number per channel, fitted with squared error; no likelihood."""

    def __init__(self, features: int, channels: int, levels: int) -> None:
        super().__init__()
        self.channels, self.levels = channels, levels
        self.out = nn.Linear(features, channels)

    def log_prob(self, features: Tensor, values: Tensor) -> Tensor:
        """Always raises :class:`BadParameter`: a regressor gives no probability."""
        raise BadParameter("a regressor has no likelihood; build the model with kind='class'")

    def loss(self, features: Tensor, values: Tensor) -> Tensor:
        """Mean squared error of the scaled values per pixel: ``(M,)``."""
        return ((self.out(features) - pixels.scale(values, self.levels)) ** 2).mean(dim=1)

    def draw(self, features: Tensor, u: Tensor, temperature: float = 1.0) -> tuple[Tensor, Tensor]:
        """The nearest value to the answer; ``u`` and ``temperature`` change nothing."""
        values = pixels.unscale(self.out(features), self.levels)
        return values, features.new_zeros(len(features))


def make_head(kind: Kind, features: int, channels: int, levels: int) -> PixelHead | MeanHead:
    """``class`` or ``mean``; anything else raises :class:`BadParameter`."""
    if kind == "class":
        return PixelHead(features, channels, levels)
    if kind == "mean":
        return MeanHead(features, channels, levels)
    raise BadParameter(f"kind must be 'class' or 'mean', got '{kind}'")
