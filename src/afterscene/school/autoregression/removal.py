"""Generalized auto-regression: learn to put back what was removed, in any order.

Training: draw an order and a step, remove every pixel that comes at this step or later, and let
the network predict all removed pixels at once from the rest. Generation: begin with nothing, and
in each step predict, keep the pixels of this step, go on. With one pixel per step it is next-pixel
prediction with eyes on all sides; with spread-out pixels per step (:class:`Spaced`) it takes a
fraction of the evaluations; with neighbours together (:class:`Blocks`) it fails.

For a fixed order the likelihood is exact: the pixels of a step are drawn independently given those
before, so ``log p(x) = sum over steps, sum over pixels of the step of log p(x_i | earlier)``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from afterscene.school.autoregression import pixels
from afterscene.school.autoregression.heads import PixelHead
from afterscene.school.autoregression.model import PictureModel
from afterscene.school.autoregression.orders import Order, Strategy


class RemovalModel(PictureModel):
    """A backbone, a head and a strategy.

    ``backbone(picture (N, C + 1, H, W), t (N,), label=...) -> (N, features, H, W)``: the known
    values in [-1, 1] (0 where removed), the mask of the known, and the removed share t.
    """

    def __init__(
        self,
        backbone: nn.Module,
        strategy: Strategy,
        *,
        features: int,
        channels: int,
        levels: int,
    ) -> None:
        super().__init__()
        self.backbone, self.strategy = backbone, strategy
        self.channels, self.levels = channels, levels
        self.head = PixelHead(features, channels, levels)

    def features(self, x: Tensor, known: Tensor, label: Tensor | None = None) -> Tensor:
        """``x (N, C, H, W)`` int64, ``known (N, H, W)`` bool -> features ``(N, H, W, D)``."""
        mask = known[:, None].to(next(self.parameters()).dtype)
        picture = torch.cat([pixels.scale(x, self.levels, mask.dtype) * mask, mask], dim=1)
        removed = 1.0 - mask.mean(dim=(1, 2, 3))
        return self.backbone(picture, removed, label=label).permute(0, 2, 3, 1)

    def loss(  # type: ignore[override]
        self, x: Tensor, *, label: Tensor | None = None, rng: np.random.Generator
    ) -> Tensor:
        """The head's loss over all removed pixels, averaged per picture, then over pictures."""
        order = self.strategy.draw((x.shape[-2], x.shape[-1]), rng)
        ranks = torch.from_numpy(order.ranks).to(x.device)
        step = torch.from_numpy(rng.integers(order.steps, size=len(x))).to(x.device)
        known = ranks[None] < step[:, None, None]
        removed = ~known
        features = self.features(x, known, label)[removed]
        losses = self.head.loss(features, x.permute(0, 2, 3, 1)[removed])
        share = removed.float() / removed.sum(dim=(1, 2), keepdim=True)
        return (losses * share[removed]).sum() / len(x)

    def log_prob(self, x: Tensor, order: Order, *, label: Tensor | None = None) -> Tensor:
        """Exact log-likelihood in nats for a fixed order: ``(N,)``; one evaluation a step."""
        ranks = torch.from_numpy(order.ranks).to(x.device)
        values = x.permute(0, 2, 3, 1)
        total = torch.zeros(len(x), device=x.device)
        for step in range(order.steps):
            known = (ranks < step).expand(len(x), -1, -1)
            features = self.features(x, known, label)[:, ranks == step]
            nats = self.head.log_prob(
                features.flatten(0, 1), values[:, ranks == step].flatten(0, 1)
            )
            total = total + nats.view(len(x), -1).sum(dim=1)
        return total

    def states(
        self,
        x: Tensor,
        *,
        seed: int,
        label: Tensor | None,
        temperature: float,
        strategy: Strategy | None = None,
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield ``(x (N, C, H, W), known (N, H, W))`` after each step."""
        strategy = strategy or self.strategy
        count, size = len(x), (x.shape[-2], x.shape[-1])
        rng = np.random.default_rng((seed, 1 << 32))  # apart from the numbers of the pictures
        order = strategy.draw(size, rng)
        ranks = torch.from_numpy(order.ranks).to(x.device)
        u = pixels.uniforms(seed, count, (*size, self.channels)).to(x.device)
        x = x.permute(0, 2, 3, 1).contiguous()
        known = torch.zeros(count, *size, dtype=torch.bool, device=x.device)
        for step in range(order.steps):
            wanted = ~known if strategy.adaptive else (ranks == step).expand(count, -1, -1)
            features = self.features(x.permute(0, 3, 1, 2), known, label)[wanted]
            values, nats = self.head.draw(features, u[wanted], temperature)
            if strategy.adaptive:
                score = torch.full(known.shape, -torch.inf, dtype=torch.float64, device=x.device)
                score[wanted] = nats.double()
                fresh = pixels.uniforms(seed + (step + 1) * 2**41, count, size).to(x.device)
                gumbel = -torch.log(-torch.log(fresh.clamp(1e-12, 1 - 1e-12)))
                score = score + strategy.randomness(step, order.steps) * gumbel
                chosen = _best(score, int(order.counts[step]))
                values, wanted = values[chosen[wanted]], chosen
            x[wanted] = values
            known = known | wanted
            yield x.permute(0, 3, 1, 2).clone(), known.clone()

    def sample(self, count: int, size: tuple[int, int], **options: Any) -> Tensor:
        """The last picture of :meth:`walk`: ``(count, C, H, W)`` int64."""
        return super().sample(count, size, **options)[0]


def _best(score: Tensor, count: int) -> Tensor:
    """Mask of the ``count`` highest scores of each picture: ``(N, H, W)`` bool."""
    best = score.flatten(1).topk(count, dim=1).indices
    chosen = torch.zeros(score.shape, dtype=torch.bool, device=score.device).flatten(1)
    return chosen.scatter(1, best, True).view(score.shape)
