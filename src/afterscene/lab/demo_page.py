"""The page of the demo: pictures first, one sentence for each thing that is shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from afterscene import samples
from afterscene.gbd import verify
from afterscene.gbd.dataset import Dataset, Entry
from afterscene.geodata.damage import LEVEL_WORDS
from afterscene.geodata.scene import read_scene
from afterscene.hazards import HAZARDS
from afterscene.lab.arms import ARMS
from afterscene.lab.learned import Learned
from afterscene.lab.opinion import Opinion, share_damaged, share_same
from afterscene.lab.protocol_report import TEMPLATES, disagreements, report
from afterscene.lab.published import PublishedResult, published
from afterscene.pages.gallery import Beside, real_posts
from afterscene.pages.pictures import paint_damage
from afterscene.pages.render import write_page
from afterscene.pages.report import PictureRow, Table

if TYPE_CHECKING:
    from afterscene.lab.demo import DemoResult

#: What the page shows of the worth on real images: measured before, and published with its caveats.
PUBLISHED = "unseen-wind"
SHOWN = 3  # held-out pairs
WINDOW = 352  # pixels a side, where most happened


def write_demo_page(result: DemoResult, xbd: Path | None, commands: Sequence[str]) -> Path:
    """Write ``result.report``. Raises OutputConflict where that cannot be."""
    made = result.folder / "gbd"
    entries = list(Dataset(made))
    beside = real_posts(xbd) if xbd is not None else lambda _: None
    first = {entry.row["hazard"]: entry for entry in reversed(entries)}
    learned, compared = result.learned, result.compared
    return write_page(
        result.report,
        "demo.html",
        folder=TEMPLATES,
        real=xbd is not None,
        hazards=len(first),
        pairs=len(entries),
        rows=[scene_row(first[name], result.opinion, beside) for name in HAZARDS if name in first],
        verified=Counter(found.verdict for found in verify(made)),
        counts=count_table(entries),
        opinion=result.opinion,
        opinion_tables=(opinion_table(result.opinion), hazard_table(result.opinion)),
        learned=learned,
        learned_rows=[held_row(learned, entry) for entry in learned.held[:SHOWN]]
        if learned
        else (),
        learned_table=learned_table(learned) if learned else None,
        compared=report(compared.results, disagreements(compared.finished, compared.tile))
        if compared
        else None,
        next=commands,
        published=published(PUBLISHED),
        published_table=published_table(published(PUBLISHED)),
    )


def scene_row(entry: Entry, opinion: Opinion, beside: Beside) -> PictureRow:
    """Before, after, the levels asked for and those that the shipped detector sees."""
    pre, post, target = _pictures(entry)
    pictures = {
        "before": pre,
        "after (drawn by the diffusion model)": post,
        "damage asked for": paint_damage(target, pre),
        "damage seen by the detector": paint_damage(opinion.seen(entry), pre),
    }
    other = beside(entry.row)
    if other is not None:
        pictures[other[0]] = other[1]
    row = PictureRow(
        title=_title(entry),
        pictures=pictures,
        text=f"Severity {entry.row['severity']:.2f} of 1: {_levels(entry)}.",
    )
    return row.cut(target, WINDOW)


def held_row(learned: Learned, entry: Entry) -> PictureRow:
    """A place that the small detector never saw."""
    pre, post, target = _pictures(entry)
    said = learned.detector.predict(read_scene(entry.pre), read_scene(entry.post)).target  # type: ignore[arg-type]
    row = PictureRow(
        title=f"{_title(entry)}, held out",
        pictures={
            "before": pre,
            "after": post,
            "the label": paint_damage(target, pre),
            "found by the small detector": paint_damage(said, pre),
        },
    )
    return row.cut(target, WINDOW)


def _title(entry: Entry) -> str:
    noun = HAZARDS[entry.row["hazard"]].noun
    own = entry.event in samples.names()
    place = entry.event.replace("-", " ") if own else str(entry.row["source"])
    return f"{noun[0].upper()}{noun[1:]}: {place}"


def _pictures(entry: Entry) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    assert entry.pre is not None  # a build has it
    pre, post, target = (read_scene(path) for path in (entry.pre, entry.post, entry.target))
    return pre.rgb(), post.rgb(), target.pixels[0]


def _levels(entry: Entry) -> str:
    return ", ".join(f"{n} {word}" for word, n in entry.row["levels"].items())


def count_table(entries: list[Entry]) -> Table:
    """Pairs and buildings of each level, by hazard."""
    rows = []
    for name in dict.fromkeys(entry.row["hazard"] for entry in entries):
        mine = [entry.row for entry in entries if entry.row["hazard"] == name]
        levels = sum((Counter(row["levels"]) for row in mine), Counter())
        rows.append((name, len(mine), *(levels[word] for word in LEVEL_WORDS)))
    return Table(
        caption="Buildings of each level in the labels",
        columns=("hazard", "pairs", *LEVEL_WORDS),
        rows=tuple(rows),
    )


def opinion_table(opinion: Opinion) -> Table:
    """Buildings by the level asked for and the level seen."""
    return Table(
        caption="Buildings by the level asked for (rows) and the level seen (columns)",
        columns=("asked", *(f"seen {word}" for word in LEVEL_WORDS)),
        rows=tuple(
            (word, *row.tolist()) for word, row in zip(LEVEL_WORDS, opinion.table, strict=True)
        ),
    )


def hazard_table(opinion: Opinion) -> Table:
    """Where asked and seen agree, by hazard."""
    return Table(
        caption="Share of buildings on which asked and seen agree",
        columns=("hazard", "buildings", "same level", "damaged or not"),
        rows=tuple(
            (name, int(table.sum()), f"{share_same(table):.0%}", f"{share_damaged(table):.0%}")
            for name, table in opinion.tables.items()
        ),
    )


def learned_table(learned: Learned) -> Table:
    """Buildings of the held-out pairs by their level and what was said of them."""
    found = learned.scores["objects"]["confusion"]
    return Table(
        caption="Buildings of the held-out pairs by the level in the label (rows) and the level "
        "found (columns)",
        columns=("label", "not found", *LEVEL_WORDS),
        rows=tuple((word, *found[word].values()) for word in LEVEL_WORDS),
    )


def _arm(name: str) -> str:
    """The arm in words; its own name where it is none."""
    says = ARMS[name].says if name in ARMS else name
    return f"real pairs {says}" if says.startswith("and ") else says


def published_table(result: PublishedResult) -> Table:
    """Score and gain of each arm."""
    rows = []
    for row in result.rows:
        gain = row.values.get("gain")
        rows.append((_arm(row.name), row.values["score"].told(), gain.told("+.3f") if gain else ""))
    return Table(
        caption=f"{result.title}: xView2 score on {result.tiles} real tiles, mean of "
        f"{result.seeds} trainings; gain over {result.best}, the best without generated pairs",
        columns=("trained with", "score (95% interval)", "gain (95% interval)"),
        rows=tuple(rows),
    )
