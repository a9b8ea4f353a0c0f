"""The content of a report as plain records; the template ``report.html`` lays them out.

Nothing here depends on an experiment, so the demo, ``compare`` and others fill the same fields and
get one HTML file that can be sent by mail.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from afterscene.errors import BadParameter
from afterscene.pages.pictures import busiest_window
from afterscene.pages.plots import Chart, Curves
from afterscene.pages.render import write_page

Cell = str | int | float | None


@dataclass(frozen=True, kw_only=True)
class Table:
    """Columns and rows of text or numbers; floats with three decimals, None as a dash."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def __post_init__(self) -> None:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise BadParameter(f"table '{self.caption}': each row needs {len(self.columns)} cells")


@dataclass(frozen=True, kw_only=True)
class PictureRow:
    """Pictures of one place, shown side by side (below each other on a phone).

    pictures: caption -> (H, W, 3) uint8; larger ones are shrunk to 640 pixels a side.
    """

    title: str
    pictures: Mapping[str, np.ndarray]
    text: str = ""

    def cut(self, target: np.ndarray, size: int) -> "PictureRow":
        """All pictures cut to the window of (H, W) `target` with the most damage."""
        window = busiest_window(target, size)
        return replace(self, pictures={name: p[window] for name, p in self.pictures.items()})


@dataclass(frozen=True, kw_only=True)
class Section:
    """A heading and paragraphs of plain text."""

    title: str
    paragraphs: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Report:
    """The content of a page from top to bottom: summary, charts, tables, pictures, notes."""

    title: str
    summary: tuple[str, ...] = ()
    charts: tuple[Chart | Curves, ...] = ()
    tables: tuple[Table, ...] = ()
    pictures: tuple[PictureRow, ...] = ()
    notes: tuple[Section, ...] = ()


def write_report(report: Report, path: Path | str) -> Path:
    """Render and write atomically. Raises OutputConflict if `path` cannot be written."""
    return write_page(Path(path), "report.html", report=report)
