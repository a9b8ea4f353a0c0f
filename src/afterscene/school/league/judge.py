"""How a method of the league is judged, and which of its results are kept."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from afterscene.lab.features import FeatureSpace, pooled
from afterscene.metrics.distances import frechet_distance
from afterscene.school.league.contestant import Contestant, LeagueConfig
from afterscene.school.league.crops import LeagueCrops, colours

ENLARGED = 96  # side to which crops are enlarged for the feature network
CHUNK = 64  # pictures drawn at a time
SHOWN = 6  # pictures of each method that are kept with their history
FRAMES = 24


@dataclass(frozen=True, kw_only=True)
class Score:
    """A row of the table. ``seconds`` are of one processor, for a picture; None: not defined."""

    name: str
    title: str
    parameters: int
    training_steps: int
    bits: float | None
    how: str
    frechet: float
    evaluations: float
    seconds: float
    nearest: float


@dataclass(frozen=True, kw_only=True)
class Sampled:
    """``x (N, 3, S, S)`` int64 and the ``frames (F, SHOWN, 3, S, S)`` of its first pictures."""

    x: Tensor
    frames: Tensor
    seconds: float
    evaluations: float


def sample_pictures(contestant: Contestant, label: Tensor, seed: int) -> Sampled:
    """Draw a picture for each label, in chunks; seconds and evaluations for one of them."""
    parts, history, calls = [], [], []
    start = time.process_time()
    for number, some in enumerate(label.split(CHUNK)):
        for state in contestant.walk(some, 1000 * (seed + 1) + number):
            if number == 0:
                history.append(state[:SHOWN])
        parts.append(state)
        calls.append(contestant.evaluations())
    seconds = (time.process_time() - start) / len(label)
    chosen = np.unique(_every(len(history), FRAMES))
    return Sampled(
        x=torch.cat(parts),
        frames=torch.stack([history[k] for k in chosen]),
        seconds=seconds,
        evaluations=float(np.mean(calls)),
    )


def _every(total: int, count: int) -> np.ndarray:
    """``count`` numbers of rows, evenly from the first to the last of ``total``."""
    return np.linspace(0, total - 1, count).round().astype(int)


def described(x: Tensor, levels: int, space: FeatureSpace) -> np.ndarray:
    """``(N, C)`` features of integer pictures, enlarged for the feature network."""
    pictures = torch.from_numpy(colours(x, levels)).permute(0, 3, 1, 2).float()
    large = F.interpolate(pictures, size=(ENLARGED, ENLARGED), mode="bilinear")
    return pooled(space.maps(large.round().byte().permute(0, 2, 3, 1).numpy()))


def nearest_training(x: np.ndarray, training: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distance of each row to the nearest row of ``training``, and its number."""
    distance = torch.cdist(torch.from_numpy(x), torch.from_numpy(training))
    values, index = distance.min(dim=1)
    return values.numpy(), index.numpy()


class LeagueJudge:
    """The held-out crops, the training crops and their features."""

    def __init__(
        self, train: LeagueCrops, test: LeagueCrops, config: LeagueConfig, space: FeatureSpace
    ):
        self.train, self.test, self.config, self.space = train, test, config, space
        self.training = described(train.x, config.levels, space)
        self.unseen = described(test.x, config.levels, space)
        # Pictures are drawn for the labels of every k-th held-out crop: all kinds in equal shares.
        self.rows = torch.from_numpy(_every(len(test.x), config.pictures))
        self.usual = float(np.median(nearest_training(self.unseen, self.training)[0]))

    @property
    def label(self) -> Tensor:
        """The labels for which pictures are drawn."""
        return self.test.label[self.rows]

    def frechet(self, x: Tensor) -> float:
        """Of drawn pictures to all held-out crops."""
        return frechet_distance(described(x, self.config.levels, self.space), self.unseen)

    def floor(self) -> float:
        """The same of as many real training crops: no method can be expected below it."""
        rows = _every(len(self.train.x), self.config.pictures)
        return frechet_distance(self.training[rows], self.unseen)

    def bits(self, contestant: Contestant) -> float | None:
        """Mean bits a value of held-out crops."""
        if contestant.bits is None:
            return None
        rows = _every(len(self.test.x), self.config.likelihood)
        with torch.no_grad():
            return float(contestant.bits(self.test.x[rows], self.test.label[rows]).mean())

    def score(self, name: str, contestant: Contestant, drawn: Sampled, steps: int) -> Score:
        """The row of the table."""
        features = described(drawn.x, self.config.levels, self.space)
        far, _ = nearest_training(features, self.training)
        return Score(
            name=name,
            title=contestant.title,
            parameters=sum(p.numel() for p in contestant.model.parameters()),
            training_steps=steps,
            bits=self.bits(contestant),
            how=contestant.how if contestant.bits else "",
            frechet=frechet_distance(features, self.unseen),
            evaluations=drawn.evaluations,
            seconds=drawn.seconds,
            nearest=float(np.median(far)) / self.usual,
        )

    def neighbours(self, x: Tensor) -> Tensor:
        """The training crop nearest to each picture."""
        found = nearest_training(described(x, self.config.levels, self.space), self.training)[1]
        return self.train.x[torch.from_numpy(found)]
