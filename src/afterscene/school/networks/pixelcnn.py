"""Gated PixelCNN (van den Oord et al. 2016, arXiv 1606.05328; masks: arXiv 1601.06759).

``p(x) = prod_i p(R_i | x_<i) p(G_i | x_<i, R_i) p(B_i | x_<i, R_i, G_i)`` with i in raster order.
Two stacks: the *vertical* one sees all rows above (cropped kernels, its input moved down by one
row: no mask needed, no blind spot), the *horizontal* one sees the pixels to the left of its row
and takes the vertical one in. Features of the horizontal stack are split into as many groups as
there are channels; at its own pixel a feature of group c may look at groups < c (mask A, the
first layer, which reads the values) or <= c (mask B, all others).

Values are integers 0 .. levels-1, scaled to [-1, 1] at the input. Conditions: a class (bias of
every gate) and a picture of the same size (1x1 convolutions into every gate).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True, kw_only=True)
class PixelCNNConfig:
    """Sizes of a :class:`PixelCNN`.

    Attributes:
        channels, levels: Channels of a picture and values a channel can take.
        width: Features of each stack; a multiple of ``channels``.
        layers: Gated layers, the first (mask A) included.
        first, kernel: Kernel sides of the first and of the other layers (odd).
        hidden: Features of the 1x1 layer before the logits; a multiple of ``channels``.
        classes: Number of classes, the null class not counted; 0 = unconditional.
        context: Channels of the condition picture; 0 = none.
    """

    channels: int = 3
    levels: int = 256
    width: int = 48
    layers: int = 6
    first: int = 7
    kernel: int = 3
    hidden: int = 96
    classes: int = 0
    context: int = 0

    def __post_init__(self) -> None:
        if self.width % self.channels or self.hidden % self.channels:
            raise ValueError(
                f"width {self.width} and hidden {self.hidden} must be multiples of the channels "
                f"({self.channels}): each group of features stands for one of them"
            )
        if self.first % 2 == 0 or self.kernel % 2 == 0 or min(self.first, self.kernel) < 3:
            raise ValueError(f"kernels must be odd and at least 3: {self.first}, {self.kernel}")
        if self.levels < 2 or self.layers < 1:
            raise ValueError("levels must be at least 2 and layers at least 1")


def channel_of_feature(features: int, channels: int) -> Tensor:
    """The channel that each of ``features`` stands for, in equal runs: 0 0 .. 1 1 .. 2 2."""
    return torch.arange(features) * channels // features


class MaskedRow(nn.Conv2d):
    """Causal convolution of a row: ``kernel`` taps, the last on the pixel itself and masked.

    A connection at the own pixel stays where ``source < target`` (``strict``, mask A) or
    ``source <= target`` (mask B). Input must be padded on the left by ``kernel - 1``.
    """

    mask: Tensor

    def __init__(self, source: Tensor, target: Tensor, kernel: int, *, strict: bool) -> None:
        super().__init__(len(source), len(target), (1, kernel))
        mask = torch.ones(self.weight.shape)
        later = source[None] >= target[:, None] if strict else source[None] > target[:, None]
        mask[:, :, 0, -1] = (~later).float()
        self.register_buffer("mask", mask, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight * self.mask, self.bias)


class GatedLayer(nn.Module):
    """``y = tanh(a) * sigmoid(b)`` in both stacks; the horizontal one is residual after the first.

    Shapes: vertical and horizontal ``(N, in, H, W)`` -> ``(N, width, H, W)`` each. ``bias`` is
    ``(N, 4 width, H or 1, W or 1)``: what the conditions add to the gates of both stacks.
    """

    def __init__(self, config: PixelCNNConfig, *, first: bool) -> None:
        super().__init__()
        width, channels = config.width, config.channels
        source = channel_of_feature(channels if first else width, channels)
        target = channel_of_feature(width, channels)
        self.reach = (config.first if first else config.kernel) // 2
        self.residual = not first
        self.vertical = nn.Conv2d(len(source), 2 * width, (self.reach + 1, 2 * self.reach + 1))
        self.link = nn.Conv2d(2 * width, 2 * width, 1)
        self.horizontal = MaskedRow(source, target.repeat(2), self.reach + 1, strict=first)
        self.out = MaskedRow(target, target, 1, strict=False)

    def up(self, rows: Tensor, bias: Tensor) -> Tensor:
        """Gates of the vertical stack from rows padded on top by ``reach``."""
        return self.vertical(F.pad(rows, (self.reach, self.reach, 0, 0))) + bias

    def finish(self, gates: Tensor, here: Tensor) -> Tensor:
        """Output of the horizontal stack from its gates and its input at the same pixels."""
        out = self.out(gate(gates))
        return here + out if self.residual else out

    def forward(self, v: Tensor, h: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
        bias_v, bias_h = bias.chunk(2, dim=1)
        up = self.up(F.pad(v, (0, 0, self.reach, 0)), bias_v)
        gates = self.horizontal(F.pad(h, (self.reach, 0))) + self.link(up) + bias_h
        return gate(up), self.finish(gates, h)


def gate(x: Tensor) -> Tensor:
    """``tanh(first half) * sigmoid(second half)`` of the channels."""
    a, b = x.chunk(2, dim=1)
    return a.tanh() * b.sigmoid()


class PixelCNN(nn.Module):
    """``x (N, C, H, W) int64 -> logits (N, C, levels, H, W)`` of every value given those before.

    ``label (N,)`` int64, -1 or ``None`` = not said; ``context (N, K, H, W)`` float.
    """

    def __init__(self, config: PixelCNNConfig) -> None:
        super().__init__()
        self.config = config
        self.layers = nn.ModuleList(
            GatedLayer(config, first=index == 0) for index in range(config.layers)
        )
        target = channel_of_feature(config.width, config.channels)
        hidden = channel_of_feature(config.hidden, config.channels)
        logits = channel_of_feature(config.channels * config.levels, config.channels)
        self.head1 = MaskedRow(target, hidden, 1, strict=False)
        self.head2 = MaskedRow(hidden, logits, 1, strict=False)
        gates = 4 * config.width
        if config.classes:
            self.label = nn.ModuleList(
                nn.Embedding(config.classes + 1, gates) for _ in range(config.layers)
            )
        if config.context:
            self.context = nn.ModuleList(
                nn.Conv2d(config.context, gates, 1, bias=False) for _ in range(config.layers)
            )
        self._begin()

    def _begin(self) -> None:
        """Weights that preserve the scale of their input; labels that have little weight at first.

        PyTorch's default shrinks the output of every gated layer, and its embeddings (deviation 1)
        drown the pixels in all gates: the first hundred steps are then spent on undoing that.
        """
        with torch.no_grad():
            for module in self.layers.modules():
                if isinstance(module, nn.Conv2d):
                    module.weight.mul_(3**0.5)  # of deviation 1 / sqrt(3 fan_in) before
                    assert module.bias is not None
                    module.bias.zero_()
            for module in self.modules():
                if isinstance(module, nn.Embedding):
                    module.weight.mul_(0.05)

    def scaled(self, x: Tensor) -> Tensor:
        """Integers 0 .. levels-1 to floats in [-1, 1]."""
        return x.to(self.head1.weight.dtype) * (2.0 / (self.config.levels - 1)) - 1.0

    def biases(self, count: int, label: Tensor | None, context: Tensor | None) -> list[Tensor]:
        """What the conditions add to the gates of each layer: ``(count, 4 width, ., .)``."""
        if (label is not None and not self.config.classes) or (
            context is not None and not self.config.context
        ):
            raise ValueError("this PixelCNN was built without that condition (classes, context)")
        weight = self.head1.weight
        parts = [weight.new_zeros(count, 4 * self.config.width, 1, 1) for _ in self.layers]
        if self.config.classes:
            null = torch.full((count,), self.config.classes, device=weight.device)
            known = null if label is None else torch.where(label < 0, null, label)
            parts = [p + e(known)[:, :, None, None] for p, e in zip(parts, self.label, strict=True)]
        if self.config.context:
            if context is None:
                raise ValueError(f"this PixelCNN needs a picture of {self.config.context} channels")
            parts = [p + conv(context) for p, conv in zip(parts, self.context, strict=True)]
        return parts

    def head(self, features: Tensor) -> Tensor:
        """Horizontal features ``(N, width, H, W)`` -> logits ``(N, C, levels, H, W)``."""
        logits = self.head2(F.relu(self.head1(F.relu(features))))
        return logits.unflatten(1, (self.config.channels, self.config.levels))

    def forward(
        self, x: Tensor, *, label: Tensor | None = None, context: Tensor | None = None
    ) -> Tensor:
        h = self.scaled(x)
        v = F.pad(h, (0, 0, 1, 0))[:, :, :-1]  # a row sees only rows above it
        for layer, bias in zip(self.layers, self.biases(len(x), label, context), strict=True):
            v, h = layer(v, h, bias)
        return self.head(h)
