"""What the models of this room share: the likelihood as loss, and the verbs of drawing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from afterscene.school.autoregression import pixels


class PictureModel(nn.Module):
    """A model of integer pictures ``(N, channels, H, W)`` that draws them state after state.

    ``states(x, seed=..., label=..., temperature=..., **options)`` gets ``x``, all zeros, and yields
    what :meth:`walk` does.
    """

    channels: int
    log_prob: Callable[..., Tensor]
    states: Callable[..., Iterator[Any]]

    def loss(
        self, x: Tensor, *, label: Tensor | None = None, rng: np.random.Generator | None = None
    ) -> Tensor:
        """Mean negative log-likelihood in nats per value."""
        return -self.log_prob(x, label=label).mean() / x[0].numel()

    @torch.no_grad()
    def walk(
        self,
        count: int,
        size: tuple[int, int],
        *,
        seed: int,
        label: Tensor | None = None,
        temperature: float = 1.0,
        **options: Any,
    ) -> Iterator[Any]:
        """Yield every state of drawing ``count`` pictures; ``options`` are those of ``states``."""
        device = next(self.parameters()).device
        x = torch.zeros(count, self.channels, *size, dtype=torch.int64, device=device)
        yield from self.states(x, seed=seed, label=label, temperature=temperature, **options)

    def sample(self, count: int, size: tuple[int, int], **options: Any) -> Tensor:
        """The last state of :meth:`walk`: ``(count, C, H, W)`` int64."""
        return pixels.last(self.walk(count, size, **options))
