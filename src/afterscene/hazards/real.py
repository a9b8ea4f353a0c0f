"""What a real pair shows of its disaster: the field, as far as pictures tell it, and the levels."""

from __future__ import annotations

import numpy as np

from afterscene.depiction import Evidence
from afterscene.geodata.damage import DamageMap
from afterscene.geodata.pair import LabelledPair
from afterscene.geodata.scene import Scene
from afterscene.hazards import HAZARDS, hazard_of
from afterscene.hazards.ground import DEFAULT_GSD


def hazard_name(pair: LabelledPair) -> str:
    """The hazard of the pair's event; ``unknown`` if the event's name tells none."""
    return hazard_of(pair.event) or "unknown"


def real_damage(pair: LabelledPair, gsd: float | None = None) -> DamageMap:
    """The real levels as a request, with the intensity that the real post image shows.

    For a hazard that cannot be read from an image, the intensity is unknown: 0, without a unit.
    ``gsd``: metres per pixel, where the pair itself does not tell.
    """
    name, field, told = hazard_name(pair), None, {}
    before, after = (real_evidence(pair, scene, gsd) for scene in (pair.pre, pair.post))
    if name in HAZARDS:
        field = HAZARDS[name].observed(before, after)
    if field is not None:
        told = HAZARDS[name].told(after, field)
    return DamageMap(
        buildings=pair.buildings,
        intensity=np.zeros(pair.shape, np.float32) if field is None else field,
        unit="" if field is None else HAZARDS[name].unit,
        hazard=name,
        parameters={"levels": "real labels", "gsd": before.gsd, **told},
    )


def real_evidence(pair: LabelledPair, scene: Scene, gsd: float | None = None) -> Evidence:
    """What one of the images of a pair shows besides its buildings."""
    picture = scene.rgb().astype(np.float32) / 255
    metres = pair.pre.gsd or gsd or DEFAULT_GSD
    return Evidence(picture=picture, roofs=pair.target > 0, gsd=metres)
