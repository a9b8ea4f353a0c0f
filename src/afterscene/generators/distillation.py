"""A trained bridge learns to draw in two evaluations: against a critic, instead of by small steps.

Rendering in two evaluations is: at t = 1 the network says the mean post image; noise is added to
it as the bridge does at the time s; from there the network says the post image. A network trained
by squared errors says a mean there as well, which is blurred and recovered by no detector. So it
is trained further as the generator of a GAN (as in denoising diffusion GANs, Xiao et al. 2022,
arXiv 2112.07804, and UFOGen, Xu et al. 2024, arXiv 2311.09257):

* on one share of the crops the loss is that of the bridge, so that many steps still work;
* on the others the second evaluation is carried out, and a critic compares it with the real post
  image (relativistic losses: Jolicoeur-Martineau 2019, arXiv 1807.00734; a penalty on the critic's
  change under noise in place of its gradient: Lin et al. 2025, arXiv 2501.08316); averages over
  some pixels must be right, so colours stay those of the condition.

In *edit* the picture is blended as in rendering, and only the affected area is judged: elsewhere
both pictures are the pre image, and a critic that has to choose between equals learns nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from afterscene.computing import autocast
from afterscene.conditioning.condition import PICTURE_CHANNELS
from afterscene.errors import BadParameter
from afterscene.generators.bridge import BridgeModel
from afterscene.generators.examples import TrainingTile
from afterscene.generators.render import RenderConfig
from afterscene.generators.training import BridgeBatch, BridgeTask, TrainConfig
from afterscene.networks.critic import PatchCritic
from afterscene.training.task import Task


@dataclass(frozen=True, kw_only=True)
class DistilConfig(TrainConfig):
    """A bridge that learns to draw in two evaluations; for the other settings see TrainConfig.

    Attributes:
        rho: Ratio of noise to signal where the second evaluation begins.
        share: Share of the crops that are drawn in two evaluations.
        adversarial: Weight of the generator's loss against the critic.
        anchor: Weight of the squared error of averages.
        pooled: Side in pixels of the squares that are averaged.
        critic_lr: Peak learning rate of the critic.
        smooth, shaken: Weight of the penalty on the critic's change, and its noise.
        clip: Far above usual norms: a large gradient of the critic must not stop the generator.
    """

    lr: float = 5e-5
    clip: float = 1_000.0
    rho: float = 2.0
    share: float = 0.75
    adversarial: float = 0.5
    anchor: float = 1.0
    pooled: int = 8
    critic_lr: float = 5e-4
    smooth: float = 0.1
    shaken: float = 0.05

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.share < 1 or self.rho <= 0:
            raise BadParameter(f"share must lie between 0 and 1, rho above 0; got {self}")
        if any(size % 16 for size, _ in self.crops.shapes):
            raise BadParameter(f"crops.shapes: sides must be multiples of 16, got {self.crops}")

    @classmethod
    def of(cls, config: TrainConfig) -> DistilConfig:
        """The distillation of what ``config`` trains."""
        own = {f.name: getattr(config, f.name) for f in fields(TrainConfig)}
        return cls(**{**own, "lr": cls.lr, "clip": cls.clip, "steps": config.steps // 2})

    @property
    def begins_trained(self) -> bool:
        """There is nothing to distil before a bridge was trained."""
        return True

    def task(self, tiles: Sequence[TrainingTile], **more: Any) -> DistilTask:
        return DistilTask(self, tiles, **more)

    def beginning(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            critic = critic_for(self).state_dict()
        return {
            **{f"generator.{name}": w for name, w in weights.items()},
            **{f"critic.{name}": w for name, w in critic.items()},
        }

    def trained(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        start = "generator."
        return {k.removeprefix(start): w for k, w in weights.items() if k.startswith(start)}

    def render(self, learned: tuple[str, ...] = (), covered: tuple[str, ...] = ()) -> RenderConfig:
        rho = (self.rho, min(0.01, self.rho / 3))
        return RenderConfig(steps=2, rho=rho, learned=learned, covered=covered)


def critic_for(config: TrainConfig) -> PatchCritic:
    """An untrained critic of pictures with the conditions of that bridge."""
    return PatchCritic(3 + PICTURE_CHANNELS, len(config.model.hazards))


class Duel(nn.Module):
    """A generator and its critic, trained together."""

    def __init__(self, generator: BridgeModel, critic: PatchCritic) -> None:
        super().__init__()
        self.generator, self.critic = generator, critic


class DistilTask(Task):
    """Trains both on the crops of a :class:`BridgeTask`."""

    linear = True
    sizes, terms = 2, 5

    def __init__(self, config: DistilConfig, tiles: Sequence[TrainingTile], **more: Any) -> None:
        self.bridging = BridgeTask(config, tiles, **more)
        self.config, self.device = config, self.bridging.device
        self.generator = self.bridging.model
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            critic = critic_for(config).to(self.device)
        self.model: Duel = Duel(self.generator, critic)
        level = self.generator.bridge
        self.second = float(level.time_of(torch.tensor(config.rho, dtype=torch.float64)))

    def optimizer(self) -> torch.optim.Optimizer:
        """No momentum: the two run after each other."""
        groups = [
            {"params": self.generator.network.parameters(), "lr": self.config.lr},
            {"params": self.model.critic.parameters(), "lr": self.config.critic_lr},
        ]
        return torch.optim.AdamW(groups, betas=(0.0, 0.99), weight_decay=0.01)

    def progress(self, step: int, steps: int) -> float:
        return self.bridging.progress(step, steps)

    def ema_decay(self, step: int) -> float:
        return self.bridging.ema_decay(step)

    def count(self, step: int) -> int:
        return self.bridging.count(step)

    def draw(self, step: int, piece: slice) -> tuple[BridgeBatch, BridgeBatch]:
        """The crops of a piece for the bridge's loss, and those for two evaluations."""
        drawn = self.bridging.draw(step, piece)
        numbers = np.arange(self.count(step))[piece]
        share = self.config.share
        chosen = np.floor((numbers + 1) * share) > np.floor(numbers * share)
        few = torch.tensor(chosen.tolist(), device=self.device)
        return drawn.those(~few), drawn.those(few)

    def size(self, drawn: tuple[BridgeBatch, BridgeBatch]) -> Tensor:
        """Weight of the pixels of the bridge's crops, and how many others there are."""
        bridged, few = drawn
        return torch.stack([bridged.batch.weight.sum(), bridged.t.new_tensor(float(len(few.t)))])

    def sums(self, drawn: tuple[BridgeBatch, BridgeBatch]) -> Tensor:
        """Bridge, anchor, generator, critic, penalty: sums over the crops."""
        bridged, few = drawn
        none = torch.zeros((), device=self.device)
        first = self.bridging.sums(bridged)[0] if len(bridged.t) else none
        rest = self._against(few) if len(few.t) else [none] * 4
        return torch.stack([first, *rest])

    def figures(self, sums: Tensor, size: Tensor) -> dict[str, Tensor]:
        config = self.config
        bridge = sums[0] / (3 * size[0]).clamp(min=1)
        anchor, generator, critic, penalty = (sums[1:] / size[1].clamp(min=1)).unbind()
        drawn = bridge + config.anchor * anchor + config.adversarial * generator
        return {
            "loss": drawn + critic + config.smooth * penalty,
            "bridge": bridge,
            "anchor": anchor,
            "generator": generator,
            "critic": critic,
            "penalty": penalty,
        }

    def validate(self) -> float | None:
        """The bridge's loss."""
        return self.bridging.validate()

    def pictures(self) -> np.ndarray | None:
        return self.bridging.pictures()

    def drawn(self, few: BridgeBatch) -> Tensor:
        """Post images in two evaluations, blended into the pre image as in rendering."""
        condition, network = few.batch.condition, self.generator
        with torch.no_grad():
            mean = network(condition.pre, few.t.new_ones(()), condition)
        s = few.t.new_full((len(few.t),), self.second)
        x0 = network(network.bridge.x_t(mean, condition.pre, s, few.eps), s, condition)
        if condition.affected is None:
            return x0
        return condition.pre + condition.affected * (x0 - condition.pre)

    def _against(self, few: BridgeBatch) -> list[Tensor]:
        """Anchor, generator, critic and penalty of the crops, summed."""
        real, critic = few.batch.target, dict(self.model.critic.named_parameters())
        fixed = {name: weight.detach() for name, weight in critic.items()}
        with autocast(self.config.precision, self.device.type):
            fake = self.drawn(few)
            shaken = real + self.config.shaken * few.eps
            pictures = torch.cat([real, fake.detach(), shaken])
            of_real, of_fake, of_shaken = self._scores(critic, few, pictures).chunk(3)
            fooled = self._scores(fixed, few, fake)
        judged = few.batch.condition.affected
        judged = torch.ones_like(real[:, :1]) if judged is None else judged
        share = F.avg_pool2d(judged, real.shape[-1] // of_real.shape[-1])
        return [
            self._far(fake - real),
            _mean(F.softplus(of_real.detach() - fooled), share),
            _mean(F.softplus(of_fake - of_real), share),
            _mean((of_shaken - of_real).square(), share),
        ]

    def _scores(self, weights: Mapping[str, Tensor], few: BridgeBatch, pictures: Tensor) -> Tensor:
        """Scores of pictures, any number of them for each crop, in fp32."""
        condition = few.batch.condition
        times = len(pictures) // len(few.t)
        hazard = condition.hazard
        if hazard is None:
            hazard = few.t.new_full((len(few.t),), -1, dtype=torch.int64)
        shown = torch.cat([pictures, condition.picture().repeat(times, 1, 1, 1)], dim=1)
        scores = functional_call(self.model.critic, dict(weights), (shown, hazard.repeat(times)))
        return scores.float()

    def _far(self, error: Tensor) -> Tensor:
        """The mean square of averaged errors of each crop, in units of ``sigma_data``, summed."""
        averages = F.avg_pool2d(error.float(), self.config.pooled)
        return _mean(averages.square()) / self.config.model.sigma_data**2


def _mean(values: Tensor, share: Tensor | None = None) -> Tensor:
    """The mean of each crop, weighted by ``share`` of the same shape, summed over the crops."""
    if share is None:
        return values.flatten(1).mean(dim=1).sum()
    sums = ((values * share).flatten(1).sum(dim=1), share.flatten(1).sum(dim=1))
    return (sums[0] / sums[1].clamp(min=1e-3)).sum()
