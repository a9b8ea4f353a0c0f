"""The depiction of a hazard: what is painted by rule, and what is left to a network.

A network draws well what real pairs taught it. Water and ash are not learned but laid over the
scene as physics says (:mod:`.overlays`). Damage of which it has seen too few examples is painted
first, ground and houses, and the bridge refines that sketch: it enters noised (SDEdit, Meng et al.
2022, arXiv 2108.01073), which gives it the texture and light of real post images. Each hazard holds
a :class:`Depiction`; one that says nothing has the default, and is the network's alone to draw.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from afterscene.geodata.damage import DamageLevel, DamageMap


@runtime_checkable
class Painter(Protocol):
    """Paints what a hazard did on a picture; equal seeds, equal pictures."""

    def __call__(self, picture: np.ndarray, damage: DamageMap, seed: int) -> np.ndarray:
        """The picture ``(H, W, 3)`` uint8 afterwards, same shape; the given one stays."""


def unchanged(picture: np.ndarray, damage: DamageMap, seed: int) -> np.ndarray:
    """The picture as it was."""
    return picture.copy()


@dataclass(frozen=True, kw_only=True)
class Depiction:
    """How the aftermath of one hazard is drawn.

    Attributes:
        overlay: What physics lays over the scene before anything else: water, ash.
        ground: What becomes of ground and trees, the houses whole, where a sketch is painted; in
            the mode *edit* only around damaged houses.
        sketch: The damage of houses on that ground, for a network to refine; None: the network
            draws it alone.
        smeared: The network smears this damage however many examples it saw, so it always begins
            with the sketch; otherwise only while too few examples taught it.
        learned_from: Lowest level that the network draws; a house below it stays as it was.
        close: The network draws near the houses only: the farther it may go, the more it smears
            what stood around them.
        drawn_as: Name of the hazard that the network is told in its place, for want of labelled
            real pairs of its own; empty: itself.
    """

    overlay: Painter = unchanged
    ground: Painter = unchanged
    sketch: Painter | None = None
    smeared: bool = False
    learned_from: DamageLevel = DamageLevel.MINOR
    close: bool = False
    drawn_as: str = ""
