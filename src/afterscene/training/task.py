"""What is trained, as the loop sees it: a batch is a function of the step, a loss one of sums.

A weighted mean over a batch, or a Dice score over it, is not the mean of the losses of its parts.
So for each part of a batch a task returns *sums* (of errors, of overlaps, of pixels), which may be
added over parts and processes; from the sums of the whole batch, :meth:`Task.figures` computes the
loss L. By the chain rule the gradient of L is the sum over the parts of

    dL/dsums (the same for all parts)  x  dsums of the part / dweights,

so that any number of processes takes the step that one process would take: up to rounding if L is
linear in the sums, and to the bit on request (see :mod:`afterscene.training.exact`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn


class Task:
    """Subclass this, set ``model`` and ``device``, and implement the methods.

    Attributes:
        model: The network, on ``device``; equal in all processes.
        linear: L is linear in the sums, given the sizes. Then its slope is known before the
            network has run, and a process may compute its part of a step in several pieces.
        sizes, terms: How many numbers :meth:`size` and :meth:`sums` return.
        synthetic: The pictures are generated, and their files are marked accordingly.
    """

    model: nn.Module
    device: torch.device = torch.device("cpu")
    linear: bool = False
    sizes: int = 0
    terms: int = 1
    synthetic: bool = True

    def optimizer(self) -> torch.optim.Optimizer:
        """The optimiser with the peak learning rate in each of its groups."""
        raise NotImplementedError

    def progress(self, step: int, steps: int) -> float:
        """How far the decay of the learning rate is at ``step``: 0 to 1."""
        return step / steps

    def ema_decay(self, step: int) -> float:
        """Share of the averaged weights that is kept at ``step`` (counted from 0)."""
        raise NotImplementedError

    def train_mode(self) -> None:
        """Set the model to training mode; called before each step."""
        self.model.train()

    def count(self, step: int) -> int:
        """Crops in the whole batch of ``step``."""
        raise NotImplementedError

    def draw(self, step: int, piece: slice) -> Any:
        """A piece of the batch of ``step``, on the device; equal in any process."""
        raise NotImplementedError

    def size(self, drawn: Any) -> Tensor:
        """``(sizes,)`` sums that need no network, such as the weight of all pixels."""
        return torch.zeros(self.sizes, device=self.device)

    def sums(self, drawn: Any) -> Tensor:
        """``(terms,)`` sums over the crops of a piece, with their graph.

        If the loss is not linear: ``(crops, terms)``, one row per crop.
        """
        raise NotImplementedError

    def figures(self, sums: Tensor, size: Tensor) -> dict[str, Tensor]:
        """``loss`` and further figures for the log, from the sums of the whole batch."""
        raise NotImplementedError

    def validate(self) -> float | None:
        """Loss of the model on fixed crops of validation pairs; None if there are none."""
        return None

    def pictures(self) -> np.ndarray | None:
        """``(H, W, 3)`` uint8: the model's output on those crops; None if there are none."""
        return None


def tiled(rows: Sequence[Sequence[np.ndarray]], gap: int = 2) -> np.ndarray:
    """Rows of ``(H, W, 3)`` uint8 pictures of one size as one picture, white between them."""
    lined = [
        [np.pad(p, ((0, gap), (0, gap), (0, 0)), constant_values=255) for p in r] for r in rows
    ]
    return np.concatenate([np.concatenate(row, axis=1) for row in lined])
