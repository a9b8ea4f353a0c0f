"""The normalizing flow: a network that can be run backwards (Dinh et al. 2017, arXiv 1605.08803).

A picture becomes its z by steps, each of which can be undone and says by how much it stretches
space, so the density of a picture is exact:

    log p(x) = log N(z; 0, 1) + log |det dz/dx|.

A step mixes the channels by a matrix (Kingma and Dhariwal 2018, arXiv 1807.03039), then moves and
stretches one half of them by what a small network says of the other half, which stays. After each
scale half of the channels are done; the others are folded 2 x 2 and go on. The price of the way
back: z has as many numbers as the picture, and no step may forget anything.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from afterscene.networks.blocks import zero_
from afterscene.school.latent.model import LatentModel
from afterscene.school.networks.latent import LatentConfig

SCALES = 3


class Step(nn.Module):
    """A mixing matrix and an affine coupling of ``channels`` channels, with its inverse."""

    def __init__(self, channels: int, hidden: int, classes: int) -> None:
        super().__init__()
        matrix = torch.linalg.qr(torch.randn(channels, channels)).Q
        self.matrix, self.bias = nn.Parameter(matrix), nn.Parameter(torch.zeros(channels, 1, 1))
        half = channels // 2
        self.door = nn.Conv2d(half, hidden, 3, padding=1)
        self.label = nn.Embedding(classes + 1, hidden)
        self.middle = nn.Conv2d(hidden, hidden, 1)
        self.out = zero_(nn.Conv2d(hidden, channels, 3, padding=1))

    def forward(self, x: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        """``y`` and ``log |det dy/dx|`` ``(N,)``."""
        x = F.conv2d(x, self.matrix[:, :, None, None]) + self.bias
        stay, move = x.chunk(2, dim=1)
        log_scale, shift = self._told(stay, rows)
        area = x.shape[-2] * x.shape[-1]
        stretched = log_scale.flatten(1).sum(dim=1) + area * torch.slogdet(self.matrix)[1]
        return torch.cat([stay, (move + shift) * log_scale.exp()], dim=1), stretched

    def back(self, y: Tensor, rows: Tensor) -> Tensor:
        """The ``x`` of a ``y``."""
        stay, move = y.chunk(2, dim=1)
        log_scale, shift = self._told(stay, rows)
        x = torch.cat([stay, move * (-log_scale).exp() - shift], dim=1)
        return F.conv2d(x - self.bias, torch.linalg.inv(self.matrix)[:, :, None, None])

    def _told(self, stay: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        hidden = F.silu(self.door(stay) + self.label(rows)[:, :, None, None])
        log_scale, shift = self.out(F.silu(self.middle(hidden))).chunk(2, dim=1)
        return 2 * (log_scale / 2).tanh(), shift


class Scale(nn.Module):
    """A sequence of steps, and its inverse."""

    def __init__(self, steps: Iterable[Step]) -> None:
        super().__init__()
        self.steps: list[Step] = nn.ModuleList(steps)  # type: ignore[assignment]

    def forward(self, x: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        """As :meth:`Step.forward`."""
        total = x.new_zeros(len(x))
        for step in self.steps:
            x, stretched = step(x, rows)
            total = total + stretched
        return x, total

    def back(self, y: Tensor, rows: Tensor) -> Tensor:
        """The ``x`` of a ``y``."""
        for step in self.steps[::-1]:
            y = step.back(y, rows)
        return y


class Flow(LatentModel):
    """``depth`` steps at each of three scales; ``config.latent`` must be ``3 size^2``."""

    def __init__(self, config: LatentConfig, depth: int = 5) -> None:
        super().__init__()
        self.config = config
        hidden, classes = 2 * config.width, config.classes
        scales = [
            Scale(Step(12 * 2**k, hidden, classes) for _ in range(depth)) for k in range(SCALES)
        ]
        self.scales: list[Scale] = nn.ModuleList(scales)  # type: ignore[assignment]

    def encode(self, x: Tensor, label: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """``z (N, latent)`` of pictures in [-1, 1], and ``log |det dz/dx|`` ``(N,)``."""
        rows, done = self.labels(label, len(x)), []
        total = x.new_full((len(x),), x[0].numel() * math.log(2))
        x = 2 * x  # a standard deviation of about 1
        for scale in self.scales:
            x, stretched = scale(F.pixel_unshuffle(x, 2), rows)
            total = total + stretched
            x, ready = x.chunk(2, dim=1)
            done.append(ready.flatten(1))
        return torch.cat([*done, x.flatten(1)], dim=1), total

    def decode(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        rows, side = self.labels(label, len(z)), self.config.size
        shapes = [(6 * 2**k, side >> k + 1, side >> k + 1) for k in range(SCALES)]
        sizes = [math.prod(shape) for shape in shapes]
        *done, x = z.split([*sizes, sizes[-1]], dim=1)
        x = x.view(-1, *shapes[-1])
        for k in reversed(range(SCALES)):
            both = torch.cat([x, done[k].view(-1, *shapes[k])], dim=1)
            x = F.pixel_shuffle(self.scales[k].back(both, rows), 2)
        return x / 2

    def log_prob(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        """The log density of pictures in [-1, 1], in nats: ``(N,)``."""
        z, total = self.encode(x, label)
        return total - 0.5 * (z**2 + math.log(2 * math.pi)).sum(dim=1)

    def loss(
        self, x: Tensor, label: Tensor | None = None, rng: np.random.Generator | None = None
    ) -> Tensor:
        """Mean negative log density of integer pictures, spread within their bins, a value."""
        picture = self.spread(x, rng or np.random.default_rng())
        return -self.log_prob(picture, label).mean() / x[0].numel()
