"""A small autoencoder for latent diffusion (Rombach et al. 2022, arXiv 2112.10752).

The encoder halves the resolution ``len(widths) - 1`` times (three times: 8x) and answers the mean
and log variance of a Gaussian per latent position; the decoder goes back. A tiny pull towards
the unit Gaussian (Kingma and Welling 2014) keeps the latents bounded without making the code
blurry. There is no attention and every normalisation is per position, so a picture may be coded
tile by tile.

Diffusion expects data of unit variance: :meth:`Autoencoder.calibrate` measures mean and deviation
of the latents once and stores them as buffers; :meth:`encode_latent` and :meth:`decode_latent`
are the two doors that apply them.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from afterscene.networks.blocks import ChannelNorm, zero_


@dataclass(frozen=True, kw_only=True)
class AutoencoderConfig:
    """Sizes of an :class:`Autoencoder`: 8x with four widths; ``depth`` blocks at each scale."""

    channels: int = 3
    latent: int = 4
    widths: tuple[int, ...] = (32, 64, 128, 128)
    depth: int = 1

    def __post_init__(self) -> None:
        if not self.widths or min(*self.widths, self.latent, self.depth, self.channels) < 1:
            raise ValueError("channels, latent, depth and all widths must be at least 1")

    @classmethod
    def of(cls, values: dict[str, Any]) -> AutoencoderConfig:
        """What ``dataclasses.asdict`` gave, after a way through JSON."""
        known: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in values.items()
        }
        return cls(**known)

    @property
    def stride(self) -> int:
        """Pixels a side of one latent position."""
        return 2 ** (len(self.widths) - 1)


class PlainBlock(nn.Module):
    """``x + conv(silu(norm(conv(silu(norm(x))))))``; the last convolution starts at zero."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            ChannelNorm(channels),
            nn.SiLU(),
            nn.Conv2d(channels, channels, 3, padding=1),
            ChannelNorm(channels),
            nn.SiLU(),
            zero_(nn.Conv2d(channels, channels, 3, padding=1)),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)


@dataclass(frozen=True)
class Gaussian:
    """A diagonal Gaussian over latents: ``mean`` and ``log_variance``, each (N, c, h, w)."""

    mean: Tensor
    log_variance: Tensor

    def sample(self, noise: Tensor) -> Tensor:
        """``mean + deviation * noise``; the caller draws the standard normal noise."""
        return self.mean + (0.5 * self.log_variance).exp() * noise

    def kl(self) -> Tensor:
        """KL divergence from the unit Gaussian in nats, one number per picture: (N,)."""
        kl = 0.5 * (self.mean**2 + self.log_variance.exp() - 1 - self.log_variance)
        return kl.flatten(1).sum(dim=1)


class Autoencoder(nn.Module):
    """Pictures ``(N, C, H, W)`` in [-1, 1] <-> latents ``(N, c, H / stride, W / stride)``."""

    shift: Tensor
    scale: Tensor

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__()
        self.config = config
        widths = config.widths
        down: list[nn.Module] = [nn.Conv2d(config.channels, widths[0], 3, padding=1)]
        for a, b in pairwise(widths):
            down += [PlainBlock(a) for _ in range(config.depth)]
            down += [nn.PixelUnshuffle(2), nn.Conv2d(4 * a, b, 1)]
        down += [PlainBlock(widths[-1]) for _ in range(config.depth)]
        self.encoder = nn.Sequential(
            *down,
            ChannelNorm(widths[-1]),
            nn.SiLU(),
            nn.Conv2d(widths[-1], 2 * config.latent, 3, padding=1),
        )
        up: list[nn.Module] = [nn.Conv2d(config.latent, widths[-1], 3, padding=1)]
        up += [PlainBlock(widths[-1]) for _ in range(config.depth)]
        for a, b in pairwise(widths[::-1]):
            up += [nn.Conv2d(a, 4 * b, 1), nn.PixelShuffle(2)]
            up += [PlainBlock(b) for _ in range(config.depth)]
        self.decoder = nn.Sequential(
            *up,
            ChannelNorm(widths[0]),
            nn.SiLU(),
            nn.Conv2d(widths[0], config.channels, 3, padding=1),
        )
        self.register_buffer("shift", torch.zeros(1, config.latent, 1, 1))
        self.register_buffer("scale", torch.ones(1, config.latent, 1, 1))

    def encode(self, x: Tensor) -> Gaussian:
        """The posterior of the latents of ``x``; raises ``ValueError`` on an odd size."""
        stride = self.config.stride
        if x.shape[-1] % stride or x.shape[-2] % stride:
            raise ValueError(f"height and width must be multiples of {stride}, got {x.shape[-2:]}")
        mean, log_variance = self.encoder(x).chunk(2, dim=1)
        return Gaussian(mean, log_variance.clamp(-30.0, 20.0))

    def decode(self, latent: Tensor) -> Tensor:
        """Latents as the encoder gives them -> pictures (not clamped)."""
        return self.decoder(latent)

    def encode_latent(self, x: Tensor) -> Tensor:
        """The mean latent, shifted and scaled to mean 0 and deviation 1 per channel."""
        return (self.encode(x).mean - self.shift) / self.scale

    def decode_latent(self, latent: Tensor) -> Tensor:
        """Inverse of :meth:`encode_latent`."""
        return self.decode(latent * self.scale + self.shift)

    @torch.no_grad()
    def calibrate(self, x: Tensor) -> None:
        """Measure shift and scale of the latents on pictures ``x`` and keep them."""
        mean = self.encode(x).mean
        self.shift.copy_(mean.mean(dim=(0, 2, 3), keepdim=True))
        self.scale.copy_(mean.std(dim=(0, 2, 3), keepdim=True).clamp_min(1e-6))

    def loss(self, x: Tensor, noise: Tensor, *, kl_weight: float = 1e-6) -> Tensor:
        """``mean |x - decode(z)| + kl_weight KL / pixel values``, z drawn with ``noise``.

        The default weight is that of Rombach et al. 2022 (appendix G) relative to the pixels.
        ``noise`` is standard normal of the latents' shape.
        """
        posterior = self.encode(x)
        error = F.l1_loss(self.decode(posterior.sample(noise)), x)
        return error + kl_weight * posterior.kl().mean() / x[0].numel()
