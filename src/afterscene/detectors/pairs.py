"""What a detector learns from: a pre and a post picture and the target between them.

Pairs are decoded once and kept in memory (7 MB for 1024 x 1024); an xBD tree and a GBD tree have
the same layout, so both are read by :func:`load_pairs`. Un-classified buildings are 255 in the
target and never become no-damage by themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from afterscene.errors import BadImage, BadParameter, MissingFile
from afterscene.files import pixel_hash
from afterscene.geodata.damage import IGNORE, LEVEL_WORDS, rasterize
from afterscene.geodata.leaks import Fingerprint
from afterscene.geodata.scene import Scene, read_scene
from afterscene.geodata.xbd import Pair, XbdTree, read_label


@dataclass(frozen=True, kw_only=True)
class TrainingPair:
    """One pair on one grid.

    pre, post: (H, W, 3) uint8. target: (H, W) uint8, 0 background, 1..4 levels, 255 ignored.
    id: name of the pre image's place, unique among the real pairs. synthetic: post is generated.
    weight: how often this pair is drawn, relative to the others of its kind (real or synthetic).
    middle: longitude and latitude, where the label tells them.
    Raises BadParameter, BadImage.
    """

    id: str
    pre: np.ndarray
    post: np.ndarray
    target: np.ndarray
    event: str = ""
    synthetic: bool = False
    weight: float = 1.0
    middle: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        for name in ("pre", "post"):
            pixels = getattr(self, name)
            if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
                raise BadParameter(
                    f"pair {self.id}: {name} is {pixels.dtype} {pixels.shape}; give uint8 (H, W, 3)"
                )
        if self.pre.shape != self.post.shape or self.target.shape != self.pre.shape[:2]:
            raise BadImage(
                f"pair {self.id}: pre {self.pre.shape[:2]}, post {self.post.shape[:2]} and target "
                f"{self.target.shape} differ in size; bring them to one grid"
            )
        values = set(np.unique(self.target).tolist())
        if self.target.dtype != np.uint8 or not values <= {0, 1, 2, 3, 4, IGNORE}:
            raise BadParameter(
                f"pair {self.id}: target holds {sorted(values)} as {self.target.dtype}; "
                "give uint8 of 0 to 4 and 255"
            )
        if not (self.weight > 0 and np.isfinite(self.weight)):
            raise BadParameter(f"pair {self.id}: weight {self.weight} must be above 0")

    @cached_property
    def pixel_hashes(self) -> tuple[str, str, str]:
        """Of pre, post and target; worked out once, as a pair goes into many runs."""
        return pixel_hash(self.pre), pixel_hash(self.post), pixel_hash(self.target)

    @cached_property
    def fingerprint(self) -> Fingerprint:
        """What the leak guard compares."""
        return Fingerprint(id=self.id, picture=self.pre, place=self.middle)

    def scenes(self) -> tuple[Scene, Scene]:
        """Pre and post as scenes without a place, all pixels valid."""
        valid = np.ones(self.target.shape, dtype=bool)
        pre, post = (
            Scene(pixels=np.moveaxis(rgb, 2, 0), valid=valid, source=f"{self.id}_{when}")
            for rgb, when in ((self.pre, "pre"), (self.post, "post"))
        )
        return pre, post


def load_pairs(
    tree: XbdTree | Path | str,
    split: str | None = None,
    *,
    synthetic: bool = False,
    weight: float = 1.0,
    progress: Callable[[int, int], None] | None = None,
) -> list[TrainingPair]:
    """Every pair of an xBD or GBD tree (or of one split) that has a post image and labels.

    progress(done, total) is called after each pair. Raises MissingFile where none is found.
    """
    if not isinstance(tree, XbdTree):
        tree = XbdTree(Path(tree))
    pairs = [p for p in tree.pairs(split) if p.post is not None and (p.post_label or p.target)]
    if not pairs:
        where = f"split '{split}'" if split else "the tree"
        raise MissingFile(
            f"{tree.root}: {where} has no pair with a post image and its label; "
            "check the folder and the name of the split"
        )
    loaded = []
    for number, pair in enumerate(pairs, 1):
        loaded.append(load_pair(pair, synthetic=synthetic, weight=weight))
        if progress is not None:
            progress(number, len(pairs))
    return loaded


def load_pair(pair: Pair, *, synthetic: bool = False, weight: float = 1.0) -> TrainingPair:
    """Decode one pair of a tree. Raises MissingFile, BadImage, BadLabel, BadParameter."""
    if pair.post is None:
        raise MissingFile(f"pair {pair.id}: there is no post image; leave the pair out")
    pre = read_scene(pair.pre)
    post = read_scene(pair.post)
    return TrainingPair(
        id=pair.id,
        pre=pre.rgb(),
        post=post.rgb(),
        target=load_target(pair, pre.shape),
        event=pair.event,
        synthetic=synthetic,
        weight=weight,
        middle=pair.fingerprint.middle,
    )


def load_target(pair: Pair, shape: tuple[int, int]) -> np.ndarray:
    """(H, W) uint8 target with 255 for un-classified, from the label, or else the target file."""
    if pair.post_label is not None:
        return rasterize(read_label(pair.post_label).buildings, shape, unclassified="ignore")
    if pair.target is None:
        raise MissingFile(f"pair {pair.id}: neither post label nor target is there; add one")
    return np.ascontiguousarray(read_scene(pair.target).pixels[0])


def count_levels(pairs: Sequence[TrainingPair]) -> dict[str, int]:
    """Pixels of each level over all pairs, for cards and reports."""
    names = ("background", *LEVEL_WORDS)
    total = np.zeros(256, dtype=np.int64)
    for pair in pairs:
        total += np.bincount(pair.target.ravel(), minlength=256)
    counts = {name: int(total[value]) for value, name in enumerate(names)}
    return {**counts, "un-classified": int(total[IGNORE])}
