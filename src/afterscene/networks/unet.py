"""A fully convolutional U-Net for inputs of any size, with a bounded receptive field.

The shape is that of Ronneberger et al. 2015, the residual blocks with a time embedding are those
of Ho et al. 2020, the scale-shift conditioning is that of Dhariwal and Nichol 2021. Two things
differ, both for scenes larger than any training crop:

* pixels enter through a space-to-depth step (``patch``), so that only a cheap linear map works at
  full resolution, while the input values stay directly available to the output;
* every normalisation is per position (:mod:`afterscene.networks.blocks`), and there is no
  attention: the value at a pixel depends on ``reach`` pixels around it, which makes tiling exact
  instead of approximate.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from afterscene.networks.blocks import ChannelNorm, LeanBlock, ResidualBlock, sinusoid, zero_

#: Metres per pixel of most training pictures, whose log is 0.
GSD = 0.5


@dataclass(frozen=True, kw_only=True)
class UNetConfig:
    """Sizes of a :class:`UNet`.

    Attributes:
        channels_in: Channels of the input image (including all image-shaped conditions).
        channels_out: Channels of the output image.
        patch: Space-to-depth factor at the input (1 = work on pixels).
        widths: Channels of each scale, finest first; each scale halves the resolution.
        depths: Residual blocks of each scale, on the way down and again on the way up.
        embedding: Width of the conditioning embedding.
        vector: Length of the vector condition (0 = none).
        classes: Number of classes of the class condition, the null class not counted.
        gsd: Whether metres per pixel are a condition.
        lean: Blocks with one normalisation and one activation, skips added and not concatenated:
            halves the memory traffic, so that widths can grow instead.
    """

    channels_in: int
    channels_out: int
    patch: int = 2
    widths: tuple[int, ...] = (48, 96, 192)
    depths: tuple[int, ...] = (1, 2, 3)
    embedding: int = 256
    vector: int = 0
    classes: int = 0
    lean: bool = False
    gsd: bool = False

    def __post_init__(self) -> None:
        if len(self.widths) != len(self.depths) or not self.widths:
            raise ValueError(
                f"widths {self.widths} and depths {self.depths} must have the same length"
            )
        if min(*self.widths, *self.depths, self.patch, self.embedding) < 1:
            raise ValueError("patch, widths, depths and embedding must be at least 1")

    @property
    def stride(self) -> int:
        """Pixels by which height and width of the input must be divisible."""
        return self.patch * 2 ** (len(self.widths) - 1)

    @property
    def reach(self) -> int:
        """Pixels around a pixel that can change its value (an upper bound)."""
        reach = self.stride + 2 * self.patch  # the grid of the coarsest scale; stem and head
        for scale, depth in enumerate(self.depths):
            reach += 4 * depth * self.patch * 2**scale  # two 3x3 convolutions a block, twice
        return reach


class Stage(nn.ModuleList):
    """Residual blocks one after the other, all with the same embedding."""

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        for block in self:
            x = block(x, embedding)
        return x


class UNet(nn.Module):
    """``(x (N, Cin, H, W), t (N,), vector (N, V), label (N,), gsd (N,)) -> (N, Cout, H, W)``.

    ``t`` is any scalar noise label; ``vector`` a float condition where a row of NaN means "not
    given" and is replaced by a learned null; ``label`` an int64 class where ``-1`` means "not
    given" (its own learned embedding, never the zero vector); ``gsd`` metres per pixel, NaN "not
    given" in the same way. H and W must be multiples of ``config.stride``.
    """

    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        self.config = config
        self._build_embedding(config)
        area = config.patch**2
        width = config.widths
        self.stem = nn.Conv2d(config.channels_in * area, width[0], 3, padding=1)
        self.down = nn.ModuleList()
        self.up = nn.ModuleList()
        self.shrink = nn.ModuleList()
        self.grow = nn.ModuleList()
        last = len(width) - 1
        for scale, (channels, depth) in enumerate(zip(width, config.depths, strict=True)):
            self.down.append(Stage(_block(config, channels, channels) for _ in range(depth)))
            # The coarsest scale has no skip connection.
            stacked = scale < last and not config.lean
            entries = [2 * channels if stacked else channels] + [channels] * (depth - 1)
            self.up.append(Stage(_block(config, c, channels) for c in entries))
            if scale < last:
                self.shrink.append(nn.Conv2d(4 * channels, width[scale + 1], 1))
                self.grow.append(nn.Conv2d(width[scale + 1], 4 * channels, 1))
        self.head_norm = ChannelNorm(width[0])
        self.head = zero_(nn.Conv2d(width[0], config.channels_out * area, 3, padding=1))

    def _build_embedding(self, config: UNetConfig) -> None:
        width = config.embedding
        self.time = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))
        self.label = nn.Embedding(config.classes + 1, width)  # the last row is the null class
        if config.vector:
            self.vector = nn.Linear(config.vector, width)
            self.vector_null = nn.Parameter(torch.zeros(width))
        if config.gsd:
            self.gsd = nn.Linear(1, width)
            self.gsd_null = nn.Parameter(torch.zeros(width))

    def embed(
        self,
        x: Tensor,
        t: Tensor,
        vector: Tensor | None,
        label: Tensor | None,
        gsd: Tensor | None = None,
    ) -> Tensor:
        """The conditioning embedding ``(N, E)``; missing conditions use their learned null."""
        width, count = self.config.embedding, x.shape[0]
        embedding = self.time(sinusoid(1000.0 * t.expand(count), width).to(x.dtype))
        null = torch.full((count,), self.config.classes, device=x.device)
        if label is not None:
            null = torch.where(label < 0, null, label)
        embedding = embedding + self.label(null).to(embedding.dtype)
        if self.config.vector:
            if vector is None:
                vector = torch.full((count, self.config.vector), torch.nan, device=x.device)
            missing = vector.isnan().any(dim=1, keepdim=True)
            known = self.vector(torch.where(missing, 0.0, vector).to(x.dtype))
            embedding = embedding + torch.where(missing, self.vector_null.to(known.dtype), known)
        if self.config.gsd:
            embedding = embedding + self._embed_gsd(x, gsd)
        return F.silu(embedding)

    def _embed_gsd(self, x: Tensor, gsd: Tensor | None) -> Tensor:
        """``(N, E)``: linear in the log of metres per pixel, 0 at half a metre."""
        given = x.new_full((x.shape[0],), torch.nan) if gsd is None else gsd
        missing = given.isnan()[:, None]
        log = (torch.where(missing[:, 0], GSD, given) / GSD).log()
        known = self.gsd(log[:, None].to(x.dtype))
        return torch.where(missing, self.gsd_null.to(known.dtype), known)

    def forward(
        self,
        x: Tensor,
        t: Tensor,
        vector: Tensor | None = None,
        label: Tensor | None = None,
        gsd: Tensor | None = None,
    ) -> Tensor:
        stride = self.config.stride
        if x.shape[-1] % stride or x.shape[-2] % stride:
            raise ValueError(f"height and width must be multiples of {stride}, got {x.shape[-2:]}")
        embedding = self.embed(x, t, vector, label, gsd)
        x = F.pixel_unshuffle(x, self.config.patch).contiguous(memory_format=torch.channels_last)
        x = self.stem(x)
        skips = []
        for scale, stage in enumerate(self.down):
            x = stage(x, embedding)
            if scale < len(self.shrink):
                skips.append(x)
                x = self.shrink[scale](F.pixel_unshuffle(x, 2))
        for scale in reversed(range(len(self.up))):
            if scale < len(self.grow):
                x = F.pixel_shuffle(self.grow[scale](x), 2)
                x = x + skips[scale] if self.config.lean else torch.cat([x, skips[scale]], dim=1)
            x = self.up[scale](x, embedding)
        x = self.head(F.silu(self.head_norm(x)))
        return F.pixel_shuffle(x, self.config.patch)


def _block(config: UNetConfig, channels_in: int, channels: int) -> nn.Module:
    kind = LeanBlock if config.lean else ResidualBlock
    return kind(channels_in, channels, config.embedding)
