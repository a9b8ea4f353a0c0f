"""The training task of a detector: AdamW, cosine decay, averaged weights.

The batch of a step is a function of (seed, step) and the initial weights depend on the seed alone,
so a run can be repeated. The weights that are kept are an exponential average over the run (Polyak
and Juditsky 1992), which helps a lot in runs of a few hundred steps.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from afterscene.computing import autocast
from afterscene.detectors.config import DetectorConfig
from afterscene.detectors.crops import DetectorBatch, DetectorCrops
from afterscene.detectors.detector import build_network
from afterscene.detectors.encoders import fill, is_pretrained, pretrained_available
from afterscene.detectors.losses import TERMS, detector_figures, detector_sums
from afterscene.geodata.damage import COLOURS
from afterscene.geodata.pair import LabelledPair
from afterscene.networks.siamese import Logits, SiameseUNet
from afterscene.tensors import to_pixels
from afterscene.training.config import LoopConfig
from afterscene.training.task import Task, tiled

#: Crops in a validation picture, and batches in a validation loss.
SHOWN, BATCHES = 4, 4
#: Colours of background, the four levels, and not assessed.
PALETTE = np.array([(40, 40, 40), *COLOURS.values()], np.uint8)


@dataclass(frozen=True, kw_only=True)
class DetectorRun(DetectorConfig, LoopConfig):
    """A whole training run: the detector's own settings and those of the loop.

    ``accumulate`` stays 1, because batch norms need the whole batch of a step. ``objects``: at the
    end a head is fitted that gives each footprint its level.
    """

    floor: float = 0.01
    clip: float = 5.0
    save_every: int = 100
    validate_every: int = 100
    objects: bool = False

    def __post_init__(self) -> None:
        DetectorConfig.__post_init__(self)
        LoopConfig.__post_init__(self)

    @classmethod
    def of(cls, config: DetectorConfig, **settings: Any) -> DetectorRun:
        """The run that trains a detector of that configuration."""
        own = {field.name: getattr(config, field.name) for field in fields(DetectorConfig)}
        return cls(**own, **settings)

    @property
    def detector(self) -> DetectorConfig:
        """What is saved beside the weights."""
        own = {field.name: getattr(self, field.name) for field in fields(DetectorConfig)}
        return DetectorConfig(**own)


class DetectorTask(Task):
    """A Siamese U-Net on crops of pairs.

    Attributes:
        origin: Where the encoder's initial weights come from.
    """

    terms = TERMS

    def __init__(
        self,
        config: DetectorRun,
        pairs: Sequence[LabelledPair],
        *,
        validation: Sequence[LabelledPair] = (),
        device: str = "cpu",
    ) -> None:
        self.config, self.device = config, torch.device(device)
        self.sampler = DetectorCrops(pairs, config, seed=config.seed)
        self.validation = DetectorCrops(validation, config, seed=12345) if len(validation) else None
        self.synthetic = any(pair.synthetic for pair in validation)
        network, self.origin = initial_network(config, config.seed)
        self._plain = copy.deepcopy(network).eval()
        self.model: SiameseUNet = network.to(self.device)
        self._fixed = freeze(self.model, config)

    def finished(self, average: Mapping[str, Tensor]) -> SiameseUNet:
        """A network with these weights, on the CPU, for a detector."""
        network = copy.deepcopy(self._plain)
        network.load_state_dict(dict(average))
        return network

    def optimizer(self) -> torch.optim.Optimizer:
        config = self.config
        return torch.optim.AdamW(groups(self.model, config), weight_decay=config.weight_decay)

    def ema_decay(self, step: int) -> float:
        return min(self.config.ema, (1 + step) / (10 + step))

    def train_mode(self) -> None:
        self.model.train()
        for module in self._fixed:
            module.eval()

    def count(self, step: int) -> int:
        return self.config.batch

    def draw(self, step: int, piece: slice) -> DetectorBatch:
        return self._placed(self.sampler.batch(step, piece))

    def _placed(self, batch: DetectorBatch) -> DetectorBatch:
        return DetectorBatch(*(part.to(self.device) for part in batch))

    def sums(self, drawn: DetectorBatch) -> Tensor:
        with autocast(self.config.precision, self.device.type):
            logits = self.model(drawn.pre, drawn.post)
        crops = zip(*(part.split(1) for part in (*logits, drawn.target)), strict=True)
        rows = [detector_sums(Logits(a, b), y, focus=self.config.focus) for a, b, y in crops]
        return torch.stack(rows)

    def figures(self, sums: Tensor, size: Tensor) -> dict[str, Tensor]:
        return detector_figures(sums, dice=self.config.dice)

    def validate(self) -> float | None:
        """Loss on fixed crops of the validation pairs."""
        if self.validation is None:
            return None
        drawn = (self._placed(self.validation.batch(number)) for number in range(BATCHES))
        losses = [self.figures(self.sums(batch).sum(0), torch.zeros(0))["loss"] for batch in drawn]
        return float(torch.stack(losses).mean())

    def pictures(self) -> np.ndarray | None:
        """Rows of pre, post, target and prediction (building where p > 1/2)."""
        if self.validation is None:
            return None
        batch = self._placed(self.validation.batch(0, slice(0, SHOWN)))
        with autocast(self.config.precision, self.device.type):
            logits = self.model(batch.pre, batch.post)
        found = logits.damage.argmax(1) + 1
        answer = torch.where(logits.localization[:, 0] > 0, found, 0)
        columns = [
            list(to_pixels(batch.pre)),
            list(to_pixels(batch.post)),
            _levels(batch.target),
            _levels(answer),
        ]
        return tiled(list(zip(*columns, strict=True)))


def _levels(target: Tensor) -> list[np.ndarray]:
    return list(PALETTE[target.clamp(max=len(PALETTE) - 1).cpu().numpy()])


def initial_network(config: DetectorConfig, seed: int) -> tuple[SiameseUNet, str]:
    """The network before the first step, and where its encoder comes from.

    torch's global random state is not changed. If published weights are requested but not
    installed, the encoder starts from scratch and a warning says so.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = build_network(config)
    origin = fill(network, config)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network, origin


def freeze(network: SiameseUNet, config: DetectorConfig) -> list[nn.Module]:
    """Stop the gradient of the first stages of a pretrained encoder; they stay in eval mode."""
    if not (config.pretrained and config.frozen and pretrained_available(config.encoder)):
        return []
    stages = list(network.encoder.stages)[: config.frozen]  # type: ignore[arg-type]
    fixed = [network.encoder.stem, *stages]
    for module in fixed:
        module.requires_grad_(False)
    return fixed


def groups(network: SiameseUNet, config: DetectorConfig) -> list[dict[str, Any]]:
    """New layers at ``lr``, layers with published weights at ``encoder_lr``."""
    loaded = is_pretrained(config)
    inside = {id(p) for p in network.encoder.parameters()}
    trained = [p for p in network.parameters() if p.requires_grad]
    old = [p for p in trained if loaded and id(p) in inside]
    new = [p for p in trained if not (loaded and id(p) in inside)]
    found = [{"params": new, "lr": config.lr}, {"params": old, "lr": config.encoder_lr}]
    return [group for group in found if group["params"]]
