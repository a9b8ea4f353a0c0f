"""From a picture to a few numbers and back: the two networks that VAE and GAN share.

A VAE puts the :class:`Encoder` before the :class:`LatentDecoder`, a GAN the decoder (its generator)
before the encoder (its discriminator). Plain convolutions at three scales (Radford et al. 2016,
arXiv 1511.06434, without normalisation); pixels enter in squares of 2 x 2, as in
:class:`afterscene.networks.unet.UNet`.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from afterscene.errors import BadParameter


@dataclass(frozen=True, kw_only=True)
class LatentConfig:
    """Sizes of a model with a latent.

    Attributes:
        size: Side of a picture, a multiple of 8. levels: Values of a channel.
        latent: Numbers that a picture is made from (a flow needs as many as a picture has).
        width: Features at the finest scale are twice, at the coarsest four times as many.
        classes: Number of labels, the null label not counted; 0 = none.
    """

    size: int = 32
    levels: int = 32
    latent: int = 32
    width: int = 24
    classes: int = 0

    def __post_init__(self) -> None:
        if self.size % 8 or min(self.size, self.levels, self.latent, self.width) < 2:
            raise BadParameter(
                f"size {self.size} must be a multiple of 8, levels, latent and width at least 2"
            )


class Encoder(nn.Module):
    """``(x (N, 3, S, S) in [-1, 1], label (N,)) -> (N, out)``; the null label is ``classes``."""

    def __init__(self, config: LatentConfig, out: int, hidden: int = 64) -> None:
        super().__init__()
        width, side = config.width, config.size // 8
        self.convs = nn.Sequential(
            nn.PixelUnshuffle(2),
            nn.Conv2d(12, 2 * width, 3, padding=1),
            nn.SiLU(),
            nn.Conv2d(2 * width, 2 * width, 4, 2, 1),
            nn.SiLU(),
            nn.Conv2d(2 * width, 4 * width, 4, 2, 1),
            nn.SiLU(),
        )
        self.hidden = nn.Linear(4 * width * side**2, hidden)
        self.label = nn.Embedding(config.classes + 1, hidden)
        self.out = nn.Linear(hidden, out)

    def forward(self, x: Tensor, label: Tensor) -> Tensor:
        return self.out(F.silu(self.hidden(self.convs(x).flatten(1)) + self.label(label)))


class LatentDecoder(nn.Module):
    """``(z (N, latent), label (N,)) -> (N, 3, S, S)``, not bounded."""

    def __init__(self, config: LatentConfig) -> None:
        super().__init__()
        width, side = config.width, config.size // 8
        self.grid = (4 * width, side, side)
        self.label = nn.Embedding(config.classes + 1, config.latent)
        self.door = nn.Linear(2 * config.latent, 4 * width * side**2)
        widths = (4 * width, 2 * width, 2 * width, width)
        self.convs = nn.ModuleList(nn.Conv2d(a, b, 3, padding=1) for a, b in pairwise(widths))
        self.out = nn.Conv2d(width, 3, 3, padding=1)

    def forward(self, z: Tensor, label: Tensor) -> Tensor:
        x = F.silu(self.door(torch.cat([z, self.label(label)], dim=1))).view(-1, *self.grid)
        for number, conv in enumerate(self.convs):
            x = F.silu(conv(_twice(x) if number else x))
        return self.out(_twice(x))


def _twice(x: Tensor) -> Tensor:
    """Twice the height and width, without checkerboards, which a GAN would not unlearn."""
    return F.interpolate(x, scale_factor=2.0, mode="bilinear")
