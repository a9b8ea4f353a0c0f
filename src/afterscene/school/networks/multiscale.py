"""The first diffusion network (Sohl-Dickstein et al. 2015, arXiv 1503.03585, appendix D.2).

A multi-scale convolution averages the picture down to several scales (powers of two), convolves
each, enlarges all of them to full resolution, adds them and applies the soft ReLU
``log(1 + exp)``: a large kernel at a small price. Layers of 1x1 convolutions with tanh follow
(the paper's dense path over the whole picture is left out). Each pixel ends with J coefficients
per output channel; the answer at time t is their average under "bump" functions of time,

    g_j(t) = exp(-(t - tau_j)^2 / 2 w^2) / sum_k exp(-(t - tau_k)^2 / 2 w^2),

so time changes what is read out, not what is computed. With twice the picture's channels the
outputs are the paper's z_mu and z_sigma: :func:`reverse_kernel` turns them into the mean and
variance of the reverse step.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True, kw_only=True)
class MultiScaleConfig:
    """Sizes of a :class:`MultiScaleNetwork`.

    Attributes:
        channels_in, channels_out: Channels of the picture and of the answer (``2 x channels_in``
            for the paper's mean and variance).
        width: Channels of the multi-scale convolutions and of the 1x1 layers.
        scales: Number of scales: 1, 1/2, ... of the resolution.
        layers: Multi-scale convolutions.
        upper: 1x1 layers with tanh after them.
        bumps: J, the number of bump functions on [0, 1]; their spacing is w.
    """

    channels_in: int = 3
    channels_out: int = 3
    width: int = 64
    scales: int = 3
    layers: int = 4
    upper: int = 2
    bumps: int = 10

    def __post_init__(self) -> None:
        if min(self.scales, self.layers, self.upper) < 1 or self.bumps < 2:
            raise ValueError("scales, layers and upper must be at least 1, bumps at least 2")


class MultiScaleConv(nn.Module):
    """``softplus(sum_s enlarge(conv(average_pool_s(x))))``: ``(N, A, H, W) -> (N, B, H, W)``."""

    def __init__(self, channels_in: int, channels_out: int, scales: int) -> None:
        super().__init__()
        self.convs = nn.ModuleList(
            nn.Conv2d(channels_in, channels_out, 3, padding=1, bias=scale == 0)
            for scale in range(scales)
        )

    def forward(self, x: Tensor) -> Tensor:
        total = self.convs[0](x)
        for scale, conv in enumerate(list(self.convs)[1:], start=1):
            coarse = conv(F.avg_pool2d(x, 2**scale))
            total = total + F.interpolate(coarse, scale_factor=2**scale, mode="nearest")
        return F.softplus(total)


def bumps(t: Tensor, count: int) -> Tensor:
    """The J normalised bump functions of the paper at times in [0, 1]: ``(N,) -> (N, J)``.

    Centres ``tau_j`` are the middles of J equal slices; the width w is their spacing.
    """
    spacing = 1.0 / count
    centres = (torch.arange(count, device=t.device, dtype=torch.float32) + 0.5) * spacing
    return torch.softmax(-0.5 * ((t.float()[:, None] - centres) / spacing) ** 2, dim=1)


class MultiScaleNetwork(nn.Module):
    """``(x (N, Cin, H, W), t (N,) in [0, 1]) -> (N, Cout, H, W)``; scales divide H and W."""

    def __init__(self, config: MultiScaleConfig) -> None:
        super().__init__()
        self.config = config
        widths = [config.channels_in] + [config.width] * config.layers
        self.lower = nn.Sequential(
            *(MultiScaleConv(a, b, config.scales) for a, b in pairwise(widths))
        )
        layers: list[nn.Module] = []
        for _ in range(config.upper):
            layers += [nn.Conv2d(config.width, config.width, 1), nn.Tanh()]
        self.upper = nn.Sequential(*layers)
        self.readout = nn.Conv2d(config.width, config.channels_out * config.bumps, 1)

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        multiple = 2 ** (self.config.scales - 1)
        if x.shape[-1] % multiple or x.shape[-2] % multiple:
            raise ValueError(f"height and width must be multiples of {multiple}: {x.shape[-2:]}")
        y = self.readout(self.upper(self.lower(x))).unflatten(1, (-1, self.config.bumps))
        weights = bumps(t.expand(x.shape[0]), self.config.bumps).to(y.dtype)
        return torch.einsum("ncjhw,nj->nchw", y, weights)


def reverse_kernel(x_t: Tensor, outputs: Tensor, beta: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and variance of the reverse step from ``outputs = [z_mu, z_sigma]``.

    ``variance = sigmoid(z_sigma + logit(beta))``, ``mean = (x_t - z_mu)(1 - variance) + z_mu``
    (Sohl-Dickstein et al. 2015, D.2.3): with outputs of zero it is the forward kernel's variance.
    Shapes: ``x_t (N, C, H, W)``, ``outputs (N, 2C, H, W)``, ``beta (N,)`` in (0, 1).
    """
    z_mu, z_sigma = outputs.chunk(2, dim=1)
    variance = torch.sigmoid(z_sigma + torch.logit(beta)[:, None, None, None])
    return (x_t - z_mu) * (1 - variance) + z_mu, variance
