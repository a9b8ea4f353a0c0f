"""Noise as a function of (seed, step, pixel position): no state, no order, no batch.

A pixel's noise is a hash of seed, step, draw, channel and its global row and column, so a tile
gets the noise that the whole scene has there, whatever the tiling, batch or device. A counter-based
generator (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"): splitmix64's
finaliser (Steele et al. 2014) in wrapping int64 arithmetic, then Box-Muller, 64 bits for the two
normals (up to 6.8) of two channels. On another device log and cos may differ in a last bit.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from afterscene.errors import BadParameter

MASK = (1 << 64) - 1
BLOCK = 1 << 16  # pixels hashed at a time: as many as fit into a core's cache


def field(
    seed: int, step: int, window: Any, channels: int, *, device: str = "cpu", **options: Any
) -> Tensor:
    """Standard normal noise (channels, height, width) of a window of an unbounded scene.

    ``window``: row, col, height, width in pixels; ``options``: draw, dtype of :func:`noise_at`.
    """
    rows = torch.arange(window.row, window.row + window.height, device=device)
    cols = torch.arange(window.col, window.col + window.width, device=device)
    return noise_at(seed, rows, cols, channels, step=step, **options)


def noise_at(
    seed: int,
    rows: Tensor,
    cols: Tensor,
    channels: int,
    *,
    step: int = 0,
    draw: int = 0,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """Standard normal noise (channels, len(rows), len(cols)) at global positions, from float32."""
    if not -(1 << 63) <= seed < 1 << 64:
        raise BadParameter(f"seed {seed} does not fit in 64 bits; choose a smaller one")
    out = torch.empty((channels, len(rows), len(cols)), dtype=dtype, device=rows.device)
    height = max(1, BLOCK // max(1, len(cols)))
    for pair in range(0, channels, 2):
        key = _key(seed, step, draw, pair)
        row_hash, col_hash = _mix(rows.long() + key), _mix(cols.long() + _key(key))
        for top in range(0, len(rows), height):
            bits = _mix(row_hash[top : top + height, None] + col_hash)
            radius = _unit(bits >> 32).log_().mul_(-2).sqrt_()
            angle = _unit(bits).mul_(2 * math.pi)
            part = out[pair : pair + 2, top : top + height]
            part[0] = radius * angle.cos()
            if len(part) > 1:
                part[1] = radius.mul_(angle.sin_())
    return out


@dataclass(frozen=True, kw_only=True)
class TileNoise:
    """A ``Noise`` for x (batch, channels, height, width): window i of seed i's field, or of one."""

    seeds: int | Sequence[int]
    windows: Sequence[Any]

    def __call__(self, step: int, draw: int, like: Tensor) -> Tensor:
        kind: Any = dict(draw=draw, device=like.device, dtype=like.dtype)
        seeds = self.seeds if isinstance(self.seeds, Sequence) else [self.seeds] * len(self.windows)
        pairs = zip(seeds, self.windows, strict=True)
        noise = torch.stack([field(seed, step, w, like.shape[1], **kind) for seed, w in pairs])
        if noise.shape != like.shape:
            shapes = f"noise {tuple(noise.shape)} for x {tuple(like.shape)}"
            raise BadParameter(f"{shapes}; give one window of x's height and width per sample")
        return noise


def generated(generator: torch.Generator) -> Callable[[int, int, Tensor], Tensor]:
    """A ``Noise`` drawn in order from a generator: for a single image of any shape."""
    kind: Any = dict(generator=generator, device=generator.device)
    return lambda step, draw, like: torch.randn(like.shape, **kind).to(like)


def _unit(bits: Tensor) -> Tensor:
    """The low 32 bits as float32 in (0, 1]."""
    return (bits & 0xFFFFFFFF).to(torch.float32).add_(0.5).mul_(2.0**-32)


def _mix(z: Any) -> Any:
    """splitmix64's finaliser, tensor or int; ``>>`` keeps the sign, hence the masks."""
    z = _int64((z ^ ((z >> 30) & (MASK >> 30))) * _int64(0xBF58476D1CE4E5B9))
    z = _int64((z ^ ((z >> 27) & (MASK >> 27))) * _int64(0x94D049BB133111EB))
    return z ^ ((z >> 31) & (MASK >> 31))


def _key(*words: int) -> int:
    key = 0
    for word in words:
        key = _mix(_int64((key ^ word) + 0x9E3779B97F4A7C15))
    return key


def _int64(z: Any) -> Any:
    """An integer wrapped to signed 64 bits, as int64 tensors wrap by themselves."""
    return z if isinstance(z, Tensor) else ((z + (1 << 63)) & MASK) - (1 << 63)
