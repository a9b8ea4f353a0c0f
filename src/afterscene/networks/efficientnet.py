"""EfficientNet-Lite0 as a feature pyramid (Tan and Le 2019, arXiv 1905.11946; the Lite variant).

An inverted bottleneck widens each pixel with a 1x1 convolution, mixes neighbours channel by
channel (depthwise 3x3 or 5x5) and narrows again; where stride and width allow, the input is added.
The Lite variant drops squeeze-and-excitation and uses ReLU6. The classifier on top is left out: a
detector needs the feature maps, one per stride (2, 4, 8, 16, 32), not the ImageNet class.

Convolutions pad as TensorFlow's SAME does (an even input with stride 2 is padded only right and
below), because the published weights were trained that way; another padding shifts every map.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

#: (repeats, kernel, stride, expansion, width out) of the seven stages.
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
#: Stages whose output is the last of its stride (2, 4, 8, 16, 32).
TAPS = (0, 1, 2, 4, 6)
STEM_WIDTH = 32


class SameConv2d(nn.Conv2d):
    """Convolution without bias, ceil(side / stride) output pixels, padded as in TensorFlow."""

    def __init__(self, width_in: int, width_out: int, kernel: int, stride: int, groups: int = 1):
        super().__init__(width_in, width_out, kernel, stride, groups=groups, bias=False)
        self.odd = stride > 1
        if not self.odd:
            self.padding = (kernel // 2, kernel // 2)

    def forward(self, x: Tensor) -> Tensor:
        if self.odd:
            kernel, stride = self.kernel_size[0], self.stride[0]
            excess = [max(kernel - (side - 1) % stride - 1, 0) for side in x.shape[-2:]]
            top, left = (e // 2 for e in excess)
            x = F.pad(x, (left, excess[1] - left, top, excess[0] - top))
        if self.training and self.groups > 1 and (self.odd or self.kernel_size[0] > 3):
            # oneDNN's bfloat16 backward pass of these is 2 to 4 times slower than float32.
            with torch.autocast(x.device.type, enabled=False):
                return super().forward(x.float())
        return super().forward(x)


def _norm(width: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(width, eps=1e-3, momentum=0.03)


class InvertedBottleneck(nn.Module):
    """expand 1x1 -> depthwise k x k -> project 1x1, plus the input where shapes agree."""

    def __init__(self, width_in: int, width_out: int, kernel: int, stride: int, expansion: int):
        super().__init__()
        inner = width_in * expansion
        layers: list[nn.Module] = []
        if expansion != 1:
            layers += [SameConv2d(width_in, inner, 1, 1), _norm(inner), nn.ReLU6(inplace=True)]
        layers += [
            SameConv2d(inner, inner, kernel, stride, groups=inner),
            _norm(inner),
            nn.ReLU6(inplace=True),
            SameConv2d(inner, width_out, 1, 1),
            _norm(width_out),
        ]
        self.layers = nn.Sequential(*layers)
        self.residual = stride == 1 and width_in == width_out

    def forward(self, x: Tensor) -> Tensor:
        y = self.layers(x)
        return x + y if self.residual else y


class EfficientNetLite0(nn.Module):
    """Feature pyramid: (N, 3, H, W) in [-1, 1] -> maps of 16, 24, 40, 112, 320 channels.

    The maps have strides 2, 4, 8, 16, 32. The published weights expect (x - 127) / 128 of 8-bit
    values, which differs from our [-1, 1] by an affine change done here.
    """

    channels = (16, 24, 40, 112, 320)

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            SameConv2d(3, STEM_WIDTH, 3, 2), _norm(STEM_WIDTH), nn.ReLU6(inplace=True)
        )
        stages, width_in = [], STEM_WIDTH
        for repeats, kernel, stride, expansion, width_out in STAGES:
            blocks = []
            for index in range(repeats):
                first = index == 0
                source = width_in if first else width_out
                step = stride if first else 1
                blocks.append(InvertedBottleneck(source, width_out, kernel, step, expansion))
            stages.append(nn.Sequential(*blocks))
            width_in = width_out
        self.stages = nn.ModuleList(stages)

    def forward(self, x: Tensor) -> list[Tensor]:
        x = self.stem(x * (127.5 / 128) + 0.5 / 128)
        maps = []
        for index, stage in enumerate(self.stages):
            x = stage(x)
            if index in TAPS:
                maps.append(x)
        return maps


def published_name(name: str) -> str:
    """Name of one of our tensors in the published state dict (``_blocks.3._bn1.weight``...)."""
    head, *rest = name.split(".")
    if head == "stem":
        return {"0": "_conv_stem", "1": "_bn0"}[rest[0]] + "." + rest[1]
    stage, block, _, layer, field = (rest[0], rest[1], rest[2], int(rest[3]), rest[4])
    number = sum(STAGES[s][0] for s in range(int(stage))) + int(block)
    if STAGES[int(stage)][3] == 1:  # no expansion: the first three layers are missing
        layer += 3
    layers = {0: "_expand_conv", 1: "_bn0", 3: "_depthwise_conv", 4: "_bn1", 6: "_project_conv"}
    return f"_blocks.{number}.{layers.get(layer, '_bn2')}.{field}"
