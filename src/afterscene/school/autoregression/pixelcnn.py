"""PixelCNN as a distribution over pictures: exact ``log_prob``, and a sampler that caches.

A naive sampler runs the whole network for every value. But a row of the vertical stack depends on
rows above only, so it is computed once per row; and a pixel of the horizontal stack needs the
last few columns of each layer, which are kept (Ramachandran et al. 2017, arXiv 1704.06001).
:class:`Walker` holds these caches. One value then costs one pixel of arithmetic, and the answer
equals the naive one up to rounding.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional as F

from afterscene.school.autoregression import pixels
from afterscene.school.autoregression.model import PictureModel
from afterscene.school.networks.pixelcnn import (
    GatedLayer,
    MaskedRow,
    PixelCNN,
    PixelCNNConfig,
    gate,
)


class Walker:
    """Walks a picture in raster order and gives the logits of the pixel it stands on.

    ``start_row(above)`` with the finished row above (``None`` at the first), then for each column
    ``logits(j, pixel)`` as often as values of the pixel become known, then ``leave(pixel)``.
    """

    def __init__(
        self,
        network: PixelCNN,
        count: int,
        width: int,
        *,
        label: Tensor | None = None,
        context: Tensor | None = None,
    ) -> None:
        self.network, self.row = network, -1
        config = network.config
        self.layers: list[GatedLayer] = list(network.layers)  # type: ignore[arg-type]
        self.biases = network.biases(count, label, context)
        self.matrices = [_matrix(layer.horizontal) for layer in self.layers]
        self.exits = [_matrix(layer.out) for layer in self.layers]
        self.heads = [_matrix(network.head1), _matrix(network.head2)]
        sources = [config.channels] + [config.width] * (config.layers - 1)
        new = network.head1.weight.new_zeros
        self.zero = new(count, config.channels, 1, width)
        self.rows = [
            new(count, source, layer.reach + 1, width)
            for source, layer in zip(sources, self.layers, strict=True)
        ]
        self.taps = [
            new(count, source, layer.reach + 1)
            for source, layer in zip(sources, self.layers, strict=True)
        ]
        self.side: list[Tensor] = []

    def start_row(self, above: Tensor | None) -> None:
        """Run the vertical stack for the next row; ``above (N, C, W)`` int64."""
        self.row += 1
        v = self.zero if above is None else self.network.scaled(above)[:, :, None]
        self.side = []
        for index, layer in enumerate(self.layers):
            self.rows[index] = torch.cat([self.rows[index][:, :, 1:], v], dim=2)
            bias = self.biases[index]
            here = bias[:, :, self.row : self.row + 1] if bias.shape[2] > 1 else bias
            bias_v, bias_h = here.chunk(2, dim=1)
            up = layer.up(self.rows[index], bias_v)
            self.side.append((layer.link(up) + bias_h)[:, :, 0])
            v = gate(up)
            self.taps[index].zero_()

    def logits(self, column: int, pixel: Tensor) -> Tensor:
        """``pixel (N, C)``, later channels ignored -> logits ``(N, C, levels)``."""
        h = self.network.scaled(pixel)
        for index, layer in enumerate(self.layers):
            self.taps[index][:, :, -1] = h
            gates = F.linear(self.taps[index].flatten(1), *self.matrices[index])
            out = F.linear(gate(gates + self.side[index][:, :, column]), *self.exits[index])
            h = h + out if layer.residual else out
        hidden = F.relu(F.linear(F.relu(h), *self.heads[0]))
        config = self.network.config
        return F.linear(hidden, *self.heads[1]).unflatten(1, (config.channels, config.levels))

    def leave(self, pixel: Tensor) -> None:
        """Go one column to the right; ``pixel (N, C)`` holds the values that were drawn."""
        self.taps[0][:, :, -1] = self.network.scaled(pixel)
        for index, taps in enumerate(self.taps):
            self.taps[index] = F.pad(taps[:, :, 1:], (0, 1))


def _matrix(conv: MaskedRow) -> tuple[Tensor, Tensor | None]:
    return (conv.weight * conv.mask).flatten(1), conv.bias


class PixelCNNModel(PictureModel):
    """A :class:`~afterscene.school.networks.pixelcnn.PixelCNN` with ``log_prob`` and ``sample``."""

    def __init__(self, config: PixelCNNConfig) -> None:
        super().__init__()
        self.network = PixelCNN(config)
        self.config, self.channels = config, config.channels

    def values_log_prob(
        self, x: Tensor, *, label: Tensor | None = None, context: Tensor | None = None
    ) -> Tensor:
        """Log-probability of each value given those before it, nats: ``(N, C, H, W)``."""
        logits = self.network(x, label=label, context=context)
        return pixels.log_prob_of(logits.movedim(2, -1), x)

    def log_prob(
        self, x: Tensor, *, label: Tensor | None = None, context: Tensor | None = None
    ) -> Tensor:
        """Exact log-likelihood in nats (chain rule): ``(N,)``."""
        return self.values_log_prob(x, label=label, context=context).flatten(1).sum(dim=1)

    def states(
        self,
        x: Tensor,
        *,
        seed: int,
        label: Tensor | None,
        temperature: float,
        context: Tensor | None = None,
        known: Tensor | None = None,
    ) -> Iterator[Tensor]:
        """Yield the picture after each row; values of ``x`` where ``known (H, W)`` is true stay."""
        count, channels, height, width = x.shape
        u = pixels.uniforms(seed, count, (height, width, channels)).to(x.device)
        walker = Walker(self.network, count, width, label=label, context=context)
        for i in range(height):
            walker.start_row(x[:, :, i - 1] if i else None)
            for j in range(width):
                pixel = x[:, :, i, j].clone()
                if known is not None and known[i, j]:
                    walker.logits(j, pixel)  # fills the caches
                else:
                    for channel in range(channels):
                        logits = walker.logits(j, pixel)[:, channel]
                        pixel[:, channel] = pixels.sample_values(
                            logits, u[:, i, j, channel], temperature
                        )
                    x[:, :, i, j] = pixel
                walker.leave(pixel)
            yield x.clone()
