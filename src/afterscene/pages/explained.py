"""The map of what a sentence asks for, before anything is generated."""

import numpy as np

from afterscene.geodata.damage import DamageMap, rasterize
from afterscene.geodata.scene import Scene
from afterscene.pages.pictures import paint_damage


def explained(scene: Scene, damage: DamageMap) -> Scene:
    """Two pictures beside each other: levels over the pre image, levels over the hazard's field.

    The field is white where it is strongest.
    """
    target = rasterize(damage.buildings, scene.shape)
    most = max(float(damage.intensity.max()), 1e-9)
    field = np.repeat((255 * damage.intensity / most)[..., None], 3, axis=2)
    left, right = (paint_damage(target, under) for under in (scene.rgb(), field))
    return Scene.of_rgb(np.hstack([left, np.full_like(left[:, :8], 255), right]))
