"""Finished comparisons of a protocol as figures, as one page and as Markdown.

A generative arm is compared with the best of the others, chosen by its mean on the same tiles,
which favours the others. Minor and major F1 get intervals of their own. Where the arms disagree
most is where their answers of the first seed differ on most building pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np

from afterscene.geodata.damage import LEVEL_WORDS, DamageLevel
from afterscene.geodata.pair import LabelledPair
from afterscene.lab.arms import ARMS
from afterscene.lab.protocol_run import Finished
from afterscene.lab.protocols import Protocol
from afterscene.metrics.bootstrap import Draws, Figure, Interval, resample
from afterscene.metrics.xview2 import (
    FIGURES,
    all_undamaged,
    figures,
    judged_score,
    result,
    shown,
)
from afterscene.pages.pictures import busiest_window, paint_damage
from afterscene.pages.plots import Chart, Curves
from afterscene.pages.report import Picture, PictureRow, Report, Section, Table

SHOWN = 4
RARE = ("damage_f1_minor_damage", "damage_f1_major_damage")


def summary(protocol: Protocol, done: Finished) -> dict[str, Any]:
    """The figures of one setting as JSON values."""
    arms = protocol.arms
    counts = done.counts(arms)
    levels = done.setting.levels
    judge: Figure = partial(judged_score, levels=levels)
    draws = resample(
        shown(counts[0, 0])[:, [level - 1 for level in levels]],
        done.events,
        seeds=len(done.seeds),
        replicates=protocol.replicates,
    )
    totals = counts.sum(axis=2)
    spans = [draws.spread(figures, one).intervals() for one in counts]
    return {
        "setting": done.setting.name,
        "event": done.setting.event,
        "pairs_real": len(done.setting.real),
        "pairs_own": len(done.setting.own),
        "tiles": len(done.setting.test),
        "seeds": list(done.seeds),
        "absent_levels": list(result(totals[0, 0], "ignore").absent_levels),
        "judged_levels": [DamageLevel(level).word for level in levels],
        "all_undamaged_score": float(judge(all_undamaged(totals[0])).mean()),
        "arms": {
            arm: {
                "score": asdict(draws.spread(judge, counts[i]).intervals()[0]),
                "per_seed": judge(totals[i]).tolist(),
                "official_score": spans[i][0].mean,
                "figures": {name: span.mean for name, span in zip(FIGURES, spans[i], strict=True)},
                "pairs_synthetic": done.pairs_synthetic[arm],
            }
            for i, arm in enumerate(arms)
        },
        "rare": {
            name: {arm: asdict(spans[i][FIGURES.index(name)]) for i, arm in enumerate(arms)}
            for name in RARE
            if FIGURES.index(name) - 2 in levels
        },
        "against_best": _against_best(arms, counts, judge, draws),
    }


def _against_best(
    arms: Sequence[str], counts: np.ndarray, judge: Figure, draws: Draws
) -> dict[str, Any]:
    """Each generative arm less the best other arm, with the paired interval."""
    plain = [arm for arm in arms if not ARMS[arm].generative]
    made = [arm for arm in arms if ARMS[arm].generative]
    if not plain or not made:
        return {}
    spreads = {arm: draws.spread(judge, counts[i]) for i, arm in enumerate(arms)}
    best = max(plain, key=lambda arm: float(spreads[arm].value))
    gains = {arm: (spreads[arm] - spreads[best]).intervals()[0] for arm in made}
    return {
        "best": best,
        "gains": {
            arm: {**asdict(gain), "excludes_zero": gain.excludes_zero}
            for arm, gain in gains.items()
        },
    }


def verdict(values: Mapping[str, Any]) -> str:
    """One sentence for one setting."""
    against = values["against_best"]
    if not against:
        return f"{values['setting']}: no generative arm to compare."
    said = []
    for arm, gain in against["gains"].items():
        if not gain["excludes_zero"]:
            meaning = "the interval contains 0"
        else:
            meaning = "better" if gain["mean"] > 0 else "worse"
        said.append(
            f"{arm} {gain['mean']:+.3f} ({gain['low']:+.3f} to {gain['high']:+.3f}): {meaning}"
        )
    return f"{values['setting']}, against {against['best']}: {'; '.join(said)}."


LEVEL_HEADS = ("no damage", "minor", "major", "destroyed")
HEAD = ("arm", "synthetic", "score", "interval", "official", "localisation", *LEVEL_HEADS)


def setting_table(values: Mapping[str, Any]) -> Table:
    """One row an arm and the reference that calls every building undamaged."""
    rows: list[tuple[str | int | float, ...]] = []
    for name, arm in values["arms"].items():
        span, figures = arm["score"], arm["figures"]
        interval = f"{span['low']:.3f} to {span['high']:.3f}"
        levels = (figures[key] for key in FIGURES[2:])
        official = arm["official_score"]
        rows.append((name, arm["pairs_synthetic"], span["mean"], interval, official, *levels))
    rows.append(("every building undamaged", "", values["all_undamaged_score"], *[""] * 7))
    few = [word for word in LEVEL_WORDS if word not in values["judged_levels"]]
    return Table(
        caption=f"{values['setting']}: {values['pairs_real']} real pairs, {values['tiles']} test "
        f"tiles, seeds {values['seeds']}"
        + (f"; too few buildings of {', '.join(few)} to be judged" if few else ""),
        columns=HEAD,
        rows=tuple(rows),
    )


def curves(protocol: Protocol, values: Sequence[Mapping[str, Any]]) -> tuple[Curves, ...]:
    """Score over the number of the event's own pairs, one figure an event."""
    found = []
    for event in dict.fromkeys(v["event"] for v in values):
        mine = sorted((v for v in values if v["event"] == event), key=lambda v: v["pairs_own"])
        if event is None or len(mine) < 2:
            continue
        found.append(
            Curves(
                caption=f"xView2 score on {event} over its number of real pairs in training",
                places=tuple(float(v["pairs_own"]) for v in mine),
                lines=tuple(
                    (arm, tuple(Interval(**v["arms"][arm]["score"]) for v in mine))
                    for arm in protocol.arms
                ),
            )
        )
    return tuple(found)


def report(
    protocol: Protocol,
    values: Sequence[Mapping[str, Any]],
    pictures: Sequence[PictureRow],
    *,
    whole: bool,
) -> Report:
    """The page."""
    started = () if whole else ("Not all trainings are done yet; shown are the whole seeds.",)
    return Report(
        title=f"What synthetic pairs are worth: {protocol.protocol}",
        summary=(*started, *(verdict(v) for v in values)),
        charts=(*(_chart(v) for v in values), *curves(protocol, values)),
        tables=(
            *(setting_table(v) for v in values),
            *(_rare_table(v) for v in values if v["rare"]),
        ),
        pictures=tuple(pictures),
        notes=(Section(title="How it was measured", paragraphs=method(protocol)),),
    )


def _chart(values: Mapping[str, Any]) -> Chart:
    return Chart(
        caption=f"{values['setting']}: xView2 score, mean over the seeds with its interval",
        names=tuple(values["arms"]),
        intervals=tuple(Interval(**arm["score"]) for arm in values["arms"].values()),
        points=tuple(tuple(arm["per_seed"]) for arm in values["arms"].values()),
    )


def _rare_table(values: Mapping[str, Any]) -> Table:
    names = list(values["rare"])
    rows = [(arm, *(_span(values["rare"][name][arm]) for name in names)) for arm in values["arms"]]
    heads = [name.removeprefix("damage_f1_").replace("_", " ") for name in names]
    return Table(
        caption=f"{values['setting']}: F1 of the rare levels with intervals",
        columns=("arm", *heads),
        rows=tuple(rows),
    )


def _span(span: Mapping[str, float]) -> str:
    return f"{span['mean']:.3f} ({span['low']:.3f} to {span['high']:.3f})"


def method(protocol: Protocol) -> tuple[str, ...]:
    """How it was done, a paragraph each."""
    config = protocol.detector
    arms = "; ".join(f"{arm}: {ARMS[arm].says}" for arm in protocol.arms)
    return (
        f"Every arm is the same detector (encoder {config.encoder}), {config.steps} optimiser "
        f"steps of {config.batch} crops of {config.crop} pixels, the same seeds{_base(protocol)}. "
        f"Arms: {arms}.",
        f"Synthetic pairs: {protocol.synthetic} from pre images of other places and one from each "
        f"of the event's own and of {protocol.region} further pre images of its region, whose "
        f"damage is not known; severity {protocol.severity[0]:g} to {protocol.severity[-1]:g}, "
        f"mode {protocol.mode}. Pasted and generated pairs have the same pre images and damage "
        "maps.",
        "Thresholds are chosen on the split val of the events that are not tested"
        f"{_held(protocol)}{_mix(protocol)}. Scores are xView2 scores, un-classified buildings "
        "ignored, whose harmonic mean leaves out levels "
        f"with fewer than {protocol.judged} buildings in the test tiles; official: over all four. "
        f"Intervals are the central 95% of {protocol.replicates} paired bootstrap draws over seeds "
        "and tiles.",
        "Ids and looks of all training sources, and the tiles that the generator had seen, were "
        "checked against the test tiles before anything was trained.",
    )


def _held(protocol: Protocol) -> str:
    if not protocol.held:
        return ""
    return f", in arms with synthetic pairs also on one in {protocol.held} of these, held back"


def _mix(protocol: Protocol) -> str:
    if not protocol.scenario_mix:
        return ""
    return ", weighed to the mix of levels that the hazard gives in the event's region"


def _base(protocol: Protocol) -> str:
    if not protocol.base_steps:
        return ""
    return f", further from a detector of {protocol.base_steps} steps on the other events"


def markdown(protocol: Protocol, values: Sequence[Mapping[str, Any]]) -> str:
    """The tables and verdicts as Markdown, for the docs."""
    lines = [f"# Compare: {protocol.protocol}", "", *(f"- {verdict(v)}" for v in values)]
    for one in values:
        made = setting_table(one)
        lines += ["", made.caption, "", "| " + " | ".join(made.columns) + " |"]
        lines.append("|---" * len(made.columns) + "|")
        for row in made.rows:
            cells = (f"{cell:.3f}" if isinstance(cell, float) else str(cell) for cell in row)
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join([*lines, "", *(f"{text}\n" for text in method(protocol))])


def disagreements(
    protocol: Protocol,
    finished: Sequence[Finished],
    tile: Callable[[str], LabelledPair],
    *,
    size: int = 384,
) -> list[PictureRow]:
    """The tiles of all settings on which the arms' answers differ on most building pixels."""
    found: list[tuple[int, str, Finished]] = []
    for done in finished:
        firsts = [done.runs[arm][0] for arm in protocol.arms]
        for name in done.setting.test:
            if all(name in run.damage for run in firsts):
                answers = np.stack([run.damage[name] for run in firsts])
                differ = (answers != answers[0]).any(axis=0) & (tile(name).target % 255 > 0)
                found.append((int(differ.sum()), name, done))
    found.sort(key=lambda item: (-item[0], item[1]))
    rows: list[PictureRow] = []
    for pixels, name, done in found[:SHOWN]:
        pair = tile(name)
        window = busiest_window(pair.target, size)
        pre = pair.pre.rgb()[window]
        said = [
            Picture(caption=arm, pixels=paint_damage(done.runs[arm][0].damage[name][window], pre))
            for arm in protocol.arms
        ]
        rows.append(
            PictureRow(
                title=f"{name} ({done.setting.name})",
                pictures=(
                    Picture(caption="pre", pixels=pre),
                    Picture(caption="real post", pixels=pair.post.rgb()[window]),
                    Picture(caption="truth", pixels=paint_damage(pair.target[window], pre)),
                    *said,
                ),
                text=f"The arms differ on {pixels:,} building pixels (seed {done.seeds[0]}).",
            )
        )
    return rows
