"""One page about a finished set: levels by hazard and event, terms, captions, sample pictures.

The counts are those of :mod:`afterscene.gbd.stats`; this module only lays them out, because pages
belong to the experiments and the set's own room knows none.
"""

from itertools import islice
from pathlib import Path

from afterscene.files import write_json
from afterscene.gbd.dataset import Dataset
from afterscene.gbd.stats import Count, Stats
from afterscene.pages.gallery import gallery
from afterscene.pages.report import Report, Section, Table, write_report

SAMPLES = 4  # pairs with pictures; about 0.4 MB each at full window
CAPTIONED = 8


def write_page(dataset: Dataset, found: Stats, out: Path) -> list[Path]:
    """``stats.html`` and ``stats.json`` in the folder ``out``, which is there."""
    return [
        write_report(page(dataset, found), out / "stats.html"),
        write_json(out / "stats.json", found.as_json()),
    ]


def page(dataset: Dataset, found: Stats) -> Report:
    """What the page says. A set without pre pictures (of ``synthesize``) has no sample pictures."""
    shown = (dataset.root / "images").is_dir()
    return Report(
        title="Global Building Damage: what is in this set",
        summary=(
            f"{found.total.pairs} pairs, {found.synthetic} of them with a synthetic post picture: "
            "drawn by a model, of a disaster that did not happen.",
            f"Licence: {dataset.terms.licence}. {dataset.terms.sentence}.",
        ),
        tables=(_levels([*found.groups, found.total]), _captions(dataset)),
        pictures=tuple(gallery(dataset.root, count=SAMPLES)) if shown else (),
        notes=(
            Section(
                title="How to read this",
                paragraphs=(
                    "Levels are counts of buildings in the labels as they lie on the disk. "
                    "The pictures are of the most damaged pairs, cut to where most happened; "
                    "they are no fair sample of the set.",
                ),
            ),
        ),
    )


def _levels(groups: list[Count]) -> Table:
    words = tuple(groups[-1].levels)
    return Table(
        caption="Buildings by hazard, event and region of the source and damage level",
        columns=("hazard", "event", "region", "pairs", "mean severity", "buildings", *words),
        rows=tuple(
            (
                *(g.hazard, g.event, g.region, g.pairs, g.severity[1], sum(g.levels.values())),
                *(g.levels.get(word, 0) for word in words),
            )
            for g in groups
        ),
    )


def _captions(dataset: Dataset) -> Table:
    rows = tuple((e.id, max(e.captions, key=len)) for e in islice(dataset, CAPTIONED))
    caption = f"The longest change caption of the first {len(rows)} pairs"
    return Table(caption=caption, columns=("pair", "caption"), rows=rows)
