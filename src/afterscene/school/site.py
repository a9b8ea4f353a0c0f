"""Static pages of the course: one page a lesson, plain HTML and one style sheet.

No script, no network, no font from elsewhere: the folder opens from disk and reads on a phone.
Each lesson has a page in every language that it has a text in (``05_noise.html``, in Chinese
``05_noise.zh.html``); code, figures and what the code said are the same. Text is CommonMark
(markdown-it), code is coloured by Pygments, both at build time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markupsafe import Markup
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from afterscene.files import write_atomic
from afterscene.pages.render import TEMPLATES, write_page
from afterscene.school.catalogue import FOLDER, LANGUAGES, pages
from afterscene.school.player import Event, Played

FIGURES = "figures"
Link = tuple[str, str]  # address and word

CODE_STYLES = ("default", "github-dark")  # by day and by night

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


def build_site(played: Sequence[Played], out: Path) -> list[Path]:
    """Write the pages into ``out``; the figures lie in ``out/figures`` already."""
    written = [write_atomic(out / "style.css", _style().encode())]
    for language in LANGUAGES:
        spoken = [one for one in played if one.lesson.speaks(language)]
        for index, one in enumerate(spoken):
            written.append(_lesson(out, one, _nav_of(spoken, index, language), language))
        written.append(_index(out, spoken, language))
    home = [("index.html", WORDS["en"]["index"])]
    for name, title, text in pages():
        written.append(_write(out / f"{name}.html", title, home, cells=[_cell(_text(text))]))
    return written


def _write(
    path: Path,
    title: str,
    nav: Sequence[Link],
    language: str = "en",
    template: str = "lesson.html",
    **values: Any,
) -> Path:
    values = {"footer": "", "language": "zh-CN" if language == "zh" else language, **values}
    return write_page(path, template, folder=FOLDER / "templates", title=title, nav=nav, **values)


def _style() -> str:
    """The one style sheet of all pages, and the colours of code by day and by night."""
    light, dark = (HtmlFormatter(style=name).get_style_defs(".code") for name in CODE_STYLES)
    page = (TEMPLATES / "style.css").read_text("utf-8")
    return f"{page}\n{light}\n@media (prefers-color-scheme: dark) {{\n{dark}\n}}\n"


def _file(name: str, language: str) -> str:
    return f"{name}.html" if language == "en" else f"{name}.{language}.html"


def _other(name: str, language: str) -> Link:
    """The link to the same page in the other language."""
    other = next(known for known in LANGUAGES if known != language)
    return _file(name, other), WORDS[other]["other"]


def _nav_of(played: Sequence[Played], index: int, language: str) -> list[Link]:
    words = WORDS[language]
    links = [(_file("index", language), words["index"])]
    if index:
        links.append((_file(played[index - 1].lesson.name, language), words["before"]))
    if index + 1 < len(played):
        links.append((_file(played[index + 1].lesson.name, language), words["next"]))
    lesson = played[index].lesson
    if all(lesson.speaks(known) for known in LANGUAGES):
        links.append(_other(lesson.name, language))
    return links


def _lesson(out: Path, one: Played, nav: Sequence[Link], language: str) -> Path:
    lesson, words = one.lesson, WORDS[language]
    cells = lesson.cells(language)
    ends = [cell.first for cell in cells[1:]] + [10**9]
    shown = [
        _cell((_text if cell.kind == "text" else _code)(cell.source), one.of(cell.first, end))
        for cell, end in zip(cells, ends, strict=True)
    ]
    size = words["small" if one.small else "full"]
    footer = words["made"].format(size=size, seconds=one.seconds)
    title = f"{lesson.number} {lesson.title_in(language)}"
    path = out / _file(lesson.name, language)
    return _write(path, title, nav, language, cells=shown, footer=footer)


def _cell(html: Markup, events: Sequence[Event] = ()) -> dict[str, Any]:
    return {
        "html": html,
        "notes": [event.content for event in events if event.kind == "note"],
        "figures": [(e.kind, f"{FIGURES}/{e.content}") for e in events if e.kind != "note"],
    }


def _text(markdown: str) -> Markup:
    engine = MarkdownIt("commonmark", {"html": False}).enable("table")
    engine.core.ruler.push("wide", _wide_tables)
    return Markup(engine.render(markdown))


def _wide_tables(state: StateCore) -> None:
    """A wide table scrolls in its own box, so that the page does not."""
    found: list[Token] = []
    for token in state.tokens:
        if token.type == "table_open":
            found.append(Token("wide_open", "div", 1, attrs={"class": "wide"}, block=True))
        found.append(token)
        if token.type == "table_close":
            found.append(Token("wide_close", "div", -1, block=True))
    state.tokens = found


def _code(source: str) -> Markup:
    return Markup(highlight(source, PythonLexer(), HtmlFormatter(cssclass="code")))


def _index(out: Path, played: Sequence[Played], language: str) -> Path:
    folder = FOLDER if language == "en" else FOLDER / "lessons" / language
    words = WORDS[language]
    links = [(_file(p.lesson.name, language), p.lesson.title_in(language)) for p in played]
    return _write(
        out / _file("index", language),
        words["course"],
        [_other("index", language)],
        language,
        "index.html",
        cells=[_cell(_text((folder / "index.md").read_text("utf-8")))],
        lessons=[(int(p.lesson.number), link) for p, link in zip(played, links, strict=True)],
        beside=words["beside"],
        more=[(f"{name}.html", title) for name, title, _ in pages()],
    )
