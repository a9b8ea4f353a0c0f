"""The league's methods of the second half of the course: add noise, take it away.

All work on values spread evenly within their bins, so that a density is a likelihood of the binned
picture: ``bits = -log2 p(x) / dims + log2(levels / 2)`` for pictures in [-1, 1]. The 2015 chain has
no density; its figure is the variational bound of arXiv 1503.03585, summed over its steps.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import pairwise
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
from afterscene.diffusion.schedules import VP, Level, added_variance, posterior
from afterscene.networks.unet import UNet, UNetConfig
from afterscene.networks.uvit import UViT, UViTConfig
from afterscene.school.autoregression import dequantize, quantize
from afterscene.school.league.contestant import Contestant, LeagueConfig, Loss
from afterscene.school.networks.multiscale import (
    MultiScaleConfig,
    MultiScaleNetwork,
    reverse_kernel,
)
from afterscene.school.processes import GaussianChain

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


class ClassConditioned(nn.Module):
    """The 2015 network with the label as eight channels that are the same everywhere."""

    def __init__(self, config: MultiScaleConfig, classes: int) -> None:
        super().__init__()
        self.network = MultiScaleNetwork(config)
        self.label = nn.Embedding(classes + 1, config.channels_in - 3)
        self.classes = classes

    def forward(self, x: Tensor, t: Tensor, label: Tensor | None = None) -> Tensor:
        rows = torch.full((len(x),), self.classes) if label is None else label
        planes = self.label(rows)[:, :, None, None].expand(-1, -1, *x.shape[-2:])
        return self.network(torch.cat([x, planes], dim=1), t)


class Chain2015(nn.Module):
    """The reverse kernel of 2015 as a denoiser that knows its variance.

    ``mean = (x_t - z_mu)(1 - var) + z_mu``, ``var = sigmoid(z_sigma + logit beta)``. ``z_mu`` is
    the network's output over ``sqrt(beta)``: one network serves large and small steps.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = Counted(network)

    def kernel(self, x: Tensor, t: Level, s: Level, label: Tensor | None) -> tuple[Tensor, Tensor]:
        """Mean and variance of x_s given x_t; levels hold one tensor entry a picture."""
        beta = torch.as_tensor(added_variance(t, s), dtype=x.dtype).expand(len(x))
        clock = torch.as_tensor(t.time, dtype=x.dtype).expand(len(x))
        z_mu, z_sigma = self.network(x, clock, label).chunk(2, dim=1)
        z_mu = z_mu / beta.sqrt()[:, None, None, None]
        return reverse_kernel(x, torch.cat([z_mu, z_sigma], dim=1), beta)

    def reverse(self, x: Tensor, t: Level, s: Level, label: Any) -> tuple[Tensor, Tensor]:
        """What ``GaussianChain`` asks for; the last step goes to the mean, without noise."""
        mean, var = self.kernel(x, t, s, label)
        a, b, _ = posterior(t, s)
        return (mean - a * x) / b, var if s.time > FIRST / 2 else torch.zeros_like(var)


def _spread(x: Tensor, levels: int, rng: np.random.Generator) -> Tensor:
    """Integers as floats anywhere within their bins of [-1, 1]."""
    inside = torch.from_numpy(rng.uniform(-1, 1, size=tuple(x.shape))).float() / levels
    return dequantize(x, levels) + inside


def _normal(x0: Tensor, rng: np.random.Generator) -> Tensor:
    return torch.from_numpy(rng.standard_normal(tuple(x0.shape))).float()


def _walk(
    denoiser: Any, config: LeagueConfig, method: Method, times: Tensor
) -> Callable[[Tensor, int], Iterator[Tensor]]:
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
        x0 = _spread(x, config.levels, rng)
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


def _diffusion(
    title: str, denoiser: Predictor, config: LeagueConfig, lr: float = 2e-3
) -> Contestant:
    """A network that answers the noise, drawn from by DDPM's chain."""
    times = grids.uniform(config.steps)
    method = Ddpm()
    return Contestant(
        title=title,
        model=denoiser,
        loss=_simple(denoiser, config),
        walk=_walk(Threshold(denoiser=denoiser), config, method, times),
        evaluations=lambda: config.steps,
        bits=_ode_bits(denoiser, config),
        how="ODE",
        lr=lr,
    )


def _simple(denoiser: Predictor, config: LeagueConfig) -> Loss:
    """DDPM's: the plain error of the noise at uniform times."""

    def loss(x: Tensor, label: Tensor | None, rng: np.random.Generator) -> Tensor:
        generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
        t = SCHEDULE.at(uniform_times(len(x), generator, low=FIRST))
        x0 = _spread(x, config.levels, rng)
        return denoising_loss(
            denoiser, x0, t, _normal(x0, rng), weight=SIMPLE, condition=label
        ).mean()

    return loss


def _score_loss(denoiser: Preconditioned, config: LeagueConfig) -> Loss:
    """EDM's: the weighted error of the picture at log-normal times (Karras et al. 2022)."""
    weight = WEIGHTS["edm"](sigma_data=DATA)

    def loss(x: Tensor, label: Tensor | None, rng: np.random.Generator) -> Tensor:
        generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
        t = SCHEDULE.at(log_normal_times(SCHEDULE, len(x), generator).clamp(min=FIRST))
        x0 = _spread(x, config.levels, rng)
        return denoising_loss(
            denoiser, x0, t, _normal(x0, rng), weight=weight, condition=label
        ).mean()

    return loss


def _unet(config: LeagueConfig, classes: int) -> Counted:
    width = config.width
    return Counted(
        UNet(
            UNetConfig(
                channels_in=3,
                channels_out=3,
                patch=2,
                widths=(width, 2 * width),
                depths=(2, 2),
                embedding=2 * width,
                classes=classes,
            )
        )
    )


def ddpm(config: LeagueConfig, classes: int) -> Contestant:
    """A U-Net that answers the noise, and the chain of 2020."""
    denoiser = Predictor(_unet(config, classes))
    return _diffusion("DDPM", denoiser, config)


def u_vit(config: LeagueConfig, classes: int) -> Contestant:
    """Patches as words instead of a U-Net, about as many parameters as the others; DDPM's chain.

    Preconditioned as the score is: a transformer that answers the noise needs far longer before it
    knows the mean of a patch, and what it gets wrong there the chain makes black or white.
    """
    network = UViT(
        UViTConfig(
            channels_in=3,
            channels_out=3,
            size=(config.size, config.size),
            patch=4,
            width=2 * config.width,
            depth=4,
            heads=6,
            classes=classes,
        )
    )
    denoiser = Preconditioned(Counted(network), sigma_data=DATA)
    return Contestant(
        title="U-ViT",
        model=denoiser,
        loss=_score_loss(denoiser, config),
        walk=_walk(Threshold(denoiser=denoiser), config, Ddpm(), grids.uniform(config.steps)),
        evaluations=lambda: config.steps,
        bits=_ode_bits(denoiser, config),
        how="ODE",
        lr=1e-3,
    )


def score_sde(config: LeagueConfig, classes: int) -> Contestant:
    """The U-Net as a preconditioned score, drawn from by the adaptive ODE, without dice."""
    counted = _unet(config, classes)
    denoiser = Preconditioned(counted, sigma_data=DATA)
    times = torch.cat([grids.uniform(24, end=FIRST), torch.zeros(1, dtype=torch.float64)])
    draw = _walk(denoiser, config, Ode(tolerance=1e-2), times[[0, -2, -1]])
    calls = [0]

    def walk(label: Tensor, seed: int) -> Iterator[Tensor]:
        before = counted.calls
        yield from draw(label, seed)
        calls[0] = counted.calls - before

    return Contestant(
        title="score SDE (ODE)",
        model=denoiser,
        loss=_score_loss(denoiser, config),
        walk=walk,
        evaluations=lambda: calls[0],
        bits=_ode_bits(denoiser, config),
        how="ODE",
    )


def chain_2015(config: LeagueConfig, classes: int) -> Contestant:
    """The first diffusion model: its network, its bound as the loss, its chain."""
    network = ClassConditioned(
        MultiScaleConfig(channels_in=11, channels_out=6, width=config.width), classes
    )
    chain = Chain2015(network)
    times = torch.cat(
        [grids.uniform(config.steps - 1, end=FIRST), torch.zeros(1, dtype=torch.float64)]
    )

    def loss(x: Tensor, label: Tensor | None, rng: np.random.Generator) -> Tensor:
        step = torch.from_numpy(rng.integers(config.steps - 1, size=len(x)))
        t, s = SCHEDULE.at(times[step]), SCHEDULE.at(times[step + 1])
        x0 = _spread(x, config.levels, rng)
        return config.steps * _step_nats(chain, x0, t, s, label, _normal(x0, rng)).mean()

    return Contestant(
        title="diffusion of 2015",
        model=chain,
        loss=loss,
        walk=_walk(chain, config, GaussianChain(), times),
        evaluations=lambda: config.steps,
        bits=_bound(chain, config, times),
        how="bound",
    )


def _step_nats(
    chain: Chain2015, x0: Tensor, t: Level, s: Level, label: Tensor | None, eps: Tensor
) -> Tensor:
    """``KL(q(x_s | x_t, x0) | p(x_s | x_t))`` in nats a value, ``(N,)``; levels as tensors."""
    here, there = t.over(x0), s.over(x0)
    x = here.alpha * x0 + here.sigma * eps
    a, b, small = posterior(here, there)
    mean, var = chain.kernel(x, t, s, label)
    ratio = small / var
    nats = 0.5 * ((a * x + b * x0 - mean) ** 2 / var + ratio - 1 - ratio.log())
    return nats.flatten(1).mean(dim=1)


def _bound(
    chain: Chain2015, config: LeagueConfig, times: Tensor
) -> Callable[[Tensor, Tensor], Tensor]:
    def bits(x: Tensor, label: Tensor) -> Tensor:
        rng = np.random.default_rng(config.seed)
        x0 = dequantize(x, config.levels)
        last = SCHEDULE.level(1.0)
        prior = 0.5 * (
            (last.alpha * x0) ** 2 + last.sigma**2 - 1 - 2 * math.log(last.sigma)
        ).flatten(1).mean(dim=1)
        total = prior
        for t, s in pairwise(times[:-1].expand(len(x), -1).unbind(dim=1)):
            levels = SCHEDULE.at(t), SCHEDULE.at(s)
            total = total + _step_nats(chain, x0, *levels, label, _normal(x0, rng))
        total = total + _decoder(chain, x0, label, config.levels, _normal(x0, rng))
        return total / math.log(2)

    return bits


def _decoder(chain: Chain2015, x0: Tensor, label: Tensor, levels: int, eps: Tensor) -> Tensor:
    """Nats a value of the bins given the first noisy state: a Gaussian cut at their edges."""
    t, s = SCHEDULE.level(FIRST), SCHEDULE.level(0.0)
    x = t.alpha * x0 + t.sigma * eps
    mean, var = chain.kernel(x, t, s, label)
    above, below = (
        torch.special.ndtr((x0 + edge / levels - mean) / var.sqrt()) for edge in (1, -1)
    )
    top, bottom = x0 > 1 - 1.5 / levels, x0 < -1 + 1.5 / levels
    inside = torch.where(top, 1.0, above) - torch.where(bottom, 0.0, below)
    return -inside.clamp(min=1e-12).log().flatten(1).mean(dim=1)
