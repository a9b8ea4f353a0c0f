"""No source of a set may lie where a model is to be evaluated: not the tile, not its neighbour, not
a copy of it.

By name: a source must not be an evaluation tile. By place: the middles of the two pictures, from
the degrees in their labels, must be at least :data:`APART_KM` apart; a label without degrees has no
place. By look: the perceptual hash of the picture (:mod:`afterscene.geodata.looks`) must differ
from that of each evaluation tile in any of its eight views, so that a renamed, saved again, turned
or mirrored copy is caught.
"""

from collections.abc import Iterable, Iterator, Sequence

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
    for _, words in leaks(sources, evaluation):
        raise LeakFound(f"{words}; leave it out of the plan")


def leaks(sources: Iterable[Source], evaluation: Sequence[Source]) -> Iterator[tuple[Source, str]]:
    """Each source that may not be one, once, and why: by name, then by place, then by look."""
    left = list(sources)
    for check in (_by_name, _by_place, _by_look):
        found = set()
        for index, words in check(left, evaluation):
            found.add(index)
            yield left[index], f"source {left[index].id} {words}"
        left = [source for index, source in enumerate(left) if index not in found]


def _by_name(sources: Sequence[Source], evaluation: Sequence[Source]) -> Iterator[tuple[int, str]]:
    names = {source.id for source in evaluation}
    for index, source in enumerate(sources):
        if source.id in names:
            yield index, "is an evaluation tile"


def _by_place(sources: Sequence[Source], evaluation: Sequence[Source]) -> Iterator[tuple[int, str]]:
    places = [(s.id, place) for s in evaluation if (place := middle(s)) is not None]
    known = np.array([place for _, place in places]).reshape(-1, 2)
    for index, source in enumerate(sources):
        place = middle(source)
        if place is None or not places:
            continue
        far = distance_km(place[0], place[1], known[:, 0], known[:, 1])
        nearest = int(far.argmin())
        if far[nearest] < APART_KM:
            yield (
                index,
                f"lies {far[nearest]:.2f} km from evaluation tile {places[nearest][0]}, "
                f"less than {APART_KM:g} km",
            )


def _by_look(sources: Sequence[Source], evaluation: Sequence[Source]) -> Iterator[tuple[int, str]]:
    known = [(s.id, bits) for s in evaluation for bits in _views(s)]
    if not known:
        return
    table = np.stack([bits for _, bits in known])
    for index, source in enumerate(sources):
        bits = difference_hash(read_scene(source.pre).rgb())
        if bits is None:
            continue
        differ = (table != bits).sum(axis=1)
        nearest = int(differ.argmin())
        if differ[nearest] <= NEAR:
            yield (
                index,
                f"looks like evaluation tile {known[nearest][0]} ({differ[nearest]} of "
                f"{SIDE * SIDE} bits differ, {NEAR} or fewer are a copy)",
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
