"""The whole pipeline once, in minutes: samples -> hazards -> pairs -> two detectors -> one page.

Every hazard is applied to samples of the package and the shipped generator draws the post images.
Two detectors then assess the pairs: the shipped one, trained on real pairs only, and a small one,
trained on these pairs and scored on places it was not trained on. This does not measure what the
pairs are worth on real images; that was measured before and is shown from the published record.
With an xBD folder, its real images replace the samples, and the worth is measured on its pairs.
Each step keeps its results, so a demo that was stopped continues where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from afterscene import __version__, samples
from afterscene.detectors import DETECTORS, Detector, DetectorConfig
from afterscene.errors import BadParameter
from afterscene.files import prepare_output
from afterscene.gbd import (
    Plan,
    PlanConfig,
    Rendering,
    RunOptions,
    Source,
    build,
    find_sources,
)
from afterscene.gbd.generator import Generator
from afterscene.gbd.plan import Item
from afterscene.gbd.sources import digest, hashes
from afterscene.geodata.leaks import apart
from afterscene.geodata.xbd import XbdTree
from afterscene.hazards import HAZARDS
from afterscene.hazards.flood import Flood
from afterscene.lab.comparison import Outcome, Sources, Work, compare_arms
from afterscene.lab.demo_page import write_demo_page
from afterscene.lab.learned import Learned, learn
from afterscene.lab.opinion import Opinion, look
from afterscene.lab.protocol_report import protocol_verdict
from afterscene.lab.protocols import GIVEN, PROTOCOLS
from afterscene.pages.plots import require_matplotlib

#: In the order of the package's hazards: in the first round the tsunami strikes the coast, the
#: flood the river and the wildfire the forest edge.
PLACES = (
    *("dense-city", "suburb", "farm", "forest-edge"),
    *("river", "coast", "hillside", "industry"),
)
ONWARD = 3  # places by which each hazard moves on per round
#: The small detector: about a minute of one core without bfloat16 instructions.
SMALL = replace(DETECTORS["tiny"], crop=128, steps=600)
#: CPU seconds to draw a pair, to assess it, and for a training step: the shares of the bar.
RENDER, LOOK, STEP = 4.0, 0.5, 0.13
#: What to try next.
NEXT = (
    f"afterscene synthesize PRE.png --labels PRE.json --hazard {Flood.name} --out out",
    f"afterscene gbd build --xbd DIR --hazard {Flood.name} --count 100 --out gbd",
    "afterscene assess --pre PRE.tif --post POST.tif --footprints HOUSES.gpkg --out damage.gpkg",
)


@dataclass(frozen=True, kw_only=True)
class DemoConfig:
    """How large the demo is.

    hazards: names; empty: all that are registered. each: pairs per hazard. held: samples whose
    pairs are kept from training and used to score the small detector. detector: the small one; in a
    comparison on real pairs, that of all arms. seeds: one training per arm and seed there.
    """

    hazards: tuple[str, ...] = field(default_factory=lambda: tuple(HAZARDS))
    each: int = 3
    severity: tuple[float, float] = (0.5, 1.0)
    held: tuple[str, ...] = ("suburb", "coast")
    detector: DetectorConfig = SMALL
    seeds: tuple[int, ...] = (0, 1, 2)

    def __post_init__(self) -> None:
        if min(self.each, len(self.held), len(self.seeds), len(self.hazards)) < 1:
            raise BadParameter(
                "a demo needs at least one hazard, pair of each hazard, held-out sample and seed"
            )

    @property
    def pairs(self) -> int:
        """Number of pairs to make."""
        return self.each * len(self.hazards)

    def trainings(self, *, compared: bool) -> int:
        """Number of detectors to train."""
        return len(PROTOCOLS[GIVEN].arms) * len(self.seeds) if compared else 1


#: For real pairs: their images are larger, and every arm is trained several times.
REAL = DemoConfig(each=1, detector=replace(SMALL, steps=200))


@dataclass(kw_only=True)
class Bar:
    """One bar over all steps: ``advance`` gets each new percent, ``say`` the step's name."""

    advance: Callable[[int], None] = lambda _: None
    say: Callable[[str], None] = lambda _: None
    total: float = 1.0
    done: float = 0.0

    @contextmanager
    def station(self, says: str, each: float, count: int) -> Iterator[Callable[[int], None]]:
        """A step of ``count`` things of ``each`` units; yields a function to report things done."""
        self.say(says)
        begun = self.done

        def tell(things: int) -> None:
            self._move(min(self.done + things * each, begun + count * each))

        yield tell
        self._move(begun + count * each)

    def _move(self, done: float) -> None:
        percent = int(100 * done / self.total) - int(100 * self.done / self.total)
        self.done = done
        if percent:
            self.advance(percent)


@dataclass(frozen=True, kw_only=True)
class DemoResult:
    """The page and what is on it; either ``learned`` or ``compared`` is set, never both."""

    report: Path
    folder: Path
    pairs: int
    opinion: Opinion
    learned: Learned | None = None
    compared: Outcome | None = None
    left_out: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The result as JSON values."""
        return {
            "report": str(self.report),
            "folder": str(self.folder),
            "synthetic_pairs": self.pairs,
            "opinion": self.opinion.as_json(),
            "learned": self.learned and self.learned.as_json(),
            "compared": self.compared and self.compared.results.as_json(),
        }

    @property
    def verdict(self) -> tuple[str, ...]:
        """One sentence per detector."""
        said = (self.opinion.sentence,)
        if self.learned is not None:
            return (*said, self.learned.sentence)
        return (*said, *protocol_verdict(self.compared.results)) if self.compared else said


def run_demo(
    out: Path,
    generator: Generator,
    assessor: Detector,
    *,
    xbd: Path | None = None,
    seed: int = 0,
    config: DemoConfig | None = None,
    overwrite: bool = False,
    bar: Bar | None = None,
) -> DemoResult:
    """Run all steps and write ``out/report.html``.

    Args:
        out: folder of the demo; an interrupted one with the same settings is continued.
        generator: the shipped diffusion model.
        assessor: the shipped detector, trained on real pairs only.
        xbd: real pairs with the splits ``train`` and ``test`` to use instead of samples.
        seed: of damage and images.
        config: size of the demo; None: the default.
        overwrite: replace a demo with other settings.
        bar: progress.

    Raises:
        AftersceneError: by the leaf that fits.
    """
    config, bar = config or (DemoConfig() if xbd is None else REAL), bar or Bar()
    sources, left_out = _apart(xbd) if xbd is not None else (None, [])
    settings = {
        "version": __version__,
        "seed": seed,
        "model_hash": generator.hash,
        "xbd": None if sources is None else digest(hashes(sources)),
        "pairs": [list(config.hazards), config.each, list(config.severity), list(config.held)],
    }
    prepare_output(out, "demo", run=settings, overwrite=overwrite)
    steps = config.trainings(compared=xbd is not None) * config.detector.steps
    bar.total = config.pairs * (RENDER + LOOK) + steps * STEP
    found = sources or _samples(out / "samples")
    with bar.station(f"1 of 4: drawing {config.pairs} pairs", RENDER, config.pairs) as tell:
        plan = _plan(found, config, seed)
        options = RunOptions(on_progress=tell)
        rendering = Rendering()
        made = build(plan, out / "gbd", generator, rendering=rendering, options=options)
    with bar.station(
        "2 of 4: looking for the damage with the shipped detector", LOOK, made.pairs
    ) as tell:
        opinion = look(made.out, assessor, out / "opinion", tell)
    learned, compared = None, None
    if xbd is None:
        with bar.station("3 of 4: training a small detector on the pairs", STEP, steps) as tell:
            learned = learn(made.out, out / "detector", config.detector, config.held, tell)
    else:
        with bar.station(
            "3 of 4: training detectors with and without the pairs", STEP, steps
        ) as tell:
            compared = _compare(xbd, made.out, out / "compare", config, tell)
    bar.say("4 of 4: writing the page")
    result = DemoResult(
        report=out / "report.html",
        folder=out,
        pairs=made.pairs,
        opinion=opinion,
        learned=learned,
        compared=compared,
        left_out=tuple(left_out),
    )
    write_demo_page(result, xbd, NEXT)
    return result


def _apart(xbd: Path) -> tuple[list[Source], list[str]]:
    """Sources of the split train that are apart from val and test, and why the others are not.

    A folder without test pairs is refused here, before minutes of work.
    """
    require_matplotlib()
    tree, held = XbdTree(xbd), ("test", "val")
    tested = [
        pair for split in held if split in {"test", *tree.splits} for pair in tree.pairs(split)
    ]
    sources = find_sources(xbd, "train")
    prints = [source.fingerprint for source in sources]
    kept, why = apart(prints, [pair.fingerprint for pair in tested], skip=True)
    return [sources[index] for index in kept], why


def _samples(folder: Path) -> list[Source]:
    samples.copy(folder)
    known = {source.event: source for source in find_sources(folder)}
    return [known[name] for name in PLACES]


def _plan(sources: Sequence[Source], config: DemoConfig, seed: int) -> Plan:
    """In every round each hazard strikes once; the places move on from round to round."""
    asked = PlanConfig(
        hazards=config.hazards, count=config.pairs, seed=seed, severity=config.severity
    )

    def items() -> Iterator[Item]:
        for number in range(asked.count):
            draw, place = divmod(number, len(config.hazards))
            source = sources[(place + ONWARD * draw) % len(sources)]
            yield asked.item(config.hazards[place], number, source, draw)

    return Plan.of(items, asked.count, asked.settings())


def _compare(
    real: Path, made: Path, out: Path, config: DemoConfig, tell: Callable[[int], None]
) -> Outcome:
    protocol = replace(PROTOCOLS[GIVEN], detector=config.detector, seeds=config.seeds)
    work = Work(told=lambda *_: tell(1), skip=True)
    return compare_arms(protocol, Sources(xbd=real, gbd=(made,)), out, work)
