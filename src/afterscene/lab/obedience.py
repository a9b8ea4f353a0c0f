"""Whether sentences are obeyed: in the labels, and in what a detector sees of the pictures.

The prompts are those of :mod:`afterscene.lab.prompts`. Three measurements, the last two on the same
tiles with their real pre images and footprints:

* reading: a prompt that can be obeyed is read, the others are refused, for the reason named;
* labels: the share of buildings with the asked level in the asked place, and with no damage
  elsewhere, judged from the prompt's own box and not by the grammar;
* pictures: the share of buildings that an assessor calls by the asked level, given the real pre
  image, the drawn post image and the footprints; and RSEdit's figure, the harmonic mean of the F1
  of the four levels over all drawn images. The *floor* is the unchanged pre image.

Intervals are over tiles; a tile counts with all its prompts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from afterscene import __version__, shipped
from afterscene.conditioning import words
from afterscene.errors import MissingFile
from afterscene.files import prepare_output, write_json
from afterscene.gbd.generator import Generator
from afterscene.geodata.damage import DamageMap
from afterscene.geodata.pair import LabelledPair, read_pair
from afterscene.geodata.scene import Scene
from afterscene.geodata.xbd import XbdTree
from afterscene.judging.assessor import Assessor
from afterscene.lab.candidates import PostStore, Rendered, own_seed
from afterscene.lab.evaluation_plan import (
    EvaluationPlan,
    Stage,
    evaluated_pairs,
    held_out,
    silent,
    thinned,
)
from afterscene.lab.fidelity import Recovered, recover
from afterscene.lab.prompts import CORNERS, Prompt, inside, prompts, read_prompt
from afterscene.metrics.bootstrap import Spread, resample
from afterscene.metrics.xview2 import f1_of_table, harmonic_mean, level_table

ASKED = tuple(prompt for prompt in prompts() if prompt.low is not None)
"""The prompts that ask for levels."""


@dataclass(frozen=True, kw_only=True)
class Said(Rendered):
    """A picture of the damage that a sentence asks for."""

    damage: DamageMap

    def __call__(self, pair: LabelledPair, seed: int) -> Scene:
        return self.generator.render(pair.pre, self.damage, seed=seed, mode=self.mode)


@dataclass(frozen=True, kw_only=True)
class Obeyed:
    """One prompt on one tile: buildings with the asked level, and all; what the judge found.

    ``drawn`` and ``floor`` (the pre image) are None where no picture is judged.
    """

    prompt: Prompt
    right: int
    buildings: int
    drawn: Recovered | None = None
    floor: Recovered | None = None


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """What draws and judges the pictures."""

    generator: Generator
    judge: Assessor
    mode: str
    store: PostStore
    seed: int

    def obey(self, prompt: Prompt, pair: LabelledPair) -> Obeyed:
        """Labels, and where they are judged the pictures."""
        seed = own_seed(self.seed, pair)
        said = words.parse(prompt.text)
        damage = words.resolve(said, prompt.hazard, pair.pre, pair.buildings, seed)
        place = inside(prompt, damage.buildings, pair.shape)
        right = sum(
            prompt.asks(b.level, within) for b, within in zip(damage.buildings, place, strict=True)
        )
        made = Obeyed(prompt=prompt, right=right, buildings=len(place))
        if not prompt.judged:
            return made
        candidate = Said(generator=self.generator, mode=self.mode, damage=damage)
        post, _ = self.store.make(prompt.slug, candidate, pair, seed)
        asked = replace(pair, buildings=damage.buildings)
        both = (recover(self.judge, asked, picture) for picture in (post, pair.pre))
        drawn, floor = both
        return replace(made, drawn=drawn, floor=floor)


def evaluate_words(
    plan: EvaluationPlan,
    generator: Generator,
    judge: tuple[Assessor, str],
    *,
    mode: str,
    out: Path | None = None,
    overwrite: bool = False,
    stage: Stage = silent,
) -> dict[str, Any]:
    """Obey all prompts on the tiles of the plan that have a building in each quarter, and judge.

    With ``out``, the pictures and ``results.json`` are kept there, and a stopped run continues.

    Raises:
        MissingFile: no tile has buildings in all quarters.
        LeakFound: a model was trained on a tile of the split.
        OutputConflict: ``out`` contains something else.
    """
    assessor, name = judge
    pairs = _tiles(plan, generator, assessor, name)
    if out is not None:
        settings: dict[str, Any] = {
            "version": __version__,
            "model_hash": generator.hash,
            "assessor": name,
        }
        settings |= {"pairs": [pair.id for pair in pairs], "seed": plan.seed, "mode": mode}
        prepare_output(out, "evaluate words", run=settings, overwrite=overwrite)
    store = PostStore(folder=out / "posts" if out else None, model_hash=generator.hash)
    drawing = Drawing(generator=generator, judge=assessor, mode=mode, store=store, seed=plan.seed)
    made: list[list[Obeyed]] = []
    with stage("evaluate words", len(pairs) * len(ASKED)) as advance:
        for pair in pairs:
            made.append([])
            for prompt in ASKED:
                made[-1].append(drawing.obey(prompt, pair))
                advance(1)
    about: dict[str, Any] = {
        "xbd_split": plan.split,
        "tiles": [pair.id for pair in pairs],
        "mode": mode,
    }
    about |= {"model_hash": generator.hash, "assessor": name, "seed": plan.seed}
    found = {**about, **_figures(made, plan.seed)}
    if out is not None:
        write_json(out / "results.json", found)
    return found


def _tiles(
    plan: EvaluationPlan, generator: Generator, assessor: Assessor, name: str
) -> list[LabelledPair]:
    folder = getattr(generator, "folder", None)
    seen = {str(folder): shipped.seen(folder)} if folder else {}
    seen[name] = getattr(assessor, "provenance", {}).get("tiles")
    plan = held_out(plan, seen)
    found = evaluated_pairs(XbdTree(plan.xbd), replace(plan, limit=None))
    pairs = [pair for pair in map(read_pair, found) if _everywhere(pair)]
    if not pairs:
        raise MissingFile(
            f"{plan.xbd}: no tile of split {plan.split!r} has a building in each quarter of the "
            "picture; name another split"
        )
    return thinned(pairs, plan.limit)


def _everywhere(pair: LabelledPair) -> bool:
    quarters = (Prompt(text="", kind="", box=box) for box in CORNERS.values())
    return all(inside(one, pair.buildings, pair.shape).any() for one in quarters)


def _figures(tiles: Sequence[Sequence[Obeyed]], seed: int) -> dict[str, Any]:
    """All figures, as JSON values: ``[value, low, high]`` where there is an interval."""
    reading = [read_prompt(prompt) for prompt in prompts()]
    groups: dict[str, Callable[[Prompt], bool]] = {
        hazard: lambda p, hazard=hazard: p.hazard == hazard  # type: ignore[misc]
        for hazard in sorted({p.hazard for p in prompts() if p.judged})
    }
    for prompt in (p for p in prompts() if p.kind == "degree" and p.low is not None):
        name = f"{prompt.hazard}, {prompt.low.word}"  # type: ignore[union-attr]
        groups[name] = lambda p, low=prompt.low: (  # type: ignore[misc]
            p.kind == "degree" and p.low == low
        )
    return {
        "reading": reading,
        "prompts_as_expected": sum(row["as_expected"] for row in reading),
        "labels": _labels(tiles),
        "recovered": {
            name: _recovered(_only(tiles, chosen), seed) for name, chosen in groups.items()
        },
        "damage_f1": _damage_f1(tiles, seed),
    }


def _only(
    tiles: Sequence[Sequence[Obeyed]], chosen: Callable[[Prompt], bool]
) -> list[list[Obeyed]]:
    return [[one for one in tile if one.drawn and chosen(one.prompt)] for tile in tiles]


def _labels(tiles: Sequence[Sequence[Obeyed]]) -> dict[str, Any]:
    all_ = [one for tile in tiles for one in tile]
    right, buildings = sum(one.right for one in all_), sum(one.buildings for one in all_)
    return {"buildings": buildings, "right": right, "share": round(right / buildings, 4)}


def _recovered(tiles: Sequence[Sequence[Obeyed]], seed: int) -> dict[str, Any]:
    """Shares of the buildings of the asked level: called so, called damaged; and of the others."""

    def rows(which: str, kind: str) -> np.ndarray:
        return np.array(
            [np.sum([_row(one, which, kind) for one in tile], axis=0) for tile in tiles]
        )

    found: dict[str, Any] = {"buildings": int(rows("drawn", "asked")[:, 1].sum())}
    for kind in ("asked", "damaged", "spared"):
        for which in ("drawn", "floor"):
            found[f"{kind}, {which}"] = _interval(_ratio, rows(which, kind), seed)
    return found


def _row(one: Obeyed, which: str, kind: str) -> np.ndarray:
    """(2,) buildings found as asked, and all that were asked."""
    got = one.drawn if which == "drawn" else one.floor
    assert got is not None and one.prompt.low is not None
    table, level = got.buildings, int(one.prompt.low) - 1
    if kind == "spared":
        return np.array([table[0, 0], table[0].sum()]) if level else np.zeros(2, int)
    hit = table[level, level] if kind == "asked" else table[level, min(level, 1) :].sum()
    return np.array([hit, table[level].sum()])


def _ratio(counts: np.ndarray) -> np.ndarray:
    return np.asarray(counts[..., 0] / np.maximum(counts[..., 1], 1))


def _interval(
    figure: Callable[[np.ndarray], np.ndarray], counts: np.ndarray, seed: int
) -> list[float] | None:
    """The figure of (tiles, ...) counts with its interval over tiles; None where nothing is."""
    total = counts.reshape(len(counts), -1).sum(axis=1)
    if not total.sum():
        return None
    draws = resample(total[:, None], ["all"] * len(counts), seed=seed)
    spread: Spread = draws.spread(figure, counts[None])
    (span,) = spread.intervals()
    return [round(value, 4) for value in (span.mean, span.low, span.high)]


def _damage_f1(tiles: Sequence[Sequence[Obeyed]], seed: int) -> Mapping[str, Any]:
    """The harmonic mean of the four levels' pixel F1 over all judged pictures."""
    found: dict[str, Any] = {}
    for which in ("drawn", "floor"):
        counts = np.stack(
            [
                np.sum([getattr(one, which).pixels.counts for one in tile if one.drawn], axis=0)
                for tile in tiles
            ]
        )
        found[which] = _interval(lambda c: harmonic_mean(_by_level(c)), counts, seed)
        found[f"{which}, by level"] = _by_level(counts.sum(axis=0)).round(4).tolist()
    return found


def _by_level(counts: np.ndarray) -> np.ndarray:
    return f1_of_table(level_table(counts))
