"""What flood water looks like, and whether drawn water can be told from it.

    python -m benchmarks water --xbd XBD [--xbd MORE] --split train [--sheet OUT.png] [--json]

For each flooded pair: colour, deviation from pixel to pixel, skewness, kurtosis and correlation of
neighbours of the water in the real post image (constants of ``afterscene.depiction.surface``), and
the same of drawn water. Then crops of 64 pixels that are water to nine tenths, at the same places:
the area under the curve of a classifier that tells drawn ones from real ones on places that it has
not seen (0.5: it cannot), and their Fréchet distance, beside those of real crops of some events to
those of others. The water is drawn by rule from what the real image shows (``--blind``: from the
seed alone). Never on a test split: what is chosen here is a setting.
"""

import argparse
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from afterscene.depiction.overlays import Water
from afterscene.generators.tiles import gsd_of
from afterscene.geodata.damage import DamageMap
from afterscene.geodata.pair import LabelledPair, read_pair
from afterscene.geodata.xbd import XbdTree
from afterscene.hazards import hazard_of
from afterscene.hazards.real import real_damage, real_evidence
from afterscene.lab.features import default_features, pooled
from afterscene.metrics.distances import frechet_distance, told_apart

SIDE, EACH, COVERED = 64, 12, 0.9
#: Told beyond the field, which decide the look of water.
LOOK = ("turbidity", "tone", "waves")


def flooded(roots: Sequence[Path], split: str) -> Iterator[tuple[LabelledPair, DamageMap]]:
    """Pairs whose post image shows a hundredth of water or more, with what it tells."""
    for root in roots:
        for found in XbdTree(root).pairs(split):
            if hazard_of(found.event) != "flood":
                continue
            pair = read_pair(found)
            damage = real_damage(pair, gsd_of(found, pair))
            if damage.unit == "m" and float((damage.intensity > 0).mean()) > 0.01:
                yield pair, damage


def figures(picture: np.ndarray, water: np.ndarray) -> dict[str, float | list[float]]:
    """Of the water in a picture ``(H, W, 3)`` uint8, in units of 0 to 255."""
    colour = picture.astype(np.float32)
    light = colour.mean(axis=2)
    fine = light - cv2.GaussianBlur(light, (0, 0), 2.8)
    values = fine[water] - fine[water].mean()
    deviation = float(values.std())
    right = (fine[:, 1:] * fine[:, :-1])[water[:, 1:] & water[:, :-1]].mean()
    below = (fine[1:] * fine[:-1])[water[1:] & water[:-1]].mean()
    slow = cv2.GaussianBlur(light, (0, 0), 11) - cv2.GaussianBlur(light, (0, 0), 60)
    return {
        "tone": [round(float(v), 1) for v in colour[water].mean(axis=0)],
        "waves": round(deviation, 2),
        "skewness": round(float((values**3).mean()) / deviation**3, 2),
        "kurtosis": round(float((values**4).mean()) / deviation**4, 1),
        "neighbours": [round(float(v) / deviation**2, 2) for v in (right, below)],
        "drift": round(float(slow[water].std()), 2),
    }


def crops(water: np.ndarray, rng: np.random.Generator) -> list[tuple[slice, slice]]:
    """Windows that are water to :data:`COVERED`, drawn at random."""
    share = cv2.boxFilter(water.astype(np.float32), -1, (SIDE, SIDE), anchor=(0, 0))
    rows, cols = np.nonzero(share[:-SIDE, :-SIDE] >= COVERED)
    if not len(rows):
        return []
    chosen = rng.choice(len(rows), min(EACH, 1 + len(rows) // 2000), replace=False)
    return [
        (slice(int(r), int(r) + SIDE), slice(int(c), int(c) + SIDE))
        for r, c in zip(rows[chosen], cols[chosen], strict=True)
    ]


def main(args: Sequence[str] | None = None) -> int:
    """Print the figures of each pair and of all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--xbd", type=Path, action="append", required=True)
    parser.add_argument("--split", default="val")
    parser.add_argument("--blind", action="store_true")
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args(args)
    if asked.split == "test":
        parser.error("settings are chosen on train or val")
    rows, cut = measured(asked.xbd, asked.split, blind=asked.blind)
    if asked.sheet:
        sheet(cut).save(asked.sheet)
    summary = compared(cut)
    if asked.json:
        print(json.dumps({"pairs": rows, **summary}, indent=1))
        return 0
    for name, real, drawn in rows:
        print(f"{name}\n  real  {real}\n  drawn {drawn}")
    print(summary)
    return 0


def stored(picture: np.ndarray) -> np.ndarray:
    """As the real pictures are stored: JPEG of quality 91 without subsampling."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=91, subsampling=0)
    return np.asarray(Image.open(file))


Cut = list[tuple[str, np.ndarray, np.ndarray]]


def measured(roots: Sequence[Path], split: str, *, blind: bool) -> tuple[list[tuple], Cut]:
    """Rows of figures by pair, and crops: (pair, real, drawn)."""
    rng, rows, cut = np.random.default_rng(0), [], []
    for number, (pair, damage) in enumerate(flooded(roots, split)):
        real = pair.post.rgb()
        if blind:
            kept = {k: v for k, v in damage.parameters.items() if k not in LOOK}
            damage = replace(damage, parameters=kept)
        gsd = float(damage.parameters["gsd"])
        water = real_evidence(pair, pair.post, gsd).glinting & (pair.target == 0) & pair.valid
        drawn = stored(Water()(pair.pre.rgb(), damage, number))
        opaque = Water().opacity(damage, real_evidence(pair, pair.pre, gsd), number) > 0.9
        inner = cv2.erode((water & opaque).astype(np.uint8), np.ones((7, 7))) > 0
        if inner.sum() > 2000:
            rows.append((pair.id, figures(real, inner), figures(drawn, inner)))
        for window in crops(water & opaque, rng):
            cut.append((pair.id, real[window], drawn[window]))
    return rows, cut


def compared(cut: Cut) -> dict[str, float | int | None]:
    """Figures of the crops together."""
    space = default_features()
    if space is None:
        return {"crops": len(cut)}
    names = np.array([name for name, _, _ in cut])
    places = np.unique(names, return_inverse=True)[1]
    real, drawn = (pooled(space.maps(np.stack([row[k] for row in cut]))) for k in (1, 2))
    halves = places % 2 == 0
    return {
        "crops": len(cut),
        "pairs": len(set(names)),
        "told_apart": round(told_apart(drawn, real, places), 3),
        "frechet": round(frechet_distance(drawn, real), 1),
        "frechet_real": round(frechet_distance(real[halves], real[~halves]), 1),
    }


def sheet(cut: Cut, columns: int = 12) -> Image.Image:
    """Rows of real crops over the drawn ones, one crop a pair first."""
    first = sorted(range(len(cut)), key=lambda k: sum(cut[j][0] == cut[k][0] for j in range(k)))
    shown = [cut[k] for k in first[: 3 * columns]]
    lines = [
        np.hstack([row[k] for row in shown[i : i + columns]])
        for i in range(0, len(shown) // columns * columns, columns)
        for k in (1, 2)
    ]
    return Image.fromarray(np.vstack(lines)).resize((columns * SIDE * 2, len(lines) * SIDE * 2))


if __name__ == "__main__":
    raise SystemExit(main())
