"""Several sketches of the damage: for each building, keep the one that a critic recognises best.

Sketches are drawn by rules, so many of them are cheap, and not every one shows its level: a damaged
roof may look intact to a detector, or destroyed. Here the same damage is sketched several times,
and each building with its surroundings comes from the sketch in which its level has the highest
probability (best of n, as in Stiennon et al. 2020, arXiv 2009.01325). The bridge then refines the
chosen sketches.

The critic processes the whole scene at once, so its memory grows with the scene.

Selection by a critic favours what that critic can recognise: report results with another one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import cv2
import numpy as np

from afterscene.errors import BadParameter
from afterscene.geodata.damage import Building, instances


@runtime_checkable
class Critic(Protocol):
    """Says how probable each level is; a detector's ``building_levels`` is one."""

    def __call__(
        self, pre: np.ndarray, post: np.ndarray, buildings: Sequence[Building], /
    ) -> np.ndarray:
        """``(n, 4)`` probabilities of each building's levels; pictures ``(H, W, 3)`` uint8."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The critic, and the number of sketches.

    Attributes:
        critic: Says how probable each level is; trained on real pairs alone.
        name: The critic's name with a hash of its weights: another critic draws another image.
        sketches: Number of sketches that are drawn.
    """

    critic: Critic
    name: str
    sketches: int = 8

    def __post_init__(self) -> None:
        if self.sketches < 2:
            raise BadParameter(f"{self.sketches} sketches leave no choice; give at least 2")

    def best(
        self,
        first: np.ndarray,
        draw: Callable[[int], np.ndarray],
        post: Callable[[np.ndarray], np.ndarray],
        pre: np.ndarray,
        buildings: Sequence[Building],
        seed: int,
    ) -> np.ndarray:
        """The sketch ``(H, W, 3)`` uint8, each pixel from the choice of the nearest building.

        Args:
            first: One sketch, ``(H, W, 3)`` uint8.
            draw: Draws another one from a seed.
            post: An approximation of the post image that a sketch becomes.
            pre: The pre image, ``(H, W, 3)`` uint8.
            buildings: The requested damage.
            seed: Equal seeds give an equal choice.
        """
        chosen = first
        owner = instances(buildings, pre.shape[:2])
        if not owner.any():
            return first
        near, asked = _nearest(owner), np.array([int(b.level or 0) for b in buildings])
        found = self._found(pre, post(first), buildings, asked)
        for k in range(1, self.sketches):
            other = draw(int(np.random.SeedSequence((seed, 91, k)).generate_state(1)[0] % 2**31))
            now = self._found(pre, post(other), buildings, asked)
            better = np.append(False, now > found)[near]
            chosen = np.where(better[..., None], other, chosen)
            found = np.maximum(found, now)
        return chosen

    def _found(
        self, pre: np.ndarray, post: np.ndarray, buildings: Sequence[Building], asked: np.ndarray
    ) -> np.ndarray:
        """Probability of each building's requested level, 0 if it is none of the four."""
        levels = self.critic(pre, post, buildings)
        named = (asked >= 1) & (asked <= 4)
        return np.where(named, levels[np.arange(len(asked)), np.where(named, asked - 1, 0)], 0)


def _nearest(owner: np.ndarray) -> np.ndarray:
    """``(H, W)``: the number of the building nearest to each pixel; 0 in ``owner`` is none."""
    free = (owner == 0).astype(np.uint8)
    each = cv2.DIST_LABEL_PIXEL
    _, labels = cv2.distanceTransformWithLabels(free, cv2.DIST_L2, 5, labelType=each)
    number = np.zeros(labels.max() + 1, owner.dtype)
    number[labels[owner > 0]] = owner[owner > 0]
    return np.asarray(number[labels])
