"""A pair of images with its buildings: decoded once, and the same record for every consumer.

Fitting, training, evaluating and scoring all ask the same of a pair: two scenes on one grid and
what became of each building. The outlines stay with it: a raster melts houses that share a wall,
and a level cannot be asked of half a block. Rasters of them are drawn when they are first asked
for. Un-classified buildings are 255 in the target and never become no-damage by themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
from shapely.geometry import Polygon

from afterscene.errors import BadLabel, MissingFile
from afterscene.files import pixel_hash
from afterscene.geodata.damage import IGNORE, Building, DamageLevel, instances, rasterize
from afterscene.geodata.doubts import warn_of_pair
from afterscene.geodata.georeference import read_label_of
from afterscene.geodata.leaks import Fingerprint, middle
from afterscene.geodata.leftout import NO_LEVELS, NO_POST, LeftOut
from afterscene.geodata.masks import read_mask
from afterscene.geodata.overview import shape_of
from afterscene.geodata.resolution import warn_of_pixels
from afterscene.geodata.samegrid import same_grid
from afterscene.geodata.scene import Scene, read_scene
from afterscene.geodata.seen import unseen_unclassified
from afterscene.geodata.xbd import Pair, XbdTree


@dataclass(frozen=True, kw_only=True, eq=False)
class LabelledPair:
    """Two scenes of one place on one grid, and its buildings.

    Attributes:
        id: Name of the place, such as ``hurricane-michael_00000019``.
        pre: The scene before.
        post: The scene after, on the same grid.
        buildings: With the level that each had after the event.
        event: Name of the event.
        labelled: False where the levels are unknown: the target is then 255 everywhere.
        synthetic: The post scene is generated.

    Raises:
        BadImage: the scenes are not on one grid.
    """

    id: str
    pre: Scene
    post: Scene
    buildings: tuple[Building, ...]
    event: str = ""
    labelled: bool = True
    synthetic: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "buildings", tuple(self.buildings))
        same_grid(self.pre.grid, self.post.grid)

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) in pixels."""
        return self.pre.shape

    @cached_property
    def valid(self) -> np.ndarray:
        """(H, W) bool: both scenes have data; black padding counts as none."""
        return self.pre.seen & self.post.seen

    @cached_property
    def levels(self) -> np.ndarray:
        """(buildings,) uint8: 1 to 4, 255 un-classified or without data, 0 not assessed."""
        known = unseen_unclassified(self.buildings, self.valid)
        return np.array([int(b.level or 0) for b in known], np.uint8)

    @cached_property
    def centres(self) -> np.ndarray:
        """(buildings, 2) float32: row and column of the middle of each."""
        middles = [b.polygon.centroid for b in self.buildings]
        return np.array([(m.y, m.x) for m in middles], np.float32).reshape(-1, 2)

    @cached_property
    def target(self) -> np.ndarray:
        """(H, W) uint8: 0 background, 1 to 4, 255 to be ignored."""
        if not self.labelled:
            return np.full(self.shape, IGNORE, np.uint8)
        return rasterize(self.buildings, self.shape)

    @cached_property
    def known(self) -> np.ndarray:
        """The target with 255 where a scene has no data: what can be learned and judged."""
        valid = self.valid
        return self.target if valid.all() else np.where(valid, self.target, np.uint8(IGNORE))

    @property
    def instances(self) -> np.ndarray:
        """(H, W) int32: 0 background, i + 1 for ``buildings[i]``; later ones lie over earlier."""
        return instances(self.buildings, self.shape)

    @cached_property
    def fingerprint(self) -> Fingerprint:
        """What the leak guard compares."""
        return Fingerprint(id=self.id, picture=self.pre.picture, place=middle(self.buildings))

    @cached_property
    def pixel_hashes(self) -> tuple[str, str, str]:
        """Of pre, post and target; worked out once, as a pair goes into many runs."""
        return pixel_hash(self.pre.pixels), pixel_hash(self.post.pixels), pixel_hash(self.target)


def read_pair(pair: Pair, *, synthetic: bool = False) -> LabelledPair:
    """Decode each file of a pair once. Raises MissingFile, BadImage, BadLabel.

    Without a label the target file is outlined; without either the pair is not labelled. Warns
    (OddPair) where the two images of a real pair are one, or their order is probably wrong, and
    (OddPixelSize) of pixels that models do not know.
    """
    if pair.post is None:
        raise MissingFile(f"pair {pair.id}: there is no post image; leave the pair out")
    buildings: tuple[Building, ...] = ()
    drawn = False
    if pair.post_label is not None:
        label = read_label_of(pair.post_label, pair.post)
        buildings, drawn = label.buildings, label.metadata.get("synthetic") is True
    elif pair.target is not None:
        buildings = outlined(_target_of(pair.target, pair.post))
    pre, post = read_scene(pair.pre), read_scene(pair.post)
    files = (pair.pre, pre), (pair.post, post)
    same_grid(*(replace(scene.grid, image=path) for path, scene in files))
    if not (synthetic or drawn):  # where no building is damaged, the two may well be equal
        warn_of_pair(pair.pre, pair.post, pre, post)
        warn_of_pixels(replace(pre.grid, image=pair.pre), buildings)
    return LabelledPair(
        id=pair.id,
        pre=_with_data(pre),
        post=_with_data(post),
        buildings=buildings,
        event=pair.event,
        labelled=pair.labelled,
        synthetic=synthetic,
    )


def _with_data(scene: Scene) -> Scene:
    """The scene of a file, which shows nothing where it is zero all over."""
    return scene if scene.pixels.any() else scene.replace(valid=np.zeros(scene.shape, bool))


def with_post(
    pairs: Iterable[Pair], left_out: LeftOut | None = None, *, levels: bool = True
) -> list[Pair]:
    """The pairs that have a post image and, with ``levels``, a file that tells its levels.

    The others are counted.
    """
    count, found = LeftOut() if left_out is None else left_out, []
    for pair in pairs:
        if pair.post is None:
            count.add(NO_POST)
        elif levels and not pair.labelled:
            count.add(NO_LEVELS)
        else:
            found.append(pair)
    return found


def read_pairs(
    tree: XbdTree | Path | str,
    split: str | None = None,
    *,
    synthetic: bool = False,
    left_out: LeftOut | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[LabelledPair]:
    """Every pair of an xBD or GBD tree (or of one split) that has a post image and labels.

    They stay in memory (9 MB for 1024 x 1024). The others are counted in ``left_out``.
    progress(done, total) is called after each pair. Raises MissingFile where none is found, and
    what :func:`read_pair` raises.
    """
    if not isinstance(tree, XbdTree):
        tree = XbdTree(Path(tree))
    count = LeftOut()
    pairs = with_post(tree.pairs(split, count), count)
    if not pairs:
        where = f"split '{split}'" if split else "the tree"
        raise MissingFile(
            f"{tree.root}: {where} has no pair with a post image and its label; "
            f"check the folder and the name of the split{f' ({count})' if count else ''}"
        )
    if left_out is not None:
        left_out.take(count)
    found = []
    for number, pair in enumerate(pairs, 1):
        found.append(read_pair(pair, synthetic=synthetic))
        if progress is not None:
            progress(number, len(pairs))
    return found


def read_target(path: Path) -> np.ndarray:
    """(H, W) uint8 of a target file, 0 to 4 and 255. Raises MissingFile, BadImage, BadLabel."""
    target = read_mask(path)
    values = set(np.unique(target).tolist())
    if not values <= {0, *map(int, DamageLevel)}:
        raise BadLabel(f"{path}: the target holds {sorted(values)}; give 0 to 4, and 255 to ignore")
    return target


def _target_of(path: Path, image: Path) -> np.ndarray:
    """The target of an image, of the same size. Raises BadLabel."""
    target, shape = read_target(path), shape_of(image)
    if target.shape != shape:
        raise BadLabel(
            f"{path} has {target.shape[1]} x {target.shape[0]} pixels, but {image} has "
            f"{shape[1]} x {shape[0]}; give the target of this image"
        )
    return target


def outlined(target: np.ndarray) -> tuple[Building, ...]:
    """A building for each connected part of one level: what a target alone still tells.

    ``rasterize(outlined(target), target.shape)`` is ``target`` again.
    """
    return tuple(
        Building(polygon=outline, level=level, uid=f"{level.word}-{number}")
        for level in DamageLevel
        for number, outline in enumerate(_outlines((target == level).astype(np.uint8)))
    )


def _outlines(mask: np.ndarray) -> Iterator[Polygon]:
    """The parts of a mask (8-connected) with their holes; corners are centres of border pixels."""
    rings, tree = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    # A part of one or two pixels is no ring for shapely until its first corner is repeated.
    corners = [np.concatenate([r[:, 0], np.repeat(r[:1, 0], 3, axis=0)]) for r in rings]
    inside: dict[int, list[np.ndarray]] = {}
    for number, ring in enumerate(corners):
        inside.setdefault(int(tree[0][number][3]), []).append(ring)
    for number, ring in enumerate(corners):
        if tree[0][number][3] < 0:
            yield Polygon(ring, inside.get(number, []))


def count_levels(pairs: Sequence[LabelledPair]) -> dict[str, int]:
    """Pixels of each level over all pairs, for cards and reports."""
    total = np.zeros(256, dtype=np.int64)
    for pair in pairs:
        total += np.bincount(pair.target.ravel(), minlength=256)
    return {"background": int(total[0]), **{level.word: int(total[level]) for level in DamageLevel}}
