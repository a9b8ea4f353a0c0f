"""One training loop for every model of this room.

A model needs ``loss(x, label=..., rng=...)``. The batch of a step is a function of (seed, step),
and so is the randomness inside the loss: two runs with one seed end with the same weights. Only a
limit in seconds (for comparing methods at equal cost) makes the end depend on the machine.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from afterscene.errors import BadParameter, NotFinite


@dataclass(frozen=True, kw_only=True)
class FitConfig:
    """Steps, pictures a step, peak learning rate (AdamW, cosine to 0), seed, gradient norm.

    ``momentum``: the first of AdamW's betas; a GAN needs little of it.

    ``seconds``: of the processor, after which training ends even if steps are left; the learning
    rate then falls with the time that has passed.
    """

    steps: int = 1000
    batch: int = 32
    lr: float = 2e-3
    seed: int = 0
    clip: float = 1.0
    momentum: float = 0.9
    seconds: float = math.inf

    def __post_init__(self) -> None:
        if min(self.steps, self.batch) < 1 or min(self.lr, self.seconds) <= 0:
            raise BadParameter("steps and batch must be at least 1, lr and seconds above 0")

    def rate(self, gone: float) -> float:
        """The learning rate when the share ``gone`` of the training has passed."""
        return 0.5 * self.lr * (1 + math.cos(math.pi * min(gone, 1.0)))


def train_steps(
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
    :class:`~afterscene.errors.NotFinite` where the loss is not finite.
    """
    betas = (config.momentum, 0.999)
    optimizer = torch.optim.AdamW(model.parameters(), config.lr, betas, weight_decay=0.01)
    model.train()
    start = time.process_time()
    for step in range(config.steps):
        gone = (time.process_time() - start) / config.seconds
        if gone >= 1 and step:
            break
        for group in optimizer.param_groups:
            group["lr"] = config.rate(max(step / config.steps, gone))
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
        yield value.item()
    model.eval()
