"""Evaluate a generator: every candidate on every tile of a split, one tile after the other.

The asked levels are the real labels of the split, so that floor (pre-as-post) and ceiling (real
post) stand on the same tiles. Only figures, features of crops and a few small pictures are kept;
memory does not grow with the split. With an output folder the rendered posts are kept there at
full size, a run that was stopped goes on, and ``report.html`` shows it all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from afterscene import __version__
from afterscene.errors import BadParameter, MissingFile
from afterscene.files import prepare_output
from afterscene.gbd.pair import Renderer
from afterscene.generators.choosing import Choice
from afterscene.geodata.leaks import check_history
from afterscene.geodata.scene import Scene
from afterscene.geodata.xbd import Pair, XbdTree
from afterscene.hazards import hazard_of
from afterscene.lab.baselines import TrainingPosts, harvest
from afterscene.lab.candidates import (
    CEILING,
    FLOOR,
    Candidate,
    Place,
    PostStore,
    candidates,
    outside,
    read_place,
)
from afterscene.lab.features import FeatureSpace
from afterscene.lab.fidelity import Assessor, asked_buildings
from afterscene.lab.seams import seam_figures
from afterscene.lab.summary import Asked, summarise
from afterscene.lab.tilefigures import TileFigures, measure, real_apart, reference
from afterscene.pages.pictures import busiest_window, paint_damage
from afterscene.pages.report import Picture, PictureRow

#: stage(what, how many) -> a context that yields "so many more are done".
Stage = Callable[[str, int], AbstractContextManager[Callable[[int], None]]]
TRAIN = "train"
SHOWN, WINDOW = 20, 384


def silent(label: str, total: int) -> AbstractContextManager[Callable[[int], None]]:
    """A stage that tells nobody."""
    del label, total
    return nullcontext(lambda _: None)


@dataclass(frozen=True, kw_only=True)
class EvaluationPlan:
    """What is evaluated.

    Attributes:
        xbd: Folder in xBD's layout.
        split: Its split with the asked levels; never one that anything was tuned on.
        limit: So many tiles, evenly spread over the split by id; None: all.
        seed: Of the pictures; a tile's own seed is a function of it and the tile's id.
        seams: Render one tile of the split again in several windows.
        skip: Leave out tiles that a model has seen, instead of ending there.
        without: Tiles that are left out (see :func:`held_out`).
    """

    xbd: Path
    split: str
    limit: int | None = None
    seed: int = 0
    seams: bool = True
    skip: bool = False
    without: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if self.limit is not None and self.limit < 1:
            raise BadParameter(f"limit {self.limit} leaves no tile; give at least 1")


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """The figures (JSON values) and what the page shows beside them."""

    figures: Mapping[str, Any]
    pictures: tuple[PictureRow, ...] = ()

    @property
    def gap_closed(self) -> float | None:
        """Of the generator's default mode, over all tiles."""
        return self.figures["label_fidelity_gap_closed"]


@dataclass
class _Run:
    """Figures by candidate while tiles pass by."""

    tiles: dict[str, list[TileFigures]] = field(default_factory=dict)
    pictures: list[PictureRow] = field(default_factory=list)
    seam: dict[str, Any] | None = None


def evaluate(
    plan: EvaluationPlan,
    generator: Renderer,
    assessor: Assessor,
    *,
    space: FeatureSpace | None,
    choice: Choice | None = None,
    out: Path | None = None,
    stage: Stage = silent,
) -> Evaluation:
    """Render, judge and measure all candidates on the split.

    Args:
        plan: What is evaluated.
        generator: Draws the posts.
        assessor: A damage detector that never saw a synthetic picture nor this split.
        space: Describes the crops; None leaves the distances out.
        choice: By another detector than the assessor, for the row with chosen sketches.
        out: Folder, see :func:`prepare`, that keeps the rendered posts; None: nothing is written.
        stage: Told what is being done.

    Raises:
        MissingFile, UnknownName, BadImage, BadLabel: see the readers.
    """
    tree = XbdTree(plan.xbd)
    pairs = evaluated_pairs(tree, plan)
    training = _training(tree, pairs, stage)
    store = PostStore(folder=out / "posts" if out else None, model_hash=generator.hash)
    run = _Run()
    places = [read_place(pair, plan.seed).buildings for pair in pairs]
    damaged = [sum(1 for b in buildings if 2 <= (b.level or 0) <= 4) for buildings in places]
    shown = {pairs[k].id for k in np.argsort(damaged)[::-1][:SHOWN]}
    probe = pairs[int(np.argmax(damaged))].id if plan.seams else None
    found = candidates(generator, training, choice)
    with stage("evaluate", len(pairs)) as advance:
        for pair in pairs:
            place = read_place(pair, plan.seed)
            posts = _one(run, place, generator, found, assessor, space, store)
            if pair.id in shown:
                run.pictures.append(picture_row(place, posts))
            if pair.id == probe:
                run.seam = seam_figures(place, generator)
            advance(1)
    asked = Asked(
        buildings=asked_buildings(places),
        by_hazard=_grouped([hazard_of(p.event) or "unknown" for p in pairs], places),
        by_event=_grouped([p.event for p in pairs], places),
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
        **summarise(run.tiles, asked, seed=plan.seed),
        "real_apart": real_apart(run.tiles[CEILING]),
        "seam": run.seam,
    }
    return Evaluation(figures=figures, pictures=tuple(run.pictures))


def prepare(plan: EvaluationPlan, generator: Renderer, out: Path, *, overwrite: bool) -> None:
    """Make `out`, or go on in it where the same generator was asked for the same posts.

    Raises:
        OutputConflict: it holds something else.
    """
    pairs = evaluated_pairs(XbdTree(plan.xbd), plan)
    settings = {
        "version": __version__,
        "model_hash": generator.hash,
        "pairs": [pair.id for pair in pairs],
        "seed": plan.seed,
    }
    prepare_output(out, "evaluate generator", run=settings, overwrite=overwrite)


def evaluated_pairs(tree: XbdTree, plan: EvaluationPlan) -> list[Pair]:
    """The pairs of the split that have post image and label, evenly thinned to the limit.

    Raises:
        MissingFile: none has both.
    """
    found = [p for p in tree.pairs(plan.split) if p.id not in plan.without]
    pairs = [p for p in found if p.post is not None and p.post_label is not None]
    if not pairs:
        raise MissingFile(
            f"{tree.root}: split {plan.split!r} has no pair with a post image and its label; "
            "check the folder"
        )
    return thinned(pairs, plan.limit)


def held_out(plan: EvaluationPlan, seen: Mapping[str, Iterable[str] | None]) -> EvaluationPlan:
    """The plan without the tiles of its split that a model has seen; ``seen`` by its name.

    Raises:
        LeakFound: there are some, and ``plan.skip`` is not said; or a model does not say.
    """
    ids = {pair.id for pair in XbdTree(plan.xbd).pairs(plan.split)}
    without: set[str] = set()
    for model, tiles in seen.items():
        check_history(model, tiles, () if plan.skip else ids)
        without |= ids.intersection(tiles or ())
    return replace(plan, without=frozenset(without))


def thinned(pairs: Sequence[Pair], limit: int | None) -> list[Pair]:
    """At most ``limit`` of the pairs, evenly spread; None: all."""
    if limit is None or limit >= len(pairs):
        return list(pairs)
    return [pairs[k] for k in np.linspace(0, len(pairs) - 1, limit).round().astype(int)]


def _training(tree: XbdTree, evaluated: Sequence[Pair], stage: Stage) -> TrainingPosts:
    if TRAIN not in tree.splits:
        return TrainingPosts()
    pairs = tree.pairs(TRAIN)
    with stage("read training posts", len(pairs)) as advance:
        return harvest(pairs, evaluated=evaluated, advance=advance)


def _one(
    run: _Run,
    place: Place,
    generator: Renderer,
    found: Mapping[str, Candidate],
    assessor: Assessor,
    space: FeatureSpace | None,
    store: PostStore,
) -> dict[str, Scene]:
    """Measure all candidates on one place; returns their pictures."""
    real, still, posts = reference(place, space), outside(place, generator), {}
    for name, candidate in found.items():
        posts[name], seconds = store.make(name, candidate, place)
        figures = measure(
            place,
            posts[name],
            assessor,
            space=space,
            real=real,
            outside=still,
            seconds=seconds,
        )
        run.tiles.setdefault(name, []).append(figures)
    return posts


def _grouped(names: Sequence[str], places: Sequence[Sequence]) -> dict[str, dict[str, int]]:
    return {
        name: asked_buildings([b for n, b in zip(names, places, strict=True) if n == name])
        for name in sorted(set(names))
    }


def picture_row(place: Place, posts: Mapping[str, Scene]) -> PictureRow:
    """pre | asked damage | candidates | real, cut to where most is asked."""
    window = busiest_window(place.target, WINDOW)
    pre = place.pre.rgb()
    pictures = [
        Picture(caption="pre", pixels=pre[window]),
        Picture(caption="asked damage", pixels=paint_damage(place.target[window], pre[window])),
        *(
            Picture(caption=name, pixels=post.rgb()[window])
            for name, post in posts.items()
            if name not in (FLOOR, CEILING)
        ),
        Picture(caption=CEILING, pixels=place.post.rgb()[window]),
    ]
    counts = asked_buildings([place.buildings])
    told = ", ".join(f"{n} {word}" for word, n in counts.items() if n)
    return PictureRow(
        title=place.id, pictures=tuple(pictures), text=f"{place.hazard}; asked: {told}."
    )
