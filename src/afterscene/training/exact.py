"""Sums over crops that are equal to the bit, however many processes share the crops.

A network with ReLUs at a high learning rate amplifies a last bit a thousandfold within five steps,
so "the same up to rounding" is soon not the same at all. Here rounding does not depend on which
process has which crop. Each crop's term is computed from that crop alone; terms are rounded to
integer multiples of a quantum that is fixed by the largest of all terms, and such multiples add up
in float64 without any rounding, in any order (pre-rounding: Demmel and Nguyen 2013, "Fast
reproducible floating-point summation"). The error is 2^-44 of the largest term.

A detector sums over crops in convolutions and batch norms: :func:`make_exact` replaces these by
modules with the same weights and names. A run asks for it with ``exact=true``; otherwise, only
batch norms are shared, if there are several processes. Their gradients are then already sums over
all processes. Other layers stay as they are.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from afterscene.training.processes import Group

#: Between the largest term and the quantum; terms of 512 crops then add up within float64's 53.
BITS = 44


def exact_sum(terms: Tensor, group: Group) -> Tensor:
    """The sum of ``terms (n, ...)`` over n and all processes, in the dtype of ``terms``.

    Exact up to 2^-44 of the largest term if all processes have at most 512 terms; not finite if a
    term is not.
    """
    largest = group.largest(terms.detach().abs().amax().double().reshape(1))
    quantum = torch.ldexp(torch.ones_like(largest), torch.frexp(largest).exponent - BITS)
    total = torch.zeros_like(terms[0], dtype=torch.float64)
    for term in terms:
        total += (term.double() / quantum).round_()
    return (group.sum(total) * quantum).to(terms.dtype)


class _Convolution(torch.autograd.Function):
    """A convolution crop by crop; the gradients of weight and bias are those of all processes."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, conv: nn.Conv2d, group: Group
    ):
        ctx.save_for_backward(x, weight)
        ctx.how = (conv.stride, conv.padding, conv.dilation, conv.groups)
        ctx.biased, ctx.group = bias is not None, group
        return torch.cat([F.conv2d(one, weight, bias, *ctx.how) for one in x.split(1)])

    @staticmethod
    def backward(ctx: Any, gradient: Tensor):
        x, weight = ctx.saved_tensors
        stride, padding, dilation, groups = ctx.how
        sizes = [len(weight)] if ctx.biased else None
        wanted = (ctx.needs_input_grad[0], ctx.needs_input_grad[1], ctx.needs_input_grad[2])
        back = torch.ops.aten.convolution_backward
        how = (sizes, stride, padding, dilation, False, [0, 0], groups, wanted)
        pairs = zip(gradient.split(1), x.split(1), strict=True)
        parts = zip(*(back(dy, one, weight, *how) for dy, one in pairs), strict=True)
        dx, dw, db = (None if p[0] is None else p for p in parts)
        return (
            None if dx is None else torch.cat(dx),
            None if dw is None else exact_sum(torch.stack(dw), ctx.group),
            None if db is None else exact_sum(torch.stack(db), ctx.group),
            None,
            None,
        )


class ExactConv2d(nn.Conv2d):
    """``Conv2d`` with the same names and weights."""

    group: Group

    def forward(self, input: Tensor) -> Tensor:
        weight, bias = self.weight, self.bias
        if torch.is_autocast_enabled(input.device.type):
            kind = torch.get_autocast_dtype(input.device.type)
            input, weight = input.to(kind), weight.to(kind)
            bias = None if bias is None else bias.to(kind)
        return _Convolution.apply(input, weight, bias, self, self.group)


class _Norm(torch.autograd.Function):
    """Batch norm over the crops of all processes: ``y, mean, variance, count``."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, eps: float, group: Group):
        places = x[0, 0].numel()
        count = group.sum(x.new_tensor([len(x) * places], dtype=torch.float64)).to(x.dtype)
        pairs = [_moments(one) for one in x.split(1)]
        mean = _over_crops([own * places for _, own in pairs], group) / count
        squares = [(spread + (own - mean).square()) * places for spread, own in pairs]
        variance = _over_crops(squares, group) / count
        scale = (variance + eps).rsqrt()
        ctx.save_for_backward(x, weight, mean, scale, count)
        ctx.group = group
        ctx.mark_non_differentiable(mean, variance, count)
        return _affine(x, weight * scale, bias - weight * scale * mean), mean, variance, count

    @staticmethod
    def backward(ctx: Any, gradient: Tensor, *_: Tensor):
        x, weight, mean, scale, count = ctx.saved_tensors
        both = [
            torch.cat([dy.sum((0, 2, 3)), (dy * one).sum((0, 2, 3))])
            for dy, one in zip(gradient.split(1), x.split(1), strict=True)
        ]
        dbias, along = _over_crops(both, ctx.group).chunk(2)
        dweight = (along - mean * dbias) * scale
        slope = weight * scale * scale * dweight / count
        offset = slope * mean - weight * scale * dbias / count
        dx = _affine(x, -slope, offset).addcmul_(gradient, (weight * scale)[:, None, None])
        return dx, dweight, dbias, None, None


def _moments(one: Tensor) -> tuple[Tensor, Tensor]:
    """Variance and mean of each channel of ``(1, C, H, W)``; torch.var_mean is ten times slower."""
    mean = one.mean((0, 2, 3))
    return (one - mean[:, None, None]).square_().mean((0, 2, 3)), mean


def _affine(x: Tensor, factor: Tensor, offset: Tensor) -> Tensor:
    return torch.addcmul(offset[:, None, None], x, factor[:, None, None])


def _over_crops(terms: list[Tensor], group: Group) -> Tensor:
    return exact_sum(torch.stack(terms), group)


class ExactBatchNorm2d(nn.BatchNorm2d):
    """``BatchNorm2d`` over the crops of all processes; the same names, weights and statistics.

    torch's own SyncBatchNorm needs GPUs.
    """

    group: Group

    def forward(self, input: Tensor) -> Tensor:
        if not self.training:
            return super().forward(input)
        x = input if input.dtype == torch.float64 else input.float()
        y, mean, variance, count = _Norm.apply(x, self.weight, self.bias, self.eps, self.group)
        self._remember(mean, variance * count / (count - 1).clamp(min=1))
        return y.to(input.dtype)

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor) -> None:
        assert self.running_mean is not None and self.running_var is not None
        assert self.num_batches_tracked is not None and self.momentum is not None
        self.num_batches_tracked += 1
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance, self.momentum)


KINDS: dict[type[nn.Module], type[nn.Module]] = {
    nn.Conv2d: ExactConv2d,
    nn.BatchNorm2d: ExactBatchNorm2d,
}


def make_exact(model: nn.Module, group: Group, *, convolutions: bool = True) -> list[nn.Parameter]:
    """Replace batch norms and convolutions in ``model``.

    The gradients of their parameters will be sums over all processes. Without ``convolutions`` only
    batch norms, which several processes need in any case; crop by crop is slow on a GPU.
    """
    summed: list[nn.Parameter] = []
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            kind = KINDS.get(type(child))
            if kind is not None and (convolutions or kind is ExactBatchNorm2d):
                setattr(parent, name, _turned(child, kind, group))
                summed += child.parameters(recurse=False)
    return summed


def _turned(module: nn.Module, kind: type[nn.Module], group: Group) -> nn.Module:
    """The same module with the same weights and buffers, as another class."""
    made: nn.Module = kind.__new__(kind)
    made.__dict__.update(module.__dict__)
    made.__dict__["group"] = group
    return made
