"""Pixel counts of predictions against targets, from which every damage score is computed.

A tile is counted once, by target, building in the target, building predicted and predicted level;
counts of tiles add up. Un-classified pixels of a target (255) are counted separately or as level 1;
every result names that choice (:mod:`afterscene.metrics.xview2`). No torch.
"""

from dataclasses import dataclass, field

import cv2
import numpy as np

from afterscene.errors import BadParameter
from afterscene.geodata.damage import IGNORE, Unclassified
from afterscene.metrics.xview2 import ScoreResult, result

#: damage target 0..4 and ignored, building in target, building predicted, predicted level
_SHAPE = (6, 2, 2, 5)
_IGNORED = 5
_BLOCK = 1 << 18  # pixels that are counted at once: as many as fit into the cache


@dataclass(frozen=True, kw_only=True, eq=False)
class Confusion:
    """Pixel counts of a set of tiles. Immutable: :meth:`add` and ``+`` return new ones.

    `unclassified` says what happens to target pixels of value 255: ``ignore`` leaves them out of
    both parts of the score, ``as-no-damage`` counts them as level 1.
    """

    unclassified: Unclassified = "ignore"
    counts: np.ndarray = field(default_factory=lambda: np.zeros(_SHAPE, np.int64))

    def __post_init__(self) -> None:
        if self.unclassified not in ("ignore", "as-no-damage"):
            raise BadParameter(
                f"unclassified={self.unclassified!r}: choose 'ignore' or 'as-no-damage'"
            )

    def add(
        self,
        localization: np.ndarray,
        damage: np.ndarray,
        target: np.ndarray,
        *,
        localization_target: np.ndarray | None = None,
    ) -> "Confusion":
        """These counts plus those of one tile.

        All arrays are (H, W) integers: `localization` > 0 where a building is predicted, `damage`
        0..4, `target` 0..4 or 255. `localization_target` defaults to ``target > 0``; the official
        layout has its own. Raises BadParameter for other shapes or values.
        """
        wanted = target if localization_target is None else localization_target
        if len({a.shape for a in (localization, damage, target, wanted)}) != 1:
            raise BadParameter(
                f"masks differ in shape: localization {localization.shape}, damage {damage.shape}, "
                f"target {target.shape}; predict on the target's grid"
            )
        counts = _count(
            _levels("target", target),
            _bytes(wanted),
            _bytes(localization),
            _levels("damage prediction", damage),
            unknown=_IGNORED if self.unclassified == "ignore" else 1,
        )
        return Confusion(unclassified=self.unclassified, counts=self.counts + counts)

    def __add__(self, other: "Confusion") -> "Confusion":
        if self.unclassified != other.unclassified:
            raise BadParameter(
                f"cannot add counts of un-classified as {self.unclassified!r} and "
                f"{other.unclassified!r}; score both with one policy"
            )
        return Confusion(unclassified=self.unclassified, counts=self.counts + other.counts)

    def result(self) -> ScoreResult:
        """Scores of everything that was added. Raises BadParameter if nothing was."""
        return result(self.counts, self.unclassified)


def _levels(name: str, values: np.ndarray) -> np.ndarray:
    """As uint8, with values beyond the levels kept so that they are found. Raises BadParameter."""
    if values.dtype == np.uint8:
        return values
    if values.dtype.kind not in "biu":
        raise BadParameter(f"{name} is {values.dtype}; give integer levels 0 to 4")
    odd = values[(values < 0) | (values > IGNORE)]
    if odd.size:
        raise BadParameter(f"{name} has the value {odd[0]}; levels are 0 to 4")
    return values.astype(np.uint8)


def _bytes(mask: np.ndarray) -> np.ndarray:
    """As one byte a pixel, above 0 where the mask is."""
    return mask if mask.dtype == np.uint8 else mask > 0


def _count(
    truth: np.ndarray,
    wanted: np.ndarray,
    found: np.ndarray,
    level: np.ndarray,
    *,
    unknown: int,
) -> np.ndarray:
    """Pixels of each combination of four uint8 (or bool) masks; 255 in `truth` is `unknown`.

    Most groups of eight pixels are background in all four masks and are skipped; each other pixel
    becomes one number below 120.
    """
    flat = [np.ascontiguousarray(a).ravel() for a in (truth, wanted, found, level)]
    whole = flat[0].size // 8 * 8
    taken: list[list[np.ndarray]] = [[a[whole:]] for a in flat]
    work, busy = np.empty(_BLOCK // 8, np.uint64), np.empty(_BLOCK // 8, bool)
    for start in range(0, whole, _BLOCK):
        words = [a[start : min(start + _BLOCK, whole)].view(np.uint64) for a in flat]
        some = work[: words[0].size]
        np.bitwise_or(words[0], words[1], out=some)
        np.bitwise_or(some, words[2], out=some)
        np.bitwise_or(some, words[3], out=some)
        where = np.flatnonzero(np.not_equal(some, 0, out=busy[: some.size]))
        for part, word in zip(taken, words, strict=True):
            part.append(word.take(where).view(np.uint8))
    t, w, f, d = (np.concatenate([p.view(np.uint8) for p in part]) for part in taken)
    _no_other("damage prediction", d)
    if t.size and t.max() > 4:
        _no_other("target", t[t != IGNORE])
        t = np.where(t == IGNORE, np.uint8(unknown), t)
    key = t * np.uint8(2)
    key += (w > 0).view(np.uint8)
    key *= np.uint8(2)
    key += (f > 0).view(np.uint8)
    key *= np.uint8(5)
    key += d
    counts = _histogram(key)
    counts[0] += flat[0].size - key.size
    return counts.reshape(_SHAPE)


def _histogram(key: np.ndarray) -> np.ndarray:
    """How often each number below 120 occurs; in portions, as OpenCV counts in float32."""
    total = np.zeros(int(np.prod(_SHAPE)), np.int64)
    for start in range(0, key.size, 1 << 23):
        part = key[None, start : start + (1 << 23)]
        total += cv2.calcHist([part], [0], None, [total.size], [0, total.size]).ravel().astype(int)
    return total


def _no_other(name: str, levels: np.ndarray) -> None:
    if levels.size and levels.max() > 4:
        raise BadParameter(f"{name} has the value {levels.max()}; levels are 0 to 4")
