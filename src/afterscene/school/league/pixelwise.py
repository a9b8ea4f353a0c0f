"""The league's methods of the first half of the course: all at once, one by one, spread out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
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
from afterscene.school.league.contestant import Contestant, LeagueConfig
from afterscene.school.networks.pixelcnn import PixelCNNConfig

SPACING = 2.0
SIDE = 4  # of a block: 4 x 4 pixels a step are a sixteenth of one pixel a step


def _contestant(title: str, model: Any, config: LeagueConfig, **fields: Any) -> Contestant:
    """A model with a loss and an exact ``log_prob`` of its own; ``fields`` say what is otherwise.

    One evaluation a pixel, if ``fields`` do not say it.
    """
    size = (config.size, config.size)
    settings: dict[str, Any] = {
        "loss": lambda x, label, rng: model.loss(x, label=label, rng=rng),
        "walk": lambda label, seed: model.walk(len(label), size, seed=seed, label=label),
        "evaluations": lambda: config.size**2,
        "bits": lambda x, label: bits_per_value(model.log_prob(x, label=label), x),
        "how": "exact",
        "lr": 3e-3,
        "batch": 16,
    }
    return Contestant(title=title, model=model, **{**settings, **fields})


def averaging(config: LeagueConfig, classes: int) -> Contestant:
    """The mean picture of each kind of land use."""
    size = (config.size, config.size)
    model = AveragingRegressor(classes=classes, channels=3, size=size, levels=config.levels)

    def walk(label: Tensor, seed: int) -> Iterator[Tensor]:
        return model.walk(len(label), seed=seed, label=label)

    fields: dict[str, Any] = {
        "walk": walk,
        "evaluations": lambda: 1,
        "bits": None,
        "how": "",
        "lr": 0.05,
    }
    return _contestant("averaging", model, config, batch=64, **fields)


def next_pixel(config: LeagueConfig, classes: int) -> Contestant:
    """A causal window and a classifier."""
    sizes = NextPixelConfig(levels=config.levels, reach=6, width=2 * config.width, classes=classes)
    return _contestant("next pixel", NextPixel(sizes), config)


def best_guess(config: LeagueConfig, classes: int) -> Contestant:
    """Next pixel at temperature 0, from the same weights."""
    other = next_pixel(config, classes)
    draws: Any = other.model
    size = (config.size, config.size)

    def walk(label: Tensor, seed: int) -> Iterator[Tensor]:
        return draws.walk(len(label), size, seed=seed, label=label, temperature=0.0)

    return replace(
        other, title="next pixel, best guess", walk=walk, bits=None, sibling="next-pixel"
    )


def pixelcnn(config: LeagueConfig, classes: int) -> Contestant:
    """Gated PixelCNN; one evaluation a value, since green waits for red and blue for green."""
    width, hidden = config.width, 2 * config.width
    sizes = PixelCNNConfig(levels=config.levels, width=width, hidden=hidden, classes=classes)
    calls = 3 * config.size**2
    return _contestant("PixelCNN", PixelCNNModel(sizes), config, evaluations=lambda: calls)


def multi_scale(config: LeagueConfig, classes: int) -> Contestant:
    """PixelCNN on every fourth pixel, then every second, then all."""
    width, hidden = 3 * config.width // 4, 2 * config.width
    sizes = PixelCNNConfig(
        levels=config.levels, width=width, layers=5, hidden=hidden, classes=classes
    )
    model = MultiScalePixelCNN(sizes, scales=3, context=config.width // 2)
    kept = (config.size // 4) ** 2 + (config.size // 2) ** 2  # given pixels fill the caches, too
    calls = 3 * config.size**2 + kept
    return _contestant("multi-scale PixelCNN", model, config, evaluations=lambda: calls)


def spread_out(config: LeagueConfig, steps: int) -> Spaced:
    """The spaced order of that many steps for the league's crops."""
    return Spaced(steps=steps, spacing=SPACING)


def _removal(
    title: str, config: LeagueConfig, classes: int, strategy: Strategy, steps: int
) -> Contestant:
    size = (config.size, config.size)
    width = config.width
    sizes = UNetConfig(
        channels_in=4,
        channels_out=width,
        patch=1,
        widths=(2 * width // 3, 4 * width // 3, 2 * width),
        depths=(1, 1, 2),
        embedding=2 * width,
        classes=classes,
    )
    model = RemovalModel(UNet(sizes), strategy, features=width, channels=3, levels=config.levels)

    def walk(label: Tensor, seed: int) -> Iterator[Tensor]:
        grey = config.levels // 2
        for x, known in model.walk(len(label), size, seed=seed, label=label):
            yield torch.where(known[:, None], x, grey)

    def bits(x: Tensor, label: Tensor) -> Tensor:
        order = strategy.draw(size, np.random.default_rng(config.seed))
        return bits_per_value(model.log_prob(x, order, label=label), x)

    fields: dict[str, Any] = {"walk": walk, "evaluations": lambda: steps, "bits": bits, "lr": 2e-3}
    return _contestant(title, model, config, **fields)


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
