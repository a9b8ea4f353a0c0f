"""From pixels to degrees and back: labels that are made, and labels of any kind for an image.

A new label needs ``lng_lat`` beside ``xy``. Where the scene has a geotransform, that decides.
Where there is only a label of the same tile (xBD images are plain PNG), the affine map between its
two lists does (:mod:`afterscene.geodata.fit`).
"""

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from shapely.geometry import MultiPolygon, Polygon

from afterscene.errors import BadParameter
from afterscene.geodata.crs import Way
from afterscene.geodata.damage import FARTHEST, Building
from afterscene.geodata.fit import applied, fit_lnglat
from afterscene.geodata.footprints import is_geojson, read_footprints
from afterscene.geodata.label import XbdLabel
from afterscene.geodata.labelreading import OnProblem, read_label
from afterscene.geodata.leftout import Names
from afterscene.geodata.overview import ImageFile
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
    texts of outlines that did not change. A duplicate uid gets a number.
    """
    place: Way | None = scene.lnglat if scene is not None and scene.placed else None
    if place is None and like is not None:
        fit = fit_lnglat(like.buildings)
        place = None if fit is None else applied(fit.affine)
    placed, names = [], Names()
    for building in buildings:
        if building.lnglat is None and place is not None:
            building = dataclasses.replace(building, lnglat=_moved(building.polygon, place))
        uid = names.take(building.uid)
        placed.append(building if uid == building.uid else dataclasses.replace(building, uid=uid))
    if not metadata:
        raise BadParameter("a label needs metadata; give at least width, height and img_name")
    texts = {} if like is None else like.texts
    return XbdLabel(buildings=tuple(placed), metadata=metadata, texts=texts)


def read_label_of(path: Path, image: Path, *, on_problem: OnProblem = "error") -> XbdLabel:
    """The footprints of an image: an xBD label as it is, any other file brought onto the image.

    Buildings that stand in degrees alone need the image's place. Raises what
    :func:`~afterscene.geodata.labelreading.read_label` raises, and
    :func:`~afterscene.geodata.footprints.read_footprints` for a file that is not a label.
    """
    file = ImageFile(image)
    if path.suffix.lower() == ".json" and not is_geojson(path):
        return read_label(path, on_problem=on_problem, grid=lambda: file.grid)
    found = read_footprints(path, file.grid)
    height, width = found.grid.shape
    metadata = {"height": height, "width": width, "img_name": image.name, "footprints": path.name}
    buildings = found.buildings
    if found.grid.placed:
        place = found.grid.to_degrees()
        buildings = tuple(
            dataclasses.replace(b, lnglat=_moved(b.polygon, place)) for b in buildings
        )
    return XbdLabel(buildings=buildings, metadata=metadata, path=path, left_out=found.left_out)


def _moved(polygon: Polygon | MultiPolygon, place: Way) -> Polygon | MultiPolygon | None:
    """The outline in degrees; None where a corner of it has no place."""
    lnglat = place(shapely.get_coordinates(polygon))
    if not (np.abs(lnglat) <= FARTHEST).all():
        return None
    return shapely.set_coordinates(shapely.force_2d(polygon), lnglat)
