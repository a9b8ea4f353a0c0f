"""What models with a latent share: one evaluation from random numbers to a picture."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from afterscene.school.autoregression import dequantize, pixels, quantize
from afterscene.school.networks.latent import LatentConfig


def latents(seed: int, count: int, numbers: int) -> Tensor:
    """Standard normal numbers ``(count, numbers)``, row n a function of (seed, n) alone."""
    rows = [np.random.default_rng((seed, n)).standard_normal(numbers) for n in range(count)]
    return torch.from_numpy(np.stack(rows)).float()


class LatentModel(nn.Module):
    """A model that draws ``decode(z, label)`` from standard normal ``z (N, config.latent)``."""

    config: LatentConfig

    def decode(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        """The picture of each z: ``(N, 3, S, S)`` floats, most of them in [-1, 1]."""
        raise NotImplementedError

    def loss(
        self, x: Tensor, label: Tensor | None = None, rng: np.random.Generator | None = None
    ) -> Tensor:
        """Of integer pictures ``(N, 3, S, S)``: a number."""
        raise NotImplementedError

    def labels(self, label: Tensor | None, count: int) -> Tensor:
        """Rows of the label table; None and -1 are "not said"."""
        device = next(self.parameters()).device
        return pixels.label_rows(label, self.config.classes, count, device)

    def spread(self, x: Tensor, rng: np.random.Generator) -> Tensor:
        """Integers as floats anywhere within their bins of [-1, 1], so that they have a density."""
        levels = self.config.levels
        return (
            dequantize(x, levels) + torch.from_numpy(rng.uniform(-1, 1, x.shape)).float() / levels
        )

    @torch.no_grad()
    def walk(self, label: Tensor, seed: int) -> Iterator[Tensor]:
        """One state: the pictures ``(N, 3, S, S)`` int64."""
        z = latents(seed, len(label), self.config.latent)
        yield quantize(self.decode(z, label), self.config.levels)

    def sample(self, label: Tensor, seed: int) -> Tensor:
        """The only state of :meth:`walk`."""
        return pixels.last(self.walk(label, seed))
