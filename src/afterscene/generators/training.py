"""Training of the bridge: one loop whose only memory is the step and the tensors it saves.

The batch of a step is a pure function of (seed, step), noise included, so that a resumed run
goes on as if it had never stopped. Weights are averaged along the way (Karras et al. 2024,
power-function averaging, with ``ema_gamma``), which needs no warm-up rule.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from afterscene.computing import PRECISIONS, autocast
from afterscene.errors import BadWeights, NotFinite, OutputConflict
from afterscene.generators.bridge import BridgeConfig, BridgeModel
from afterscene.generators.checkpoint import (
    load_newest_state,
    load_weights,
    save_state,
    states,
)
from afterscene.generators.crops import Batch, CropConfig, CropSampler, TrainingTile
from afterscene.generators.parallel import Group
from afterscene.generators.runlog import append, open_folder
from afterscene.weightfiles import load_into


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """A whole training run.

    Attributes:
        steps: Optimiser steps.
        lr, warmup: Peak learning rate (AdamW), steps of linear warm-up; cosine decay to a tenth.
        clip: Largest gradient norm.
        ema_gamma: Exponent of the power-function average; 16 spans about the last 10%.
        precision: ``auto`` (see :mod:`afterscene.computing`), ``bf16`` (autocast) or ``fp32``.
        accumulate: Pieces in which a process takes its crops of a step: less memory, same step.
        checkpointing: Compute activations again on the way back instead of keeping them.
        max_skipped: Steps in a row that may be not finite before the run stops.
        save_every, validate_every: In steps.
        seed: Of initialisation, order and noise.
    """

    model: BridgeConfig = field(default_factory=BridgeConfig)
    crops: CropConfig = field(default_factory=CropConfig)
    steps: int = 20_000
    lr: float = 4e-4
    warmup: int = 300
    clip: float = 1.0
    ema_gamma: float = 16.0
    precision: str = "auto"
    accumulate: int = 1
    checkpointing: bool = False
    max_skipped: int = 10
    save_every: int = 500
    validate_every: int = 500
    seed: int = 0

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            raise ValueError(f"precision must be auto, bf16 or fp32, got {self.precision}")
        for name in ("steps", "accumulate", "max_skipped", "save_every", "validate_every"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        for name in ("lr", "clip"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be > 0, got {getattr(self, name)}")
        if self.warmup < 0 or self.seed < 0 or self.ema_gamma < 0:
            raise ValueError("warmup, seed and ema_gamma must be at least 0")
        stride = self.model.network().stride
        for size, _ in self.crops.shapes:
            if size % stride:
                raise ValueError(f"crops.shapes: side {size} is no multiple of {stride}")


class Trainer:
    """The state of a run: ``for record in trainer.run(): ...`` yields one record a step.

    Attributes:
        step: Steps taken.
        skipped, bad: Steps left out because loss or gradient was not finite: all, and in a row.
        stopped: What ``stop`` said when the run ended before its last step, else 0.
    """

    def __init__(
        self,
        config: TrainConfig,
        tiles: Sequence[TrainingTile],
        out: Path,
        *,
        validation: Sequence[TrainingTile] = (),
        device: str = "cpu",
        group: Group | None = None,
    ) -> None:
        self.config, self.out, self.device = config, out, torch.device(device)
        self.group = group or Group()
        config.crops.check(tiles)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            self.model = BridgeModel(config.model).to(self.device)
        self.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if config.checkpointing:
            checkpoint_stages(self.model)
        self.average = {k: v.detach().clone() for k, v in self.model.state_dict().items()}
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), lr=config.lr, betas=(0.9, 0.99), weight_decay=0.01
        )
        self.sampler = CropSampler(tiles, config.crops, config.seed)
        self.validation = CropSampler(validation, config.crops, 12345) if validation else None
        self.step = self.skipped = self.bad = self.stopped = 0
        self.resumed = False

    def resume(self) -> list[str]:
        """Load the newest whole state; returns warnings about damaged ones.

        Raises:
            MissingFile: there is no whole state.
            BadWeights: it is the state of another network, or processes found different ones.
        """
        step, tensors, warnings = load_newest_state(self.out)
        if self.group.highest(step) != step:
            raise BadWeights(f"processes see different states in {self.out}; give a shared folder")
        groups: dict[str, dict[str, Tensor]] = {"model": {}, "average": {}, "step": {}, "count": {}}
        for name, value in tensors.items():
            kind, key = name.split("/", 1)
            groups.setdefault(kind, {})[key] = value
        load_into(self.model, groups["model"], str(self.out))
        self.average = {k: v.to(self.device) for k, v in groups["average"].items()}
        for name, parameter in self.model.named_parameters():
            if name in groups["step"]:
                self.optimizer.state[parameter] = {
                    "step": groups["step"][name],
                    "exp_avg": groups["first"][name].to(parameter),
                    "exp_avg_sq": groups["second"][name].to(parameter),
                }
        self.skipped = int(groups["count"].get("skipped", 0))
        self.bad = int(groups["count"].get("bad", 0))
        self.step, self.resumed = step, True
        return warnings

    def start_from(self, folder: Path) -> None:
        """Begin with the weights of the model folder ``folder`` instead of random ones.

        Raises:
            BadWeights: they are not whole, or those of another network.
        """
        weights, _ = load_weights(folder)
        load_into(self.model, weights, str(folder))
        self.average = {k: v.detach().clone() for k, v in self.model.state_dict().items()}

    def save(self) -> None:
        """Write the state of the current step (the first process alone)."""
        if not self.group.first:
            return
        tensors = {f"model/{k}": v for k, v in self.model.state_dict().items()}
        tensors |= {f"average/{k}": v for k, v in self.average.items()}
        for name, parameter in self.model.named_parameters():
            memory = self.optimizer.state.get(parameter)
            if memory:  # empty until the first finite step
                tensors[f"step/{name}"] = torch.as_tensor(memory["step"])
                tensors[f"first/{name}"] = memory["exp_avg"]
                tensors[f"second/{name}"] = memory["exp_avg_sq"]
        tensors["count/skipped"] = torch.tensor(self.skipped)
        tensors["count/bad"] = torch.tensor(self.bad)
        save_state(self.out, self.step, {k: v.cpu() for k, v in tensors.items()})

    def run(self, stop: Callable[[], int] = lambda: 0) -> Iterator[dict]:
        """Train to the last step; yields a record a step and logs it to ``log.jsonl``.

        Where ``stop()`` is not 0 in any process, all finish that step, save and end.

        Raises:
            NotFinite: ``max_skipped`` steps in a row were not finite.
            OutputConflict: the folder holds states and :meth:`resume` was not asked for.
        """
        if not self.resumed and states(self.out):
            raise OutputConflict(
                f"{self.out} holds the states of a run; resume it or choose another folder"
            )
        if self.group.first:
            open_folder(self.out, asdict(self.config), self.step)
        while self.step < self.config.steps and not self.stopped:
            started = time.perf_counter()
            record = self._train_step()
            if self.bad >= self.config.max_skipped:
                raise NotFinite(
                    f"loss is not finite since step {self.step - self.bad}; resume with less lr"
                )
            record["seconds"] = time.perf_counter() - started
            if self.group.first and self.validation and self._due(self.config.validate_every):
                record["validation"] = self.validate()
            if self.group.first:
                append(self.out, record)
            asked = self.group.highest(stop())
            self.stopped = asked if self.step < self.config.steps else 0
            if self.stopped or self._due(self.config.save_every):
                self.save()
            yield record

    def _due(self, every: int) -> bool:
        return self.step % every == 0 or self.step == self.config.steps

    def _train_step(self) -> dict:
        config = self.config
        lr = config.lr * learning_rate(self.step, config.steps, config.warmup)
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        loss = self._gradient()
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), config.clip)
        finite = bool(torch.isfinite(loss) & torch.isfinite(norm))
        if finite:
            self.optimizer.step()
            self._update_average()
        self.skipped += not finite
        self.bad = 0 if finite else self.bad + 1
        self.step += 1
        return {
            "step": self.step,
            "loss": float(loss),
            "norm": float(norm),
            "lr": lr,
            "finite": finite,
            "skipped": self.skipped,
        }

    def _gradient(self) -> Tensor:
        """Leave the gradient of the step's whole batch in the parameters; returns its loss."""
        size, count = self.sampler.shape(self.step)
        t, eps = noise(count, size, seed=self.config.seed, step=self.step)
        pieces = self.group.pieces(count, self.config.accumulate)
        batches = [to_device(self.sampler.batch(self.step, p), self.device) for p in pieces]
        zero = torch.zeros((), device=self.device)
        weight = self.group.sum(sum((batch.weight.sum() for batch in batches), zero))
        total = zero.clone()
        self.optimizer.zero_grad(set_to_none=True)
        for piece, batch in zip(pieces, batches, strict=True):
            loss = self._error(batch, t[piece], eps[piece]) / (3 * weight)
            loss.backward()
            total += loss.detach()
        self.group.sum_gradients(self.model.parameters())
        return self.group.sum(total)

    def _update_average(self) -> None:
        beta = (1 - 1 / (self.step + 1)) ** (self.config.ema_gamma + 1)
        for name, value in self.model.state_dict().items():
            self.average[name].lerp_(value, 1 - beta)

    def _error(self, batch: Batch, t: Tensor, eps: Tensor) -> Tensor:
        """Weighted squared error, summed over crops, channels and pixels."""
        with autocast(self.config.precision, self.device.type):
            error = self.model.loss(
                batch.target, t.to(self.device), eps.to(self.device), batch.condition
            )
        return (error * batch.weight).sum()

    @torch.inference_mode()
    def validate(self, batches: int = 8) -> float:
        """Loss of the averaged weights on fixed crops and noise of the validation tiles."""
        assert self.validation is not None
        now = {k: v.clone() for k, v in self.model.state_dict().items()}
        self.model.load_state_dict(self.average)
        losses = []
        for n in range(batches):
            size, count = self.validation.shape(n)
            batch = to_device(self.validation(n), self.device)
            t, eps = noise(count, size, seed=7, step=n)
            losses.append(self._error(batch, t, eps) / (3 * batch.weight.sum()))
        self.model.load_state_dict(now)
        return float(torch.stack(losses).mean())


def noise(count: int, size: int, *, seed: int, step: int) -> tuple[Tensor, Tensor]:
    """Times ``(N,)`` and unit noise ``(N, 3, H, W)`` of all crops of a step, on the CPU."""
    generator = torch.Generator().manual_seed(seed * 1_000_003 + step)
    # More of the small t, where texture is decided; stratified over the batch.
    uniform = (torch.arange(count) + torch.rand(count, generator=generator)) / count
    t = uniform.square().clamp(1e-4, 1.0)
    return t, torch.randn((count, 3, size, size), generator=generator)


def checkpoint_stages(model: BridgeModel) -> None:
    """Let the stages of the network forget their activations and compute them again backward."""
    for stage in (*model.network.down, *model.network.up):
        stage.forward = partial(checkpoint, stage.forward, use_reentrant=False)


def learning_rate(step: int, steps: int, warmup: int) -> float:
    """Linear warm-up to 1, then a cosine to 0.1, as a factor of the peak rate."""
    if step < warmup:
        return (step + 1) / warmup
    share = (step - warmup) / max(steps - warmup, 1)
    return 0.1 + 0.45 * (1 + float(torch.cos(torch.tensor(share * torch.pi))))


def to_device(batch: Batch, device: torch.device) -> Batch:
    """The same batch on ``device``."""
    if device.type == "cpu":
        return batch
    parts = {k: v.to(device) for k, v in vars(batch.condition).items() if v is not None}
    return Batch(
        target=batch.target.to(device),
        condition=type(batch.condition)(**parts),
        weight=batch.weight.to(device),
    )
