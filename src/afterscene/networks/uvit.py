"""U-ViT: all are worth words (Bao et al. 2023, arXiv 2209.12152).

Time, conditions and noisy patches are tokens of one sequence, with learned positions over all of
them. There are ``depth / 2`` blocks, one middle block and ``depth / 2`` more blocks; each of the
latter starts by joining the tokens of its mirror block (the long skip that gives the U). Then
follow a layer norm, a linear map from token to patch, and a 3x3 convolution that hides the seams.

The condition is a class (one token); where it is not given, a learned null is used, never zero.
``long_skips=False`` leaves a plain ViT with a time token: the paper's ablation, and the "ViT" of
the course.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from afterscene.networks.blocks import sinusoid
from afterscene.networks.transformer import (
    TransformerBlock,
    init_tokens_,
    patch_grid,
    resize_positions,
    unpatch,
)


@dataclass(frozen=True, kw_only=True)
class UViTConfig:
    """Sizes of a :class:`UViT`.

    Attributes:
        channels_in, channels_out: Channels of the input and of the output.
        size: Height and width at which positions are learned; others are interpolated.
        patch: Side of a patch in pixels.
        width, depth, heads: Token width, number of blocks without the middle one (even), heads.
        classes: Number of classes, the null class not counted; 0 = no class token.
        long_skips: False gives the plain ViT of the ablation.
    """

    channels_in: int = 4
    channels_out: int = 4
    size: tuple[int, int] = (32, 32)
    patch: int = 2
    width: int = 512
    depth: int = 12
    heads: int = 8
    classes: int = 0
    long_skips: bool = True

    def __post_init__(self) -> None:
        if self.depth % 2 or self.depth < 2:
            raise ValueError(f"depth must be even and at least 2, got {self.depth}")
        if self.width % (2 * self.heads):
            raise ValueError(f"width {self.width} must be a multiple of 2 x heads ({self.heads})")
        if self.size[0] % self.patch or self.size[1] % self.patch:
            raise ValueError(f"patch {self.patch} must divide the size {self.size}")

    @property
    def grid(self) -> tuple[int, int]:
        """Patches down and across at the size where positions are learned."""
        return self.size[0] // self.patch, self.size[1] // self.patch

    @property
    def extras(self) -> int:
        """Tokens before the first patch: time, class."""
        return 1 + (self.classes > 0)


class UViT(nn.Module):
    """``(x (N, Cin, H, W), t (N,), label (N,)) -> (N, Cout, H, W)``.

    ``t`` is any scalar noise label (1000 t enters the sinusoid); ``label`` is an int64 class, -1
    for "not given". H and W must be multiples of the patch, in any ratio.
    """

    def __init__(self, config: UViTConfig) -> None:
        super().__init__()
        self.config = config
        width, half = config.width, config.depth // 2
        self.patches = nn.Conv2d(config.channels_in, width, config.patch, stride=config.patch)
        if config.classes:
            self.label = nn.Embedding(config.classes + 1, width)  # the last row is the null class
        self.positions = nn.Parameter(
            torch.zeros(1, config.extras + config.grid[0] * config.grid[1], width)
        )
        self.blocks_in = nn.ModuleList(TransformerBlock(width, config.heads) for _ in range(half))
        self.middle = TransformerBlock(width, config.heads)
        self.blocks_out = nn.ModuleList(
            TransformerBlock(width, config.heads, skip=config.long_skips) for _ in range(half)
        )
        self.norm = nn.LayerNorm(width)
        self.to_patch = nn.Linear(width, config.patch**2 * config.channels_out)
        channels = config.channels_out
        self.final = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.trunc_normal_(self.positions, std=0.02)
        self.apply(init_tokens_)

    def forward(self, x: Tensor, t: Tensor, label: Tensor | None = None) -> Tensor:
        config = self.config
        grid = patch_grid(x, config.patch)
        patches = self.patches(x).flatten(2).transpose(1, 2)
        tokens = torch.cat([self._extra_tokens(x, t, label), patches], 1)
        tokens = tokens + self._positions_of(grid)
        skips = []
        for block in self.blocks_in:
            tokens = block(tokens)
            skips.append(tokens)
        tokens = self.middle(tokens)
        for block in self.blocks_out:
            skip = skips.pop()
            tokens = block(tokens, skip if config.long_skips else None)
        patches = self.to_patch(self.norm(tokens))[:, config.extras :]
        return self.final(unpatch(patches, grid, config.patch))

    def _extra_tokens(self, x: Tensor, t: Tensor, label: Tensor | None) -> Tensor:
        """Time, then class: ``(N, extras, D)``."""
        config, count = self.config, x.shape[0]
        if label is not None and not config.classes:
            raise ValueError("this U-ViT was built without classes")
        time = sinusoid(1000.0 * t.expand(count), config.width).to(x.dtype)
        tokens = [time[:, None]]
        if config.classes:
            null = torch.full((count,), config.classes, device=x.device)
            known = null if label is None else torch.where(label < 0, null, label)
            tokens.append(self.label(known)[:, None])
        return torch.cat([token.to(x.dtype) for token in tokens], dim=1)

    def _positions_of(self, grid: tuple[int, int]) -> Tensor:
        extras = self.config.extras
        patches = resize_positions(self.positions[:, extras:], self.config.grid, grid)
        return torch.cat([self.positions[:, :extras], patches], dim=1)
