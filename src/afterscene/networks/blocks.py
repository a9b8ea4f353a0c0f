"""Small building blocks shared by the networks of this package.

Normalisation is over the channels of one position (Ba et al. 2016, "Layer Normalization"), never
over the image: each output of such a network depends on a bounded neighbourhood only, so that a
scene rendered tile by tile equals the scene rendered at once (with group or instance normalisation
every pixel would depend on the whole tile).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def sinusoid(values: Tensor, dim: int, *, max_period: float = 10_000.0) -> Tensor:
    """Sinusoidal features of scalars: ``(...,) -> (..., dim)``.

    Frequencies fall geometrically from 1 to ``1 / max_period`` (Vaswani et al. 2017, sec. 3.5).
    ``dim`` must be even.
    """
    if dim % 2:
        raise ValueError(f"dim must be even, got {dim}")
    half = dim // 2
    frequencies = torch.exp(
        -math.log(max_period) * torch.arange(half, device=values.device, dtype=torch.float32) / half
    )
    angles = values.float()[..., None] * frequencies
    return torch.cat([angles.cos(), angles.sin()], dim=-1)


class ChannelNorm(nn.Module):
    """Layer normalisation over the channels of each position of ``(N, C, H, W)``."""

    def __init__(self, channels: int, *, affine: bool = True) -> None:
        super().__init__()
        self.channels = channels
        self.weight = nn.Parameter(torch.ones(channels)) if affine else None
        self.bias = nn.Parameter(torch.zeros(channels)) if affine else None

    def forward(self, x: Tensor) -> Tensor:
        # For a channels-last tensor this permute is free and the rows are contiguous.
        rows = x.permute(0, 2, 3, 1)
        weight = None if self.weight is None else self.weight.to(rows.dtype)
        bias = None if self.bias is None else self.bias.to(rows.dtype)
        return F.layer_norm(rows, (self.channels,), weight, bias, 1e-5).permute(0, 3, 1, 2)


def zero_(module: nn.Module) -> nn.Module:
    """Set all parameters of ``module`` to zero, so that a residual block starts as the identity."""
    for parameter in module.parameters():
        nn.init.zeros_(parameter)
    return module


class ResidualBlock(nn.Module):
    """``x + conv(act(film(norm(conv(act(norm(x)))))))`` with scale-shift conditioning.

    The second convolution starts at zero (Ho et al. 2020); scale and shift come from the
    embedding (Dhariwal and Nichol 2021, "adaptive group norm", here with :class:`ChannelNorm`).

    Shapes: ``x (N, in, H, W)``, ``embedding (N, E)`` -> ``(N, out, H, W)``.
    """

    def __init__(self, channels_in: int, channels_out: int, embedding: int) -> None:
        super().__init__()
        self.norm1 = ChannelNorm(channels_in)
        self.conv1 = nn.Conv2d(channels_in, channels_out, 3, padding=1)
        self.norm2 = ChannelNorm(channels_out, affine=False)
        self.film = zero_(nn.Linear(embedding, 2 * channels_out))
        self.conv2 = zero_(nn.Conv2d(channels_out, channels_out, 3, padding=1))
        self.skip = (
            nn.Identity()
            if channels_in == channels_out
            else nn.Conv2d(channels_in, channels_out, 1)
        )

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        hidden = self.conv1(F.silu(self.norm1(x)))
        scale, shift = self.film(embedding)[:, :, None, None].to(hidden.dtype).chunk(2, dim=1)
        hidden = torch.addcmul(shift, self.norm2(hidden), 1 + scale)
        return self.skip(x) + self.conv2(F.silu(hidden))


class LeanBlock(nn.Module):
    """``x + conv(silu(film(conv(norm(x)))))``: a :class:`ResidualBlock` with less memory traffic.

    One normalisation and one activation for two convolutions (as ConvNeXt, Liu et al. 2022,
    section 2.6, argues for); scale and shift come before the activation. Input and output have the
    same width. Shapes: ``x (N, C, H, W)``, ``embedding (N, E)`` -> ``(N, C, H, W)``.
    """

    def __init__(self, channels: int, channels_out: int, embedding: int) -> None:
        super().__init__()
        if channels != channels_out:
            raise ValueError(f"a lean block keeps its width, got {channels} and {channels_out}")
        self.norm = ChannelNorm(channels)
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.film = zero_(nn.Linear(embedding, 2 * channels))
        self.conv2 = zero_(nn.Conv2d(channels, channels, 3, padding=1))

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        hidden = self.conv1(self.norm(x))
        scale, shift = self.film(embedding)[:, :, None, None].to(hidden.dtype).chunk(2, dim=1)
        if torch.is_grad_enabled():
            return x + self.conv2(F.silu(torch.addcmul(shift, hidden, 1 + scale)))
        # Nothing is kept for a backward pass: work in place, because memory traffic dominates.
        hidden = F.silu(hidden.mul_(1 + scale).add_(shift), inplace=True)
        return self.conv2(hidden).add_(x)
