"""A Siamese U-Net: where the buildings are and how damaged (as the winners of xView2, 2019).

One encoder with shared weights sees the pre and the post image. At each stride the two maps and
the size of their difference are mixed by a 1x1 convolution; a U-Net decoder (Ronneberger et al.
2015, arXiv 1505.04597) brings the mixture back to half resolution, where two heads predict whether
there is a building (1 logit) and which of the four damage levels it has (4 logits, meaningful only
on buildings). Logits are then enlarged bilinearly to the input's grid: a house at 0.5 m has some
25 pixels a side, so half resolution costs little and saves three quarters of the decoder's time.

With ``pre_only`` a second, narrower decoder finds the buildings in the pre image alone, as the
winners of xView2 did (their localisation never saw the post image). Burnt or flooded ground that
was absent from training can then not be mistaken for houses.

The encoder is anything with ``channels`` and a list of maps at strides 2, 4, 8, ...
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_weights

CLASSES = 4


class Logits(NamedTuple):
    """localization (N, 1, H, W) and damage (N, 4, H, W), both before sigmoid or softmax."""

    localization: Tensor
    damage: Tensor


def conv_block(width_in: int, width_out: int, stride: int = 1, kernel: int = 3) -> nn.Sequential:
    """Convolution, batch norm, ReLU."""
    return nn.Sequential(
        nn.Conv2d(width_in, width_out, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(width_out, momentum=0.03),
        nn.ReLU(inplace=True),
    )


class TinyEncoder(nn.Module):
    """Four plain strided stages from scratch: maps of w, 2w, 3w, 4w channels, strides 2 to 16."""

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.channels = (width, 2 * width, 3 * width, 4 * width)
        widths = (3, *self.channels)
        stages = []
        for index, (a, b) in enumerate(itertools.pairwise(widths)):
            deeper = [conv_block(b, b)] if index else []
            stages.append(nn.Sequential(conv_block(a, b, stride=2), *deeper))
        self.stages = nn.ModuleList(stages)

    def forward(self, x: Tensor) -> list[Tensor]:
        maps = []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps


class WordHead(nn.Module):
    """A damage head whose class weights are embedded sentences, through one learned linear map.

    ``words`` (4, D) are the unit embeddings of four sentences and stay fixed; a pixel's logit is
    ``scale cos(x, P w)`` (as in CLIP, Radford et al. 2021, arXiv 2103.00020). They can be replaced
    by other sentences later.
    """

    def __init__(self, width: int, size: int) -> None:
        super().__init__()
        self.words: Tensor
        self.register_buffer("words", F.normalize(torch.randn(CLASSES, size), dim=1))
        self.project = nn.Linear(size, width, bias=False)
        self.scale = nn.Parameter(torch.tensor(2.0))  # e^2 = 7.4

    def forward(self, x: Tensor) -> Tensor:
        weight = F.normalize(self.project(self.words.to(x.dtype)), dim=1) * self.scale.exp()
        return F.conv2d(F.normalize(x, dim=1), weight[:, :, None, None].to(x.dtype))


class Decoder(nn.Module):
    """Maps at strides 2, 4, 8, ... -> one map at stride 2 (U-Net).

    ``channels`` are those of the maps; ``width`` is the decoder's width at stride 4, halved at
    stride 2 (``features_width``) and doubled at 16 and up.
    """

    def __init__(self, channels: Sequence[int], width: int) -> None:
        super().__init__()
        scale = (0.5, 1.0, 1.5, 2.0, 2.0)
        widths = [int(width * scale[i]) for i in range(len(channels))]
        self.mix = nn.ModuleList(
            conv_block(c, w, kernel=1) for c, w in zip(channels, widths, strict=True)
        )
        self.up = nn.ModuleList(
            conv_block(widths[i] + widths[i + 1], widths[i]) for i in range(len(widths) - 1)
        )
        self.last = conv_block(widths[0], widths[0])
        self.features_width = widths[0]

    def decode(self, maps: Sequence[Tensor]) -> Tensor:
        """(N, ``features_width``, H / 2, W / 2) from the maps, finest first."""
        mixed = [mix(one) for mix, one in zip(self.mix, maps, strict=True)]
        x = mixed.pop()
        for up in reversed(self.up):
            skip = mixed.pop()
            x = F.interpolate(x, size=skip.shape[-2:], mode="nearest")
            x = up(torch.cat([x, skip], dim=1))
        return self.last(x)


class SiameseUNet(Decoder):
    """(pre, post), each (N, 3, H, W) in [-1, 1] -> :class:`Logits` on the same grid.

    H and W must be multiples of ``self.multiple`` (the deepest stride). ``width`` is that of the
    :class:`Decoder`. ``words`` > 0: the damage head is a :class:`WordHead` over embeddings of that
    size. ``pre_only``: buildings are found in the pre image alone, by a decoder half as wide.
    """

    def __init__(
        self, encoder: nn.Module, *, width: int = 48, words: int = 0, pre_only: bool = False
    ) -> None:
        channels: Sequence[int] = encoder.channels  # type: ignore[assignment]
        super().__init__([3 * c for c in channels], width)
        self.encoder = encoder
        self.multiple = 2 ** len(channels)
        paired = self.features_width
        self.site = Decoder(channels, width // 2) if pre_only else None
        placed = self.site.features_width if self.site else paired
        self.localization = nn.Conv2d(placed, 1, 1)
        self.damage: nn.Module = WordHead(paired, words) if words else nn.Conv2d(paired, CLASSES, 1)
        self.features_width = paired + (placed if pre_only else 0)

    def forward(self, pre: Tensor, post: Tensor) -> Logits:
        return self.heads(self.features(pre, post), pre.shape[-2:])

    def heads(self, x: Tensor, size: torch.Size) -> Logits:
        """The logits from :meth:`features`, enlarged to `size`."""
        both = place = x
        if self.site:
            width = self.site.features_width
            both, place = x[:, :-width], x[:, -width:]
        return Logits(_enlarge(self.localization(place), size), _enlarge(self.damage(both), size))

    def features(self, pre: Tensor, post: Tensor) -> Tensor:
        """The last map, (N, ``features_width``, H / 2, W / 2), then that of the localisation."""
        maps = [both.chunk(2) for both in self.encoder(torch.cat([pre, post]))]
        x = self.decode([torch.cat([a, b, (b - a).abs()], dim=1) for a, b in maps])
        return torch.cat([x, self.site.decode([a for a, _ in maps])], dim=1) if self.site else x


def _enlarge(logits: Tensor, size: torch.Size) -> Tensor:
    return F.interpolate(logits.float(), size=size, mode="bilinear", align_corners=False)


def fold_batch_norm(network: nn.Module) -> nn.Module:
    """Merge every (convolution, batch norm) neighbour of a Sequential, in place; for inference.

    In eval mode the norm is a fixed affine map, so it can be multiplied into the convolution: the
    same result up to rounding, with one pass over memory less.
    """
    for module in network.modules():
        if not isinstance(module, nn.Sequential):
            continue
        for index in range(len(module) - 1):
            conv, norm = module[index], module[index + 1]
            if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                _fold(conv, norm)
                module[index + 1] = nn.Identity()
    return network


def _fold(conv: nn.Conv2d, norm: nn.BatchNorm2d) -> None:
    assert norm.running_mean is not None and norm.running_var is not None
    conv.weight, bias = fuse_conv_bn_weights(
        conv.weight,
        conv.bias,
        norm.running_mean,
        norm.running_var,
        norm.eps,
        norm.weight,
        norm.bias,
    )
    conv.bias = bias
