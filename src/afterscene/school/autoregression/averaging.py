"""One shot: a label goes in, all pixels come out, trained with squared error.

The best answer under squares is the mean of all pictures with that label. Averaging makes sense
for labels (the mean of votes is a probability), not for pixels: the mean of many towns is fog.
No regressor that is given only the label can be stronger than the one here: a table with one
picture per label, and one for "not said", which is the mean of all pictures.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from afterscene.school.autoregression import pixels


class AveragingRegressor(nn.Module):
    """``label (N,) -> picture (N, C, H, W)`` in [-1, 1]; label -1 is "not said"."""

    def __init__(self, *, classes: int, channels: int, size: tuple[int, int], levels: int) -> None:
        super().__init__()
        self.classes, self.levels = classes, levels
        self.table = nn.Parameter(torch.zeros(classes + 1, channels, *size))

    def forward(self, label: Tensor) -> Tensor:
        return self.table[pixels.label_rows(label, self.classes, len(label), label.device)]

    def loss(
        self,
        x: Tensor,
        *,
        label: Tensor | None = None,
        rng: np.random.Generator | None = None,
    ) -> Tensor:
        """Squared error of the scaled values, with the label and without it: both are learned."""
        target = pixels.scale(x, self.levels)
        silent = torch.full((len(x),), -1, device=x.device)
        loss = (self(silent) - target).square().mean()
        return loss if label is None else loss + (self(label) - target).square().mean()

    def walk(
        self,
        count: int,
        *,
        seed: int = 0,
        label: Tensor | None = None,
        temperature: float = 0.0,
    ) -> Iterator[Tensor]:
        """One state, the answer. It is deterministic: ``seed`` and ``temperature`` do nothing."""
        device = self.table.device
        silent = torch.full((count,), -1, device=device)
        with torch.no_grad():
            picture = self(silent if label is None else label)
        yield pixels.unscale(picture, self.levels)

    def sample(self, count: int, **options) -> Tensor:
        """The last state of :meth:`walk`."""
        return pixels.last(self.walk(count, **options))


def average_pictures(x: Tensor, label: Tensor, *, classes: int, levels: int) -> Tensor:
    """The closed form: mean scaled picture of each class, then of all ``(classes + 1, C, H, W)``.

    A class without a picture gets the mean of all.
    """
    scaled = pixels.scale(x, levels)
    everything = scaled.mean(dim=0)
    means = [
        scaled[label == index].mean(dim=0) if (label == index).any() else everything
        for index in range(classes)
    ]
    return torch.stack([*means, everything])
