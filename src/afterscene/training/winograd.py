"""3x3 convolutions with a quarter of the multiplications, for training: Winograd's F(4x4, 3x3).

Lavin and Gray 2016 (arXiv 1509.09308): a 4x4 square of outputs needs 36 products a channel pair
instead of 144, ``y = A' [(G w G') * (B' x B)] A``. Both transforms are one matrix each, of
Kronecker products, applied to all squares at once, so that everything is matrix products. In
float32 the largest error grows about fivefold, to some 5e-5 of the output's standard deviation. It
is faster for many channels; for few, moving the squares costs more than it saves. Squares are
processed in portions that fit into a core's cache. Rounding affects a whole square at once, so
rendering, where windows must give the same bits as the whole image, does not use it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from afterscene.computing import dtype

B = (
    (4, 0, -5, 0, 1, 0),
    (0, -4, -4, 1, 1, 0),
    (0, 4, -4, -1, 1, 0),
    (0, -2, -1, 2, 1, 0),
    (0, 2, -1, -2, 1, 0),
    (0, 4, 0, -5, 0, 1),
)
G = (
    (1 / 4, 0, 0),
    (-1 / 6, -1 / 6, -1 / 6),
    (-1 / 6, 1 / 6, -1 / 6),
    (1 / 24, 1 / 12, 1 / 6),
    (1 / 24, -1 / 12, 1 / 6),
    (0, 0, 1),
)
A = ((1, 1, 1, 1, 1, 0), (0, 1, -1, 2, -2, 0), (0, 1, 1, 4, 4, 0), (0, 1, -1, 8, -8, 1))

Network = TypeVar("Network", bound=nn.Module)

#: Squares of a portion; the smallest number of channels, and in training of squares in a batch (the
#: weight is transformed at every step), for which it is faster. All measured.
PORTION = 96
LEAST_WIDTH = 96
LEAST_SQUARES = 32


def transformed(weight: Tensor) -> Tensor:
    """``G w G'`` of ``(O, C, 3, 3)`` for each of the 36 products: ``(36, C, O)``."""
    out, channels = weight.shape[:2]
    taps = weight.detach().permute(2, 3, 1, 0).reshape(9, -1)
    return (_squared(G, weight) @ taps).view(36, channels, out)


def convolve(x: Tensor, inside: Tensor) -> Tensor:
    """``(N, C, H, W)`` with ``(36, C, O)`` -> ``(N, O, H, W)``; 4 divides H and W."""
    count, _, height, width = x.shape
    inward, outward = _squared(B, x), _squared(A, x)
    out = x.new_empty(count, height // 4, 4, width // 4, 4, inside.shape[2])
    for portion, squares in _portions(x):
        grid = squares.shape[2:5]
        rows = (inward @ squares.reshape(36, -1)).view(36, -1, squares.shape[5])
        products = torch.bmm(rows, inside).view(36, -1)
        part = (outward @ products).view(4, 4, *grid, -1)
        out[portion] = part.permute(2, 3, 0, 4, 1, 5)
    return out.view(count, height, width, -1).permute(0, 3, 1, 2)


def gradients(
    x: Tensor, inside: Tensor, grad: Tensor, *, inputs: bool = True
) -> tuple[Tensor | None, Tensor]:
    """Gradients of the input ``(N, C, H, W)`` and the weight ``(O, C, 3, 3)``.

    Computed from the gradient of the output by each step of :func:`convolve` backwards; both share
    intermediate results. ``inputs`` False: None instead of the first.
    """
    count, channels, height, width = x.shape
    tall, wide, out = height // 4, width // 4, grad.shape[1]
    inward, outward = _squared(B, x), _squared(A, x)
    rows = grad.permute(0, 2, 3, 1).reshape(count, tall, 4, wide, 4, out)
    padded = x.new_zeros(count, tall + 1, 4, wide + 1, 4, channels) if inputs else None
    total = None
    for portion, squares in _portions(x):
        seen = (inward @ squares.reshape(36, -1)).view(36, -1, channels)
        part = rows[portion].permute(2, 4, 0, 1, 3, 5).reshape(16, -1)
        pull = (outward.T @ part).view(36, -1, out)
        if total is None:
            total = torch.bmm(seen.transpose(1, 2), pull)
        else:
            total.baddbmm_(seen.transpose(1, 2), pull)
        if padded is not None:
            back = inward.T @ torch.bmm(pull, inside.transpose(1, 2)).view(36, -1)
            _overlap(padded[portion[0]], portion[1], back.view(6, 6, *squares.shape[2:5], channels))
    assert total is not None
    taps = (_squared(G, x).T @ total.flatten(1)).view(3, 3, channels, out)
    weight = taps.permute(3, 2, 0, 1)
    if padded is None:
        return None, weight
    framed = padded.view(count, height + 4, width + 4, channels)
    return framed[:, 1 : height + 1, 1 : width + 1].permute(0, 3, 1, 2), weight


def _overlap(padded: Tensor, rows: slice, squares: Tensor) -> None:
    """Add squares ``(6, 6, n, i, j, C)`` at every fourth pixel: ``(n, I + 1, 4, J + 1, 4, C)``."""
    squares = squares.permute(2, 3, 0, 4, 1, 5)
    stop = rows.start + squares.shape[1]
    low, high = padded[:, rows.start : stop], padded[:, rows.start + 1 : stop + 1]
    low[:, :, :, :-1] += squares[:, :, :4, :, :4]
    low[:, :, :, 1:, :2] += squares[:, :, :4, :, 4:]
    high[:, :, :2, :-1] += squares[:, :, 4:, :, :4]
    high[:, :, :2, 1:, :2] += squares[:, :, 4:, :, 4:]


def _squared(matrix: tuple[tuple[float, ...], ...], like: Tensor) -> Tensor:
    """The Kronecker square: the matrix applied to both sides of a square, row by row."""
    one = torch.tensor(matrix, dtype=torch.float64)
    return torch.kron(one, one).to(like)


def _portions(x: Tensor) -> Iterator[tuple[tuple[slice, slice], Tensor]]:
    """Images and rows of squares, with their overlapping squares ``(6, 6, n, i, j, C)``."""
    count, _, height, width = x.shape
    padded = F.pad(x.permute(0, 2, 3, 1), (0, 0, 1, 1, 1, 1))
    squares = padded.unfold(1, 6, 4).unfold(2, 6, 4).permute(4, 5, 0, 1, 2, 3)
    strip = max(1, 4 * PORTION // width)
    together = max(1, 4 * strip // height)
    for n in range(0, count, together):
        for i in range(0, height // 4, strip):
            portion = slice(n, n + together), slice(i, i + strip)
            yield portion, squares[:, :, *portion]


class _Convolution(torch.autograd.Function):
    """The same with gradients, which also use Winograd's products."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor):
        inside = transformed(weight)
        ctx.save_for_backward(x, inside)
        return convolve(x, inside)

    @staticmethod
    def backward(ctx: Any, grad: Tensor):
        x, inside = ctx.saved_tensors
        return gradients(x, inside, grad, inputs=ctx.needs_input_grad[0])


class WinogradConv(nn.Module):
    """A 3x3 convolution of stride 1 and padding 1: ``(N, C, H, W) -> (N, O, H, W)``.

    Has the parameters of ``conv``, with the same names. ``fixed``: for inference, the weight is
    transformed once. If 4 does not divide H or W, or in training if there are fewer than
    :data:`LEAST_SQUARES` squares, the usual convolution is used.
    """

    inside: Tensor | None

    def __init__(self, conv: nn.Conv2d, *, fixed: bool) -> None:
        super().__init__()
        self.weight, self.bias = conv.weight, conv.bias
        inside = transformed(conv.weight) if fixed else None
        self.register_buffer("inside", inside, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        squares = x.shape[0] * x.shape[-2] * x.shape[-1] // 16
        few = self.inside is None and squares < LEAST_SQUARES
        if few or x.shape[-2] % 4 or x.shape[-1] % 4:
            return F.conv2d(x, self.weight, self.bias, padding=1)
        bias = 0 if self.bias is None else self.bias[:, None, None]
        if self.inside is None:
            return _Convolution.apply(x, self.weight) + bias
        return convolve(x, self.inside).add_(bias)


def trainable(network: Network, precision: str = "auto", device: str = "cpu") -> Network:
    """``network`` itself, prepared for training under ``computing.autocast``; same parameters.

    If ``auto`` means float32, its convolutions are Winograd's, with errors in the fifth digit;
    ``fp32`` uses plain ones.
    """
    network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    pays = precision == "auto" and device == "cpu" and dtype(precision) == torch.float32
    return with_winograd(network, fixed=False) if pays else network


def with_winograd(network: Network, *, fixed: bool, least: int | None = None) -> Network:
    """``network`` itself, with its 3x3 convolutions of at least ``least`` channels replaced.

    ``least``: by default :data:`LEAST_WIDTH`.
    """
    least = LEAST_WIDTH if least is None else least
    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.Conv2d) and _fits(child, least):
                setattr(parent, name, WinogradConv(child, fixed=fixed))
    return network


def _fits(conv: nn.Conv2d, least: int) -> bool:
    shape = (conv.kernel_size, conv.stride, conv.padding, conv.dilation, conv.groups)
    plain = shape == ((3, 3), (1, 1), (1, 1), (1, 1), 1) and conv.padding_mode == "zeros"
    return plain and min(conv.in_channels, conv.out_channels) >= least
