"""The page of the demo: images first, with one sentence on what each section shows."""

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

#: The published measurement on real images that the page shows, with its caveats.
PUBLISHED = "unseen-wind"
SHOWN = 3  # held-out pairs
WINDOW = 352  # pixels a side, cut around most of the damage


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
    """Pre image, post image, the requested levels and those that the shipped detector finds."""
    pre, post, target = _pictures(entry)
    pictures = {
        "before": pre,
        "after (synthetic)": post,
        "requested damage": paint_damage(target, pre),
        "damage found by the detector": paint_damage(opinion.seen(entry), pre),
    }
    other = beside(entry.row)
    if other is not None:
        pictures[other[0]] = other[1]
    row = PictureRow(
        title=_title(entry),
        pictures=pictures,
        text=f"Severity {entry.row['severity']:.2f} of 1. Buildings: {_levels(entry)}.",
    )
    return row.cut(target, WINDOW)


def held_row(learned: Learned, entry: Entry) -> PictureRow:
    """A place that the small detector was not trained on."""
    pre, post, target = _pictures(entry)
    said = learned.detector.predict(read_scene(entry.pre), read_scene(entry.post)).target  # type: ignore[arg-type]
    row = PictureRow(
        title=f"{_title(entry)}, held out",
        pictures={
            "before": pre,
            "after (synthetic)": post,
            "label": paint_damage(target, pre),
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
    """Pairs and buildings by hazard and level."""
    rows = []
    for name in dict.fromkeys(entry.row["hazard"] for entry in entries):
        mine = [entry.row for entry in entries if entry.row["hazard"] == name]
        levels = sum((Counter(row["levels"]) for row in mine), Counter())
        rows.append((name, len(mine), *(levels[word] for word in LEVEL_WORDS)))
    return Table(
        caption="Buildings by damage level in the labels",
        columns=("hazard", "pairs", *LEVEL_WORDS),
        rows=tuple(rows),
    )


def opinion_table(opinion: Opinion) -> Table:
    """Buildings by requested level and found level."""
    return Table(
        caption="Buildings by requested level (rows) and level found by the detector (columns)",
        columns=("requested", *(f"found {word}" for word in LEVEL_WORDS)),
        rows=tuple(
            (word, *row.tolist()) for word, row in zip(LEVEL_WORDS, opinion.table, strict=True)
        ),
    )


def hazard_table(opinion: Opinion) -> Table:
    """How often requested and found levels agree, by hazard."""
    return Table(
        caption="Share of buildings whose requested and found damage agree",
        columns=("hazard", "buildings", "same level", "both damaged or both not"),
        rows=tuple(
            (name, int(table.sum()), f"{share_same(table):.0%}", f"{share_damaged(table):.0%}")
            for name, table in opinion.tables.items()
        ),
    )


def learned_table(learned: Learned) -> Table:
    """Buildings of the held-out pairs by level in the label and level found."""
    found = learned.scores["objects"]["confusion"]
    return Table(
        caption="Buildings of the held-out pairs by level in the label (rows) and level found "
        "(columns)",
        columns=("label", "not found", *LEVEL_WORDS),
        rows=tuple((word, *found[word].values()) for word in LEVEL_WORDS),
    )


def _arm(name: str) -> str:
    """The arm in words; its name if it is not registered."""
    says = ARMS[name].says if name in ARMS else name
    return f"real pairs {says}" if says.startswith("and ") else says


def published_table(result: PublishedResult) -> Table:
    """Score and gain of every arm."""
    rows = []
    for row in result.rows:
        gain = row.values.get("gain")
        rows.append((_arm(row.name), row.values["score"].told(), gain.told("+.3f") if gain else ""))
    return Table(
        caption=f"{result.title}: xView2 score on {result.tiles} real tiles, mean of "
        f"{result.seeds} trainings; gain over {result.best}, the best arm without generated pairs",
        columns=("trained with", "score (95% interval)", "gain (95% interval)"),
        rows=tuple(rows),
    )
