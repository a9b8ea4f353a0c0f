"""VGG: only 3x3 convolutions, deeper (Simonyan and Zisserman 2015, arXiv 1409.1556).

Five stages of 3x3 convolutions with ReLU, each followed by a 2x2 max pool; widths 64, 128, 256,
512, 512. The course looks into it: :meth:`VGG.activations` returns the output of every convolution
under its usual name (``conv3_2``). Two heads: ``dense`` is the paper's (three linear layers after
a 7x7 map, 138 M parameters in VGG-16, most of them here), ``mean`` averages the last map and has
one linear layer, for any size and little data.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn
from torch.nn import functional as F

#: Convolutions of the five stages for each published depth (configurations A, B, D, E).
STAGES = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}


@dataclass(frozen=True, kw_only=True)
class VGGConfig:
    """Sizes of a :class:`VGG`.

    Attributes:
        depth: 11, 13, 16 or 19 layers with weights in the paper's count.
        width: Channels of the first stage; then 2, 4, 8 and 8 times as many.
        classes: Number of classes.
        head: ``dense`` as published, ``mean`` for small data and any size.
        batch_norm: Batch normalisation after each convolution (not in the paper; trains faster).
        dropout: Share of dropped units between the layers of the dense head.
    """

    depth: int = 16
    width: int = 64
    channels_in: int = 3
    classes: int = 1000
    head: Literal["dense", "mean"] = "dense"
    batch_norm: bool = False
    dropout: float = 0.5

    def __post_init__(self) -> None:
        if self.depth not in STAGES:
            raise ValueError(f"depth must be one of {sorted(STAGES)}, got {self.depth}")
        if self.head not in ("dense", "mean"):
            raise ValueError(f"head must be dense or mean, got {self.head}")


class VGG(nn.Module):
    """``x (N, 3, H, W)`` in [-1, 1] -> class logits ``(N, classes)``; H and W at least 32."""

    def __init__(self, config: VGGConfig) -> None:
        super().__init__()
        self.config = config
        self.stages = nn.ModuleList()
        source = config.channels_in
        for index, repeats in enumerate(STAGES[config.depth]):
            width = config.width * min(2**index, 8)
            stage = nn.ModuleList()
            for _ in range(repeats):
                stage.append(self._layer(source, width))
                source = width
            self.stages.append(stage)
        self.head = self._head(source)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
                nn.init.zeros_(module.bias)  # type: ignore[arg-type]

    def _layer(self, source: int, width: int) -> nn.Sequential:
        norm = nn.BatchNorm2d(width) if self.config.batch_norm else nn.Identity()
        return nn.Sequential(nn.Conv2d(source, width, 3, padding=1), norm, nn.ReLU())

    def _head(self, source: int) -> nn.Sequential:
        if self.config.head == "mean":
            return nn.Sequential(
                nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(source, self.config.classes)
            )
        hidden = 64 * self.config.width
        drop = self.config.dropout
        return nn.Sequential(
            nn.AdaptiveAvgPool2d(7),
            nn.Flatten(),
            nn.Linear(49 * source, hidden),
            nn.ReLU(),
            nn.Dropout(drop),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Dropout(drop),
            nn.Linear(hidden, self.config.classes),
        )

    def names(self) -> list[str]:
        """Names of the convolutions in order: ``conv1_1`` ... ``conv5_3``."""
        return [
            f"conv{stage}_{layer}"
            for stage, repeats in enumerate(STAGES[self.config.depth], start=1)
            for layer in range(1, repeats + 1)
        ]

    def _walk(self, x: Tensor) -> Iterator[Tensor]:
        """Each activation in order; the last item is the map that the head reads."""
        for stage in self.stages:
            for layer in stage:  # type: ignore[attr-defined]
                x = layer(x)
                yield x
            x = F.max_pool2d(x, 2)
        yield x

    def activations(self, x: Tensor) -> dict[str, Tensor]:
        """Every activation after its ReLU, by name; stage ``s`` has maps of ``H / 2**(s-1)``."""
        return dict(zip(self.names(), self._walk(x), strict=False))

    def forward(self, x: Tensor) -> Tensor:
        *_, last = self._walk(x)
        return self.head(last)
