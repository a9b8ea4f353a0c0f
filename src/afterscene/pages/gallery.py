"""The pairs of a build as rows of a report: pre | damage map | post | another post, if any."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from afterscene.gbd.dataset import Dataset, Entry
from afterscene.geodata.damage import DamageLevel
from afterscene.geodata.masks import read_mask
from afterscene.geodata.scene import read_scene
from afterscene.geodata.xbd import XbdTree
from afterscene.hazards import hazard_of
from afterscene.pages.pictures import paint_damage
from afterscene.pages.report import PictureRow

#: From a manifest row: caption and (H, W, 3) picture to show beside it, if there is one.
Beside = Callable[[Mapping[str, Any]], tuple[str, np.ndarray] | None]


def gallery(
    folder: Path, *, beside: Beside = lambda _: None, count: int = 2, size: int = 512
) -> list[PictureRow]:
    """The most damaged pairs of a build, cut to the window with the most damage."""
    dataset = Dataset(folder)
    rows = sorted(dataset.rows, key=_damage, reverse=True)[:count]
    return [_row(dataset.entry(row), beside, size) for row in rows]


def _damage(row: Mapping[str, Any]) -> int:
    return sum(n for word, n in row["levels"].items() if word != DamageLevel.NO_DAMAGE.word)


def _row(entry: Entry, beside: Beside, size: int) -> PictureRow:
    row = entry.row
    assert entry.pre is not None  # a build has it
    pre, target = read_scene(entry.pre).rgb(), read_mask(entry.target)
    pictures = {
        "pre": pre,
        "damage map": paint_damage(target, pre),
        "synthetic post (diffusion)": read_scene(entry.post).rgb(),
    }
    other = beside(row)
    if other is not None:
        pictures[other[0]] = other[1]
    levels = ", ".join(f"{n} {word}" for word, n in row["levels"].items())
    made = PictureRow(
        title=f"{row['hazard']}, severity {row['severity']:g}",
        pictures=pictures,
        text=f"{row['id']}, from {row['source']}, seed {row['seed']}: {levels}.",
    )
    return made.cut(target, size)


def real_posts(tree: Path) -> Beside:
    """The real post image of the same place, if its real disaster had the row's hazard."""
    pairs = {pair.id: pair for pair in XbdTree(tree).pairs()}

    def find(row: Mapping[str, Any]) -> tuple[str, np.ndarray] | None:
        pair = pairs.get(row["source"])
        if pair is None or pair.post is None or hazard_of(pair.event) != row["hazard"]:
            return None
        return "real post (its own damage)", read_scene(pair.post).rgb()

    return find
