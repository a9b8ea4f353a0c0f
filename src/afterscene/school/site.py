"""Static pages of the course: one page a lesson, plain HTML and one style sheet.

No script, no network, no font from elsewhere: the folder opens from disk and reads on a phone.
Each lesson has a page in every language that it has a text in (``05_noise.html``, in Chinese
``05_noise.zh.html``); code, figures and what the code said are the same. Text is CommonMark
(markdown-it), code is coloured by Pygments, both at build time.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from markdown_it import MarkdownIt
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from afterscene.files import write_atomic
from afterscene.school.catalogue import FOLDER, LANGUAGES, pages
from afterscene.school.player import Event, Played

FIGURES = "figures"

PAGE = """<!doctype html>
<html lang="{lang}">
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


#: What the pages themselves say, by language.
WORDS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "en": {
            "index": "All lessons",
            "before": "Before",
            "next": "Next",
            "other": "English",
            "course": "The AfterScene course",
            "beside": "Beside the lessons",
            "small": "at small size, to show that it runs",
            "full": "at full size",
            "made": "This page was made by running the lesson {size}: {seconds:.0f} seconds.",
        },
        "zh": {
            "index": "全部课程",
            "before": "上一课",
            "next": "下一课",
            "other": "中文",
            "course": "AfterScene 课程",
            "beside": "课程之外(英文)",
            "small": "以小规模运行,只为说明它能运行",
            "full": "以完整规模运行",
            "made": "本页由运行本课制作({size}):{seconds:.0f} 秒。",
        },
    }
)


def build(played: Sequence[Played], out: Path) -> list[Path]:
    """Write the pages into ``out``; the figures lie in ``out/figures`` already."""
    style = (FOLDER / "style.css").read_text("utf-8") + HtmlFormatter().get_style_defs(".code")
    written = [write_atomic(out / "style.css", style.encode())]
    for language in LANGUAGES:
        spoken = [one for one in played if one.lesson.speaks(language)]
        for index, one in enumerate(spoken):
            body, nav = _lesson(one, language), _nav_of(spoken, index, language)
            title = f"{one.lesson.number} {one.lesson.title_in(language)}"
            page = _page(title, body, nav, _footer(one, language), language)
            written.append(write_atomic(out / _file(one.lesson.name, language), page))
        words = WORDS[language]
        nav = _links([_other("index", language)])
        page = _page(words["course"], _index(spoken, language), nav, "", language)
        written.append(write_atomic(out / _file("index", language), page))
    home = _links([("index.html", WORDS["en"]["index"])])
    for name, title, text in pages():
        written.append(write_atomic(out / f"{name}.html", _page(title, _text(text), home)))
    return written


def _file(name: str, language: str) -> str:
    return f"{name}.html" if language == "en" else f"{name}.{language}.html"


def _page(title: str, body: str, nav: str, footer: str = "", language: str = "en") -> bytes:
    parts = {"title": html.escape(title), "body": body, "nav": nav, "footer": footer}
    return PAGE.format(lang="zh-CN" if language == "zh" else language, **parts).encode()


def _links(links: Sequence[tuple[str, str]]) -> str:
    return " ".join(f'<a href="{file}">{word}</a>' for file, word in links)


def _other(name: str, language: str) -> tuple[str, str]:
    """The link to the same page in the other language."""
    other = next(known for known in LANGUAGES if known != language)
    return _file(name, other), WORDS[other]["other"]


def _nav_of(played: Sequence[Played], index: int, language: str) -> str:
    words = WORDS[language]
    links = [(_file("index", language), words["index"])]
    if index:
        links.append((_file(played[index - 1].lesson.name, language), words["before"]))
    if index + 1 < len(played):
        links.append((_file(played[index + 1].lesson.name, language), words["next"]))
    lesson = played[index].lesson
    if all(lesson.speaks(known) for known in LANGUAGES):
        links.append(_other(lesson.name, language))
    return _links(links)


def _footer(one: Played, language: str) -> str:
    words = WORDS[language]
    return words["made"].format(size=words["small" if one.small else "full"], seconds=one.seconds)


def _lesson(one: Played, language: str) -> str:
    parts, cells = [], one.lesson.cells(language)
    ends = [cell.first for cell in cells[1:]] + [10**9]
    for cell, end in zip(cells, ends, strict=True):
        if cell.kind == "text":
            parts.append(_text(cell.source))
        else:
            parts.append(_code(cell.source))
        parts.append(_shown(one.of(cell.first, end), one.lesson.title_in(language)))
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


def _index(played: Sequence[Played], language: str) -> str:
    folder = FOLDER if language == "en" else FOLDER / "lessons" / language
    rows = [
        f'<li value="{int(p.lesson.number)}"><a href="{_file(p.lesson.name, language)}">'
        f"{html.escape(p.lesson.title_in(language))}</a></li>"
        for p in played
    ]
    more = [
        f'<li><a href="{name}.html">{html.escape(title)}</a></li>' for name, title, _ in pages()
    ]
    beside = WORDS[language]["beside"]
    lists = f"<ol>{''.join(rows)}</ol>\n<h2>{beside}</h2>\n<ul>{''.join(more)}</ul>"
    return f"{_text((folder / 'index.md').read_text('utf-8'))}\n{lists}"
