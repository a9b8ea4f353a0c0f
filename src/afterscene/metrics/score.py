"""The xView2 score, by the official rules, without torch.

``score = 0.3 LF1 + 0.7 DF1`` (xView2 challenge, on xBD, Gupta et al. 2019, arXiv 1911.09296). LF1
is the pixel F1 of "a building stands here". DF1 is the harmonic mean of the four levels' pixel F1,
``4 / sum_i 1 / (F1_i + 1e-6)``. A damage prediction counts only where a building was predicted,
and is judged only where one stands. TP, FN and FP are summed over the whole set before any F1,
and F1 = 0 where TP = 0.

So a level that the set does not contain takes DF1 down to nearly 0: such levels are listed in
``absent_levels`` beside the official number, and ``damage_f1_present`` leaves them out. What
became of un-classified buildings is written in every result.
"""

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import cv2
import numpy as np

from afterscene.errors import BadImage, BadParameter, MissingFile
from afterscene.geodata.damage import IGNORE, LEVELS, Unclassified
from afterscene.geodata.scene import Scene, read_scene, write_scene

OFFICIAL_SHAPE = (1024, 1024)
Kind = Literal["localization", "damage"]
Role = Literal["prediction", "target"]

#: damage target 0..4 and ignored, building in target, building predicted, predicted level
_SHAPE = (6, 2, 2, 5)
_IGNORED = 5
_BLOCK = 1 << 18  # pixels that are counted at once: what fits into the cache


@dataclass(frozen=True, kw_only=True)
class ScoreResult:
    """The official numbers, and what one has to know to read them.

    `damage_f1_by_level` is by level word; `absent_levels` are levels without one target pixel;
    `damage_f1_present` is DF1 over the others, None if none is there; `unclassified` tells the
    policy; `pixels` counts what was scored.
    """

    score: float
    damage_f1: float
    localization_f1: float
    damage_f1_by_level: Mapping[str, float]
    absent_levels: tuple[str, ...]
    damage_f1_present: float | None
    unclassified: str
    pixels: int

    def official(self) -> dict[str, float]:
        """The keys of the official result file."""
        levels = {
            f"damage_f1_{word.replace('-', '_')}": f1
            for word, f1 in self.damage_f1_by_level.items()
        }
        return {
            "score": self.score,
            "damage_f1": self.damage_f1,
            "localization_f1": self.localization_f1,
            **levels,
        }

    def as_json(self) -> dict[str, object]:
        """The official keys and the remarks, ready for ``json.dumps``."""
        return {
            **self.official(),
            "absent_levels": list(self.absent_levels),
            "damage_f1_present": self.damage_f1_present,
            "unclassified": self.unclassified,
            "pixels": self.pixels,
        }


@dataclass(frozen=True, kw_only=True, eq=False)
class Confusion:
    """Pixel counts of a set of tiles. A value: :meth:`add` and ``+`` return new ones.

    `unclassified` decides over target pixels of value 255: ``ignore`` leaves them out of both
    parts of the score, ``as-no-damage`` takes them as level 1.
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
        """These counts and those of one tile.

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

    def levels(self) -> np.ndarray:
        """(5, 5) pixels of assessed buildings by true level (row) and predicted (0: none found).

        Row 0 is empty: where no building stands, no level is judged.
        """
        return _judged_damage(self.counts[:_IGNORED])

    def result(self) -> ScoreResult:
        """Scores of all that was added. Raises BadParameter where nothing was."""
        scored = self.counts[:_IGNORED]
        if not scored.sum():
            raise BadParameter("no pixel was scored; add at least one tile")
        localization = scored.sum(axis=(0, 3))  # (target, predicted)
        localization_f1 = _f1(localization[1, 1], localization[1, 0], localization[0, 1])
        pairs = _judged_damage(scored)
        by_level, absent = {}, []
        for level in LEVELS:
            hit = pairs[level, level]
            missed = pairs[level].sum() - hit
            by_level[level.word] = _f1(hit, missed, pairs[:, level].sum() - hit)
            if hit + missed == 0:
                absent.append(level.word)
        damage_f1 = _harmonic([*by_level.values()])
        present = [f1 for word, f1 in by_level.items() if word not in absent]
        return ScoreResult(
            score=0.3 * localization_f1 + 0.7 * damage_f1,
            damage_f1=damage_f1,
            localization_f1=localization_f1,
            damage_f1_by_level=by_level,
            absent_levels=tuple(absent),
            damage_f1_present=_harmonic(present) if present else None,
            unclassified=self.unclassified,
            pixels=int(scored.sum()),
        )


def _levels(name: str, values: np.ndarray) -> np.ndarray:
    """As uint8, where what is no level can be found later. Raises BadParameter."""
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

    Most words of eight pixels are background in all four and need no further look; the others
    become one number below 120 a pixel.
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
    """How often each number below 120 occurs; OpenCV counts in float32, so in exact portions."""
    total = np.zeros(int(np.prod(_SHAPE)), np.int64)
    for start in range(0, key.size, 1 << 23):
        part = key[None, start : start + (1 << 23)]
        total += cv2.calcHist([part], [0], None, [total.size], [0, total.size]).ravel().astype(int)
    return total


def _no_other(name: str, levels: np.ndarray) -> None:
    if levels.size and levels.max() > 4:
        raise BadParameter(f"{name} has the value {levels.max()}; levels are 0 to 4")


def _judged_damage(scored: np.ndarray) -> np.ndarray:
    """(target 0..4, predicted 0..4) counts: no building predicted is level 0, no target is out."""
    pairs = scored[:, :, 1].sum(axis=1)
    pairs[:, 0] += scored[:, :, 0].sum(axis=(1, 2))
    pairs[0] = 0
    return pairs


def scores(counts: np.ndarray) -> np.ndarray:
    """(..., 7) official figures of (..., 6, 2, 2, 5) counts, in the order of ``FIGURES``.

    The same rules as :meth:`Confusion.result`, for many sets of tiles at once.
    """
    scored = counts[..., :_IGNORED, :, :, :]
    place = scored.sum(axis=(-4, -1))
    pairs = scored[..., 1, :].sum(axis=-2)
    pairs[..., 0] += scored[..., 0, :].sum(axis=(-1, -2))
    pairs[..., 0, :] = 0
    right = np.diagonal(pairs, axis1=-2, axis2=-1)[..., 1:]
    both = pairs.sum(axis=-1)[..., 1:] + pairs.sum(axis=-2)[..., 1:]
    by_level = 2 * right / np.maximum(both, 1)
    located = 2 * place[..., 1, 1]
    located = located / np.maximum(located + place[..., 1, 0] + place[..., 0, 1], 1)
    damage = 4 / (1 / (by_level + 1e-6)).sum(axis=-1)
    total = 0.3 * located + 0.7 * damage
    return np.concatenate([np.stack([total, damage, located], axis=-1), by_level], axis=-1)


FIGURES = (
    "score",
    "damage_f1",
    "localization_f1",
    *(f"damage_f1_{level.word.replace('-', '_')}" for level in LEVELS),
)


def _f1(hit: int, missed: int, false: int) -> float:
    return float(2 * hit / (2 * hit + missed + false)) if hit else 0.0


def _harmonic(values: list[float]) -> float:
    return len(values) / sum(1 / (value + 1e-6) for value in values)


def score_folder(predictions: str | Path, targets: str | Path) -> ScoreResult:
    """Score a folder in the official layout.

    Every ``{test|hold}_damage_{5 digits}_target.png`` in `targets` needs its localization target
    and, in `predictions`, ``..._localization_..._prediction.png`` and ``..._damage_...``; all
    1024 x 1024 uint8 in 0..4. Raises MissingFile, BadImage. Un-classified buildings are what the
    target files made of them; the result says so.
    """
    predictions, targets = Path(predictions), Path(targets)
    tiles = sorted(
        (name["split"], name["index"])
        for path in (targets.iterdir() if targets.is_dir() else ())
        if (name := _TARGET.fullmatch(path.name))
    )
    if not tiles:
        raise MissingFile(
            f"{targets} holds no target such as test_damage_00000_target.png; give the folder of "
            "the official targets"
        )
    total = Confusion()
    for split, index in tiles:
        masks = [
            _read_official(folder / f"{split}_{kind}_{index}_{role}.png")
            for folder, role in ((predictions, "prediction"), (targets, "target"))
            for kind in ("localization", "damage")
        ]
        total = total.add(masks[0], masks[1], masks[3], localization_target=masks[2])
    return dataclasses.replace(total.result(), unclassified="as in the target files")


_TARGET = re.compile(r"(?P<split>test|hold)_damage_(?P<index>\d{5})_target\.png")


def _read_official(path: Path) -> np.ndarray:
    scene = read_scene(path)
    mask = scene.pixels
    if mask.shape != (1, *OFFICIAL_SHAPE) or mask.dtype != np.uint8:
        raise BadImage(
            f"{path}: is {mask.dtype} of shape {mask.shape}; an official mask is one band of "
            "1024 x 1024 uint8"
        )
    if mask.max() > 4:
        raise BadImage(f"{path}: has the value {mask.max()}; an official mask has 0 to 4")
    return mask[0]


def write_official(
    folder: str | Path,
    index: int,
    kind: Kind,
    mask: np.ndarray,
    *,
    role: Role = "prediction",
    split: Literal["test", "hold"] = "test",
) -> Path:
    """Write one mask as ``{split}_{kind}_{index:05d}_{role}.png`` and return its path.

    The official layout knows no "ignore": a 255 in `mask` is refused like every value beyond 4,
    so that the choice of 0 or 1 for un-classified buildings is made by the caller.
    """
    if (kind, role, split) not in _NAMES or not 0 <= index <= 99_999:
        raise BadParameter(
            f"{split}_{kind}_{index}_{role} is no official name; use test or hold, localization or "
            "damage, 0 to 99999, prediction or target"
        )
    if mask.shape != OFFICIAL_SHAPE or mask.min() < 0 or mask.max() > 4:
        raise BadParameter(
            f"{kind} mask {index} is of shape {mask.shape} with values {mask.min()} to "
            f"{mask.max()}; an official mask is 1024 x 1024 in 0 to 4"
        )
    path = Path(folder) / f"{split}_{kind}_{index:05d}_{role}.png"
    pixels = mask.astype(np.uint8)[None]
    write_scene(Scene(pixels=pixels, valid=np.ones(mask.shape, bool)), path)
    return path


_NAMES = {
    (kind, role, split)
    for kind in ("localization", "damage")
    for role in ("prediction", "target")
    for split in ("test", "hold")
}
