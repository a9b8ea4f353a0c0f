"""An object head: one level per footprint, from features pooled over the whole building.

A pixel shows a wall or a part of a roof; the level is that of the whole building. The head pools
over a footprint the network's level probabilities, its building probability and the decoder's last
map (mean and standard deviation), and a two-layer MLP predicts the level. It is fitted after the
network, on the same training pairs and all their buildings with a known level; levels have equal
weight.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from afterscene.errors import BadParameter
from afterscene.geodata.damage import LEVELS, layers
from afterscene.geodata.pair import LabelledPair
from afterscene.tensors import from_numbers

if TYPE_CHECKING:
    from afterscene.detectors.detector import Detector

HIDDEN = 64
STEPS, RATE = 400, 1e-2
_SMALLEST = 1e-6


class ObjectHead(nn.Module):
    """(n, 10 + 2 width) pooled numbers -> (n, 4) logits; it also stores the input scaling.

    `width` is that of the decoder's last map.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        size = 6 + 2 * width
        self.mean: Tensor
        self.scale: Tensor
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("scale", torch.ones(size))
        self.layers = nn.Sequential(
            nn.Linear(size, HIDDEN), nn.ReLU(), nn.Dropout(0.2), nn.Linear(HIDDEN, len(LEVELS))
        )

    def forward(self, vectors: Tensor) -> Tensor:
        return self.layers((vectors - self.mean) / self.scale)

    def levels(self, sums: np.ndarray) -> np.ndarray:
        """(n, 4) probabilities from (n, 1 + 5 + 2 width) sums of :func:`pool`."""
        with torch.inference_mode():
            return self(from_numbers(vectors(sums))).softmax(dim=1).numpy()

    def paint(self, planes: np.ndarray, owner: np.ndarray, levels: np.ndarray) -> np.ndarray:
        """`levels` (4, H, W) with each building's own four probabilities on its pixels."""
        count = int(owner.max())
        if not count:
            return levels
        table = np.concatenate(
            [np.zeros((1, len(LEVELS)), np.float32), self.levels(pool(planes, owner))]
        )
        return np.where(owner > 0, np.moveaxis(table[owner], 2, 0), levels)


def pool(planes: np.ndarray, owner: np.ndarray, count: int | None = None) -> np.ndarray:
    """(n, 1 + 5 + 2 width) sums over each building: pixels, planes, squares of the features.

    planes: (5 + width, H, W) from :meth:`Detector.planes`; owner: (H, W) numbers, 0 for none;
    count: number of buildings, if the last ones may have no pixel.
    """
    count = int(owner.max()) if count is None else count
    inside = owner > 0
    which = owner[inside]
    rows = [np.bincount(which, minlength=count + 1)]
    rows += [np.bincount(which, plane[inside], minlength=count + 1) for plane in planes]
    rows += [np.bincount(which, plane[inside] ** 2, minlength=count + 1) for plane in planes[5:]]
    return np.stack(rows, axis=1)[1:]


def pool_pair(planes: np.ndarray, pair: LabelledPair) -> np.ndarray:
    """The sums of :func:`pool` for every building of a pair, over pixels with data.

    A building that is hidden by others has its own pixels, too.
    """
    count = len(pair.buildings)
    parts = (np.where(pair.valid, owner, 0) for owner in layers(pair.buildings, pair.shape))
    return np.sum([pool(planes, owner, count) for owner in parts], axis=0)


def vectors(sums: np.ndarray) -> np.ndarray:
    """Return (n, 6 + 2 width) float32 rows that describe buildings.

    Log of the size, building, log of the levels, mean and deviation of the features.
    """
    width = (sums.shape[1] - 6) // 2
    pixels = np.maximum(sums[:, :1], _SMALLEST)
    means = sums[:, 1:] / pixels
    features, squares = means[:, 5 : 5 + width], means[:, 5 + width :]
    spread = np.sqrt(np.maximum(squares - features**2, 0))
    levels = np.log(np.maximum(means[:, 1:5], _SMALLEST))
    parts = [np.log(pixels + 1), means[:, :1], levels, features, spread]
    return np.concatenate(parts, axis=1).astype(np.float32)


def fit_objects(detector: Detector, pairs: Sequence[LabelledPair], *, seed: int) -> Detector:
    """The detector with a head fitted on the buildings of `pairs`. Raises BadParameter (none)."""
    found, truth = [], []
    for pair in pairs:
        known = np.isin(pair.levels, LEVELS)
        if known.any():
            planes = detector.planes(pair.pre.rgb(), pair.post.rgb(), features=True)
            sums = pool_pair(planes, pair)
            known &= sums[:, 0] > 0
            found.append(sums[known])
            truth.append(pair.levels[known])
    if not truth:
        raise BadParameter("the pairs have no building with a known level; give other pairs")
    inputs = from_numbers(vectors(np.concatenate(found)))
    target = from_numbers(np.concatenate(truth)) - 1
    head = ObjectHead(detector.network.features_width)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for module in head.layers:
            if isinstance(module, nn.Linear):
                module.reset_parameters()
        _train(head, inputs, target)
    return detector.deciding(objects=head.eval(), objects_fitted_on=len(target))


def _train(head: ObjectHead, inputs: Tensor, target: Tensor) -> None:
    """Full batches of AdamW; all levels that occur have equal weight."""
    head.mean.copy_(inputs.mean(dim=0))
    head.scale.copy_(inputs.std(dim=0, unbiased=False).clamp(min=1e-3))
    count = torch.bincount(target, minlength=len(LEVELS)).float()
    weight = torch.where(count > 0, len(target) / count.clamp(min=1), 0.0)
    optimiser = torch.optim.AdamW(head.layers.parameters(), lr=RATE, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, STEPS)
    head.train()
    for _ in range(STEPS):
        optimiser.zero_grad(set_to_none=True)
        functional.cross_entropy(head(inputs), target, weight).backward()
        optimiser.step()
        schedule.step()
