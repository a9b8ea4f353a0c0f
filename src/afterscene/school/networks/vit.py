"""ViT: an image is worth 16x16 words (Dosovitskiy et al. 2021, arXiv 2010.11929).

The picture is cut into patches, each patch is a token, a learned class token is put in front,
learned positions are added, and pre-LN transformer blocks follow. The class token is read by a
linear head, which starts at zero as in the paper's fine-tuning; the patch tokens are a feature
map. (A ViT that removes noise is :class:`~afterscene.networks.uvit.UViT` without long skips.)
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from afterscene.networks.blocks import zero_
from afterscene.networks.transformer import (
    TransformerBlock,
    init_tokens_,
    patch_grid,
    resize_positions,
)


@dataclass(frozen=True, kw_only=True)
class ViTConfig:
    """Sizes of a :class:`ViT`; the defaults are ViT-B/16 at 224 pixels (86.6 M parameters)."""

    channels_in: int = 3
    size: tuple[int, int] = (224, 224)
    patch: int = 16
    width: int = 768
    depth: int = 12
    heads: int = 12
    classes: int = 1000

    def __post_init__(self) -> None:
        if self.size[0] % self.patch or self.size[1] % self.patch:
            raise ValueError(f"patch {self.patch} must divide the size {self.size}")
        if min(self.depth, self.classes, self.patch) < 1:
            raise ValueError("patch, depth and classes must be at least 1")

    @property
    def grid(self) -> tuple[int, int]:
        """Patches down and across at the size where positions are learned."""
        return self.size[0] // self.patch, self.size[1] // self.patch


class ViT(nn.Module):
    """``x (N, C, H, W)`` in [-1, 1] -> class logits ``(N, classes)``; patch divides H and W."""

    def __init__(self, config: ViTConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.patches = nn.Conv2d(config.channels_in, width, config.patch, stride=config.patch)
        self.token = nn.Parameter(torch.zeros(1, 1, width))
        self.positions = nn.Parameter(torch.zeros(1, 1 + config.grid[0] * config.grid[1], width))
        self.blocks = nn.ModuleList(
            TransformerBlock(width, config.heads, bias=True) for _ in range(config.depth)
        )
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, config.classes)
        nn.init.trunc_normal_(self.positions, std=0.02)
        self.apply(init_tokens_)
        zero_(self.head)

    def tokens(self, x: Tensor) -> Tensor:
        """The normalised tokens after the last block: ``(N, 1 + h w, D)``, class token first."""
        grid = patch_grid(x, self.config.patch)
        patches = self.patches(x).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.token.expand(x.shape[0], -1, -1).to(patches.dtype), patches], 1)
        grown = resize_positions(self.positions[:, 1:], self.config.grid, grid)
        tokens = tokens + torch.cat([self.positions[:, :1], grown], dim=1)
        for block in self.blocks:
            tokens = block(tokens)
        return self.norm(tokens)

    def features(self, x: Tensor) -> Tensor:
        """The patch tokens as a map: ``(N, D, H / patch, W / patch)``."""
        grid = patch_grid(x, self.config.patch)
        return self.tokens(x)[:, 1:].transpose(1, 2).unflatten(2, grid)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.tokens(x)[:, 0])
