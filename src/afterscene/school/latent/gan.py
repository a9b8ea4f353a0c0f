"""The generative adversarial network (Goodfellow et al. 2014, arXiv 1406.2661).

Nobody says which z belongs to which picture. A second network, the discriminator D, learns to tell
real pictures from drawn ones, and the generator learns to draw pictures that are taken for real.
Here each drawn picture is compared with a real one, and the gradient of D is penalised at both
(Huang et al. 2024, arXiv 2501.05441), so that training converges where the first GANs diverged:

    D: softplus(D(drawn) - D(real)) + gamma / 2 (|grad D(real)|^2 + |grad D(drawn)|^2)
    G: softplus(D(real) - D(drawn)).

There is no likelihood, and nothing asks whether all kinds of pictures are drawn.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from afterscene.school.latent.model import LatentModel
from afterscene.school.networks.latent import Encoder, LatentConfig, LatentDecoder


class Gan(LatentModel):
    """Decoder as generator, then encoder as discriminator."""

    def __init__(self, config: LatentConfig, gamma: float = 1.0) -> None:
        super().__init__()
        self.config, self.gamma = config, gamma
        self.generator = LatentDecoder(config)
        self.discriminator = Encoder(config, 1)

    def decode(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        return self.generator(z, self.labels(label, len(z))).tanh()

    def loss(
        self, x: Tensor, label: Tensor | None = None, rng: np.random.Generator | None = None
    ) -> Tensor:
        """Both losses as one number: each has a gradient in its own network alone."""
        rng = rng or np.random.default_rng()
        rows = self.labels(label, len(x))
        z = torch.from_numpy(rng.standard_normal((len(x), self.config.latent))).float()
        real, drawn = self.spread(x, rng), self.decode(z, label)
        return self._generator_loss(real, drawn, rows) + self._discriminator_loss(
            real, drawn.detach(), rows
        )

    def _generator_loss(self, real: Tensor, drawn: Tensor, rows: Tensor) -> Tensor:
        fixed = {name: value.detach() for name, value in self.discriminator.named_parameters()}
        scores = [
            torch.func.functional_call(self.discriminator, fixed, (picture, rows))
            for picture in (real, drawn)
        ]
        return F.softplus(scores[0] - scores[1]).mean()

    def _discriminator_loss(self, real: Tensor, drawn: Tensor, rows: Tensor) -> Tensor:
        both = torch.cat([real, drawn]).requires_grad_()
        scores = self.discriminator(both, rows.repeat(2))
        (slopes,) = torch.autograd.grad(scores.sum(), both, create_graph=True)
        steep = slopes.square().flatten(1).sum(dim=1).mean()  # half of the sum of both means
        score_real, score_drawn = scores.chunk(2)
        return F.softplus(score_drawn - score_real).mean() + self.gamma * steep
