"""Of several sketches, for each building the one in which a critic sees what was asked.

A sketch is drawn by rule, so many of them are cheap, and not every one shows its level: a torn roof
may look whole to an assessor, or lost. Here the same damage is sketched some times, and each
building with its surroundings is taken from the sketch that gives its level the highest probability
(best of n, a rejection sampling as in Stiennon et al. 2020, arXiv 2009.01325). The bridge then
refines what was chosen.

The critic looks at the whole scene at once, so its memory grows with the scene.

Choosing by a critic also chooses what that critic can see: report results by another one.
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
    """Who names the levels that it sees; a detector's ``building_levels`` is one."""

    def __call__(
        self, pre: np.ndarray, post: np.ndarray, buildings: Sequence[Building], /
    ) -> np.ndarray:
        """``(n, 4)`` probabilities of each building's levels; pictures ``(H, W, 3)`` uint8."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Who chooses, among how many sketches.

    Attributes:
        critic: Names the levels that it sees; trained on real pairs alone.
        name: Of the critic, with a hash of its weights: other critics, other pictures.
        sketches: How many are drawn.
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
            draw: Another one, of a seed.
            post: The post image that a sketch will become, about.
            pre: The pre image, ``(H, W, 3)`` uint8.
            buildings: What is asked.
            seed: Equal seeds, equal choice.
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
        """Probability of the asked level of each building, 0 where none of the four is asked."""
        levels = self.critic(pre, post, buildings)
        named = (asked >= 1) & (asked <= 4)
        return np.where(named, levels[np.arange(len(asked)), np.where(named, asked - 1, 0)], 0)


def _nearest(owner: np.ndarray) -> np.ndarray:
    """``(H, W)``: the number of the building nearest to each pixel; ``owner`` has 0 off them."""
    free = (owner == 0).astype(np.uint8)
    each = cv2.DIST_LABEL_PIXEL
    _, labels = cv2.distanceTransformWithLabels(free, cv2.DIST_L2, 5, labelType=each)
    number = np.zeros(labels.max() + 1, owner.dtype)
    number[labels[owner > 0]] = owner[owner > 0]
    return np.asarray(number[labels])
