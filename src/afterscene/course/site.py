"""Static pages of the course: one page a lesson, plain HTML and one style sheet.

No script, no network, no font from elsewhere: the folder opens from disk and reads on a phone.
Text is CommonMark (markdown-it), code is coloured by Pygments, both at build time.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path

from markdown_it import MarkdownIt
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from afterscene.course.catalogue import FOLDER, pages
from afterscene.course.player import Event, Played
from afterscene.files import write_atomic

FIGURES = "figures"

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="stylesheet" href="style.css">
</head>
<body>
<nav>{nav}</nav>
<main>
{body}
</main>
<footer>{footer}</footer>
</body>
</html>
"""


def build(played: Sequence[Played], out: Path) -> list[Path]:
    """Write the pages into ``out``; the figures lie in ``out/figures`` already."""
    style = (FOLDER / "style.css").read_text("utf-8") + HtmlFormatter().get_style_defs(".code")
    written = [write_atomic(out / "style.css", style.encode())]
    names = [p.lesson.name for p in played]
    for index, one in enumerate(played):
        before = names[index - 1] if index else None
        after = names[index + 1] if index + 1 < len(names) else None
        title = f"{one.lesson.number} {one.lesson.title}"
        page = _page(title, _lesson(one), _nav(before, after), _footer(one))
        written.append(write_atomic(out / f"{one.lesson.name}.html", page))
    for name, title, text in pages():
        written.append(write_atomic(out / f"{name}.html", _page(title, _text(text), _nav())))
    index_page = _page("The AfterScene course", _index(played), "")
    return [*written, write_atomic(out / "index.html", index_page)]


def _page(title: str, body: str, nav: str, footer: str = "") -> bytes:
    return PAGE.format(title=html.escape(title), body=body, nav=nav, footer=footer).encode()


def _nav(before: str | None = None, after: str | None = None) -> str:
    links = [("index", "All lessons"), (before, "Before"), (after, "Next")]
    return " ".join(f'<a href="{name}.html">{word}</a>' for name, word in links if name)


def _footer(one: Played) -> str:
    size = "at small size, to show that it runs" if one.small else "at full size"
    return f"This page was made by running the lesson {size}: {one.seconds:.0f} seconds."


def _lesson(one: Played) -> str:
    parts, cells = [], one.lesson.cells()
    ends = [cell.first for cell in cells[1:]] + [10**9]
    for cell, end in zip(cells, ends, strict=True):
        if cell.kind == "text":
            parts.append(_text(cell.source))
        else:
            parts.append(_code(cell.source))
        parts.append(_shown(one.of(cell.first, end), one.lesson.title))
    return "\n".join(part for part in parts if part)


def _text(markdown: str) -> str:
    engine = MarkdownIt("commonmark", {"html": False}).enable("table")
    shown: str = engine.render(markdown)
    # A wide table scrolls in its own box, so that the page does not.
    return shown.replace("<table>", '<div class="wide"><table>').replace(
        "</table>", "</table></div>"
    )


def _code(source: str) -> str:
    coloured: str = highlight(source, PythonLexer(), HtmlFormatter(cssclass="code"))
    return coloured


def _shown(events: Sequence[Event], title: str) -> str:
    notes = [html.escape(event.content) for event in events if event.kind == "note"]
    parts = [f'<pre class="notes">{chr(10).join(notes)}</pre>'] if notes else []
    for event in events:
        if event.kind != "note":
            source = html.escape(f"{FIGURES}/{event.content}")
            said = html.escape(f"{event.kind} of the lesson: {title}")
            parts.append(
                f'<figure class="wide"><a href="{source}"><img src="{source}" alt="{said}">'
                "</a></figure>"
            )
    return "\n".join(parts)


def _index(played: Sequence[Played]) -> str:
    first = (FOLDER / "index.md").read_text("utf-8")
    rows = [
        f'<li value="{int(p.lesson.number)}"><a href="{p.lesson.name}.html">'
        f"{html.escape(p.lesson.title)}</a></li>"
        for p in played
    ]
    more = [
        f'<li><a href="{name}.html">{html.escape(title)}</a></li>' for name, title, _ in pages()
    ]
    lists = f"<ol>{''.join(rows)}</ol>\n<h2>Beside the lessons</h2>\n<ul>{''.join(more)}</ul>"
    return f"{_text(first)}\n{lists}"
