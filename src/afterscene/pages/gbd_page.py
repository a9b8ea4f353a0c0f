"""One page about a finished set: levels by hazard and event, terms, captions, sample pictures.

The counts are those of :mod:`afterscene.gbd.stats`; the template only lays them out.
"""

from itertools import islice
from pathlib import Path

from afterscene.files import write_json
from afterscene.gbd.dataset import Dataset
from afterscene.gbd.stats import Stats
from afterscene.pages.gallery import gallery
from afterscene.pages.render import write_page

SAMPLES = 4  # pairs with pictures; about 0.4 MB each at full window
CAPTIONED = 8


def write_stats(dataset: Dataset, found: Stats, out: Path) -> list[Path]:
    """``stats.html`` and ``stats.json`` in the existing folder ``out``.

    A set without pre images (as from ``synthesize``) has no sample pictures.
    """
    shown = (dataset.root / "images").is_dir()
    page = write_page(
        out / "stats.html",
        "stats.html",
        found=found,
        groups=[*found.groups, found.total],
        terms=dataset.terms,
        captions=[(e.id, max(e.captions, key=len)) for e in islice(dataset, CAPTIONED)],
        pictures=gallery(dataset.root, count=SAMPLES) if shown else [],
    )
    return [page, write_json(out / "stats.json", found.as_json())]
