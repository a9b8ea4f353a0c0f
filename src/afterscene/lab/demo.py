"""The whole way once, small: towns -> hazards -> diffusion -> pairs -> detectors -> one page.

Without data the "real" pairs are drawn towns, which a diffusion model of the recipe ``layout``
turns into pre images, with a drawn aftermath, and the page says so; the synthetic pairs come from
the shipped diffusion model in either case. With an xBD folder its real pairs take the place of the
drawings. Each station keeps what it made in its own folder, so a demo that was stopped goes on
where it was.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from afterscene import __version__
from afterscene.detectors import DETECTORS, DetectorConfig
from afterscene.errors import BadParameter
from afterscene.files import prepare_output
from afterscene.gbd import (
    PlanConfig,
    Rendering,
    RunOptions,
    Source,
    build,
    draw_plan,
    find_sources,
)
from afterscene.gbd.generator import Generator
from afterscene.gbd.plan import item_seed
from afterscene.gbd.rundir import MANIFEST, read_rows
from afterscene.gbd.sources import digest, hashes
from afterscene.generators.generator import BridgeGenerator
from afterscene.generators.layouts import draw_pre
from afterscene.geodata.damage import Building
from afterscene.geodata.leaks import apart
from afterscene.geodata.scene import Scene, read_scene
from afterscene.geodata.xbd import XbdTree, read_label
from afterscene.hazards import make_hazard
from afterscene.hazards.flood import Flood
from afterscene.hazards.wildfire import Wildfire
from afterscene.hazards.wind import HurricaneWind
from afterscene.lab.comparison import Outcome, Sources, Work, compare_arms
from afterscene.lab.evaluation_plan import Stage, silent
from afterscene.lab.protocol_report import TEMPLATES, disagreements, protocol_verdict, report
from afterscene.lab.protocols import GIVEN, PROTOCOLS
from afterscene.lab.results import Results
from afterscene.lab.towns import Photograph, draw_pairs, drawn_post
from afterscene.pages.gallery import Beside, gallery, real_posts
from afterscene.pages.plots import require_matplotlib
from afterscene.pages.render import write_page

REPORT = "report.html"
DETECTOR = replace(DETECTORS["tiny"], crop=128)


@dataclass(frozen=True, kw_only=True)
class DemoConfig:
    """How large the demo is. The defaults take minutes on two cores; see the README for figures.

    hazards: what strikes. each: synthetic pairs a hazard. size: pixels of a drawn town.
    train, test: drawn real pairs a hazard.
    seeds: trainings of each arm. detector: the same for all arms.
    """

    hazards: tuple[str, ...] = (Wildfire.name, HurricaneWind.name, Flood.name)
    each: int = 4
    size: int = 512
    train: int = 2
    test: int = 3
    seeds: tuple[int, ...] = (0, 1, 2)
    detector: DetectorConfig = DETECTOR

    def __post_init__(self) -> None:
        if min(self.each, self.train, self.test, len(self.seeds), len(self.hazards)) < 1:
            raise BadParameter("a demo needs at least one of each: hazards, pairs, tests, seeds")


@dataclass(frozen=True, kw_only=True)
class DemoResult:
    """Where the page is, and the figures on it."""

    report: Path
    folder: Path
    pairs: int
    results: Results
    left_out: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The result as JSON values."""
        return {
            "report": str(self.report),
            "folder": str(self.folder),
            "synthetic_pairs": self.pairs,
            **self.results.as_json(),
        }

    @property
    def verdict(self) -> str:
        """What the comparison says, in sentences."""
        return " ".join(protocol_verdict(self.results))


def run_demo(
    out: Path,
    generator: Generator,
    *,
    xbd: Path | None = None,
    photographer: BridgeGenerator | None = None,
    seed: int = 0,
    config: DemoConfig | None = None,
    overwrite: bool = False,
    stage: Stage = silent,
) -> DemoResult:
    """Walk all stations and write ``out/report.html``.

    Args:
        out: folder of the demo; an interrupted one with the same settings is gone on with.
        generator: the shipped diffusion model.
        xbd: real pairs with the splits ``train`` and ``test`` to use instead of drawings.
        photographer: turns drawn towns into pre images; None: the drawings are the pre images.
        seed: decides towns, damage and pictures.
        config: how large; None: as shipped.
        overwrite: replace a demo with other settings.
        stage: told what is being done.

    Raises:
        AftersceneError: by the leaf that fits.
    """
    require_matplotlib()
    config = config or DemoConfig(each=4 if xbd is None else 2)
    sources: list[Source] | None = None
    left_out: list[str] = []
    if xbd is not None:
        sources, left_out = _apart(xbd)
    settings = {
        "version": __version__,
        "seed": seed,
        "model_hash": generator.hash,
        "photographer": photographer.hash if photographer and xbd is None else None,
        "xbd": None if sources is None else digest(hashes(sources)),
        "hazards": list(config.hazards),
        "pairs": [config.each, config.train, config.test, config.size],
    }
    prepare_output(out, "demo", run=settings, overwrite=overwrite)
    real = xbd if xbd is not None else _towns(out / "towns", config, photographer, seed, stage)
    folders = _build_all(
        sources or find_sources(real, "train"), out, generator, config, seed, stage
    )
    outcome = _compare(real, folders, out / "compare", config, stage)
    with stage("report", 1) as advance:
        page = _report(out, real, folders, outcome, places=_places(xbd, photographer))
        advance(1)
    pairs = sum(1 for folder in folders for _ in read_rows(folder / MANIFEST))
    return DemoResult(
        report=page, folder=out, pairs=pairs, results=outcome.results, left_out=tuple(left_out)
    )


def _apart(xbd: Path) -> tuple[list[Source], list[str]]:
    """Places of the split train that are apart from what is held out, and why the others are not.

    A tree without test pairs is refused now, not in minutes.
    """
    tree, held = XbdTree(xbd), ("test", "val")
    tested = [
        pair for split in held if split in {"test", *tree.splits} for pair in tree.pairs(split)
    ]
    sources = find_sources(xbd, "train")
    prints = [source.fingerprint for source in sources]
    kept, why = apart(prints, [pair.fingerprint for pair in tested], skip=True)
    return [sources[index] for index in kept], why


def _towns(
    out: Path, config: DemoConfig, photographer: BridgeGenerator | None, seed: int, stage: Stage
) -> Path:
    if (out / "splits.json").is_file():  # written last: all towns are there
        return out
    splits = {"train": config.train, "test": config.test}
    with stage("draw towns", len(config.hazards) * sum(splits.values())) as advance:
        return draw_pairs(
            out,
            config.hazards,
            seed=seed,
            size=config.size,
            splits=splits,
            photograph=_photograph_by(photographer) if photographer else None,
            on_progress=advance,
        )


def _photograph_by(model: BridgeGenerator) -> Photograph:
    def photograph(town: Scene, buildings: Sequence[Building], seed: int) -> Scene:
        return draw_pre(model, town.rgb(), buildings, seed=seed)

    return photograph


def _places(xbd: Path | None, photographer: BridgeGenerator | None) -> str | None:
    if xbd is not None:
        return None
    return PHOTOGRAPHED if photographer else TOWNS


def _build_all(
    sources: Sequence[Source],
    out: Path,
    generator: Generator,
    config: DemoConfig,
    seed: int,
    stage: Stage,
) -> list[Path]:
    folders = []
    for hazard in config.hazards:
        asked = PlanConfig(
            hazards=(hazard,),
            count=config.each,
            seed=item_seed(seed, hazard),  # other places for each hazard
            severity=(0.5, 1.0),
        )
        folder = out / "gbd" / hazard
        with stage(f"render {hazard}", config.each) as advance:
            options = RunOptions(on_error="skip", on_progress=advance)
            plan = draw_plan(sources, asked)
            build(plan, folder, generator, rendering=Rendering(), options=options)
        folders.append(folder)
    return folders


def _compare(
    real: Path, folders: Sequence[Path], out: Path, config: DemoConfig, stage: Stage
) -> Outcome:
    protocol = replace(PROTOCOLS[GIVEN], detector=config.detector, seeds=config.seeds)
    steps = len(protocol.arms) * len(config.seeds) * config.detector.steps
    with stage("train detectors", steps) as advance:
        work = Work(told=lambda *_: advance(1), skip=True)
        return compare_arms(protocol, Sources(xbd=real, gbd=tuple(folders)), out, work)


def _report(
    out: Path, real: Path, folders: Sequence[Path], outcome: Outcome, *, places: str | None
) -> Path:
    beside = _drawings(folders) if places else real_posts(real)
    rows = [row for folder in folders for row in gallery(folder, beside=beside)]
    rows += disagreements(outcome.finished, outcome.tile)
    page = report(outcome.results, rows)
    return write_page(out / REPORT, "demo.html", folder=TEMPLATES, report=page, places=places)


#: How the places of a demo without data came to be: drawings, or a diffusion model's view of them.
TOWNS = "towns drawn from a seed"
PHOTOGRAPHED = f"{TOWNS}, which a diffusion model turned into pre images"


def _drawings(folders: Sequence[Path]) -> Beside:
    """Beside a rendered pair: the same damage, drawn."""

    def find(row: Mapping[str, Any]) -> tuple[str, np.ndarray] | None:
        folder = next(f for f in folders if f.name == row["hazard"])
        stem = f"{row['id']}_pre_disaster"
        pre = read_scene(folder / "images" / f"{stem}.png")
        buildings = read_label(folder / "labels" / f"{stem}.json").buildings
        hazard = make_hazard(row["hazard"], row["severity"])
        damage = hazard(pre, buildings, np.random.default_rng(row["seed"]))
        return "the same damage, drawn", drawn_post(pre, damage, row["seed"] % 2**31)

    return find
