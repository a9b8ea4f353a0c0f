"""The league's methods that draw a picture in one evaluation: VAE, GAN, normalizing flow.

About as many weights as the others; of VAE and GAN both networks are counted, and both take their
part of the seconds, though one alone draws.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from torch import Tensor

from afterscene.school.latent import Flow, Gan, LatentConfig, LatentModel, Vae
from afterscene.school.league.contestant import Contestant, LeagueConfig

LATENT = 32


def _sizes(config: LeagueConfig, classes: int, latent: int = LATENT) -> LatentConfig:
    return LatentConfig(
        size=config.size, levels=config.levels, latent=latent, width=config.width, classes=classes
    )


def _contestant(title: str, model: LatentModel, lr: float) -> Contestant:
    return Contestant(
        title=title, model=model, loss=model.loss, walk=model.walk, evaluations=lambda: 1, lr=lr
    )


def vae(config: LeagueConfig, classes: int) -> Contestant:
    """Encoder and decoder; the mean of its logistic distributions is the picture."""
    model = Vae(_sizes(config, classes))

    def bits(x: Tensor, label: Tensor) -> Tensor:
        rng = np.random.default_rng(config.seed)
        return model.nats(x, label, rng) / (x[0].numel() * math.log(2))

    return replace(_contestant("VAE", model, lr=2e-3), bits=bits, how="bound")


def gan(config: LeagueConfig, classes: int) -> Contestant:
    """Generator and discriminator; no likelihood."""
    return replace(_contestant("GAN", Gan(_sizes(config, classes)), lr=2e-3), momentum=0.0)


def flow(config: LeagueConfig, classes: int) -> Contestant:
    """Couplings at three scales, run backwards to draw."""
    model = Flow(_sizes(config, classes, latent=3 * config.size**2))

    def bits(x: Tensor, label: Tensor) -> Tensor:
        picture = model.spread(x, np.random.default_rng(config.seed))
        nats = -model.log_prob(picture, label) / x[0].numel()
        return nats / math.log(2) + math.log2(config.levels / 2)

    return replace(_contestant("normalizing flow", model, lr=1e-3), bits=bits, how="flow")
