"""The variational auto-encoder (Kingma and Welling 2014, arXiv 1312.6114).

Which z belongs to a picture? A second network guesses: ``q(z | x) = N(m(x), s(x)^2)``. The loss is
what it costs to send the picture by way of its z, in nats, which bounds ``-log p(x)`` from above:

    -E_q log p(x | z) + KL(q(z | x) | N(0, 1)).

``p(x | z)`` takes the values for independent, each logistic about the decoder's answer and cut into
bins (Salimans et al. 2017, arXiv 1701.05517), with one learned width a channel (Rybkin et al. 2021,
arXiv 2006.13202). Independent: so the decoder answers the mean of all that z leaves open, and a
drawn picture, which is that mean, is smooth.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from afterscene.school.autoregression import dequantize
from afterscene.school.latent.model import LatentModel
from afterscene.school.networks.latent import Encoder, LatentConfig, LatentDecoder


class Vae(LatentModel):
    """Encoder, then decoder."""

    def __init__(self, config: LatentConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config, 2 * config.latent)
        self.decoder = LatentDecoder(config)
        self.log_width = nn.Parameter(torch.full((3, 1, 1), -1.0))

    def encode(self, x: Tensor, label: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """``m, log s^2`` of q(z | x), each ``(N, latent)``, for integer pictures."""
        picture = dequantize(x, self.config.levels)
        mean, log_variance = self.encoder(picture, self.labels(label, len(x))).chunk(2, dim=1)
        return mean, log_variance.clamp(-12, 6)

    def decode(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        return self.decoder(z, self.labels(label, len(z)))

    def nats(self, x: Tensor, label: Tensor | None, rng: np.random.Generator) -> Tensor:
        """The bound, with one draw of z for each picture: ``(N,)``."""
        mean, log_variance = self.encode(x, label)
        eps = torch.from_numpy(rng.standard_normal(mean.shape)).float()
        z = mean + (0.5 * log_variance).exp() * eps
        kl = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum(dim=1)
        return kl - self._log_prob(x, self.decode(z, label))

    def loss(
        self, x: Tensor, label: Tensor | None = None, rng: np.random.Generator | None = None
    ) -> Tensor:
        """The bound in nats a value."""
        return self.nats(x, label, rng or np.random.default_rng()).mean() / x[0].numel()

    def _log_prob(self, x: Tensor, centre: Tensor) -> Tensor:
        """Nats of the bins ``x``; the outer bins reach to infinity: ``(N,)``."""
        levels = self.config.levels
        gap, width = dequantize(x, levels) - centre, self.log_width.exp()
        above = torch.sigmoid((gap + 1 / levels) / width).masked_fill(x == levels - 1, 1.0)
        below = torch.sigmoid((gap - 1 / levels) / width).masked_fill(x == 0, 0.0)
        return (above - below).clamp(min=1e-9).log().flatten(1).sum(dim=1)
