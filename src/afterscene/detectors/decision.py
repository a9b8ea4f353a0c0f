"""From probabilities to a prediction: one threshold, four biases, and a vote per building.

The xView2 score is a harmonic mean over the levels, so the most probable level is not the best
prediction: a rare level that is never predicted makes the mean collapse. ``level_bias`` is added to
the log-probabilities before taking the maximum; :mod:`afterscene.detectors.calibration` determines
it on a validation split. A building has one level, so all pixels of a connected component (or of a
given footprint) get the mean of their probabilities, as in the winning solutions of xView2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from afterscene.errors import BadParameter
from afterscene.geodata.damage import Building, instances

_SMALLEST = 1e-6


@dataclass(frozen=True, kw_only=True)
class Decision:
    """threshold on the building probability; level_bias in nats; vote: one level per component."""

    threshold: float = 0.5
    level_bias: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    vote: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "level_bias", tuple(float(b) for b in self.level_bias))
        if not 0 < self.threshold < 1:
            raise BadParameter(f"threshold = {self.threshold} is not between 0 and 1; change it")
        if len(self.level_bias) != 4 or not np.isfinite(self.level_bias).all():
            raise BadParameter(f"level_bias = {self.level_bias}; give four finite numbers")


def decide(
    building: np.ndarray,
    levels: np.ndarray,
    decision: Decision,
    footprints: Sequence[Building] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """(H, W) building and (4, H, W) level probabilities -> localization 0/1, damage 1..4 (uint8).

    With `footprints`, buildings are exactly these, and each gets one level.
    """
    if footprints is not None:
        groups = instances(footprints, building.shape)
        mask = groups > 0
        levels = group_means(levels, groups)
    else:
        mask = building > decision.threshold
        levels = vote(levels, mask) if decision.vote else levels
    biased = np.log(np.maximum(levels, _SMALLEST))
    biased += np.array(decision.level_bias, dtype=np.float32)[:, None, None]
    return mask.astype(np.uint8), (biased.argmax(axis=0) + 1).astype(np.uint8)


def vote(levels: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Replace the probabilities inside each connected component of `mask` by their mean."""
    return group_means(levels, cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)[1])


def group_means(levels: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """The mean of (4, H, W) over each group > 0 of (H, W) `groups`; group 0 stays unchanged."""
    inside = groups > 0
    which = groups[inside]
    if not which.size:
        return levels
    count = np.maximum(np.bincount(which), 1)
    shared = levels.copy()
    for plane in shared:
        mean = np.bincount(which, weights=plane[inside]) / count
        plane[inside] = mean[which]
    return shared
