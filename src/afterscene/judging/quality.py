"""Quality control: does an independent judge find the damage that was asked for?

A generator can draw a convincing image that shows another level than its label says; such a pair
teaches the opposite of what it was made for. So a judge that was trained on real pairs alone looks
at the image and names a level for each building. The fidelity of a scene is the share of buildings
in which the judge finds the requested level, computed for each level and averaged over the levels,
so that many intact roofs do not outvote one ruin. A scene below the required fidelity is drawn
again with another seed (and the same damage); after :data:`TRIES` scenes the pair is given up.

Selecting scenes by a judge favours what that judge can recognise: report results with another one.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np

from afterscene.errors import BadParameter, LowFidelity
from afterscene.geodata.damage import DamageMap
from afterscene.geodata.scene import Scene

TRIES = 4


@runtime_checkable
class Judge(Protocol):
    """Says which levels an image shows."""

    def __call__(self, pre: Scene, post: Scene, damage: DamageMap, /) -> np.ndarray:
        """(4, 4) int: buildings by requested level (rows) and level found."""


@dataclass(frozen=True, kw_only=True)
class QualityControl:
    """A judge and the fidelity that is required.

    Attributes:
        judge: Says which levels it finds.
        name: The judge's name with the hash of its weights, for the manifest.
        least: Fidelity below which a scene is drawn again; 0 only measures.
    """

    judge: Judge = field(compare=False)
    name: str
    least: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.least <= 1:
            raise BadParameter(f"min-fidelity {self.least:g} is not between 0 and 1; change it")

    def settings(self) -> dict[str, object]:
        """What must not change for a run to be resumed."""
        return {"judge": self.name, "min_fidelity": self.least}


@dataclass(frozen=True, kw_only=True)
class Checked:
    """A drawn scene and the judge's verdict.

    ``fidelity`` is None if no building could be judged, or there was no judge. ``seed`` is that of
    the scene that is kept, ``draws`` counts the scenes that were drawn.
    """

    scene: Scene
    seed: int
    draws: int = 1
    fidelity: float | None = None


def fidelity(table: np.ndarray) -> float | None:
    """Share of buildings found at the requested level, mean over the levels; (4, 4) -> 0 to 1."""
    asked = table.sum(axis=1)
    if not asked.any():
        return None
    return float((np.diagonal(table)[asked > 0] / asked[asked > 0]).mean())


def draw_checked(
    draw: Callable[[int], Scene],
    pre: Scene,
    damage: DamageMap,
    seed: int,
    control: QualityControl | None,
) -> Checked:
    """``draw(seed)`` until the judge agrees; without a judge, once.

    Raises:
        LowFidelity: no scene of :data:`TRIES` was good enough.
    """
    if control is None:
        return Checked(scene=draw(seed), seed=seed)
    best = 0.0
    for draws in range(1, TRIES + 1):
        own = seed if draws == 1 else _other(seed, draws)
        scene = draw(own)
        found = fidelity(control.judge(pre, scene, damage))
        if found is None or found >= control.least:
            return Checked(scene=scene, seed=own, draws=draws, fidelity=found)
        best = max(best, found)
    raise LowFidelity(
        f"the best of {TRIES} scenes has fidelity {best:.2f}, but {control.least:g} is required; "
        "require less, or leave such pairs out with --on-error skip"
    )


def _other(seed: int, draws: int) -> int:
    return int(np.random.SeedSequence((seed, draws)).generate_state(1)[0] % 2**31)
