"""Tokens: the parts that ViT and U-ViT share.

An image becomes a sequence of patch tokens, each a linear map of ``patch x patch`` pixels;
self-attention lets each token attend to all others (Vaswani et al. 2017); a block normalises before
each of its two branches (pre-LN), which is what both Dosovitskiy et al. 2021 and Bao et al. 2023
do. Positions are learned on one grid and resized to another by bicubic interpolation, so that a
network trained on squares runs at any aspect ratio.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Attention(nn.Module):
    """Multi-head self-attention ``(N, L, D) -> (N, L, D)``; ``heads`` must divide ``D``.

    ``causal``: a token looks at itself and at those before it.
    """

    def __init__(self, width: int, heads: int, *, bias: bool = False, causal: bool = False) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"heads must divide the width, got {heads} heads for {width}")
        self.heads, self.causal = heads, causal
        self.qkv = nn.Linear(width, 3 * width, bias=bias)
        self.out = nn.Linear(width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        count, length, width = tokens.shape
        parts = self.qkv(tokens).view(count, length, 3, self.heads, width // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(query, key, value, is_causal=self.causal)
        return self.out(mixed.transpose(1, 2).reshape(count, length, width))


class TransformerBlock(nn.Module):
    """``x + attention(norm(x))``, then ``x + mlp(norm(x))``; the MLP is four times as wide.

    With ``skip`` the block starts with ``Linear(2D -> D)`` of ``[x, skip]``: the long skip of
    U-ViT. Shapes: ``x`` and ``skip (N, L, D)`` -> ``(N, L, D)``.
    """

    def __init__(
        self,
        width: int,
        heads: int,
        *,
        bias: bool = False,
        skip: bool = False,
        causal: bool = False,
    ) -> None:
        super().__init__()
        self.join = nn.Linear(2 * width, width) if skip else None
        self.norm1 = nn.LayerNorm(width)
        self.attention = Attention(width, heads, bias=bias, causal=causal)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )

    def forward(self, x: Tensor, skip: Tensor | None = None) -> Tensor:
        if self.join is not None:
            if skip is None:
                raise ValueError("this block has a long skip: pass the tokens to join")
            x = self.join(torch.cat([x, skip], dim=-1))
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


def unpatch(tokens: Tensor, grid: tuple[int, int], patch: int) -> Tensor:
    """``(N, h w, p p C) -> (N, C, h p, w p)``: each token's numbers become its patch of pixels."""
    height, width = grid
    parts = tokens.reshape(tokens.shape[0], height, width, patch, patch, -1)
    return parts.permute(0, 5, 1, 3, 2, 4).flatten(4, 5).flatten(2, 3)


def patch_grid(x: Tensor, patch: int) -> tuple[int, int]:
    """Number of patches down and across; ``ValueError`` where ``patch`` does not divide ``x``."""
    height, width = x.shape[-2:]
    if height % patch or width % patch:
        raise ValueError(f"height and width must be multiples of {patch}, got {height}x{width}")
    return height // patch, width // patch


def resize_positions(positions: Tensor, old: tuple[int, int], new: tuple[int, int]) -> Tensor:
    """Learned positions ``(1, h w, D)``, resized (bicubic) if the new grid is a different one."""
    if old == new:
        return positions
    picture = positions.transpose(1, 2).unflatten(2, old)
    picture = F.interpolate(
        picture.float(), size=new, mode="bicubic", align_corners=False, antialias=True
    )
    return picture.to(positions.dtype).flatten(2).transpose(1, 2)


def init_tokens_(module: nn.Module) -> None:
    """Truncated normal of deviation 0.02 for linear maps, zero biases; for ``module.apply``."""
    if isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
