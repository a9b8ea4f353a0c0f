"""The xView2 score of many pairs: ours beside a plain numpy rendering of the official rules.

    python benchmarks/score.py [--pairs 500] [--json]

The rules as the challenge states them: for each tile mask the predicted levels by the predicted
buildings, look where buildings stand, and count TP, FN and FP of each class with logical
operations; sum over the set, then F1 and the harmonic mean. They also ask that a mask holds nothing
but 0 to 4, which the challenge's scorer looks up in the set of its values; ours checks as well, so
"plain numpy" is with this check and "plain numpy, unchecked" without. All get the same masks in
memory, one thread, in turns; the seconds are processor time. Masks are drawn: 0 to 160 houses a
tile, predictions shifted, missed, invented and of a wrong level. Exits with 1 where a figure
differs by more than 1e-9.
"""

import argparse
import json
import sys
import time

import numpy as np

from afterscene.geodata.damage import LEVELS
from afterscene.metrics.confusion import Confusion

SIDE = 1024
Masks = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def draw_masks(seed: int) -> Masks:
    """Localization and damage, predicted and true, as in the official files."""
    rng = np.random.default_rng(seed)
    truth, said = np.zeros((SIDE, SIDE), np.uint8), np.zeros((SIDE, SIDE), np.uint8)
    for _ in range(int(rng.integers(0, 161))):
        row, col = rng.integers(0, SIDE - 48, 2)
        height, width = rng.integers(12, 45, 2)
        level = int(rng.choice([1, 2, 3, 4], p=[0.7, 0.12, 0.06, 0.12]))
        if rng.random() > 0.05:
            truth[row : row + height, col : col + width] = level
        if rng.random() > 0.15:
            dy, dx = rng.integers(0, 4, 2)
            answer = level if rng.random() > 0.3 else int(rng.integers(1, 5))
            said[row + dy : row + dy + height, col + dx : col + dx + width] = answer
    return (said > 0).astype(np.uint8), said, (truth > 0).astype(np.uint8), truth


def counts_of(pred: np.ndarray, targ: np.ndarray, value: int) -> np.ndarray:
    """TP, FN, FP of one class."""
    return np.array(
        [
            np.logical_and(pred == value, targ == value).sum(),
            np.logical_and(pred != value, targ == value).sum(),
            np.logical_and(pred == value, targ != value).sum(),
        ]
    )


def f1_of(counts: np.ndarray) -> float:
    """F1 of summed TP, FN, FP; 0 where TP is 0."""
    hit, missed, false = (int(n) for n in counts)
    if hit == 0:
        return 0.0
    precision, recall = hit / (hit + false), hit / (hit + missed)
    return 2 * precision * recall / (precision + recall)


def buildings(mask: np.ndarray) -> np.ndarray:
    """1 where the mask is above 0."""
    found = mask.copy()
    found[mask > 0] = 1
    return found


def checked(tiles: list[Masks]) -> dict[str, float]:
    """The official rules, and that masks hold 0 to 4."""
    for masks in tiles:
        assert all(set(np.unique(mask)) <= {0, 1, 2, 3, 4} for mask in masks)
    return plain(tiles)


def plain(tiles: list[Masks]) -> dict[str, float]:
    """The official rules in numpy, class by class."""
    place, levels = np.zeros(3, np.int64), np.zeros((4, 3), np.int64)
    for said_place, said_level, true_place, true_level in tiles:
        lp, lt, dt = (buildings(m) for m in (said_place, true_place, true_level))
        place += counts_of(lp, lt, 1)
        judged, truth = (said_level * lp)[dt == 1], true_level[dt == 1]
        for index in range(4):
            levels[index] += counts_of(judged, truth, index + 1)
    f1s = [f1_of(row) for row in levels]
    located, damage = f1_of(place), 4 / sum(1 / (f1 + 1e-6) for f1 in f1s)
    names = [f"damage_f1_{level.word.replace('-', '_')}" for level in LEVELS]
    return {
        "score": 0.3 * located + 0.7 * damage,
        "damage_f1": damage,
        "localization_f1": located,
        **dict(zip(names, f1s, strict=True)),
    }


def ours(tiles: list[Masks]) -> dict[str, float]:
    """The same from :class:`Confusion`."""
    total = Confusion()
    for said_place, said_level, true_place, true_level in tiles:
        total = total.add(said_place, said_level, true_level, localization_target=true_place)
    return total.result().official()


def main() -> None:
    """Measure, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=500)
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    sides = {"plain numpy": checked, "plain numpy, unchecked": plain, "afterscene": ours}
    seconds = dict.fromkeys(sides, 0.0)
    found: dict[str, list[dict[str, float]]] = {name: [] for name in sides}
    group = 50  # in turns, so that a slow moment of the machine meets both
    for start in range(0, options.pairs, group):
        tiles = [draw_masks(seed) for seed in range(start, min(start + group, options.pairs))]
        for name, work in sides.items():
            began = time.process_time()
            found[name].append(work(tiles))
            seconds[name] += time.process_time() - began
    pairs = zip(found["plain numpy"], found["afterscene"], strict=True)
    apart = max(abs(a[key] - b[key]) for a, b in pairs for key in a)
    result = {
        "pairs": options.pairs,
        **{f"seconds, {name}": round(value, 3) for name, value in seconds.items()},
        **{
            f"times faster than {name}": round(value / seconds["afterscene"], 1)
            for name, value in seconds.items()
            if name != "afterscene"
        },
        "largest difference": apart,
    }
    if options.json:
        print(json.dumps(result))
    else:
        print("\n".join(f"{name:40} {value}" for name, value in result.items()))
    sys.exit(apart > 1e-9)


if __name__ == "__main__":
    main()
