"""The league's methods of the second half of the course: add noise, take it away.

All work on values spread evenly within their bins, so that a density is a likelihood of the binned
picture: ``bits = -log2 p(x) / dims + log2(levels / 2)`` for pictures in [-1, 1].
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from afterscene.diffusion import grids
from afterscene.diffusion.denoisers import Preconditioned, Predictor
from afterscene.diffusion.guidance import Threshold
from afterscene.diffusion.likelihood import hutchinson, log_prob
from afterscene.diffusion.losses import (
    SIMPLE,
    WEIGHTS,
    denoising_loss,
    log_normal_times,
    uniform_times,
)
from afterscene.diffusion.noise import generated
from afterscene.diffusion.samplers import Ddpm, Method, Ode, trajectory
from afterscene.diffusion.schedules import VP
from afterscene.networks.unet import UNet, UNetConfig
from afterscene.networks.uvit import UViT, UViTConfig
from afterscene.school.autoregression import dequantize, quantize
from afterscene.school.league.contestant import Contestant, LeagueConfig

SCHEDULE = VP()
FIRST = 1e-3  # the time from which on a picture counts as noisy
DATA = 0.5  # standard deviation of the pictures, roughly


class Counted(nn.Module):
    """A network as ``network(x, clock, label)`` that counts how often it is asked."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network, self.calls = network, 0

    def forward(self, x: Tensor, clock: Tensor, label: Tensor | None) -> Tensor:
        self.calls += 1
        return self.network(x, clock, label=label)


def uniformly_dequantized(x: Tensor, levels: int, rng: np.random.Generator) -> Tensor:
    """Integers as floats anywhere within their bins of [-1, 1]."""
    inside = torch.from_numpy(rng.uniform(-1, 1, size=tuple(x.shape))).float() / levels
    return dequantize(x, levels) + inside


def normal(x0: Tensor, rng: np.random.Generator) -> Tensor:
    """Standard normal noise of that shape."""
    return torch.from_numpy(rng.standard_normal(tuple(x0.shape))).float()


def walker(
    denoiser: Any, config: LeagueConfig, method: Method, times: Tensor
) -> Callable[[Tensor, int], Iterator[Tensor]]:
    """How a contestant draws: ``walk(label, seed)`` yields the states of ``method``."""

    def walk(label: Tensor, seed: int) -> Iterator[Tensor]:
        noise = generated(torch.Generator().manual_seed(seed))
        like = torch.zeros(len(label), 3, config.size, config.size)
        start = SCHEDULE.level(float(times[0])).sigma * noise(0, 0, like)
        with torch.no_grad():
            for state in trajectory(
                denoiser, SCHEDULE, start, times, method, noise=noise, condition=label
            ):
                yield quantize(state.x, config.levels)

    return walk


def _ode_bits(denoiser: Any, config: LeagueConfig) -> Callable[[Tensor, Tensor], Tensor]:
    def bits(x: Tensor, label: Tensor) -> Tensor:
        rng = np.random.default_rng(config.seed)
        x0 = uniformly_dequantized(x, config.levels, rng)
        probe = torch.from_numpy(rng.choice([-1.0, 1.0], size=tuple(x.shape))).float()
        nats = log_prob(
            denoiser,
            SCHEDULE,
            x0,
            span=(FIRST, 1.0),
            divergence=hutchinson(probe),
            tolerance=1e-3,
            condition=label,
        )
        return -nats / (x[0].numel() * math.log(2)) + math.log2(config.levels / 2)

    return bits


def _diffusion(title: str, denoiser: Any, config: LeagueConfig, lr: float = 2e-3) -> Contestant:
    """Drawn from by DDPM's chain.

    A network that answers the noise learns by the plain error at uniform times (DDPM), a
    preconditioned one by the weighted error at log-normal times (EDM, Karras et al. 2022).
    """
    plain = not isinstance(denoiser, Preconditioned)
    weight = SIMPLE if plain else WEIGHTS["edm"](sigma_data=DATA)

    def loss(x: Tensor, label: Tensor | None, rng: np.random.Generator) -> Tensor:
        generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
        if plain:
            times = uniform_times(len(x), generator, low=FIRST)
        else:
            times = log_normal_times(SCHEDULE, len(x), generator).clamp(min=FIRST)
        x0 = uniformly_dequantized(x, config.levels, rng)
        eps, t = normal(x0, rng), SCHEDULE.at(times)
        return denoising_loss(denoiser, x0, t, eps, weight=weight, condition=label).mean()

    return Contestant(
        title=title,
        model=denoiser,
        loss=loss,
        walk=walker(Threshold(denoiser=denoiser), config, Ddpm(), grids.uniform(config.steps)),
        evaluations=lambda: config.steps,
        bits=_ode_bits(denoiser, config),
        how="ODE",
        lr=lr,
    )


def _unet(config: LeagueConfig, classes: int) -> Counted:
    width = config.width
    widths, depths = (width, 2 * width), (2, 2)
    sizes = UNetConfig(
        patch=2,
        widths=widths,
        depths=depths,
        embedding=2 * width,
        classes=classes,
        channels_in=3,
        channels_out=3,
    )
    return Counted(UNet(sizes))


def ddpm(config: LeagueConfig, classes: int) -> Contestant:
    """A U-Net that answers the noise, and the chain of 2020."""
    return _diffusion("DDPM", Predictor(_unet(config, classes)), config)


def u_vit(config: LeagueConfig, classes: int) -> Contestant:
    """Patches as words instead of a U-Net, about as many parameters as the others; DDPM's chain.

    Preconditioned as the score is: a transformer that answers the noise needs far longer before it
    knows the mean of a patch, and what it gets wrong there the chain makes black or white.
    """
    size, width = (config.size, config.size), 2 * config.width
    sizes = UViTConfig(
        size=size,
        patch=4,
        width=width,
        depth=4,
        heads=6,
        classes=classes,
        channels_in=3,
        channels_out=3,
    )
    denoiser = Preconditioned(Counted(UViT(sizes)), sigma_data=DATA)
    return _diffusion("U-ViT", denoiser, config, lr=1e-3)


def score_sde(config: LeagueConfig, classes: int) -> Contestant:
    """The U-Net as a preconditioned score, sampled by the adaptive ODE."""
    counted = _unet(config, classes)
    denoiser = Preconditioned(counted, sigma_data=DATA)
    times = torch.cat([grids.uniform(24, end=FIRST), torch.zeros(1, dtype=torch.float64)])
    draw = walker(denoiser, config, Ode(tolerance=1e-2), times[[0, -2, -1]])
    calls = [0]

    def walk(label: Tensor, seed: int) -> Iterator[Tensor]:
        before = counted.calls
        yield from draw(label, seed)
        calls[0] = counted.calls - before

    made = _diffusion("score SDE (ODE)", denoiser, config)
    return replace(made, walk=walk, evaluations=lambda: calls[0])
