"""Batch norms that see the whole batch of a step, however many processes share it.

torch's own SyncBatchNorm needs GPUs. Here sum, count and squares of each channel are added over the
processes; the gradient of a sum is the sum of the gradients, so that the step is that of one
process with all crops (Ioffe and Szegedy 2015, arXiv 1502.03167).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from afterscene.training.processes import Group


class _Sum(torch.autograd.Function):
    """The sum over all processes, forward and backward."""

    @staticmethod
    def forward(ctx, value: Tensor, group: Group) -> Tensor:
        ctx.group = group
        return group.sum(value)

    @staticmethod
    def backward(ctx, gradient: Tensor):
        return ctx.group.sum(gradient.contiguous()), None


class SharedBatchNorm2d(nn.BatchNorm2d):
    """``BatchNorm2d`` over the crops of all processes; the same names, weights and statistics."""

    group: Group

    @classmethod
    def of(cls, norm: nn.BatchNorm2d, group: Group) -> SharedBatchNorm2d:
        """The same norm, its weights and buffers shared with ``norm``."""
        made = cls(norm.num_features, norm.eps, norm.momentum, norm.affine)
        made.weight, made.bias = norm.weight, norm.bias
        for name, buffer in norm.named_buffers():
            setattr(made, name, buffer)
        made.group = group
        return made.train(norm.training)

    def forward(self, input: Tensor) -> Tensor:
        if not self.training:
            return super().forward(input)
        x = input if input.dtype == torch.float64 else input.float()
        own = torch.cat([x.sum((0, 2, 3)), x.new_tensor([x.numel() / self.num_features])])
        first = _Sum.apply(own, self.group)
        total = first[-1]
        mean = first[:-1] / total
        centred = x - mean[:, None, None]
        squares = centred.square().sum((0, 2, 3))
        variance = _Sum.apply(squares, self.group) / total
        self._remember(mean.detach(), (variance * total / (total - 1).clamp(min=1)).detach())
        scale = self.weight * (variance + self.eps).rsqrt()
        return (centred * scale[:, None, None] + self.bias[:, None, None]).to(input.dtype)

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor) -> None:
        assert self.running_mean is not None and self.running_var is not None
        assert self.num_batches_tracked is not None and self.momentum is not None
        self.num_batches_tracked += 1
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance, self.momentum)


def share_batch_norms(model: nn.Module, group: Group) -> bool:
    """Replace the batch norms in ``model`` by shared ones; whether there were any."""
    found = False
    for parent in list(model.modules()):
        for name, child in parent.named_children():
            if isinstance(child, nn.BatchNorm2d) and not isinstance(child, SharedBatchNorm2d):
                setattr(parent, name, SharedBatchNorm2d.of(child, group))
                found = True
    return found
