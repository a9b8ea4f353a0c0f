"""U-ViT: all are worth words (Bao et al. 2023, arXiv 2209.12152).

Time, conditions and noisy patches are tokens of one sequence, with learned positions over all of
them. ``depth / 2`` blocks go in, one block is the middle, ``depth / 2`` blocks come out; each of
the latter starts by joining the tokens of its mirror block (the long skip that gives the U).
Then a layer norm, a linear map from token to patch, and a 3x3 convolution that hides the seams.

The condition may be a class (one token), a text (one token a word) or both; what is not said is
a learned null, never zero. ``long_skips=False`` leaves a plain ViT with a time token: the paper's
ablation, and the "ViT" of the course.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

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
        text: Width of the text tokens; 0 = no text.
        text_length: Largest number of text tokens.
        time_mlp: Whether the sinusoid of time passes an MLP before it becomes a token.
        final_conv: Whether the 3x3 convolution at the end is there.
        long_skips: False gives the plain ViT of the ablation.
        recompute: Gradient checkpointing: each block is computed again in the backward pass.
    """

    channels_in: int = 4
    channels_out: int = 4
    size: tuple[int, int] = (32, 32)
    patch: int = 2
    width: int = 512
    depth: int = 12
    heads: int = 8
    classes: int = 0
    text: int = 0
    text_length: int = 77
    time_mlp: bool = False
    final_conv: bool = True
    long_skips: bool = True
    recompute: bool = False

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
        """Tokens before the first patch: time, class, text."""
        return 1 + (self.classes > 0) + (self.text_length if self.text else 0)


class UViT(nn.Module):
    """``(x (N, Cin, H, W), t (N,), label (N,), text (N, L, E)) -> (N, Cout, H, W)``.

    ``t`` is any scalar noise label (1000 t enters the sinusoid); ``label`` an int64 class, -1
    "not said"; ``text`` up to ``text_length`` tokens, a picture whose tokens hold NaN has no
    text. H and W must be multiples of the patch, in any ratio. Shorter texts are filled with the
    null token.
    """

    def __init__(self, config: UViTConfig) -> None:
        super().__init__()
        self.config = config
        width, half = config.width, config.depth // 2
        self.patches = nn.Conv2d(config.channels_in, width, config.patch, stride=config.patch)
        self.time: nn.Module = nn.Identity()
        if config.time_mlp:
            self.time = nn.Sequential(
                nn.Linear(width, 4 * width), nn.SiLU(), nn.Linear(4 * width, width)
            )
        if config.classes:
            self.label = nn.Embedding(config.classes + 1, width)  # the last row is the null class
        if config.text:
            self.text = nn.Linear(config.text, width)
            self.text_null = nn.Parameter(torch.zeros(width))
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
        self.final = nn.Conv2d(channels, channels, 3, padding=1) if config.final_conv else None
        nn.init.trunc_normal_(self.positions, std=0.02)
        self.apply(init_tokens_)

    def forward(
        self, x: Tensor, t: Tensor, label: Tensor | None = None, text: Tensor | None = None
    ) -> Tensor:
        config = self.config
        grid = patch_grid(x, config.patch)
        tokens = torch.cat(
            [self._extra_tokens(x, t, label, text), self.patches(x).flatten(2).transpose(1, 2)], 1
        )
        tokens = tokens + self._positions_of(grid)
        skips = []
        for block in self.blocks_in:
            tokens = self._run(block, tokens)
            skips.append(tokens)
        tokens = self._run(self.middle, tokens)
        for block in self.blocks_out:
            skip = skips.pop()
            tokens = self._run(block, tokens, skip if config.long_skips else None)
        patches = self.to_patch(self.norm(tokens))[:, config.extras :]
        picture = unpatch(patches, grid, config.patch)
        return picture if self.final is None else self.final(picture)

    def _extra_tokens(
        self, x: Tensor, t: Tensor, label: Tensor | None, text: Tensor | None
    ) -> Tensor:
        """Time, then class, then text: ``(N, extras, D)``."""
        config, count = self.config, x.shape[0]
        if (label is not None and not config.classes) or (text is not None and not config.text):
            raise ValueError("this U-ViT was built without that condition (classes, text)")
        time = self.time(sinusoid(1000.0 * t.expand(count), config.width).to(x.dtype))
        tokens = [time[:, None]]
        if config.classes:
            null = torch.full((count,), config.classes, device=x.device)
            known = null if label is None else torch.where(label < 0, null, label)
            tokens.append(self.label(known)[:, None])
        if config.text:
            tokens.append(self._text_tokens(count, text))
        return torch.cat([token.to(x.dtype) for token in tokens], dim=1)

    def _text_tokens(self, count: int, text: Tensor | None) -> Tensor:
        length = self.config.text_length
        tokens = self.text_null.expand(count, length, -1)
        if text is None:
            return tokens
        if text.shape[1] > length:
            raise ValueError(f"at most {length} text tokens, got {text.shape[1]}")
        missing = text.isnan().any(dim=2, keepdim=True).any(dim=1, keepdim=True)
        known = self.text(torch.where(missing, 0.0, text))
        given = torch.where(missing, tokens[:, : text.shape[1]].to(known.dtype), known)
        return torch.cat([given, tokens[:, text.shape[1] :].to(known.dtype)], dim=1)

    def _positions_of(self, grid: tuple[int, int]) -> Tensor:
        extras = self.config.extras
        patches = resize_positions(self.positions[:, extras:], self.config.grid, grid)
        return torch.cat([self.positions[:, :extras], patches], dim=1)

    def _run(self, block: nn.Module, *tokens: Tensor | None) -> Tensor:
        if self.config.recompute and torch.is_grad_enabled():
            return checkpoint(block, *tokens, use_reentrant=False)
        return block(*tokens)
