"""How well the post image of a real pair is registered to its pre image, and if it stays sharp.

    python -m benchmarks registration --xbd XBD [--split val] [--json]

Per event and level (no damage, destroyed): the mean correlation of a building's pixels, with 4
pixels around it, with those of the pre image: as the pair lies, after the one best shift (the
median of the flow), and after the flow. Intact roofs should agree more; a flow that made rubble
agree with roofs would hide damage. Sharpness is the mean absolute Laplacian there after the flow,
as a share of that before it.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from afterscene.generators.registration import find_flow, warp
from afterscene.geodata.damage import DamageLevel
from afterscene.geodata.pair import LabelledPair, read_pairs

AROUND, SMALLEST = 4, 12
WAYS = ("as they lie", "one shift", "flow")
LEVELS = (DamageLevel.NO_DAMAGE, DamageLevel.DESTROYED)


def windows(pair: LabelledPair, level: DamageLevel) -> Iterator[tuple[slice, slice]]:
    """The surroundings of the buildings of a level that are not tiny."""
    for building in pair.buildings:
        left, top, right, bottom = np.round(building.polygon.bounds).astype(int)
        rows = slice(max(top - AROUND, 0), min(bottom + AROUND, pair.shape[0]))
        cols = slice(max(left - AROUND, 0), min(right + AROUND, pair.shape[1]))
        if building.level == level and min(rows.stop - rows.start, cols.stop - cols.start) >= (
            SMALLEST
        ):
            yield rows, cols


def grey(picture: np.ndarray) -> np.ndarray:
    """Brightness, float32."""
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.float32)


def measured(pair: LabelledPair) -> Iterator[tuple[str, list[float]]]:
    """The level of each building, its correlations in the order of WAYS, and its sharpness."""
    pre, post = pair.pre.rgb(), pair.post.rgb()
    field = find_flow(pre, post)
    one = np.broadcast_to(np.median(field, axis=(0, 1)).round(), field.shape)
    pictures = [grey(p) for p in (post, warp(post, one.astype(np.float32)), warp(post, field))]
    before, fine = grey(pre), [np.abs(cv2.Laplacian(p, cv2.CV_32F)) for p in pictures]
    for level in LEVELS:
        for place in windows(pair, level):
            values = [np.corrcoef(before[place].ravel(), p[place].ravel())[0, 1] for p in pictures]
            yield level.word, [*values, fine[2][place].mean() / (fine[0][place].mean() + 1e-6)]


def main(args: Sequence[str] | None = None) -> int:
    """Print the table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--xbd", type=Path, required=True)
    parser.add_argument("--split", default="val")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args(args)
    found: dict[tuple[str, str], list[list[float]]] = defaultdict(list)
    for pair in read_pairs(chosen.xbd, chosen.split):
        for level, values in measured(pair):
            found[pair.event, level].append(values)
    names = (*WAYS, "sharpness")
    table = [
        {"event": event, "level": level, "buildings": len(rows)}
        | dict(zip(names, np.nanmean(rows, axis=0).round(3).tolist(), strict=True))
        for (event, level), rows in sorted(found.items())
    ]
    if chosen.json:
        print(json.dumps(table))
        return 0
    for row in table:
        print("  ".join(f"{key} {value}" for key, value in row.items()))
    return 0
