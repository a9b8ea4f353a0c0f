"""Several processes that train as one: which process has which crops, and sums over all of them.

The crops of a step are a function of (seed, step) alone. ``Group.pieces`` divides them by position,
each process computes the sum over its own, and sums (never means of means) are exchanged; so one
process and many take the same step, up to the rounding of a sum in another order.

Hugging Face Accelerate sets the processes up (``torchrun`` or ``accelerate launch`` give rank and
size in the environment; gloo on CPUs, NCCL on GPUs, a device and threads for each) and exchanges
the sums. Its DDP wrapper, data loaders and checkpoints are not used: they average means, resume in
another order and write files that a kill can leave incomplete.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from afterscene.errors import MissingExtra


@dataclass(frozen=True, kw_only=True)
class Group:
    """``rank`` of ``size`` processes; the default is one process alone, for which sums are free."""

    rank: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        """Whether this is the process that writes files and messages."""
        return self.rank == 0

    def pieces(self, count: int, parts: int = 1) -> list[slice]:
        """This process's share of ``count`` items, in ``parts`` slices of about equal length.

        Over all ranks the slices cover each item once; empty ones are left out.
        """
        total = self.size * parts
        ends = [count * k // total for k in range(total + 1)]
        mine = range(self.rank * parts, (self.rank + 1) * parts)
        return [slice(ends[k], ends[k + 1]) for k in mine if ends[k] < ends[k + 1]]

    def sum(self, value: Tensor) -> Tensor:
        """The sum over all processes, the same bits in each."""
        return self._reduced(value, "sum") if self.size > 1 else value

    def largest(self, value: Tensor) -> Tensor:
        """The largest of the processes' values, number by number."""
        return self._reduced(value, "max") if self.size > 1 else value

    def highest(self, value: int) -> int:
        """The largest of the processes' numbers."""
        return int(self._reduced(torch.tensor([value]), "max")) if self.size > 1 else value

    @staticmethod
    def _reduced(value: Tensor, how: str) -> Tensor:
        from accelerate.utils import reduce

        return reduce(value, how)

    def sum_gradients(self, parameters: Iterable[torch.nn.Parameter]) -> None:
        """Add up the gradients of all processes in place, in one message.

        A parameter without a gradient in any process gets none, because optimisers treat it
        differently from one with a gradient of zero.
        """
        if self.size == 1:
            return
        every = list(parameters)
        if not every:
            return
        there = torch.tensor([float(p.grad is not None) for p in every]).to(every[0].device)
        values = [torch.zeros_like(p) if p.grad is None else p.grad for p in every]
        flat = self.sum(torch.cat([*(v.reshape(-1) for v in values), there]))
        *sums, counts = flat.split([*(v.numel() for v in values), len(every)])
        for parameter, value, total, count in zip(every, values, sums, counts, strict=True):
            if count > 0:
                parameter.grad = value.copy_(total.view_as(value))


@contextmanager
def joined() -> Iterator[Group]:
    """The group that ``torchrun`` started this process in; one process if it did not."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield Group()
        return
    try:
        from accelerate import PartialState
    except ImportError as error:
        raise MissingExtra(
            f"training with {size} processes needs accelerate, which is not installed; "
            'install it with: pip install "afterscene[train]"'
        ) from error
    if torch.cuda.is_available():
        state = PartialState(backend="cuda:nccl,cpu:gloo")
    else:
        state = PartialState(cpu=True, backend="gloo")
    try:
        yield Group(rank=state.process_index, size=state.num_processes)
    finally:
        state.destroy_process_group()
        PartialState._reset_state()  # so that a later group may be joined in this process


def device() -> str:
    """The device of this process: its own GPU if there is one, else the CPU."""
    if not torch.cuda.is_available():
        return "cpu"
    return f"cuda:{int(os.environ.get('LOCAL_RANK', '0')) % torch.cuda.device_count()}"
