"""What each setting of a generator is worth: the same weights rendered in several ways.

    python -m benchmarks ablations --xbd XBD --split val --out FOLDER [--hazard wind] [--windows 8]

Never on a test split: what is chosen here is a setting. Of each hazard the windows of 512 pixels
with most damage are taken, at most one a tile. All rows are judged as ``afterscene evaluate
generator`` does: the F1 of each level that the shipped detector recovers, with the real footprints,
and the distances of the crops around damaged buildings to the real post images. Stopped and
started again, it goes on with the pictures it has. Writes ``ablations.json``, ``ablations.md`` and
``sheet-{hazard}.jpg`` (pre, the rows in their order, real).
"""

import argparse
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import shapely

from afterscene import generators
from afterscene.detectors import load_assessor
from afterscene.files import write_atomic, write_json
from afterscene.generators import BridgeGenerator
from afterscene.geodata.damage import LEVELS, Building
from afterscene.geodata.pair import LabelledPair, read_pair, read_pairs
from afterscene.geodata.tiles import Window
from afterscene.geodata.xbd import XbdTree
from afterscene.hazards import hazard_of
from afterscene.judging.assessor import Assessor
from afterscene.lab.baselines import TrainingPosts, harvest
from afterscene.lab.candidates import (
    CEILING,
    FLOOR,
    Candidate,
    PostStore,
    Rendered,
    candidates,
    outside,
    own_seed,
)
from afterscene.lab.features import LiteFeatures
from afterscene.lab.fidelity import asked_buildings
from afterscene.lab.summary import recovered_figures
from afterscene.lab.tilefigures import Reference, TileFigures, measure, set_distances
from afterscene.pages.pictures import busiest_window

SIDE, SHOWN = 512, 192


@dataclass(frozen=True, kw_only=True)
class Variant:
    """A way to render: mode, and what differs from the model's own :class:`RenderConfig`."""

    mode: str = "edit"
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Also that of its folder."""
        return "-".join([self.mode, *(f"{k}{v}" for k, v in self.settings.items())])


def variants(names: Sequence[str]) -> list[Variant]:
    """``edit``, ``reacquire,entry=0.02``, ``edit,steps=4,close=12``: mode, then settings."""
    found = []
    for name in names:
        mode, *settings = re.split(r",(?=\w+=)", name)  # a value may have commas of its own
        pairs = (one.split("=") for one in settings)
        found.append(Variant(mode=mode, settings={k: json.loads(v) for k, v in pairs}))
    return found


def cropped(pair: LabelledPair, side: int) -> LabelledPair:
    """The window with most damage, buildings cut at its border."""
    rows, cols = busiest_window(pair.target, side)
    frame = shapely.box(0, 0, cols.stop - cols.start, rows.stop - rows.start)
    window = Window(rows.start, cols.start, rows.stop - rows.start, cols.stop - cols.start)
    inside = []
    for building in pair.buildings:
        moved = shapely.affinity.translate(building.polygon, -cols.start, -rows.start)
        part = moved.intersection(frame)
        if part.area >= 1 and part.geom_type in ("Polygon", "MultiPolygon"):
            inside.append(Building(polygon=part, level=building.level, uid=building.uid))
    return replace(
        pair,
        pre=pair.pre.crop(window),
        post=pair.post.crop(window),
        buildings=tuple(inside),
    )


def places(tree: XbdTree, split: str, hazard: str, count: int) -> list[LabelledPair]:
    """At most ``count`` windows of one hazard, those with most damaged pixels."""
    found = []
    for pair in tree.pairs(split):
        if (
            hazard_of(pair.event) == hazard
            and pair.post is not None
            and pair.post_label is not None
        ):
            pair = cropped(read_pair(pair), SIDE)
            worth = int(((pair.target >= 2) & (pair.target <= 4)).sum())
            found.append((worth, pair.id, pair))
    found.sort(key=lambda one: (-one[0], one[1]))
    return [pair for worth, _, pair in found[:count] if worth]


def rows(
    generator: BridgeGenerator, training: TrainingPosts, chosen: Sequence[Variant]
) -> Iterator[tuple[str, BridgeGenerator, Candidate]]:
    """Name, generator as it is set there, candidate; references first and last."""
    known = candidates(generator, training)
    for name in (FLOOR, "copy-paste", "regression"):
        if name in known:
            yield name, generator, known[name]
    for variant in chosen:
        changed = replace(generator, config=replace(generator.config, **variant.settings))
        yield variant.name, changed, Rendered(generator=changed, mode=variant.mode)
    yield CEILING, generator, known[CEILING]


@dataclass(frozen=True, kw_only=True)
class Trial:
    """The rows of one hazard: figures by name, and what the sheet shows of each."""

    asked: dict[str, int]
    figures: dict[str, list[TileFigures]]
    shown: list[list[np.ndarray]]

    @classmethod
    def of(
        cls,
        chosen: Sequence[LabelledPair],
        made: Iterator[tuple[str, BridgeGenerator, Candidate]],
        assessor: Assessor,
        out: Path,
    ) -> "Trial":
        """Render and judge."""
        space, figures, pictures = LiteFeatures(), {}, []
        real = [Reference.of(pair, space) for pair in chosen]
        for name, generator, candidate in made:
            store = PostStore(folder=out / "posts", model_hash=generator.hash)
            posts = [store.make(name, candidate, pair, own_seed(0, pair)) for pair in chosen]
            figures[name] = [
                measure(
                    pair,
                    post,
                    assessor,
                    space=space,
                    real=known,
                    outside=outside(pair, generator),
                    seconds=seconds,
                )
                for pair, known, (post, seconds) in zip(chosen, real, posts, strict=True)
            ]
            pictures.append(
                [shown(p, post.rgb()) for p, (post, _) in zip(chosen, posts, strict=True)]
            )
        asked = asked_buildings([pair.buildings for pair in chosen])
        return cls(asked=asked, figures=figures, shown=pictures)

    def records(self) -> dict[str, dict[str, Any]]:
        """JSON values of each row."""
        real = self.figures[CEILING]
        return {
            name: recovered_figures([t.recovered for t in row], self.asked)
            | {k: set_distances(row, real)[k] for k in ("damaged", "ground")}
            | {"seconds": round(float(np.mean([t.seconds[1] for t in row])), 1)}
            for name, row in self.figures.items()
        }

    def sheet(self) -> np.ndarray:
        """A line a window, a column a row."""
        lines = zip(*self.shown, strict=True)
        return np.concatenate([np.concatenate(line, axis=1) for line in lines])


HEAD = (
    "| hazard | row | F1 of no damage, minor, major, destroyed | buildings recovered "
    "| Fréchet, damaged | perceptual, damaged | processor s |\n" + "|---" * 7 + "|"
)


def line(hazard: str, name: str, told: dict[str, Any]) -> str:
    """One row of the table; a dash for levels with fewer than 20 buildings."""
    counted = told["levels_counted"]
    f1 = (f"{told['f1'][v.word]:.3f}" if v.word in counted else "-" for v in LEVELS)
    cells = (hazard, name, ", ".join(f1), told["buildings_recovered"])
    cells = (*cells, *(told["damaged"][k] for k in ("frechet", "perceptual")), told["seconds"])
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def shown(pair: LabelledPair, rgb: np.ndarray) -> np.ndarray:
    """The part of a picture for the sheet."""
    return rgb[busiest_window(pair.target, SHOWN)]


def main(argv: Sequence[str]) -> None:
    """All hazards, all rows."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks ablations", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--xbd", type=Path, required=True)
    parser.add_argument("--split", default="val")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--model", default="default")
    parser.add_argument("--hazard", nargs="+", default=["wind", "wildfire"])
    parser.add_argument("--windows", type=int, default=8, help="of each hazard")
    parser.add_argument("--rows", nargs="+", default=["edit", "reacquire"], help=variants.__doc__)
    arguments = parser.parse_args(argv)
    if arguments.split == "test":
        parser.error("settings are not chosen on a test split; give another")
    arguments.out.mkdir(parents=True, exist_ok=True)
    generator, tree = generators.load(arguments.model), XbdTree(arguments.xbd)
    assessor = load_assessor()
    training, record, lines = harvest(read_pairs(tree, "train")), {}, [HEAD]
    for hazard in arguments.hazard:
        chosen = places(tree, arguments.split, hazard, arguments.windows)
        made = rows(generator, training, variants(arguments.rows))
        trial = Trial.of(chosen, made, assessor[0], arguments.out)
        for name, told in trial.records().items():
            record[f"{hazard}: {name}"] = told
            lines.append(line(hazard, name, told))
        print("\n".join(lines), f"\n{trial.asked}", flush=True)
        sheet = trial.sheet()[..., ::-1]
        cv2.imwrite(str(arguments.out / f"sheet-{hazard}.jpg"), sheet)
    write_json(arguments.out / "ablations.json", record)
    write_atomic(arguments.out / "ablations.md", ("\n".join(lines) + "\n").encode())
