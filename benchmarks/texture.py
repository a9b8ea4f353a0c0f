"""How vivid and how sharp drawn damage is beside real damage.

    python -m benchmarks texture --xbd XBD --split val --hazard wind [--mode edit] [--tiles 5]

A detector that is taught with pictures whose damage has more fine colour than real damage finds the
sketch and not the damage (docs/results/history.md). Per damage level, over the split's buildings:
median and 90th percentile of the deviation, within the footprint, of what a Gaussian of 1.5 pixels
takes out of the brightness and of red minus green (units of 0 to 1). Of the pre image, the real
post image and the generator's. Never on a test split: what is chosen here is a setting.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from afterscene import generators
from afterscene.geodata.damage import DamageLevel
from afterscene.geodata.pair import LabelledPair, read_pair
from afterscene.geodata.xbd import XbdTree
from afterscene.hazards import hazard_of
from afterscene.hazards.real import real_damage
from afterscene.lab.candidates import own_seed
from afterscene.lab.evaluation_plan import thinned

FINE, SMALLEST = 1.5, 60
Picture = Callable[[LabelledPair], np.ndarray]


def detail(picture: np.ndarray, owner: np.ndarray) -> Iterator[tuple[int, float, float]]:
    """(building, brightness, tint) of each footprint of at least ``SMALLEST`` pixels.

    Args:
        picture: ``(H, W, 3)`` uint8.
        owner: ``(H, W)`` int, 0 off buildings, else the building's number from 1.
    """
    colour = picture.astype(np.float32) / 255
    parts = [colour.mean(axis=2), colour[..., 0] - colour[..., 1]]
    fine = [part - cv2.GaussianBlur(part, (0, 0), FINE) for part in parts]
    for number in np.unique(owner[owner > 0]):
        here = owner == number
        if here.sum() >= SMALLEST:
            light, tint = (float(part[here].std()) for part in fine)
            yield int(number), light, tint


def figures(pairs: Sequence[LabelledPair], picture: Picture) -> dict[int, np.ndarray]:
    """Level to ``(buildings, 2)``: brightness and tint."""
    found: dict[int, list[tuple[float, float]]] = {level: [] for level in range(1, 5)}
    for pair in pairs:
        owner = pair.instances
        for number, light, tint in detail(picture(pair), owner):
            level = pair.buildings[number - 1].level
            if level in found:
                found[int(level)].append((light, tint))
    return {level: np.array(rows).reshape(-1, 2) for level, rows in found.items()}


def lines(name: str, found: dict[int, np.ndarray]) -> Iterator[str]:
    """Rows of the Markdown table."""
    for level, rows in found.items():
        if len(rows):
            half, high = np.median(rows, axis=0), np.quantile(rows, 0.9, axis=0)
            told = " | ".join(f"{half[k]:.3f} ({high[k]:.3f})" for k in range(2))
            yield f"| {name} | {DamageLevel(level).word} | {len(rows)} | {told} |"


def main(arguments: Sequence[str]) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="benchmarks texture", description=__doc__)
    parser.add_argument("--xbd", type=Path, required=True)
    parser.add_argument("--split", choices=("train", "val"), default="val")
    parser.add_argument("--hazard", default="wind")
    parser.add_argument("--model", default="default")
    parser.add_argument("--mode", choices=("edit", "reacquire"), default="edit")
    parser.add_argument("--tiles", type=int, help="only so many, spread over the split")
    chosen = parser.parse_args(arguments)
    pairs = [
        p for p in XbdTree(chosen.xbd).pairs(chosen.split) if hazard_of(p.event) == chosen.hazard
    ]
    pairs = [p for p in pairs if p.post is not None and p.post_label is not None]
    chosen_pairs = [read_pair(pair) for pair in thinned(pairs, chosen.tiles)]
    generator = generators.load(chosen.model)
    pictures: dict[str, Picture] = {
        "pre": lambda pair: pair.pre.rgb(),
        "real post": lambda pair: pair.post.rgb(),
        chosen.mode: lambda pair: generator.render(
            pair.pre, real_damage(pair), seed=own_seed(0, pair), mode=chosen.mode
        ).rgb(),
    }
    print("| picture | level | buildings | brightness: median (90%) | red minus green |")
    print("|---|---|---|---|---|")
    for name, picture in pictures.items():
        for line in lines(name, figures(chosen_pairs, picture)):
            print(line, flush=True)
