"""From pixels to degrees, for labels that are made and not read.

A new label needs ``lng_lat`` beside ``xy``. Where the scene has a geotransform, that decides.
Where there is only a label of the same tile (xBD images are plain PNG), the affine map between its
two lists does (:mod:`afterscene.geodata.fit`).
"""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import shapely

from afterscene.errors import BadParameter
from afterscene.geodata.damage import Building
from afterscene.geodata.fit import applied, fit_lnglat
from afterscene.geodata.label import XbdLabel
from afterscene.geodata.scene import Scene


def make_label(
    buildings: Iterable[Building],
    *,
    metadata: Mapping[str, Any],
    like: XbdLabel | None = None,
    scene: Scene | None = None,
) -> XbdLabel:
    """A label of `buildings`, with ``lnglat`` filled in where one of the sources knows it.

    A building keeps the ``lnglat`` it has; else `scene`'s geotransform gives it; else the affine
    fitted to `like`, the label of the same tile; else it stays None. `like` also lends the exact
    texts of outlines that did not change.
    """
    place: Callable[[np.ndarray], np.ndarray] | None
    place = scene.lnglat if scene is not None and scene.crs and scene.transform else None
    if place is None and like is not None:
        fit = fit_lnglat(like.buildings)
        place = None if fit is None else applied(fit.affine)
    placed = []
    for building in buildings:
        if building.lnglat is None and place is not None:
            lnglat = shapely.transform(building.polygon, place)
            building = dataclasses.replace(building, lnglat=lnglat)
        placed.append(building)
    if not metadata:
        raise BadParameter("a label needs metadata; give at least width, height and img_name")
    texts = {} if like is None else like.texts
    return XbdLabel(buildings=tuple(placed), metadata=metadata, texts=texts)
