"""The depiction of a hazard: what is painted by rules, and what is left to a network.

A network draws well what it has seen in real pairs. Water and ash are not learned but painted over
the scene by their depth (:mod:`.overlays`). Damage with too few real examples is painted first,
ground and houses, and the bridge refines that sketch: it starts from the noised sketch (SDEdit,
Meng et al. 2022, arXiv 2108.01073), which gives it the texture and light of real post images. Each
hazard has a :class:`Depiction`; with the default one the network draws everything.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from afterscene.depiction.moment import Moment
from afterscene.geodata.damage import DamageLevel, DamageMap
from afterscene.geodata.drawn.canvas import fractal


@runtime_checkable
class Painter(Protocol):
    """Paints the effect of a hazard into a picture; equal seeds give equal pictures."""

    def __call__(self, picture: np.ndarray, damage: DamageMap, seed: int) -> np.ndarray:
        """The picture ``(H, W, 3)`` uint8 afterwards, same shape; the input is not changed."""


#: ``(intensity so far, progress) -> (H, W)`` in [0, 1]: how much of the final ground is seen.
Uncovering = Callable[[np.ndarray, np.ndarray], np.ndarray]


def ragged(damage: DamageMap, seed: int) -> Uncovering:
    """The ground changes in patches, at each pixel within a third of its growth."""
    shape = damage.intensity.shape
    rng = np.random.default_rng((seed, 61))
    patches = sum(fractal(shape, scales, rng, fall=0.8) for scales in ((24.0, 9.0), (4.0,)))
    late = 0.65 / (1 + np.exp(-1.2 * patches)).astype(np.float32)
    return lambda now, progress: np.clip((progress - late) / 0.35, 0, 1)


def nothing(picture: np.ndarray, moment: Moment) -> np.ndarray:
    """Nothing is seen of the event but what it did."""
    return picture


def unchanged(picture: np.ndarray, damage: DamageMap, seed: int) -> np.ndarray:
    """The picture as it was."""
    return picture.copy()


@dataclass(frozen=True, kw_only=True)
class Depiction:
    """How the aftermath of one hazard is drawn.

    Attributes:
        overlay: Painted over the scene first: water, ash.
        ground: Ground and trees after the event, with intact houses, where a sketch is painted; in
            the mode *edit* only around damaged houses.
        sketch: The damage of houses on that ground, for a network to refine; None: the network
            draws it alone.
        smeared: The network smears this damage however many examples it saw, so it always starts
            from the sketch; otherwise it does so only if it saw too few examples.
        uncover: Between the first and the last frame of a film, how much of the final ground a
            pixel shows.
        during: What is seen of the event while it passes (flames, water, dust), painted over a
            frame between the first and the last.
        learned_from: Lowest level that is drawn; a house below it stays as it was. None: all do.
        close: The network draws near the houses only: the larger its area, the more it smears the
            surroundings.
        drawn_as: The hazard given to the network instead, if there are no labelled real pairs of
            this one; empty: itself.
    """

    overlay: Painter = unchanged
    ground: Painter = unchanged
    sketch: Painter | None = None
    uncover: Callable[[DamageMap, int], Uncovering] = ragged
    during: Callable[[np.ndarray, Moment], np.ndarray] = nothing
    smeared: bool = False
    learned_from: DamageLevel | None = DamageLevel.MINOR
    close: bool = False
    drawn_as: str = ""

    def drawn(self, levels: np.ndarray) -> np.ndarray:
        """``levels`` (any shape) with 0 where the house stays as it was."""
        least = self.learned_from
        return np.zeros_like(levels) if least is None else np.where(levels >= least, levels, 0)
