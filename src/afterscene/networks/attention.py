"""Attention for convolutional networks: a map looks at itself, or at the tokens of a condition.

Self-attention over the positions of a coarse map (Ho et al. 2020, appendix B) lets distant places
agree; cross-attention (Rombach et al. 2022, section 3.3) lets each position read tokens, such as
the words of a text. Both are residual branches whose last layer starts at zero, so that a network
begins as if they were not there. A map that looks at itself sees the whole picture: a scene
rendered in tiles then differs from one rendered whole.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from afterscene.networks.blocks import ChannelNorm, zero_


class MapAttention(nn.Module):
    """``x + out(attention(norm(x)))`` for ``x (N, C, H, W)``.

    Args:
        channels: C; ``heads`` must divide it.
        heads: Attention heads.
        tokens: Width D of the tokens ``(N, L, D)`` that are looked at; 0: the map itself.
    """

    def __init__(self, channels: int, heads: int, tokens: int = 0) -> None:
        super().__init__()
        if channels % heads:
            raise ValueError(f"{heads} heads do not divide {channels} channels")
        self.heads = heads
        self.norm = ChannelNorm(channels)
        self.query = nn.Linear(channels, channels, bias=False)
        self.key_value = nn.Linear(tokens or channels, 2 * channels, bias=False)
        self.out = zero_(nn.Linear(channels, channels))

    def forward(self, x: Tensor, tokens: Tensor | None = None) -> Tensor:
        rows = self.norm(x).flatten(2).transpose(1, 2)  # (N, HW, C)
        seen = rows if tokens is None else tokens.to(rows.dtype)
        query, key, value = (
            part.unflatten(2, (self.heads, -1)).transpose(1, 2)
            for part in (self.query(rows), *self.key_value(seen).chunk(2, dim=2))
        )
        mixed = F.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)
        return x + self.out(mixed).transpose(1, 2).unflatten(2, x.shape[2:])


class Attended(nn.Module):
    """A convolutional block, then a look at the map itself, then one at tokens, as asked for."""

    def __init__(self, block: nn.Module, channels: int, heads: int, *, own: bool, tokens: int):
        super().__init__()
        self.block = block
        self.own = MapAttention(channels, heads) if own else None
        self.cross = MapAttention(channels, heads, tokens) if tokens else None

    def forward(self, x: Tensor, embedding: Tensor, tokens: Tensor | None) -> Tensor:
        x = self.block(x, embedding)
        if self.own is not None:
            x = self.own(x)
        return x if self.cross is None else self.cross(x, tokens)


class Tokens(nn.Module):
    """``(N, L, D)`` with a learned token of its own for whom nothing is said."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.null = nn.Parameter(torch.zeros(width))

    def forward(self, tokens: Tensor | None, count: int) -> Tensor:
        """``None``, or a row that holds NaN, is not said."""
        if tokens is None:
            return self.null.expand(count, 1, -1)
        missing = tokens.isnan().flatten(1).any(dim=1)[:, None, None]
        return torch.where(missing, self.null.to(tokens.dtype), tokens)
