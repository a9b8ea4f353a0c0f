"""Evaluate pre images of a layout model: do they look real, and are the buildings found?

Every candidate has the footprints of the same real tiles. Distances
(:mod:`afterscene.metrics.distances`) are to the real pre images of these tiles, in crops around
buildings. A damage detector trained on real pairs looks for the footprints, given the image both as
pre and as post. *Coarse* is the input of the model; *real, other places* is what a perfect model
could reach for the same country.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from afterscene import shipped
from afterscene.errors import MissingFile
from afterscene.gbd.plan import item_seed
from afterscene.generators.generator import BridgeGenerator
from afterscene.generators.layouts import draw_pre
from afterscene.geodata.damage import LEVELS, Building, rasterize
from afterscene.geodata.drawn.layout import coarse, draw_layout
from afterscene.geodata.scene import Scene, read_scene
from afterscene.geodata.xbd import Pair, XbdTree, read_label
from afterscene.judging.assessor import Assessor
from afterscene.lab.evaluation_plan import EvaluationPlan, Stage, held_out, silent, thinned
from afterscene.lab.features import FeatureSpace, crops_around, pooled
from afterscene.metrics.distances import frechet_distance, kernel_distance
from afterscene.metrics.xview2 import f1

TRAIN = "train"
REAL, OTHERS = "real", "real, other places"


@dataclass
class _Seen:
    """Features of crops, and building pixels: found and true, found, true."""

    features: list[np.ndarray] = field(default_factory=list)
    pixels: np.ndarray = field(default_factory=lambda: np.zeros(3, np.int64))


def evaluate_layout(
    plan: EvaluationPlan,
    generator: BridgeGenerator,
    assessor: Assessor,
    space: FeatureSpace | None,
    *,
    steps: int | None = None,
    stage: Stage = silent,
) -> dict[str, dict[str, Any]]:
    """Candidate -> ``frechet``, ``kernel``, ``localization_f1``; None if not measurable.

    Args:
        plan: The split and the number of its tiles.
        generator: A model of the recipe ``layout``.
        assessor: Detector that looks for the footprints.
        space: Feature space of the crops; None leaves the distances out.
        steps: Network evaluations; None: the model's default.
        stage: Progress.

    Raises:
        MissingFile: no tile of the split has a building.
        LeakFound: the generator was trained on a tile of the split, or has no list of its tiles.
    """
    if generator.folder is not None:
        plan = held_out(plan, {str(generator.folder): shipped.seen(generator.folder)})
    tree = XbdTree(plan.xbd)
    pairs = _with_buildings(p for p in tree.pairs(plan.split) if p.id not in plan.without)
    if not pairs:
        raise MissingFile(f"{tree.root}: no tile of split {plan.split!r} has a building")
    chosen = thinned(pairs, plan.limit)
    seen: dict[str, _Seen] = {}
    with stage("evaluate", len(chosen)) as advance:
        for pair, buildings in chosen:
            for name, picture in layout_candidates(pair, buildings, generator, plan.seed, steps):
                _look(seen.setdefault(name, _Seen()), picture, buildings, assessor, space)
            advance(1)
    if TRAIN in tree.splits and plan.split != TRAIN:
        others = _with_buildings(tree.pairs(TRAIN))
        for pair, buildings in thinned(others, 2 * len(chosen)):
            picture = read_scene(pair.pre).rgb()
            _look(seen.setdefault(OTHERS, _Seen()), picture, buildings, assessor, space)
    return {
        name: _figures(one, seen[REAL], space, paired=name != OTHERS) for name, one in seen.items()
    }


def layout_candidates(
    pair: Pair,
    buildings: tuple[Building, ...],
    generator: BridgeGenerator,
    seed: int,
    steps: int | None,
) -> Iterator[tuple[str, np.ndarray]]:
    """All candidates with the footprints of ``pair``: name and ``(H, W, 3)`` uint8."""
    real = read_scene(pair.pre).rgb()
    own = item_seed(seed, pair.id) % 2**31
    drawn = draw_layout(buildings, real.shape[:2], own)
    yield REAL, real
    yield "coarse colours of the real image", coarse(real, buildings)
    for name, start in (("of the real image", real), ("drawn", drawn)):
        ways = (("one evaluation (regression)", 1), ("diffusion", steps))
        for way, count in ways:
            scene = draw_pre(
                generator, start, buildings, seed=own, steps=count, drawn=start is drawn
            )
            yield f"{way}, coarse colours {name}", scene.rgb()
    yield "drawn layout as it is", drawn


def _with_buildings(pairs: Iterable[Pair]) -> list[tuple[Pair, tuple[Building, ...]]]:
    """Pairs with footprints, and the footprints."""
    labels = ((pair, read_label(pair.pre_label)) for pair in pairs if pair.pre_label is not None)
    found = [(pair, [replace(b, level=LEVELS[0]) for b in one.buildings]) for pair, one in labels]
    return [(pair, tuple(buildings)) for pair, buildings in found if buildings]


def _look(
    seen: _Seen,
    picture: np.ndarray,
    buildings: tuple[Building, ...],
    assessor: Assessor,
    space: FeatureSpace | None,
) -> None:
    shape = picture.shape[:2]
    if space is not None:
        crops = crops_around(buildings, shape).cut(picture)
        seen.features.append(pooled(space.maps(crops)))
    scene = Scene.of_rgb(picture)
    found = assessor.predict(scene, scene).localization > 0
    there = rasterize(buildings, shape) > 0
    seen.pixels += [(found & there).sum(), found.sum(), there.sum()]


def _figures(
    one: _Seen, real: _Seen, space: FeatureSpace | None, *, paired: bool
) -> dict[str, Any]:
    """``paired``: both have the same places, row by row."""
    both, found, there = one.pixels
    figures: dict[str, Any] = {
        "frechet": None,
        "kernel": None,
        "localization_f1": float(f1(both, there, found)) if found + there else None,
    }
    if space is not None:
        ours, theirs = np.concatenate(one.features), np.concatenate(real.features)
        if min(len(ours), len(theirs)) > 1 and one is not real:
            figures["frechet"] = frechet_distance(ours, theirs)
            figures["kernel"] = kernel_distance(ours, theirs, paired=paired)
    return figures
