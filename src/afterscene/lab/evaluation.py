"""Evaluate a generator: every candidate on every tile of a split.

The requested levels are the real labels of the split, so floor (pre-as-post) and ceiling (real
post) are measured on the same tiles. The real pairs of the split are decoded once and stay in
memory; of the drawn posts only figures, features of crops and a few small images do. An output
folder keeps the drawn posts at full size, so that a run can be continued, and ``report.html``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from afterscene import __version__
from afterscene.files import prepare_output, write_atomic
from afterscene.gbd.generator import Generator
from afterscene.generators.choosing import Choice
from afterscene.geodata.pair import LabelledPair
from afterscene.geodata.scene import Scene
from afterscene.geodata.xbd import XbdTree
from afterscene.hazards.real import hazard_name
from afterscene.judging.assessor import Assessor
from afterscene.lab.baselines import TrainingPosts, harvest
from afterscene.lab.candidates import (
    CEILING,
    FLOOR,
    Candidate,
    PostStore,
    candidates,
    outside,
    own_seed,
)
from afterscene.lab.evaluation_plan import EvaluationPlan, RealPairs, Stage, evaluated_pairs, silent
from afterscene.lab.features import FeatureSpace
from afterscene.lab.fidelity import asked_buildings
from afterscene.lab.seams import seam_figures
from afterscene.lab.summary import Asked, summarise
from afterscene.lab.tilefigures import Reference, TileFigures, measure, real_apart
from afterscene.pages.pictures import paint_damage
from afterscene.pages.report import PictureRow

SHOWN, WINDOW = 20, 384


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """The figures (JSON values) and the pictures of the page."""

    figures: Mapping[str, Any]
    pictures: tuple[PictureRow, ...] = ()


@dataclass
class _Run:
    """Figures by candidate, collected tile by tile."""

    tiles: dict[str, list[TileFigures]] = field(default_factory=dict)
    pictures: list[PictureRow] = field(default_factory=list)
    seam: dict[str, Any] | None = None


def evaluate(
    plan: EvaluationPlan,
    generator: Generator,
    assessor: Assessor,
    *,
    space: FeatureSpace | None,
    choice: Choice | None = None,
    out: Path | None = None,
    stage: Stage = silent,
) -> Evaluation:
    """Draw, assess and measure all candidates on the split.

    Args:
        plan: What is evaluated.
        generator: Draws the posts.
        assessor: A damage detector trained neither on synthetic images nor on this split.
        space: Feature space of the crops; None leaves the distances out.
        choice: By a detector other than the assessor, for the row with chosen sketches.
        out: Folder for the drawn posts, see :func:`prepare`; None: nothing is written.
        stage: Progress.

    Raises:
        MissingFile, UnknownName, BadImage, BadLabel: see the readers.
    """
    pairs = RealPairs.of(plan, stage=stage)
    asked = pairs.asked
    training = _training(pairs, stage)
    store = PostStore(folder=out / "posts" if out else None, model_hash=generator.hash)
    run = _Run()
    damaged = [int(((pair.levels >= 2) & (pair.levels <= 4)).sum()) for pair in asked]
    shown = {asked[k].id for k in np.argsort(damaged)[::-1][:SHOWN]}
    probe = asked[int(np.argmax(damaged))].id if plan.seams else None
    found = candidates(generator, training, choice)
    with stage("evaluate", len(asked)) as advance:
        for pair in asked:
            seed = own_seed(plan.seed, pair)
            posts = _one(run, pair, seed, generator, found, assessor, space, store)
            if pair.id in shown:
                run.pictures.append(picture_row(pair, posts))
            if pair.id == probe:
                run.seam = _seam(pair, generator, seed, out)
            advance(1)
    counted = Asked(
        buildings=asked_buildings([pair.buildings for pair in asked]),
        by_hazard=_grouped(hazard_name, asked),
        by_event=_grouped(lambda pair: pair.event, asked),
    )
    figures = {
        "xbd_split": plan.split,
        "seed": plan.seed,
        "model_hash": generator.hash,
        "critic": choice.name if choice else None,
        "feature_space": space.name if space else None,
        "training": {
            "pairs": training.pairs,
            "donors": len(training.donors),
            "left_out": list(training.left_out),
        },
        **summarise(run.tiles, counted, seed=plan.seed),
        "real_apart": real_apart(run.tiles[CEILING]),
        "seam": run.seam,
    }
    return Evaluation(figures=figures, pictures=tuple(run.pictures))


def prepare(plan: EvaluationPlan, generator: Generator, out: Path, *, overwrite: bool) -> None:
    """Make `out`, or continue in it if it was made for the same generator and pairs.

    Raises:
        OutputConflict: it contains something else.
    """
    pairs = evaluated_pairs(XbdTree(plan.xbd), plan)
    settings = {
        "version": __version__,
        "model_hash": generator.hash,
        "pairs": [pair.id for pair in pairs],
        "seed": plan.seed,
    }
    prepare_output(out, "evaluate generator", run=settings, overwrite=overwrite)


def _training(pairs: RealPairs, stage: Stage) -> TrainingPosts:
    held_out = [pair.fingerprint for pair in pairs.asked]
    with stage("read training posts", pairs.count) as advance:
        return harvest(pairs.training, held_out=held_out, advance=advance)


def _one(
    run: _Run,
    pair: LabelledPair,
    seed: int,
    generator: Generator,
    found: Mapping[str, Candidate],
    assessor: Assessor,
    space: FeatureSpace | None,
    store: PostStore,
) -> dict[str, Scene]:
    """Measure all candidates on one pair; returns their post images."""
    real, still, posts = Reference.of(pair, space), outside(pair, generator), {}
    for name, candidate in found.items():
        posts[name], seconds = store.make(name, candidate, pair, seed)
        figures = measure(
            pair,
            posts[name],
            assessor,
            space=space,
            real=real,
            outside=still,
            seconds=seconds,
        )
        run.tiles.setdefault(name, []).append(figures)
    return posts


def _seam(pair: LabelledPair, generator: Generator, seed: int, out: Path | None) -> dict[str, Any]:
    """The seam figures; they take minutes and are kept in ``out/seam.json``."""
    path = out / "seam.json" if out else None
    if path is not None and path.is_file():
        return dict(json.loads(path.read_text("utf-8")))
    found = seam_figures(pair, generator, seed)
    if path is not None:
        write_atomic(path, json.dumps(found).encode())
    return found


def _grouped(
    group: Callable[[LabelledPair], str], pairs: Sequence[LabelledPair]
) -> dict[str, dict[str, int]]:
    names = [group(pair) for pair in pairs]
    return {
        name: asked_buildings(
            [pair.buildings for n, pair in zip(names, pairs, strict=True) if n == name]
        )
        for name in sorted(set(names))
    }


def picture_row(pair: LabelledPair, posts: Mapping[str, Scene]) -> PictureRow:
    """Pre, requested damage, candidates and real post, cut around most of the damage."""
    pre = pair.pre.rgb()
    shown = {name: post.rgb() for name, post in posts.items() if name not in (FLOOR, CEILING)}
    pictures = {
        "pre": pre,
        "requested damage": paint_damage(pair.target, pre),
        **shown,
        CEILING: pair.post.rgb(),
    }
    counts = asked_buildings([pair.buildings])
    told = ", ".join(f"{n} {word}" for word, n in counts.items() if n)
    text = f"{hazard_name(pair)}; requested: {told}."
    return PictureRow(title=pair.id, pictures=pictures, text=text).cut(pair.target, WINDOW)
