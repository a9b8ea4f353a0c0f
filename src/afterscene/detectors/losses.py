"""Losses that stand close to the score: cross-entropy for the direction, Dice for the F1.

Localisation is judged on all pixels, the damage level only where there is a building, as xView2
scores it (a level outside of buildings is never counted). Pixels of un-classified buildings (255)
carry no gradient in either. Dice (Milletari et al. 2016, arXiv 1606.04797) is one minus a soft F1,

    dice = 1 - (2 sum p y + 1) / (sum p + sum y + 1),

over the batch; the focal exponent (Lin et al. 2017, arXiv 1708.02002) turns the cross-entropy of
a pixel down by (1 - p)^focus where it is already right.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from afterscene.networks.siamese import LEVELS, Logits

IGNORE = 255


def detector_loss(
    logits: Logits, target: Tensor, *, focus: float, dice: float
) -> dict[str, Tensor]:
    """localization, damage and their sum ``loss``; target (N, H, W) int64 0..4 or 255."""
    place = localization_loss(logits.localization[:, 0], target, dice=dice)
    level = damage_loss(logits.damage, target, focus=focus, dice=dice)
    return {"localization": place, "damage": level, "loss": place + level}


def localization_loss(logits: Tensor, target: Tensor, *, dice: float) -> Tensor:
    """Binary cross-entropy plus `dice` x Dice of building against background; (N, H, W) each."""
    known = (target != IGNORE).float()
    truth = ((target > 0) & (target != IGNORE)).float()
    entropy = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    entropy = (entropy * known).sum() / known.sum().clamp(min=1)
    return entropy + dice * _dice(logits.sigmoid() * known, truth).squeeze()


def damage_loss(logits: Tensor, target: Tensor, *, focus: float, dice: float) -> Tensor:
    """Focal cross-entropy plus Dice averaged over the levels present; logits (N, 4, H, W).

    Zero, with a zero gradient, where no pixel of the batch lies on an assessed building.
    """
    known = (target >= 1) & (target <= LEVELS)
    picked = logits.permute(0, 2, 3, 1)[known]
    truth = F.one_hot(target[known] - 1, LEVELS).to(picked.dtype)
    log_p = picked.log_softmax(dim=1)
    p = log_p.exp()
    entropy = -(truth * (1 - p).pow(focus) * log_p).sum() / max(1, len(picked))
    present = truth.any(dim=0)
    overlap = (_dice(p.T, truth.T) * present).sum() / present.sum().clamp(min=1)
    return entropy + dice * overlap


def _dice(p: Tensor, truth: Tensor) -> Tensor:
    """One value per row for (rows, ...) inputs; three-dimensional input is one row."""
    rows = 1 if p.ndim == 3 else p.shape[0]
    p, truth = p.reshape(rows, -1), truth.reshape(rows, -1)
    both = (p * truth).sum(dim=1)
    return 1 - (2 * both + 1) / (p.sum(dim=1) + truth.sum(dim=1) + 1)
