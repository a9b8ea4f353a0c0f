"""Training of the autoencoder whose latents a diffusion model works on (Rombach et al. 2022).

Crops come from pre and post images alike, from anywhere, turned by the eight symmetries of the
square. The loss is :meth:`Autoencoder.loss`: the mean absolute error of the picture decoded from
a drawn latent, and a small pull of the latents towards the unit Gaussian. The crops and the noise
of (seed, step) are pure functions. Pictures are RGB in [-1, 1].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from afterscene.computing import PRECISIONS, autocast
from afterscene.errors import BadParameter
from afterscene.generators.crops import TrainingTile
from afterscene.networks.autoencoder import Autoencoder, AutoencoderConfig
from afterscene.tensors import from_pixels, to_pixels
from afterscene.training.averages import power_keep
from afterscene.training.config import LoopConfig
from afterscene.training.crops import WAYS, cut, turned
from afterscene.training.task import Task, tiled
from afterscene.training.winograd import trainable


@dataclass(frozen=True, kw_only=True)
class AutoencoderRun(LoopConfig):
    """A whole run. Raises BadParameter.

    Attributes:
        model: Sizes of the network; four widths make latents 8 times smaller a side.
        side, crops: Side in pixels and number of the crops of a step.
        kl_weight: Of the pull towards the unit Gaussian, relative to the pixels.
        ema_gamma: Exponent of the power-function average.
        precision: ``auto`` (see :mod:`afterscene.computing`), ``bf16`` or ``fp32``.
    """

    model: AutoencoderConfig = field(default_factory=AutoencoderConfig)
    side: int = 64
    crops: int = 16
    kl_weight: float = 1e-6
    ema_gamma: float = 16.0
    precision: str = "auto"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.precision not in PRECISIONS:
            raise BadParameter(f"precision must be auto, bf16 or fp32, got {self.precision}")
        if self.side < 1 or self.side % self.model.stride or self.crops < 1:
            raise BadParameter(
                f"side {self.side} must be a multiple of {self.model.stride}, crops at least 1"
            )


class Drawn(NamedTuple):
    """Pictures ``(N, 3, H, W)`` and the noise of their latents."""

    x: Tensor
    noise: Tensor


class AutoencoderTask(Task):
    """An autoencoder of the images of tiles."""

    linear = True
    sizes = terms = 1

    def __init__(
        self,
        config: AutoencoderRun,
        tiles: Sequence[TrainingTile],
        *,
        validation: Sequence[TrainingTile] = (),
        device: str = "cpu",
    ) -> None:
        self.images, self.others = (images(some, config.side) for some in (tiles, validation))
        if not self.images:
            raise BadParameter(f"no image is as large as a crop of {config.side}; lower side")
        self.config, self.device = config, torch.device(device)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            made = Autoencoder(config.model)
        self.model: Autoencoder = trainable(made, config.precision, self.device.type)

    def optimizer(self) -> torch.optim.Optimizer:
        return torch.optim.AdamW(self.model.parameters(), lr=self.config.lr, betas=(0.9, 0.99))

    def keep(self, step: int) -> float:
        return power_keep(step, self.config.ema_gamma)

    def count(self, step: int) -> int:
        return self.config.crops

    def draw(self, step: int, piece: slice) -> Drawn:
        return self._drawn(self.images, self.config.seed, step, piece)

    def _drawn(self, some: Sequence[np.ndarray], seed: int, step: int, piece: slice) -> Drawn:
        config, items = self.config, range(self.config.crops)[piece]
        pictures = [crop(some, config.side, (seed, step, item)) for item in items]
        x = from_pixels(np.stack(pictures))
        small = config.side // config.model.stride
        generator = torch.Generator().manual_seed(seed * 1_000_003 + step)
        shape = (config.crops, config.model.latent, small, small)
        noise = torch.randn(shape, generator=generator)[piece]
        return Drawn(x.to(self.device), noise.to(self.device))

    def size(self, drawn: Drawn) -> Tensor:
        """Crops."""
        return torch.tensor([float(len(drawn.x))], device=self.device)

    def sums(self, drawn: Drawn) -> Tensor:
        """The loss summed over crops."""
        with autocast(self.config.precision, self.device.type):
            loss = self.model.loss(drawn.x, drawn.noise, kl_weight=self.config.kl_weight)
        return (loss.float() * len(drawn.x))[None]

    def figures(self, sums: Tensor, size: Tensor) -> dict[str, Tensor]:
        return {"loss": (sums / size)[0]}

    def validate(self) -> float | None:
        """Loss on fixed crops of the validation tiles."""
        if not self.others:
            return None
        drawn = [self._drawn(self.others, 7, n, slice(None)) for n in range(4)]
        return float(sum(self.figures(self.sums(d), self.size(d))["loss"] for d in drawn)) / 4

    def pictures(self) -> np.ndarray | None:
        """Rows of a validation crop and what is decoded of it."""
        if not self.others:
            return None
        x = self._drawn(self.others, 7, 0, slice(0, 4)).x
        decoded = self.model.decode(self.model.encode(x).mean).float()
        columns = [list(to_pixels(p)) for p in (x, decoded)]
        return tiled(list(zip(*columns, strict=True)))


def images(tiles: Sequence[TrainingTile], side: int) -> list[np.ndarray]:
    """Pre and post images, ``(H, W, 3)`` uint8, that hold a crop of ``side``."""
    found = [image for tile in tiles for image in (tile.pre, tile.post)]
    return [image for image in found if min(image.shape[:2]) >= side]


def crop(some: Sequence[np.ndarray], side: int, seed: tuple[int, ...]) -> np.ndarray:
    """The crop ``(side, side, 3)`` of that seed, from anywhere in one of the images."""
    rng = np.random.default_rng(seed)
    image = some[int(rng.integers(len(some)))]
    row, col = (int(rng.integers(n - side + 1)) for n in image.shape[:2])
    quarter, mirrored = int(rng.integers(4)), rng.random() < 0.5
    return turned(cut(image, row, col, side), quarter + WAYS // 2 * mirrored)


def calibrate(model: Autoencoder, task: AutoencoderTask, batches: int = 4) -> None:
    """Measure shift and scale of the latents on the crops of the first steps."""
    model.calibrate(torch.cat([task.draw(n, slice(None)).x for n in range(batches)]))
