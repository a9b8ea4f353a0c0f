"""Training of the bridge: what :mod:`afterscene.training` needs to know about it.

The loss is the squared error of F against its target with unit weight, as in EDM (Karras et al.
2022, eq. 8). Written as ``w(snr) |x0_hat - x0|^2`` with the bridge's own
``snr = (1 - t) / (sigma_b^2 t)`` that is ``w = snr + sigma_data^-2``. Weights are averaged during
the run by a power function (:mod:`afterscene.training.averages`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from afterscene.computing import PRECISIONS, autocast
from afterscene.conditioning import Condition
from afterscene.diffusion.bridges import cross
from afterscene.diffusion.noise import TileNoise
from afterscene.diffusion.schedules import Level
from afterscene.errors import BadParameter
from afterscene.generators.bridge import BridgeConfig, BridgeModel
from afterscene.generators.colour import to_rgb
from afterscene.generators.devicecrops import DeviceCrops
from afterscene.generators.examples import Batch, CropConfig, TrainingTile
from afterscene.generators.render import RenderConfig
from afterscene.geodata.tiles import Window
from afterscene.tensors import to_pixels
from afterscene.training.averages import power_ema_decay
from afterscene.training.config import LoopConfig
from afterscene.training.loop import Trainer
from afterscene.training.processes import Group
from afterscene.training.task import Task, tiled
from afterscene.training.winograd import trainable

if TYPE_CHECKING:
    from afterscene.generators.crops import CropSampler

#: Crops in a validation picture.
SHOWN = 6


@dataclass(frozen=True, kw_only=True)
class TrainConfig(LoopConfig):
    """A whole training run; for the other settings see :class:`LoopConfig`.

    Attributes:
        lr, warmup, floor: AdamW; cosine decay to a tenth after the warm-up.
        ema_gamma: Exponent of the power-function average; 16 spans about the last 10%.
        precision: ``auto`` (see :mod:`afterscene.computing`), ``bf16`` (autocast) or ``fp32``.
        compiled: Compile the network with ``torch.compile`` (a minute at the start).
        checkpointing: Recompute activations in the backward pass instead of keeping them.
    """

    model: BridgeConfig = field(default_factory=BridgeConfig)
    crops: CropConfig = field(default_factory=CropConfig)
    steps: int = 20_000
    lr: float = 4e-4
    warmup: int = 300
    floor: float = 0.1
    ema_gamma: float = 16.0
    precision: str = "auto"
    compiled: bool = False
    checkpointing: bool = False

    def task(self, tiles: Sequence[TrainingTile], **more: Any) -> Task:
        """What is trained; ``more`` as in :class:`BridgeTask`."""
        return BridgeTask(self, tiles, **more)

    def beginning(self, weights: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """All initial weights of the task, from those of a model folder."""
        return weights

    def trained(self, weights: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """The weights of the model folder, from those of the task."""
        return weights

    def render(self, learned: tuple[str, ...] = (), covered: tuple[str, ...] = ()) -> RenderConfig:
        """How a trained model renders."""
        return RenderConfig(learned=learned, covered=covered)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.precision not in PRECISIONS:
            raise BadParameter(f"precision must be auto, bf16 or fp32, got {self.precision}")
        if self.ema_gamma < 0:
            raise BadParameter(f"ema_gamma must be at least 0, got {self.ema_gamma}")
        stride = self.model.stride
        for size, _ in self.crops.shapes:
            if size % stride:
                raise BadParameter(f"crops.shapes: side {size} is not a multiple of {stride}")


@dataclass(frozen=True)
class BridgeBatch:
    """Crops of a step with their times ``(N,)`` and noise."""

    batch: Batch
    t: Tensor
    eps: Tensor

    def those(self, chosen: Tensor) -> BridgeBatch:
        """The crops where ``chosen`` ``(N,)`` bool is true."""
        return BridgeBatch(self.batch.those(chosen), self.t[chosen], self.eps[chosen])


class BridgeTask(Task):
    """The bridge between pre and post images of tiles.

    ``together``: a processor, too, draws its crops as a whole batch, which needs no OpenCV.
    """

    linear = True
    sizes = terms = 1

    def __init__(
        self,
        config: TrainConfig,
        tiles: Sequence[TrainingTile],
        *,
        validation: Sequence[TrainingTile] = (),
        device: str = "cpu",
        together: bool = False,
    ) -> None:
        config.crops.check(tiles)
        self.config, self.device = config, torch.device(device)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            self.model: BridgeModel = BridgeModel(config.model).to(self.device)
        trainable(self.model, config.precision, self.device.type)
        if config.checkpointing:
            checkpoint_stages(self.model)
        self.sampler = crops_of(tiles, config, self.device, together=together)
        self.loss = torch.compile(self.model.loss) if config.compiled else self.model.loss
        self.validation = None
        if validation:
            own = replace(config, seed=12345)
            where = self.device if together else torch.device("cpu")
            self.validation = crops_of(validation, own, where, together=together)

    def optimizer(self) -> torch.optim.Optimizer:
        trained = self.model.network.parameters()
        return torch.optim.AdamW(trained, lr=self.config.lr, betas=(0.9, 0.99), weight_decay=0.01)

    def progress(self, step: int, steps: int) -> float:
        """The decay begins after the warm-up."""
        warmup = self.config.warmup
        return (step - warmup) / max(steps - warmup, 1)

    def ema_decay(self, step: int) -> float:
        return power_ema_decay(step, self.config.ema_gamma)

    def count(self, step: int) -> int:
        return self.sampler.shape(step)[1]

    def draw(self, step: int, piece: slice) -> BridgeBatch:
        return self._drawn(self.sampler, step, piece, seed=self.config.seed)

    def _drawn(
        self, sampler: CropSampler | DeviceCrops, step: int, piece: slice, *, seed: int
    ) -> BridgeBatch:
        size, count = sampler.shape(step)
        shape = (count, 3, size, size)
        where = self.device if isinstance(sampler, DeviceCrops) else torch.device("cpu")
        t, eps = (value[piece].to(self.device) for value in noise(shape, seed, step, where))
        return BridgeBatch(sampler.batch(step, piece).to(self.device), t, eps)

    def size(self, drawn: BridgeBatch) -> Tensor:
        """Weight of all pixels."""
        return drawn.batch.weight.sum()[None]

    def sums(self, drawn: BridgeBatch) -> Tensor:
        """Weighted squared error over crops, channels and pixels."""
        batch = drawn.batch
        with autocast(self.config.precision, self.device.type):
            loss = self.loss if torch.is_grad_enabled() else self.model.loss
            error = loss(batch.target, drawn.t, drawn.eps, batch.condition)
        return (error * batch.weight).sum()[None]

    def figures(self, sums: Tensor, size: Tensor) -> dict[str, Tensor]:
        return {"loss": (sums / (3 * size))[0]}

    def validate(self, batches: int = 8) -> float | None:
        """Loss on fixed crops and noise of the validation tiles."""
        if self.validation is None:
            return None
        losses = []
        for n in range(batches):
            drawn = self._drawn(self.validation, n, slice(None), seed=7)
            losses.append(self.figures(self.sums(drawn), self.size(drawn))["loss"])
        return float(torch.stack(losses).mean())

    def pictures(self) -> np.ndarray | None:
        """Rows of pre, drawn and real post for the first validation crops."""
        if self.validation is None:
            return None
        drawn = self._drawn(self.validation, 0, slice(0, SHOWN), seed=7)
        condition, target = drawn.batch.condition, drawn.batch.target
        shown = (condition.pre, self._sample(condition), target)
        columns = [list(to_pixels(to_rgb(x.float()))) for x in shown]
        return tiled(list(zip(*columns, strict=True)))

    def _sample(self, condition: Condition) -> Tensor:
        """Post images as the model draws them, each with noise of its own."""

        def denoiser(x: Tensor, level: Level, condition: Condition) -> Tensor:
            with autocast(self.config.precision, self.device.type):
                return self.model(x, x.new_full((1,), level.time), condition)

        render = self.config.render()
        count, _, height, width = condition.pre.shape
        windows = [Window(0, 0, height, width)] * count
        states = cross(
            denoiser,
            self.model.bridge,
            condition.pre,
            render.times(self.model.bridge),
            render.method,
            noise=TileNoise(seeds=range(count), windows=windows),
            condition=condition,
        )
        for state in states:
            x0 = state.x
        return x0


def bridge_trainer(
    config: TrainConfig,
    tiles: Sequence[TrainingTile],
    out: Path,
    *,
    validation: Sequence[TrainingTile] = (),
    device: str = "cpu",
    group: Group | None = None,
    together: bool = False,
) -> Trainer:
    """A trainer that trains a bridge on ``tiles`` and writes its states to ``out``."""
    task = config.task(tiles, validation=validation, device=device, together=together)
    return Trainer(task, config, out, group=group)


def crops_of(
    tiles: Sequence[TrainingTile],
    config: TrainConfig,
    device: torch.device,
    *,
    together: bool = False,
) -> CropSampler | DeviceCrops:
    """Crops drawn where the network is trained; on a processor one by one, unless ``together``."""
    hazards = config.model.hazards
    if together or device.type != "cpu":
        return DeviceCrops(tiles, config.crops, config.seed, device, hazards)
    from afterscene.generators.crops import CropSampler  # OpenCV, which a packed training lacks

    return CropSampler(tiles, config.crops, config.seed, hazards)


def noise(
    shape: tuple[int, ...], seed: int, step: int, device: torch.device = torch.device("cpu")
) -> tuple[Tensor, Tensor]:
    """Times ``(N,)`` and unit noise ``(N, C, H, W)`` for all crops of a step, on ``device``."""
    generator = torch.Generator(device).manual_seed(seed * 1_000_003 + step)
    count = shape[0]
    # More small t, where texture is decided; stratified over the batch.
    chance = torch.rand(count, generator=generator, device=device)
    uniform = (torch.arange(count, device=device) + chance) / count
    t = uniform.square().clamp(1e-4, 1.0)
    return t, torch.randn(shape, generator=generator, device=device)


def checkpoint_stages(model: BridgeModel) -> None:
    """Make the network's stages recompute their activations in the backward pass."""
    for stage in (*model.network.down, *model.network.up):
        stage.forward = partial(checkpoint, stage.forward, use_reentrant=False)
