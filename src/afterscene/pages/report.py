"""One HTML file that can be sent by mail: text, tables, an interval chart and pictures inside.

A :class:`Report` is a plain record; nothing here knows an experiment, so the demo, ``compare`` and
whatever comes later fill the same fields. The page loads nothing (its own policy forbids it):
pictures are JPEG data URIs, charts are inline SVG, all text is escaped.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

import numpy as np

from afterscene.errors import BadParameter
from afterscene.files import write_atomic
from afterscene.geodata.damage import COLOURS
from afterscene.metrics.bootstrap import Interval
from afterscene.pages.curves import draw as draw_curves
from afterscene.pages.pictures import as_jpeg, shrink
from afterscene.pages.style import STYLE

PICTURE_SIDE = 640


@dataclass(frozen=True, kw_only=True)
class Table:
    """columns and rows of text or numbers; floats are shown with three decimals."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str | int | float, ...], ...]

    def __post_init__(self) -> None:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise BadParameter(f"table '{self.caption}': each row needs {len(self.columns)} cells")


@dataclass(frozen=True, kw_only=True)
class Chart:
    """Named intervals on one axis; `points` are single measurements, such as those of the seeds."""

    caption: str
    names: tuple[str, ...]
    intervals: tuple[Interval, ...]
    points: tuple[tuple[float, ...], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Curves:
    """Lines over one number, such as the real pairs that were given: name -> a value per place."""

    caption: str
    places: tuple[float, ...]
    lines: tuple[tuple[str, tuple[Interval, ...]], ...]

    def __post_init__(self) -> None:
        if any(len(line) != len(self.places) for _, line in self.lines):
            raise BadParameter(
                f"curves '{self.caption}': each line needs {len(self.places)} values"
            )


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A caption and (H, W, 3) uint8 pixels; larger ones are shrunk to 640 pixels a side."""

    caption: str
    pixels: np.ndarray


@dataclass(frozen=True, kw_only=True)
class PictureRow:
    """Pictures of one place, shown side by side (below each other on a phone)."""

    title: str
    pictures: tuple[Picture, ...]
    text: str = ""


@dataclass(frozen=True, kw_only=True)
class Section:
    """A heading and paragraphs of plain text."""

    title: str
    paragraphs: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a page says, from top to bottom: summary, charts, tables, pictures, notes."""

    title: str
    summary: tuple[str, ...] = ()
    charts: tuple[Chart, ...] = ()
    curves: tuple[Curves, ...] = ()
    tables: tuple[Table, ...] = ()
    pictures: tuple[PictureRow, ...] = ()
    notes: tuple[Section, ...] = field(default=())


def write_report(report: Report, path: Path | str) -> Path:
    """Render and write atomically. Raises OutputConflict where `path` cannot be written."""
    return write_atomic(Path(path), render(report).encode())


def render(report: Report) -> str:
    """The page as one string."""
    parts = [f"<h1>{escape(report.title)}</h1>", *_paragraphs(report.summary, "lead")]
    parts += [_chart(chart) for chart in report.charts]
    parts += [draw_curves(curves) for curves in report.curves]
    parts += [_table(table) for table in report.tables]
    if report.pictures:
        parts += ["<h2>Pictures</h2>", _legend(), *(_picture_row(row) for row in report.pictures)]
    for note in report.notes:
        parts += [f"<h2>{escape(note.title)}</h2>", *_paragraphs(note.paragraphs)]
    body = "\n".join(parts)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">\n"
        f"<title>{escape(report.title)}</title>\n<style>{STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _paragraphs(texts: Sequence[str], kind: str = "") -> list[str]:
    attribute = f' class="{kind}"' if kind else ""
    return [f"<p{attribute}>{escape(text)}</p>" for text in texts]


def _cell(value: str | int | float) -> str:
    if isinstance(value, str):
        return f"<td>{escape(value)}</td>"
    text = f"{value:.3f}" if isinstance(value, float) else f"{value:,}"
    return f'<td class="number">{text}</td>'


def _table(table: Table) -> str:
    head = "".join(f"<th>{escape(column)}</th>" for column in table.columns)
    rows = "\n".join(f"<tr>{''.join(_cell(v) for v in row)}</tr>" for row in table.rows)
    return (
        f'<figure class="table"><figcaption>{escape(table.caption)}</figcaption>'
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>\n{rows}\n</tbody></table></div></figure>"
    )


def _chart(chart: Chart) -> str:
    """Each interval as a bar with its mean; single points as rings; a line at 0 if it is inside."""
    singles = chart.points or ((),) * len(chart.names)
    values = [v for i in chart.intervals for v in (i.low, i.high, i.mean)]
    values += [v for points in singles for v in points]
    low, high = min(values), max(values)
    pad = 0.08 * (high - low or 1.0)
    low, high = low - pad, high + pad

    def place(value: float) -> float:
        return 190 + 380 * (value - low) / (high - low)

    height = 34 * len(chart.names) + 30
    lines = []
    if low < 0 < high:
        x = place(0)
        lines.append(f'<line class="zero" x1="{x:.1f}" x2="{x:.1f}" y1="4" y2="{height - 24}"/>')
    for number, (name, span, points) in enumerate(
        zip(chart.names, chart.intervals, singles, strict=True)
    ):
        y = 20 + 34 * number
        lines.append(f'<text x="182" y="{y + 4}" text-anchor="end">{escape(name)}</text>')
        lines.append(
            f'<line class="span" x1="{place(span.low):.1f}" x2="{place(span.high):.1f}" '
            f'y1="{y}" y2="{y}"/>'
        )
        lines += [f'<circle class="one" cx="{place(v):.1f}" cy="{y}" r="4"/>' for v in points]
        lines.append(f'<circle class="mean" cx="{place(span.mean):.1f}" cy="{y}" r="5"/>')
        lines.append(f'<text x="582" y="{y + 4}">{span.mean:.3f}</text>')
    for value in (low + pad, high - pad):
        lines.append(
            f'<text class="tick" x="{place(value):.1f}" y="{height - 6}" '
            f'text-anchor="middle">{value:.3f}</text>'
        )
    return (
        f'<figure class="chart"><figcaption>{escape(chart.caption)}</figcaption>'
        f'<svg viewBox="0 0 640 {height}" role="img" aria-label="{escape(chart.caption)}">'
        f"{''.join(lines)}</svg></figure>"
    )


def _legend() -> str:
    items = "".join(
        f'<li><span style="background:rgb{colour}"></span>{level.word}</li>'
        for level, colour in COLOURS.items()
    )
    return f'<ul class="legend">{items}</ul>'


def _picture_row(row: PictureRow) -> str:
    figures = "".join(
        f'<figure><img alt="{escape(p.caption)}" src="{_data_uri(p.pixels)}">'
        f"<figcaption>{escape(p.caption)}</figcaption></figure>"
        for p in row.pictures
    )
    text = f"<p>{escape(row.text)}</p>" if row.text else ""
    return (
        f'<section class="pictures"><h3>{escape(row.title)}</h3>{text}'
        f'<div class="row">{figures}</div></section>'
    )


def _data_uri(pixels: np.ndarray) -> str:
    data = base64.b64encode(as_jpeg(shrink(pixels, PICTURE_SIDE))).decode()
    return f"data:image/jpeg;base64,{data}"
