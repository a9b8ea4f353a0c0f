"""Results of a comparison as one page and as Markdown.

The page shows the tiles on which the arms disagree most: those where their predictions with the
first seed differ on the most building pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from afterscene.files import write_atomic
from afterscene.geodata.damage import LEVEL_WORDS
from afterscene.geodata.pair import LabelledPair
from afterscene.lab.arms import ARMS
from afterscene.lab.comparison import RESULTS, Outcome, Sources, Work, compare_arms
from afterscene.lab.protocols import Protocol
from afterscene.lab.results import ArmResult, Finished, Results, SettingResult
from afterscene.metrics.bootstrap import Interval
from afterscene.metrics.xview2 import FIGURES
from afterscene.pages.gallery import gallery, real_posts
from afterscene.pages.pictures import paint_damage
from afterscene.pages.plots import Chart, Curves, require_matplotlib
from afterscene.pages.render import render
from afterscene.pages.report import (
    Cell,
    PictureRow,
    Report,
    Section,
    Table,
    write_report,
)

TEMPLATES = Path(__file__).parent / "templates"
PAGE, MARKDOWN = "report.html", "figures.md"
SHOWN = 4
RARE = {"minor-damage": "damage_f1_minor_damage", "major-damage": "damage_f1_major_damage"}
HEAD = (
    "arm",
    "synthetic",
    "score",
    "interval",
    "gain",
    "official",
    "localisation",
    *LEVEL_WORDS,
)


def compare_and_report(protocol: Protocol, sources: Sources, out: Path, work: Work) -> Outcome:
    """:func:`~afterscene.lab.comparison.compare_arms`, then its page and tables."""
    require_matplotlib()
    outcome = compare_arms(protocol, sources, out, work)
    results, beside = Results.read(out / RESULTS), real_posts(sources.xbd)
    rows = [row for folder in sources.gbd for row in gallery(folder, beside=beside)]
    rows += disagreements(outcome.finished, outcome.tile)
    write_atomic(out / MARKDOWN, markdown(results).encode())
    write_report(report(results, rows), out / PAGE)
    return outcome


def protocol_verdict(results: Results) -> tuple[str, ...]:
    """One sentence per setting."""
    if not results.settings:
        return ("No seed is finished yet.",)
    return tuple(_sentence(one) for one in results.settings)


def _sentence(one: SettingResult) -> str:
    gains = [(arm.name, arm.gain) for arm in one.arms if arm.gain is not None]
    if not gains:
        return f"{one.name}: no arm with generated pairs to compare."
    (best,) = (arm for arm in one.arms if arm.name == one.best)
    said = []
    for arm, gain in gains:
        if not gain.excludes_zero:
            meaning = "the interval contains 0, so no difference is shown"
        else:
            meaning = "better" if gain.mean > 0 else "worse"
        said.append(f"{arm} {gain.mean:+.3f} ({_range(gain, '+.3f')}): {meaning}")
    return f"{one.name}, compared with {best.name} ({best.score.mean:.3f}): {'; '.join(said)}."


def setting_table(one: SettingResult) -> Table:
    """One row per arm, and one that calls every building undamaged."""
    rows = [_row(arm) for arm in one.arms]
    rows.append(("every building undamaged", "", one.undamaged, *[""] * (len(HEAD) - 3)))
    few = [word for word in LEVEL_WORDS if word not in one.judged]
    absent = f"; these tiles show no {', '.join(one.absent)}" if one.absent else ""
    return Table(
        caption=f"{one.name}: {one.pairs_real} real pairs, {one.tiles} test tiles, "
        f"seeds {list(one.seeds)}"
        + (f"; too few buildings of {', '.join(few)} to score" if few else "")
        + absent
        + f"; bootstrap: {one.redrawn:.2f} draws per kept draw lost a level and were repeated",
        columns=HEAD,
        rows=tuple(rows),
    )


def _row(arm: ArmResult) -> tuple[Cell, ...]:
    gain = "" if arm.gain is None else f"{arm.gain.mean:+.3f} ({_range(arm.gain, '+.3f')})"
    official, *rest = (arm.figures[key].mean for key in FIGURES if key != "damage_f1")
    own = (arm.name, arm.synthetic, arm.score.mean, _range(arm.score))
    return (*own, gain, official, *rest)


def _range(span: Interval, form: str = ".3f") -> str:
    return f"{span.low:{form}} to {span.high:{form}}"


def curves(results: Results) -> tuple[Curves, ...]:
    """Score over the number of the event's own pairs, one plot per event."""
    found = []
    for event in dict.fromkeys(one.event for one in results.settings):
        mine = [one for one in results.settings if one.event == event]
        if event is None or len(mine) < 2:
            continue
        mine.sort(key=lambda one: one.pairs_own)
        lines = zip(*(one.arms for one in mine), strict=True)
        found.append(
            Curves(
                caption=f"xView2 score on {event} by number of its real pairs in training",
                places=tuple(float(one.pairs_own) for one in mine),
                lines=tuple((line[0].name, tuple(arm.score for arm in line)) for line in lines),
            )
        )
    return tuple(found)


def report(results: Results, pictures: Sequence[PictureRow] = ()) -> Report:
    """The page."""
    whole = "Not all trainings are finished; this page shows the finished seeds."
    rare = (_rare_table(one) for one in results.settings)
    return Report(
        title=f"What synthetic pairs are worth: {results.protocol.name}",
        summary=(*(() if results.whole else (whole,)), *protocol_verdict(results)),
        charts=(*(_chart(one) for one in results.settings), *curves(results)),
        tables=(
            *(setting_table(one) for one in results.settings),
            *(table for table in rare if len(table.columns) > 1),
        ),
        pictures=tuple(pictures),
        notes=(Section(title="How it was measured", paragraphs=tuple(method(results))),),
    )


def _chart(one: SettingResult) -> Chart:
    return Chart(
        caption=f"{one.name}: xView2 score, mean over the seeds, with interval",
        names=tuple(arm.name for arm in one.arms),
        intervals=tuple(arm.score for arm in one.arms),
        points=tuple(arm.per_seed for arm in one.arms),
    )


def _rare_table(one: SettingResult) -> Table:
    keys = {word: key for word, key in RARE.items() if word in one.judged}
    rows = []
    for arm in one.arms:
        spans = (arm.figures[key] for key in keys.values())
        rows.append((arm.name, *(f"{span.mean:.3f} ({_range(span)})" for span in spans)))
    return Table(
        caption=f"{one.name}: F1 of the rare levels, with intervals",
        columns=("arm", *keys),
        rows=tuple(rows),
    )


def method(results: Results) -> list[str]:
    """The method, as paragraphs."""
    protocol = results.protocol
    told = render(
        "method.md",
        folder=TEMPLATES,
        protocol=protocol,
        detector=protocol.detector,
        arms={arm: ARMS[arm].says for arm in protocol.arms},
        given=results.sources["gbd"],
    )
    return told.strip().split("\n\n")


def markdown(results: Results) -> str:
    """The tables and verdicts as Markdown, for the docs."""
    return render(
        "comparison.md",
        folder=TEMPLATES,
        name=results.protocol.name,
        verdict=protocol_verdict(results),
        tables=[setting_table(one) for one in results.settings],
        method=method(results),
    )


def disagreements(
    finished: Sequence[Finished], tile: Callable[[str], LabelledPair], *, size: int = 384
) -> list[PictureRow]:
    """The tiles of all settings on which the arms differ on the most building pixels."""
    found: list[tuple[int, str, Finished]] = []
    for done in finished:
        firsts = [runs[0] for runs in done.runs.values()]
        for name in done.setting.test:
            if all(name in run.damage for run in firsts):
                answers = np.stack([run.damage[name] for run in firsts])
                differ = (answers != answers[0]).any(axis=0) & (tile(name).target % 255 > 0)
                found.append((int(differ.sum()), name, done))
    found.sort(key=lambda item: (-item[0], item[1]))
    return [
        _disagreement(name, tile(name), done, n).cut(tile(name).target, size)
        for n, name, done in found[:SHOWN]
    ]


def _disagreement(name: str, pair: LabelledPair, done: Finished, pixels: int) -> PictureRow:
    pre = pair.pre.rgb()
    said = {arm: paint_damage(runs[0].damage[name], pre) for arm, runs in done.runs.items()}
    truth = {"real post": pair.post.rgb(), "truth": paint_damage(pair.target, pre)}
    return PictureRow(
        title=f"{name} ({done.setting.name})",
        pictures={"pre": pre, **truth, **said},
        text=f"The arms differ on {pixels:,} building pixels (seed {done.seeds[0]}).",
    )
