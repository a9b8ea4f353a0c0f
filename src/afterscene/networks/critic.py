"""A convolutional critic: how real does each part of a picture look, given its condition?

Scores are given for squares of 16 pixels (PatchGAN, Isola et al. 2017, arXiv 1611.07004), so that
a few hundred tiles are many examples. There is no normalisation, as a score has to depend on one
picture alone.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

#: Slope of the activations below zero.
SLOPE = 0.2


class PatchCritic(nn.Module):
    """``(picture (N, C, H, W), label (N,)) -> scores (N, 1, H / 16, W / 16)``.

    ``label`` is an int64 class, -1: not given. H and W must be multiples of 16.

    Args:
        channels: Channels of the picture, with its image-shaped conditions.
        classes: Number of classes, the null class not counted.
        widths: Channels of each scale, finest first; the first one has half the resolution.
    """

    def __init__(
        self, channels: int, classes: int, widths: tuple[int, ...] = (48, 96, 160, 224)
    ) -> None:
        super().__init__()
        self.classes = classes
        before = (4 * channels, *widths)
        self.enter = nn.ModuleList(
            nn.Conv2d(a, b, 3, padding=1) for a, b in zip(before[:-1], widths, strict=True)
        )
        self.inside = nn.ModuleList(nn.Conv2d(b, b, 3, padding=1) for b in widths)
        self.label = nn.Embedding(classes + 1, widths[-1])
        self.head = nn.Conv2d(widths[-1], 1, 3, padding=1)
        for part in self.modules():  # PyTorch's own choice shrinks signals by a third a layer
            if isinstance(part, nn.Conv2d):
                nn.init.kaiming_normal_(part.weight, a=SLOPE)
                part.bias = nn.Parameter(torch.zeros(part.out_channels))
        nn.init.normal_(self.label.weight, std=0.1)

    def forward(self, picture: Tensor, label: Tensor) -> Tensor:
        x = F.pixel_unshuffle(picture, 2)
        for scale, (enter, inside) in enumerate(zip(self.enter, self.inside, strict=True)):
            x = F.leaky_relu(enter(F.avg_pool2d(x, 2) if scale else x), SLOPE)
            x = x + F.leaky_relu(inside(x), SLOPE) / 2
        row = torch.where(label < 0, self.classes, label)
        scores: Tensor = self.head(x * (1 + self.label(row)[..., None, None].to(x.dtype)))
        return scores
