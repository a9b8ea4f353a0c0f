"""A method of the league: how it learns, draws and, where it can, tells a likelihood.

All see the same integer pictures and the same labels. ``walk`` yields every state of a drawing, so
that the same run is counted, timed, judged and shown as an animation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from torch import Tensor, nn

from afterscene.errors import BadParameter

Loss = Callable[[Tensor, Tensor | None, np.random.Generator], Tensor]


@dataclass(frozen=True, kw_only=True)
class LeagueConfig:
    """How large the league is; the defaults take about ten minutes of one processor.

    seconds: of one processor, for the training of each method.
    pictures: drawn by each method and judged. size: side of a crop. levels: values of a channel.
    each: crops of a picture. steps: of the diffusion methods with a fixed number of them.
    budgets: numbers of evaluations of the plot of quality against steps.
    width: features of the networks. likelihood: held-out crops for bits a dimension.
    """

    seconds: float = 30.0
    pictures: int = 128
    size: int = 32
    levels: int = 32
    each: int = 2
    steps: int = 50
    budgets: tuple[int, ...] = (8, 16, 32, 64, 128)
    width: int = 24
    likelihood: int = 24
    seed: int = 0

    def __post_init__(self) -> None:
        if self.size % 8 or self.size < 16 or self.width % 12:
            raise BadParameter("size must be a multiple of 8, from 16; width a multiple of 12")
        if min(self.pictures, self.likelihood) < 2 or min(self.steps, self.each) < 1:
            raise BadParameter("pictures and likelihood must be at least 2, steps and each 1")


@dataclass(frozen=True, kw_only=True)
class Contestant:
    """One method.

    Attributes:
        title: As in the table.
        model: Its parameters, trained in place.
        loss: ``(x, label, rng) -> scalar``.
        walk: ``(label (N,), seed) -> states (N, 3, H, W)`` int64, the last one is the picture.
        evaluations: Network evaluations, one after the other, of one call of ``walk``.
        bits: ``(x, label) -> (N,)`` bits a value of held-out crops; None: not defined.
        how: What kind of likelihood: "exact", "ODE", "flow" or "bound".
        lr, batch, momentum: Of the training.
        sibling: Name of the method whose trained weights this one draws with.
    """

    title: str
    model: nn.Module
    loss: Loss
    walk: Callable[[Tensor, int], Iterator[Tensor]]
    evaluations: Callable[[], float]
    bits: Callable[[Tensor, Tensor], Tensor] | None = None
    how: str = ""
    lr: float = 2e-3
    batch: int = 32
    momentum: float = 0.9
    sibling: str = ""
