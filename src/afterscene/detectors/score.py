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

import numpy as np

from afterscene.errors import BadImage, BadParameter, MissingFile
from afterscene.geodata.damage import IGNORE, DamageLevel, Unclassified
from afterscene.geodata.scene import Scene, read_scene, write_scene

LEVELS = tuple(level for level in DamageLevel if level != DamageLevel.UNCLASSIFIED)
OFFICIAL_SHAPE = (1024, 1024)
Kind = Literal["localization", "damage"]
Role = Literal["prediction", "target"]

_SHAPE = (
    6,
    2,
    2,
    5,
)  # damage target 0..4 and ignored, building in target, building predicted, level
_IGNORED = 5


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
        ignored = np.asarray(target) == IGNORE
        _check_levels("target", np.where(ignored, 0, target))
        _check_levels("damage prediction", damage)
        truth = np.where(ignored, _IGNORED if self.unclassified == "ignore" else 1, target)
        key = np.ravel_multi_index(
            tuple(a.astype(np.intp) for a in (truth, wanted > 0, localization > 0, damage)), _SHAPE
        )
        counts = np.bincount(key.ravel(), minlength=self.counts.size).reshape(_SHAPE)
        return Confusion(unclassified=self.unclassified, counts=self.counts + counts)

    def __add__(self, other: "Confusion") -> "Confusion":
        if self.unclassified != other.unclassified:
            raise BadParameter(
                f"cannot add counts of un-classified as {self.unclassified!r} and "
                f"{other.unclassified!r}; score both with one policy"
            )
        return Confusion(unclassified=self.unclassified, counts=self.counts + other.counts)

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


def _check_levels(name: str, values: np.ndarray) -> None:
    if values.dtype.kind not in "biu":
        raise BadParameter(f"{name} is {values.dtype}; give integer levels 0 to 4")
    bad = values[(values < 0) | (values > 4)]
    if bad.size:
        raise BadParameter(f"{name} has the value {bad[0]}; levels are 0 to 4")


def _judged_damage(scored: np.ndarray) -> np.ndarray:
    """(target 0..4, predicted 0..4) counts: no building predicted is level 0, no target is out."""
    pairs = scored[:, :, 1].sum(axis=1)
    pairs[:, 0] += scored[:, :, 0].sum(axis=(1, 2))
    pairs[0] = 0
    return pairs


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
