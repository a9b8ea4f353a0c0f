"""Lessons that ran as pages: Markdown and figures, by nbconvert, in every language of the lesson.

The pages, the notebooks they were made of and ``figures/`` lie in one folder, which a site is built
of (:mod:`afterscene.school.site`). Code, figures and what the code said are the same in every
language.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from afterscene.files import write_atomic
from afterscene.school.catalogue import FOLDER, LANGUAGES, Lesson
from afterscene.school.notebook import KEPT, write_notebook

if TYPE_CHECKING:
    from nbformat import NotebookNode

FIGURES = "figures"
TEMPLATE = FOLDER / "templates" / "lesson.md.j2"

#: What the pages themselves say, by language.
WORDS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "en": {
            "name": "English",
            "notebook": "Notebook",
            "tutorials": "Tutorials",
            "full": "Made by running the lesson: {seconds:.0f} seconds.",
            "small": "Made by running the lesson at small size, to show that it runs: "
            "the figures below mean little.",
        },
        "zh": {
            "name": "中文",
            "notebook": "笔记本",
            "tutorials": "教程",
            "full": "本页由运行本课制作:{seconds:.0f} 秒。",
            "small": "本页由以小规模运行本课制作,只为说明它能运行:下面的数字意义不大。",
        },
    }
)


def write_pages(ran: Sequence[tuple[Lesson, NotebookNode]], folder: Path) -> list[Path]:
    """The pages of lessons that ran, and an index; pages of others are removed."""
    (folder / FIGURES).mkdir(parents=True, exist_ok=True)
    written = [path for lesson, book in ran for path in _lesson(lesson, book, folder)]
    for language in LANGUAGES:
        text = _index([lesson for lesson, _ in ran if lesson.speaks(language)], language)
        written.append(write_atomic(folder / _page("index", language), text.encode()))
    for stale in set(folder.glob("*.md")) - set(written):
        stale.unlink()
    return written


def _page(name: str, language: str) -> str:
    return f"{name}.md" if language == "en" else f"{name}.{language}.md"


def _lesson(lesson: Lesson, book: NotebookNode, folder: Path) -> Iterator[Path]:
    write_notebook(book, folder / f"{lesson.name}.ipynb")
    for language in filter(lesson.speaks, LANGUAGES):
        text, figures = _exported(
            book if language == "en" else lesson.translated(book, language), lesson.name
        )
        for name, content in figures.items():
            write_atomic(folder / name, content)
        title, _, rest = text.lstrip().partition("\n")
        page = f"{title}\n\n{_head(lesson, book, language)}\n{rest}"
        yield write_atomic(folder / _page(lesson.name, language), page.encode())


def _exported(book: NotebookNode, name: str) -> tuple[str, Mapping[str, bytes]]:
    """Markdown, and the figures by their path from the page."""
    from nbconvert.exporters import MarkdownExporter

    exporter = MarkdownExporter(template_file=str(TEMPLATE))
    resources = {"unique_key": name, "output_files_dir": FIGURES}
    text, made = exporter.from_notebook_node(book, resources=resources)
    return text, made["outputs"]


def _head(lesson: Lesson, book: NotebookNode, language: str) -> str:
    """Links to the notebook and to other languages, and how the page was made."""
    words, run = WORDS[language], book.metadata[KEPT]
    links = [f'[{words["notebook"]}]({lesson.name}.ipynb){{ download="{lesson.name}.ipynb" }}']
    links += [
        _other(lesson.name, other)
        for other in LANGUAGES
        if other != language and lesson.speaks(other)
    ]
    made = words["full"].format(seconds=run["seconds"])
    head = " · ".join(links)
    return (
        f'{head}\n\n!!! warning ""\n    {words["small"]}\n'
        if run["small"]
        else f"{head} · {made}\n"
    )


def _other(name: str, language: str) -> str:
    return f"[{WORDS[language]['name']}]({_page(name, language)})"


def _index(known: Sequence[Lesson], language: str) -> str:
    folder = FOLDER if language == "en" else FOLDER / "lessons" / language
    title, _, rest = (folder / "index.md").read_text("utf-8").partition("\n")
    others = " · ".join(_other("index", other) for other in LANGUAGES if other != language)
    return (
        "\n\n".join(part for part in [title, others, rest.strip(), *_lists(known, language)]) + "\n"
    )


def _lists(known: Sequence[Lesson], language: str) -> Iterator[str]:
    """Lists of links: the lessons, and the tutorials under a heading."""
    words = WORDS[language]
    links: dict[str, list[str]] = {}
    for lesson in known:
        of = "lessons" if lesson.number.isdigit() else "tutorials"
        number = f"{lesson.number} " if of == "lessons" else ""
        link = f"- {number}[{lesson.title_in(language)}]({_page(lesson.name, language)})"
        links.setdefault(of, []).append(link)
    for of, listed in links.items():
        heading = f"## {words[of]}\n\n" if of in words else ""
        yield heading + "\n".join(listed)
