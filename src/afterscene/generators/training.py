"""Training of the bridge: one loop whose only memory is the step and the tensors it saves.

The batch of a step is a pure function of (seed, step), noise included, so that a resumed run
goes on as if it had never stopped. Weights are averaged along the way (Karras et al. 2024,
power-function averaging, with ``ema_gamma``), which needs no warm-up rule.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from afterscene.errors import NotFinite
from afterscene.files import write_atomic
from afterscene.generators.bridge import BridgeConfig, BridgeModel
from afterscene.generators.checkpoint import load_into, load_newest_state, save_state
from afterscene.generators.crops import Batch, CropConfig, CropSampler, TrainingTile


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """A whole training run.

    Attributes:
        steps: Optimiser steps.
        lr, warmup: Peak learning rate (AdamW), steps of linear warm-up; cosine decay to a tenth.
        clip: Largest gradient norm.
        ema_gamma: Exponent of the power-function average; 16 spans about the last 10%.
        precision: ``bf16`` (autocast) or ``fp32``.
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
    precision: str = "bf16"
    save_every: int = 500
    validate_every: int = 500
    seed: int = 0

    def __post_init__(self) -> None:
        if self.precision not in ("bf16", "fp32"):
            raise ValueError(f"precision must be bf16 or fp32, got {self.precision}")


class Trainer:
    """The state of a run: ``for record in trainer.run(): ...`` yields one record a step."""

    def __init__(
        self,
        config: TrainConfig,
        tiles: Sequence[TrainingTile],
        out: Path,
        *,
        validation: Sequence[TrainingTile] = (),
        device: str = "cpu",
    ) -> None:
        self.config, self.out, self.device = config, out, torch.device(device)
        torch.manual_seed(config.seed)
        self.model = BridgeModel(config.model).to(self.device)
        self.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = {k: v.detach().clone() for k, v in self.model.state_dict().items()}
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), lr=config.lr, betas=(0.9, 0.99), weight_decay=0.01
        )
        self.sampler = CropSampler(tiles, config.crops, config.seed)
        self.validation = CropSampler(validation, config.crops, 12345) if validation else None
        self.step = 0

    def resume(self) -> list[str]:
        """Load the newest whole state; returns warnings about damaged ones."""
        step, tensors, warnings = load_newest_state(self.out)
        groups: dict[str, dict[str, Tensor]] = {}
        for name, value in tensors.items():
            kind, key = name.split("/", 1)
            groups.setdefault(kind, {})[key] = value
        load_into(self.model, groups["model"], str(self.out))
        self.average = {k: v.to(self.device) for k, v in groups["average"].items()}
        for name, parameter in self.model.named_parameters():
            self.optimizer.state[parameter] = {
                "step": groups["step"][name],
                "exp_avg": groups["first"][name].to(parameter),
                "exp_avg_sq": groups["second"][name].to(parameter),
            }
        self.step = step
        return warnings

    def save(self) -> Path:
        """Write the state of the current step."""
        tensors = {f"model/{k}": v for k, v in self.model.state_dict().items()}
        tensors |= {f"average/{k}": v for k, v in self.average.items()}
        for name, parameter in self.model.named_parameters():
            memory = self.optimizer.state[parameter]
            tensors[f"step/{name}"] = torch.as_tensor(memory["step"])
            tensors[f"first/{name}"] = memory["exp_avg"]
            tensors[f"second/{name}"] = memory["exp_avg_sq"]
        return save_state(self.out, self.step, {k: v.cpu() for k, v in tensors.items()})

    def run(self) -> Iterator[dict]:
        """Train to the last step; yields a record a step and logs it to ``log.jsonl``."""
        self.out.mkdir(parents=True, exist_ok=True)
        write_atomic(self.out / "train.json", json.dumps(asdict(self.config), indent=2).encode())
        with (self.out / "log.jsonl").open("a", encoding="utf-8") as log:
            bad = 0
            while self.step < self.config.steps:
                started = time.perf_counter()
                record = self._train_step()
                bad = 0 if record["finite"] else bad + 1
                if bad > 10:
                    raise NotFinite(f"loss is not finite since step {self.step - 10}; lower lr")
                record["seconds"] = time.perf_counter() - started
                if self._due(self.config.validate_every) and self.validation:
                    record["validation"] = self.validate()
                log.write(json.dumps(record) + "\n")
                log.flush()
                if self._due(self.config.save_every):
                    self.save()
                yield record

    def _due(self, every: int) -> bool:
        return self.step % every == 0 or self.step == self.config.steps

    def _train_step(self) -> dict:
        config = self.config
        batch = to_device(self.sampler(self.step), self.device)
        lr = config.lr * learning_rate(self.step, config.steps, config.warmup)
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        loss = self._loss(self.model, batch, seed=config.seed, step=self.step)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), config.clip)
        finite = bool(torch.isfinite(loss) & torch.isfinite(norm))
        if finite:
            self.optimizer.step()
            self._update_average()
        self.step += 1
        return {
            "step": self.step,
            "loss": float(loss.detach()),
            "norm": float(norm),
            "lr": lr,
            "finite": finite,
        }

    def _update_average(self) -> None:
        beta = (1 - 1 / (self.step + 1)) ** (self.config.ema_gamma + 1)
        for name, value in self.model.state_dict().items():
            self.average[name].lerp_(value, 1 - beta)

    def _loss(self, model: Callable, batch: Batch, *, seed: int, step: int) -> Tensor:
        count = batch.target.shape[0]
        generator = torch.Generator().manual_seed(seed * 1_000_003 + step)
        # More of the small t, where texture is decided; stratified over the batch.
        uniform = (torch.arange(count) + torch.rand(count, generator=generator)) / count
        t = uniform.square().clamp(1e-4, 1.0).to(self.device)
        eps = torch.randn(batch.target.shape, generator=generator).to(self.device)
        enabled = self.config.precision == "bf16"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=enabled):
            error = self.model.loss(batch.target, t, eps, batch.condition)
        return (error * batch.weight).sum() / (3 * batch.weight.sum())

    @torch.inference_mode()
    def validate(self, batches: int = 8) -> float:
        """Loss of the averaged weights on fixed crops and noise of the validation tiles."""
        assert self.validation is not None
        now = {k: v.clone() for k, v in self.model.state_dict().items()}
        self.model.load_state_dict(self.average)
        losses = [
            self._loss(self.model, to_device(self.validation(n), self.device), seed=7, step=n)
            for n in range(batches)
        ]
        self.model.load_state_dict(now)
        return float(torch.stack(losses).mean())


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
