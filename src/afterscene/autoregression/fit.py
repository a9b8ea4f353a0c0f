"""One training loop for every model of this room.

A model needs ``loss(x, label=..., rng=...)``. The batch of a step is a function of (seed, step),
and so is the chance inside the loss: two runs with one seed end with the same weights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from afterscene.errors import BadParameter, NotFinite


@dataclass(frozen=True, kw_only=True)
class FitConfig:
    """Steps, pictures a step, peak learning rate (AdamW, cosine to 0), seed, gradient norm."""

    steps: int = 1000
    batch: int = 32
    lr: float = 2e-3
    seed: int = 0
    clip: float = 1.0

    def __post_init__(self) -> None:
        if min(self.steps, self.batch) < 1 or self.lr <= 0:
            raise BadParameter("steps and batch must be at least 1, lr above 0")


def fit(
    model: nn.Module,
    x: Tensor,
    config: FitConfig,
    *,
    label: Tensor | None = None,
    loss: Callable[[Tensor, Tensor | None, np.random.Generator], Tensor] | None = None,
) -> Iterator[float]:
    """Train in place and yield the loss of each step; ``list(fit(...))`` runs it to the end.

    ``x (M, C, H, W)`` are all pictures, ``label (M,)`` their labels. ``loss`` replaces
    ``model.loss`` (for the bridge: a network alone has none). Raises
    :class:`~afterscene.errors.NotFinite` where the loss is no number.
    """
    optimizer = torch.optim.AdamW(model.parameters(), lr=config.lr, weight_decay=0.01)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, config.steps)
    model.train()
    for step in range(config.steps):
        rng = np.random.default_rng((config.seed, step))
        rows = torch.from_numpy(rng.integers(len(x), size=config.batch)).to(x.device)
        some = None if label is None else label[rows]
        if loss is None:
            value = model.loss(x[rows], label=some, rng=rng)  # type: ignore[operator]
        else:
            value = loss(x[rows], some, rng)
        if not torch.isfinite(value):
            raise NotFinite(f"the loss is {value.item()} at step {step}; lower the learning rate")
        optimizer.zero_grad(set_to_none=True)
        value.backward()
        nn.utils.clip_grad_norm_(model.parameters(), config.clip)
        optimizer.step()
        scheduler.step()
        yield value.item()
    model.eval()
