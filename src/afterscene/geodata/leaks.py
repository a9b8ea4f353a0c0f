"""The leak guard: no evaluation tile, nor its neighbour, nor a copy of it, may be learned from.

The one guard of planning, training and comparing. By name: no tile to learn from may be an
evaluation tile. By place: the middles of the two, from the degrees in their labels, must be at
least :data:`APART_KM` apart; a label without degrees has no place. By picture: the hash of the pre
image must differ from that of each evaluation tile in any of its eight views, so that a renamed,
saved again, turned or mirrored copy is caught. And by history: a model must not have seen an
evaluation tile, nor the model that it began with.

The hash is dHash: shrink to 17 x 16 grey values and note for each of the 256 neighbours in a row
whether it grows brighter. On 152 real tiles the nearest two different ones differ in 33 bits, in
any view 25, while a tile saved again as JPEG at quality 50, blurred, halved in size or brightened
stays within 9 bits for 19 of 20 (its own eight views within 6): up to :data:`NEAR` bits are a copy.
A flat picture (open water, no data) has no such pattern and is compared by name and place alone.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
import shapely

from afterscene.errors import AftersceneError, LeakFound
from afterscene.geodata.damage import Building
from afterscene.geodata.distance import distance_km
from afterscene.geodata.georeference import read_label_of
from afterscene.geodata.labelreading import read_label
from afterscene.geodata.scene import read_scene

APART_KM = 1.0
SIDE = 16
NEAR = 16
#: Grey values: a picture whose shrunk version varies less has no pattern to compare.
FLAT = 1.5


@dataclass(frozen=True, kw_only=True, eq=False)
class Fingerprint:
    """What the guard compares of a tile; read and worked out when first asked for.

    Attributes:
        id: Name of the tile.
        picture: Pre image, ``(H, W, 3)`` uint8 or its file.
        place: Longitude and latitude of its middle, or the label that tells them; None: not known.
    """

    id: str
    picture: np.ndarray | Path
    place: tuple[float, float] | Path | None = None

    @cached_property
    def middle(self) -> tuple[float, float] | None:
        """Longitude and latitude in degrees; None where nothing tells them."""
        if not isinstance(self.place, Path):
            return self.place
        try:
            image = self.picture if isinstance(self.picture, Path) else None
            label = read_label_of(self.place, image) if image else read_label(self.place)
            return middle(label.buildings)
        except AftersceneError:
            return None  # the fault is reported when the pair is read

    @cached_property
    def hashes(self) -> tuple[np.ndarray, ...]:
        """The picture's own hash, then those of its eight views; none for a flat picture."""
        rgb = self.picture
        if isinstance(rgb, Path):
            rgb = read_scene(rgb).rgb()
        own = difference_hash(rgb)
        return () if own is None else (own, *views(rgb))


def difference_hash(rgb: np.ndarray) -> np.ndarray | None:
    """(H, W, 3) uint8 -> (256,) bool, or None for a flat picture."""
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (SIDE + 1, SIDE), interpolation=cv2.INTER_AREA).astype(np.int16)
    if small.std() < FLAT:
        return None
    return (small[:, 1:] > small[:, :-1]).ravel()


def views(rgb: np.ndarray) -> list[np.ndarray]:
    """Hashes of the picture turned by quarters and mirrored: eight, none for a flat picture."""
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (16 * SIDE, 16 * SIDE), interpolation=cv2.INTER_AREA)
    turned = [np.rot90(side, k) for side in (small, small[:, ::-1]) for k in range(4)]
    hashes = [difference_hash(np.repeat(t[..., None], 3, axis=2)) for t in turned]
    return [bits for bits in hashes if bits is not None]


def middle(buildings: Iterable[Building]) -> tuple[float, float] | None:
    """Longitude and latitude of the middle of the buildings; None where none has degrees."""
    bounds = [shapely.bounds(b.lnglat) for b in buildings if b.lnglat is not None]
    if not bounds:
        return None
    boxes = np.array(bounds)
    west, south = boxes[:, :2].min(0)
    east, north = boxes[:, 2:].max(0)
    return float(west + east) / 2, float(south + north) / 2


def leaks(
    learned: Sequence[Fingerprint], evaluation: Sequence[Fingerprint], *, pictures: bool = True
) -> Iterator[tuple[int, str]]:
    """The index of each tile that may not be learned from, once, and a sentence that says why.

    By name, then by place, then by picture, so that few pictures are read; without ``pictures``
    none is.
    """
    left = [*range(len(learned))]
    for check in (_by_name, by_place, _by_picture)[: 3 if pictures else 2]:
        found = dict(check([learned[i] for i in left], evaluation))
        for number, words in found.items():
            yield left[number], f"source {learned[left[number]].id} {words}"
        left = [i for number, i in enumerate(left) if number not in found]


def check_leaks(
    learned: Sequence[Fingerprint], evaluation: Sequence[Fingerprint], *, pictures: bool = True
) -> None:
    """Raise LeakFound at the first tile that may not be learned from."""
    for _, words in leaks(learned, evaluation, pictures=pictures):
        raise LeakFound(f"{words}; learn from other tiles, or leave it out with --on-error skip")


def apart(
    learned: Sequence[Fingerprint], evaluation: Sequence[Fingerprint], *, skip: bool
) -> tuple[list[int], list[str]]:
    """The indices of what may be learned from, and why each of the others may not.

    Raises:
        LeakFound: one may not, and it is not to be left out (``skip``), or none would be left.
    """
    if not skip:
        check_leaks(learned, evaluation)
        return [*range(len(learned))], []
    found = dict(leaks(learned, evaluation))
    if learned and len(found) == len(learned):
        first = next(iter(found.values()))
        raise LeakFound(f"all {len(learned)} sources would leak: {first}; give others")
    return [i for i in range(len(learned)) if i not in found], list(found.values())


def check_history(model: str | Path, seen: Iterable[str] | None, held_out: Iterable[str]) -> None:
    """Raise LeakFound where a model saw a tile that is held out, or does not say what it saw."""
    if seen is None:
        raise LeakFound(
            f"{model} does not say which tiles it has seen; train one with `afterscene train`, "
            "which writes them into config.json"
        )
    both = sorted({*seen} & {*held_out})
    if both:
        raise LeakFound(
            f"{model} has seen {both[0]} ({len(both)} such), which is held out; "
            "train one without, or evaluate on other tiles"
        )


def _by_name(
    learned: Sequence[Fingerprint], evaluation: Sequence[Fingerprint]
) -> Iterator[tuple[int, str]]:
    names = {tile.id for tile in evaluation}
    return ((i, "is an evaluation tile") for i, tile in enumerate(learned) if tile.id in names)


def by_place(
    learned: Sequence[Fingerprint], evaluation: Sequence[Fingerprint]
) -> Iterator[tuple[int, str]]:
    """The index of each tile within :data:`APART_KM` of an evaluation tile, and which one."""
    names, known = [], []
    for tile in evaluation:
        if tile.middle is not None:
            names.append(tile.id)
            known.append(tile.middle)
    lng, lat = np.array(known).reshape(-1, 2).T
    for index, tile in enumerate(learned if names else ()):
        if tile.middle is None:
            continue
        far = distance_km(*tile.middle, lng, lat)
        nearest = int(far.argmin())
        if far[nearest] < APART_KM:
            km = f"{far[nearest]:.2f} km"
            yield index, f"lies {km} from evaluation tile {names[nearest]}, less than {APART_KM:g}"


def _by_picture(
    learned: Sequence[Fingerprint], evaluation: Sequence[Fingerprint]
) -> Iterator[tuple[int, str]]:
    known = [(tile.id, bits) for tile in evaluation for bits in _readable(tile)]
    if not known:
        return
    table = np.stack([bits for _, bits in known])
    for index, tile in enumerate(learned):
        if not tile.hashes:
            continue
        differ = (table != tile.hashes[0]).sum(axis=1)
        nearest = int(differ.argmin())
        if differ[nearest] <= NEAR:
            yield (
                index,
                f"looks like evaluation tile {known[nearest][0]} ({differ[nearest]} of "
                f"{SIDE * SIDE} bits differ, {NEAR} or fewer are a copy)",
            )


def _readable(tile: Fingerprint) -> tuple[np.ndarray, ...]:
    try:
        return tile.hashes
    except AftersceneError:
        return ()  # it cannot be evaluated on either
