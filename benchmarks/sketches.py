"""Ten rough sketches, drawn with a trembling hand in code, and how much of them is drawn.

``python -m benchmarks sketches --out DIR [--json]``: each sketch is drawn by ``pre`` with the
shipped layout model, and again with the same seed from a blank plan (unconditional). Edges of the
picture (Canny) are compared with those that the sketch asks for: borders of roofs, roads and water.
F1 with a tolerance of three pixels, the median over the sketches and their difference.
"""

from __future__ import annotations

import argparse
import json
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from afterscene import generators
from afterscene.gbd.pres import GSD
from afterscene.generators.layouts import draw_pre
from afterscene.geodata.damage import instances
from afterscene.geodata.drawn.layout import draw_layout
from afterscene.geodata.drawn.sketched import SketchedPlace, read_sketched_place

SIDE, NEAR = 384, 3
INK, GREEN, BLUE = (25, 25, 25), (30, 150, 50), (30, 90, 220)


def hand(points: np.ndarray, rng: np.random.Generator, tremble: float = 1.5) -> np.ndarray:
    """Points along a line with a smooth tremble, in pixels."""
    dense = np.concatenate(
        [np.linspace(a, b, 12, endpoint=False) for a, b in pairwise(points)] + [points[-1:]]
    )
    noise = cv2.GaussianBlur(rng.normal(0, 2.5 * tremble, dense.shape), (1, 7), 0)
    return np.asarray((dense + noise).round().astype(np.int32))


def sketch(seed: int) -> np.ndarray:
    """(384, 384, 3) uint8: roads, roofs, trees, and water in every other one."""
    rng = np.random.default_rng(seed)
    page = np.full((SIDE, SIDE, 3), 255, np.uint8)

    def stroke(points: list[tuple[float, float]], colour: tuple[int, ...], width: int) -> None:
        cv2.polylines(page, [hand(np.array(points, float), rng)], False, colour, width, cv2.LINE_AA)

    road = rng.uniform(150, 230)
    stroke([(0, road), (190, road + rng.uniform(-25, 25)), (383, road)], INK, 4)
    if seed % 2:
        low = rng.uniform(330, 360)
        stroke([(0, low), (130, low - 15), (260, low + 8), (383, low - 5)], BLUE, 14)
    else:
        across = rng.uniform(150, 240)
        stroke([(across, 0), (across + 10, road), (across - 5, 383)], INK, 4)
    for row in (road - 70, road + 45, road - 140):
        for x in np.arange(20, 350, rng.uniform(52, 66)):
            if rng.random() < 0.75 and 0 < row < 290:
                _house(stroke, x, row + rng.uniform(-5, 5), rng)
    for _ in range(3):
        x, y = rng.uniform(20, 350), rng.uniform(8, 30)
        zigzag = [(x + 7 * k, y + (16 if k % 2 else 0)) for k in range(5)]
        stroke(zigzag, GREEN, 4)
    return page


def _house(stroke, x: float, y: float, rng: np.random.Generator) -> None:
    wide, high = rng.uniform(22, 36), rng.uniform(18, 28)
    corners = [(x, y), (x + wide, y), (x + wide, y + high), (x, y + high), (x + 2, y + 1)]
    stroke(corners, INK, 2)


def asked(place: SketchedPlace) -> np.ndarray:
    """(H, W) bool: the borders of roofs, roads and water."""
    kinds = (instances(place.buildings, place.shape) > 0).astype(np.uint8)
    kinds[place.roads], kinds[place.water] = 2, 3
    across, down = np.diff(kinds, axis=1) != 0, np.diff(kinds, axis=0) != 0
    return np.asarray(np.pad(across, ((0, 0), (0, 1))) | np.pad(down, ((0, 1), (0, 0))))


def edge_f1(wanted: np.ndarray, picture: np.ndarray) -> float:
    """F1 of the picture's strongest edges, as many as are wanted, against the wanted ones."""
    grey = cv2.GaussianBlur(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), (0, 0), 1.5)
    found = _strongest(grey, int(wanted.sum()))
    near = [
        cv2.distanceTransform((~edges).astype(np.uint8), cv2.DIST_L2, 5) <= NEAR
        for edges in (wanted, found)
    ]
    precision = (found & near[0]).sum() / max(found.sum(), 1)
    recall = (wanted & near[1]).sum() / max(wanted.sum(), 1)
    return float(2 * precision * recall / max(precision + recall, 1e-9))


def _strongest(grey: np.ndarray, count: int) -> np.ndarray:
    """Canny edges at the threshold that leaves at most ``count`` pixels."""
    for high in range(20, 400, 5):
        edges = cv2.Canny(grey, high / 2, high) > 0
        if edges.sum() <= count:
            return edges
    return edges


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args(arguments)
    args.out.mkdir(parents=True, exist_ok=True)
    model = generators.load("layout", "layout")
    rows = []
    for seed in range(10):
        path = args.out / f"sketch-{seed}.png"
        Image.fromarray(sketch(seed)).save(path)
        place = read_sketched_place(path, GSD)
        plan = draw_layout(place.buildings, place.shape, seed, sketch=place)
        made = draw_pre(model, plan, place.buildings, seed=seed).rgb()
        blank = draw_pre(model, draw_layout((), place.shape, seed), (), seed=seed).rgb()
        sheet = np.hstack([sketch(seed), plan, made, blank])
        Image.fromarray(sheet).save(args.out / f"sheet-{seed}.png")
        wanted = asked(place)
        rows.append([edge_f1(wanted, made), edge_f1(wanted, blank)])
    ours, theirs = np.median(rows, axis=0)
    told = {"sketched": ours, "unconditional": theirs, "difference": ours - theirs, "each": rows}
    print(json.dumps(told) if args.json else told)
