"""The league's methods of the first half of the course: all at once, one by one, spread out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from afterscene.networks.unet import UNet, UNetConfig
from afterscene.school.autoregression import (
    AveragingRegressor,
    Blocks,
    MultiScalePixelCNN,
    NextPixel,
    NextPixelConfig,
    PixelCNNModel,
    Random,
    RemovalModel,
    Spaced,
    bits_per_value,
)
from afterscene.school.autoregression.orders import Strategy
from afterscene.school.league.contestant import Contestant, LeagueConfig, Loss
from afterscene.school.networks.pixelcnn import PixelCNNConfig

SPACING = 2.0
SIDE = 4  # of a block: 4 x 4 pixels a step are a sixteenth of one pixel a step


def _own(model: Any) -> Loss:
    """The model's own loss as a function of (x, label, rng)."""
    return lambda x, label, rng: model.loss(x, label=label, rng=rng)


def _exact(model: Any) -> Callable[[Tensor, Tensor], Tensor]:
    def bits(x: Tensor, label: Tensor) -> Tensor:
        return bits_per_value(model.log_prob(x, label=label), x)

    return bits


def averaging(config: LeagueConfig, classes: int) -> Contestant:
    """The mean picture of each kind of land use."""
    size = (config.size, config.size)
    model = AveragingRegressor(classes=classes, channels=3, size=size, levels=config.levels)
    return Contestant(
        title="averaging",
        model=model,
        loss=_own(model),
        walk=lambda label, seed: model.walk(len(label), seed=seed, label=label),
        evaluations=lambda: 1,
        lr=0.05,
        batch=64,
    )


def next_pixel(config: LeagueConfig, classes: int, *, temperature: float = 1.0) -> Contestant:
    """A causal window and a classifier; at temperature 0 its best guess, from the same weights."""
    size = (config.size, config.size)
    model = NextPixel(
        NextPixelConfig(levels=config.levels, reach=6, width=2 * config.width, classes=classes)
    )

    def walk(label: Tensor, seed: int) -> Iterator[Tensor]:
        return model.walk(len(label), size, seed=seed, label=label, temperature=temperature)

    return Contestant(
        title="next pixel" if temperature else "next pixel, best guess",
        model=model,
        loss=_own(model),
        walk=walk,
        evaluations=lambda: config.size**2,
        bits=_exact(model) if temperature else None,
        how="exact",
        lr=3e-3,
        batch=16,
        sibling="" if temperature else "next-pixel",
    )


def pixelcnn(config: LeagueConfig, classes: int) -> Contestant:
    """Gated PixelCNN; one evaluation a value, since green waits for red and blue for green."""
    size = (config.size, config.size)
    model = PixelCNNModel(
        PixelCNNConfig(
            levels=config.levels, width=config.width, hidden=2 * config.width, classes=classes
        )
    )
    return Contestant(
        title="PixelCNN",
        model=model,
        loss=_own(model),
        walk=lambda label, seed: model.walk(len(label), size, seed=seed, label=label),
        evaluations=lambda: 3 * config.size**2,
        bits=_exact(model),
        how="exact",
        lr=3e-3,
        batch=16,
    )


def multi_scale(config: LeagueConfig, classes: int) -> Contestant:
    """PixelCNN on every fourth pixel, then every second, then all."""
    size = (config.size, config.size)
    model = MultiScalePixelCNN(
        PixelCNNConfig(
            levels=config.levels,
            width=3 * config.width // 4,
            layers=5,
            hidden=2 * config.width,
            classes=classes,
        ),
        scales=3,
        context=config.width // 2,
    )
    kept = (config.size // 4) ** 2 + (config.size // 2) ** 2  # given pixels fill the caches, too
    return Contestant(
        title="multi-scale PixelCNN",
        model=model,
        loss=_own(model),
        walk=lambda label, seed: model.walk(len(label), size, seed=seed, label=label),
        evaluations=lambda: 3 * config.size**2 + kept,
        bits=_exact(model),
        how="exact",
        lr=3e-3,
        batch=16,
    )


def spread_out(config: LeagueConfig, steps: int) -> Spaced:
    """The spaced order of that many steps for the league's crops."""
    return Spaced(steps=steps, spacing=SPACING)


def _removal(
    title: str, config: LeagueConfig, classes: int, strategy: Strategy, steps: int
) -> Contestant:
    size = (config.size, config.size)
    width = config.width
    backbone = UNet(
        UNetConfig(
            channels_in=4,
            channels_out=width,
            patch=1,
            widths=(2 * width // 3, 4 * width // 3, 2 * width),
            depths=(1, 1, 2),
            embedding=2 * width,
            classes=classes,
        )
    )
    model = RemovalModel(backbone, strategy, features=width, channels=3, levels=config.levels)

    def walk(label: Tensor, seed: int) -> Iterator[Tensor]:
        grey = config.levels // 2
        for x, known in model.walk(len(label), size, seed=seed, label=label):
            yield torch.where(known[:, None], x, grey)

    def bits(x: Tensor, label: Tensor) -> Tensor:
        order = strategy.draw(size, np.random.default_rng(config.seed))
        return bits_per_value(model.log_prob(x, order, label=label), x)

    return Contestant(
        title=title,
        model=model,
        loss=_own(model),
        walk=walk,
        evaluations=lambda: steps,
        bits=bits,
        how="exact",
        batch=16,
    )


def spaced(config: LeagueConfig, classes: int) -> Contestant:
    """Pixels far apart together, a sixteenth of next-pixel's evaluations."""
    steps = config.size**2 // 16
    return _removal("spaced pixels", config, classes, spread_out(config, steps), steps)


def blocks(config: LeagueConfig, classes: int) -> Contestant:
    """Neighbours together: the same number of evaluations as spaced."""
    return _removal(
        "blocks of 4 x 4", config, classes, Blocks(side=SIDE), config.size**2 // SIDE**2
    )


def random(config: LeagueConfig, classes: int) -> Contestant:
    """Any pixels together (MAR's order): the same number of evaluations as spaced."""
    steps = config.size**2 // 16
    return _removal("random pixels", config, classes, Random(steps=steps), steps)
