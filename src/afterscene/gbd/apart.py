"""No source of a set may lie where a model is to be evaluated: not the tile, not its neighbour, not
a copy of it.

By name: a source must not be an evaluation tile. By place: the middles of the two pictures, from
the degrees in their labels, must be at least :data:`APART_KM` apart; a label without degrees has no
place. By look: the perceptual hash of the picture (:mod:`afterscene.geodata.looks`) must differ
from that of each evaluation tile in any of its eight views, so that a renamed, saved again, turned
or mirrored copy is caught.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import shapely

from afterscene.errors import AftersceneError, LeakFound
from afterscene.gbd.plan import Source
from afterscene.geodata.looks import NEAR, SIDE, difference_hash, views
from afterscene.geodata.scene import read_scene
from afterscene.geodata.xbd import read_label
from afterscene.regions.places import distance_km

APART_KM = 1.0


def check_apart_from(sources: Iterable[Source], evaluation: Sequence[Source]) -> None:
    """Raise LeakFound at the first source that is, lies within a kilometre of, or looks like one of
    the ``evaluation``.
    """
    sources = list(sources)
    names = {source.id for source in evaluation}
    for source in sources:
        if source.id in names:
            raise LeakFound(f"source {source.id} is an evaluation tile; leave it out of the plan")
    _check_places(sources, evaluation)
    _check_looks(sources, evaluation)


def _check_places(sources: Sequence[Source], evaluation: Sequence[Source]) -> None:
    places = [(s.id, place) for s in evaluation if (place := middle(s)) is not None]
    known = np.array([place for _, place in places]).reshape(-1, 2)
    for source in sources:
        place = middle(source)
        if place is None or not places:
            continue
        far = distance_km(place[0], place[1], known[:, 0], known[:, 1])
        nearest = int(far.argmin())
        if far[nearest] < APART_KM:
            raise LeakFound(
                f"source {source.id} lies {far[nearest]:.2f} km from evaluation tile "
                f"{places[nearest][0]}, less than {APART_KM:g} km; leave it out of the plan"
            )


def _check_looks(sources: Sequence[Source], evaluation: Sequence[Source]) -> None:
    known = [(s.id, bits) for s in evaluation for bits in _views(s)]
    if not known:
        return
    table = np.stack([bits for _, bits in known])
    for source in sources:
        bits = difference_hash(read_scene(source.pre).rgb())
        if bits is None:
            continue
        differ = (table != bits).sum(axis=1)
        nearest = int(differ.argmin())
        if differ[nearest] <= NEAR:
            raise LeakFound(
                f"source {source.id} looks like evaluation tile {known[nearest][0]} "
                f"({differ[nearest]} of {SIDE * SIDE} bits differ, {NEAR} or fewer are a copy); "
                "leave it out of the plan"
            )


def _views(source: Source) -> list[np.ndarray]:
    try:
        return views(read_scene(source.pre).rgb())
    except AftersceneError:
        return []  # nobody can evaluate on a picture that cannot be read


def middle(source: Source) -> tuple[float, float] | None:
    """Longitude and latitude of the middle of the buildings; None where the label has none."""
    try:
        buildings = read_label(source.label).buildings
    except AftersceneError:
        return None  # whoever makes the pair will name the fault
    bounds = [shapely.bounds(b.lnglat) for b in buildings if b.lnglat is not None]
    if not bounds:
        return None
    boxes = np.array(bounds)
    west, south = boxes[:, :2].min(0)
    east, north = boxes[:, 2:].max(0)
    return float(west + east) / 2, float(south + north) / 2
