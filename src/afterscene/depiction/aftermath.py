"""The aftermath of a drawn town, painted by rules alone.

For tests, lessons and the demo without data, where no real post image exists. The painters are
those of a rendering; damage that a network would draw is painted as heaps and cracks instead.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from afterscene.depiction.depiction import Depiction
from afterscene.depiction.quake import shake
from afterscene.errors import BadParameter
from afterscene.geodata.damage import Building, DamageLevel, DamageMap
from afterscene.geodata.scene import Scene


def draw_aftermath(scene: Scene, damage: DamageMap, depiction: Depiction, seed: int) -> Scene:
    """Return ``scene`` (8-bit RGB) after ``damage``, on the same grid, drawn from ``seed``.

    ``source`` gets " | drawn aftermath: <hazard>, seed <seed>". Raises ``BadParameter`` when scene
    and damage map differ in size.
    """
    if damage.intensity.shape != scene.shape:
        raise BadParameter(
            f"damage map of {damage.intensity.shape} for a scene of {scene.shape}; "
            "make the map from this scene"
        )
    shown = replace(damage, buildings=tuple(_shown(b, depiction) for b in damage.buildings))
    before = depiction.overlay(scene.rgb(), damage, seed)
    ground = depiction.ground(before, damage, seed)
    after = (depiction.sketch or shake)(ground, shown, seed)
    return scene.replace(
        pixels=np.ascontiguousarray(after.transpose(2, 0, 1)),
        source=f"{scene.source} | drawn aftermath: {damage.hazard}, seed {seed}",
    )


def _shown(building: Building, depiction: Depiction) -> Building:
    """The building, undamaged if its level is below those that are drawn."""
    level = building.level
    stays = level is not None and not depiction.drawn(np.array(level)).any()
    return replace(building, level=DamageLevel.NO_DAMAGE) if stays else building
