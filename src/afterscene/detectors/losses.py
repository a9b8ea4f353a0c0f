"""Losses close to the score: cross-entropy, and Dice for the F1.

Localisation is trained on all pixels, the damage level only where there is a building, as xView2
scores it (a level outside of buildings never counts). Pixels of un-classified buildings (255) give
no gradient to either. Dice (Milletari et al. 2016, arXiv 1606.04797) is one minus a soft F1,

    dice = 1 - (2 sum p y + 1) / (sum p + sum y + 1),

over the batch; the focal exponent (Lin et al. 2017, arXiv 1708.02002) multiplies the cross-entropy
of a pixel by (1 - p)^focus, which is small where the prediction is already right. Everything
follows from a few sums, which may be added over parts of a batch (:mod:`afterscene.training.task`).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from afterscene.geodata.damage import IGNORE, LEVELS
from afterscene.networks.siamese import Logits

#: Numbers in what :func:`detector_sums` returns.
TERMS = 7 + 3 * len(LEVELS)


class _Sums(NamedTuple):
    """entropy, pixels, and both, p, y of the Dice term: scalars, or one value per level.

    y and pixels are counts; only entropy, both and p have a gradient.
    """

    entropy: Tensor
    pixels: Tensor
    both: Tensor
    p: Tensor
    y: Tensor


def detector_sums(logits: Logits, target: Tensor, *, focus: float) -> Tensor:
    """``(TERMS,)`` sums over the pixels of (N, H, W) targets; those of other crops may be added."""
    parts = (*_places(logits.localization[:, 0], target), *_levels(logits.damage, target, focus))
    return torch.cat([part.reshape(-1) for part in parts])


def detector_figures(sums: Tensor, *, dice: float) -> dict[str, Tensor]:
    """The loss and its parts from the sums of a whole batch.

    The damage part is zero, with a zero gradient, if no pixel belongs to an assessed building.
    """
    place = _loss(_Sums(*sums[:5]), dice)
    level = _loss(_Sums(*sums[5:7], *sums[7:].split(len(LEVELS))), dice)
    return {"localization": place, "damage": level, "loss": place + level}


def _places(logits: Tensor, target: Tensor) -> _Sums:
    """Building against background, binary cross-entropy; (N, H, W) each."""
    known = (target != IGNORE).float()
    truth = ((target > 0) & (target != IGNORE)).float()
    entropy = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    p = logits.sigmoid() * known
    sums = ((entropy * known).sum(), known.sum(), (p * truth).sum(), p.sum(), truth.sum())
    return _Sums(*sums)


def _levels(logits: Tensor, target: Tensor, focus: float) -> _Sums:
    """The four levels on assessed buildings, focal cross-entropy; logits (N, 4, H, W)."""
    known = (target >= 1) & (target <= len(LEVELS))
    picked = logits.permute(0, 2, 3, 1)[known]
    truth = F.one_hot(target[known] - 1, len(LEVELS)).to(picked.dtype)
    log_p = picked.log_softmax(dim=1)
    p = log_p.exp()
    entropy = -(truth * (1 - p).pow(focus) * log_p).sum()
    pixels = truth.new_tensor(len(picked))
    return _Sums(entropy, pixels, (p * truth).sum(0), p.sum(0), truth.sum(0))


def _loss(sums: _Sums, dice: float) -> Tensor:
    """Mean entropy plus `dice` x the Dice loss, averaged over the rows that exist."""
    overlap = 1 - (2 * sums.both + 1) / (sums.p + sums.y + 1)
    if overlap.ndim:
        present = sums.y > 0
        overlap = (overlap * present).sum() / present.sum().clamp(min=1)
    return sums.entropy / sums.pixels.clamp(min=1) + dice * overlap
