"""Quality control: does an independent judge find the damage that was asked for?

A generator can draw a convincing picture that shows another level than its label says; such a pair
teaches the opposite of what it was made for. So a judge that was trained on real pairs alone looks
at the picture and names a level for each building. The fidelity of a scene is the share of
buildings whose level comes back, taken for each asked level and averaged over these, so that many
untouched roofs do not outvote one ruin. A scene below the asked fidelity is drawn again with
another seed (the damage stays); after :data:`TRIES` scenes the pair is given up.

Choosing scenes by a judge also chooses what that judge can see: report results by another one.
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
    """Who tells which levels a picture shows."""

    def __call__(self, pre: Scene, post: Scene, damage: DamageMap, /) -> np.ndarray:
        """(4, 4) int: buildings by asked level (rows) and found level."""


@dataclass(frozen=True, kw_only=True)
class QualityControl:
    """A judge and what is asked of it.

    Attributes:
        judge: Names the levels that it finds.
        name: Of the judge, for the manifest; with its weights' hash.
        least: Fidelity below which a scene is drawn again; 0 only measures.
    """

    judge: Judge = field(compare=False)
    name: str
    least: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.least <= 1:
            raise BadParameter(f"a fidelity is between 0 and 1, not {self.least:g}")

    def settings(self) -> dict[str, object]:
        """What must be the same for a run to go on."""
        return {"judge": self.name, "min_fidelity": self.least}


@dataclass(frozen=True, kw_only=True)
class Checked:
    """A drawn scene and what the judge says.

    ``fidelity`` is None where no building could be judged, or nobody judged. ``seed`` drew the
    scene that is kept, ``draws`` counts the scenes.
    """

    scene: Scene
    seed: int
    draws: int = 1
    fidelity: float | None = None


def fidelity(table: np.ndarray) -> float | None:
    """Mean over the asked levels of the share of buildings found as asked; (4, 4) -> 0 to 1."""
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
        f"the best of {TRIES} scenes has fidelity {best:.2f}, asked is {control.least:g}; "
        "ask for less, or leave such pairs out with --on-error skip"
    )


def _other(seed: int, draws: int) -> int:
    return int(np.random.SeedSequence((seed, draws)).generate_state(1)[0] % 2**31)
