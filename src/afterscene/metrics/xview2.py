"""The xView2 scores, by the official rules, from pixel counts.

``score = 0.3 LF1 + 0.7 DF1`` (xView2 challenge, on xBD, Gupta et al. 2019, arXiv 1911.09296). LF1
is the pixel F1 of "there is a building". DF1 is the harmonic mean of the four levels' pixel F1,
``4 / sum_i 1 / (F1_i + 1e-6)``. A damage prediction counts only where a building was predicted, and
is scored only where there is one. Counts are summed over the whole set before any F1 is computed,
and F1 = 0 if nothing was right.

Every F1 and every harmonic mean of this package is computed here. Counts are arrays
``(..., 6, 2, 2, 5)`` as :class:`afterscene.metrics.confusion.Confusion` keeps them, so that many
sets of tiles are scored at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from afterscene.errors import BadParameter
from afterscene.geodata.damage import LEVEL_WORDS

#: The official keys, in the order of :func:`figures`.
FIGURES = (
    "score",
    "damage_f1",
    "localization_f1",
    *(f"damage_f1_{word.replace('-', '_')}" for word in LEVEL_WORDS),
)


@dataclass(frozen=True, kw_only=True)
class ScoreResult:
    """The official scores, and what is needed to interpret them.

    `damage_f1_by_level` is by level name; `absent_levels` are levels without a target pixel, which
    push DF1 to nearly 0; `damage_f1_present` is DF1 over the other levels, None if there is none;
    `unclassified` names the policy; `pixels` counts what was scored.
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
        levels = self.damage_f1_by_level.values()
        values = (self.score, self.damage_f1, self.localization_f1, *levels)
        return dict(zip(FIGURES, values, strict=True))

    def as_json(self) -> dict[str, object]:
        """The official keys and the further fields, ready for ``json.dumps``."""
        return {
            **self.official(),
            "absent_levels": list(self.absent_levels),
            "damage_f1_present": self.damage_f1_present,
            "unclassified": self.unclassified,
            "pixels": self.pixels,
        }


def f1(right: np.ndarray, wanted: np.ndarray, said: np.ndarray) -> np.ndarray:
    """``2 right / (wanted + said)``, with the true and the predicted counts; 0 for 0 / 0."""
    both = np.asarray(wanted, np.float64) + said
    return np.divide(2.0 * right, both, out=np.zeros_like(both), where=both > 0)


def harmonic_mean(values: np.ndarray) -> np.ndarray:
    """xView2's harmonic mean over the last axis: a value of 0 counts as 1e-6."""
    values = np.asarray(values, np.float64)
    return np.asarray(values.shape[-1] / (1 / (values + 1e-6)).sum(axis=-1))


def f1_of_table(table: np.ndarray) -> np.ndarray:
    """(..., n - 1) F1 of classes 1 to n - 1 from (..., n, n) counts by true, predicted class."""
    right = np.diagonal(table, axis1=-2, axis2=-1)
    return f1(right, table.sum(axis=-1), table.sum(axis=-2))[..., 1:]


def level_table(counts: np.ndarray) -> np.ndarray:
    """(..., 5, 5) pixels of assessed buildings by true and by predicted level (0: not found).

    Row 0 is empty: where there is no building, no level is scored.
    """
    scored = counts[..., :5, :, :, :].sum(axis=-3)
    table = scored[..., 1, :].copy()
    table[..., 0] += scored[..., 0, :].sum(axis=-1)
    table[..., 0, :] = 0
    return np.asarray(table)


def shown(counts: np.ndarray) -> np.ndarray:
    """(..., 4) pixels of the target by level 1 to 4."""
    return np.asarray(counts[..., 1:5, :, :, :].sum(axis=(-3, -2, -1)))


def figures(counts: np.ndarray) -> np.ndarray:
    """(..., 7) official figures in the order of :data:`FIGURES`."""
    place = counts[..., :5, :, :, :].sum(axis=(-4, -1))  # (..., target, predicted)
    located = f1(place[..., 1, 1], place[..., 1, :].sum(axis=-1), place[..., :, 1].sum(axis=-1))
    by_level = f1_of_table(level_table(counts))
    damage = harmonic_mean(by_level)
    total = 0.3 * located + 0.7 * damage
    return np.concatenate([np.stack([total, damage, located], axis=-1), by_level], axis=-1)


def judged_score(counts: np.ndarray, levels: Sequence[int] = (1, 2, 3, 4)) -> np.ndarray:
    """``(...)`` scores with the harmonic mean over these levels (1 to 4); all four: official."""
    found = figures(counts)
    damage = harmonic_mean(found[..., [2 + level for level in levels]])
    return np.asarray(0.3 * found[..., 2] + 0.7 * damage)


def all_undamaged(counts: np.ndarray) -> np.ndarray:
    """The counts that the same localisation would give with level 1 predicted everywhere."""
    changed = np.zeros_like(counts)
    changed[..., 1] = counts.sum(axis=-1)
    return changed


def result(counts: np.ndarray, unclassified: str) -> ScoreResult:
    """Scores of one set of counts. Raises BadParameter if nothing was counted."""
    pixels = int(counts[:5].sum())
    if not pixels:
        raise BadParameter("no pixel was scored; add at least one tile")
    total, damage, located, *by_level = figures(counts).tolist()
    there = shown(counts) > 0
    return ScoreResult(
        score=total,
        damage_f1=damage,
        localization_f1=located,
        damage_f1_by_level=dict(zip(LEVEL_WORDS, by_level, strict=True)),
        absent_levels=tuple(
            word for word, known in zip(LEVEL_WORDS, there, strict=True) if not known
        ),
        damage_f1_present=float(harmonic_mean(np.array(by_level)[there])) if there.any() else None,
        unclassified=unclassified,
        pixels=pixels,
    )
