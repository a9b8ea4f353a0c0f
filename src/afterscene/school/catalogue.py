"""Which lessons and tutorials there are, and how a lesson becomes a notebook.

A lesson or a tutorial is a Python script in jupytext's percent format, which jupytext reads as a
notebook. Text in another language lies in a folder of that name beside the scripts; code stays.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from afterscene.errors import MissingExtra, UnknownName

if TYPE_CHECKING:
    from nbformat import NotebookNode

FOLDER = Path(__file__).parent
LANGUAGES = ("en", "zh")
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}
#: Modules of the extra ``course``, as they are imported.
NEEDED = ("jupytext", "nbclient", "nbconvert", "ipykernel", "material", "latex2mathml")
HEADING = re.compile(r"^# # (?:\d\d )?(.+)$", re.M)


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """A lesson: ``path`` of the script; ``name`` as ``05_noise``, ``title`` as in its heading."""

    path: Path
    title: str

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def number(self) -> str:
        """Two characters, as typed after ``afterscene course run``."""
        return self.name[:2]

    def notebook(self, language: str = "en") -> NotebookNode:
        """The lesson as a notebook that has not run; the same from every call.

        In another language the text cells are those of ``{language}/{name}.md`` beside the script,
        separated by lines of ``%%``; code stays.

        Raises:
            UnknownName: there is no text in that language.
        """
        import jupytext

        book = jupytext.read(self.path, fmt="py:percent")
        book.metadata = {"kernelspec": dict(KERNEL), "language_info": {"name": "python"}}
        for index, cell in enumerate(book.cells):
            cell["id"] = f"{self.name}-{index:02d}"
        return book if language == "en" else self.translated(book, language)

    def translated(self, book: NotebookNode, language: str) -> NotebookNode:
        """``book`` of this lesson, run or not, with its text in another language.

        Raises:
            UnknownName: there is no text in that language.
        """
        path = self._translation(language)
        if not path.is_file():
            raise UnknownName(f"lesson {self.number} has no text in '{language}'; choose: en")
        texts = [part.strip("\n") for part in path.read_text("utf-8").split("\n%%\n")]
        book = book.copy()
        book.cells = [cell.copy() for cell in book.cells]
        cells = [cell for cell in book.cells if cell.cell_type == "markdown"]
        assert len(texts) == len(cells), f"{path}: {len(texts)} texts, the lesson has {len(cells)}"
        for cell, text in zip(cells, texts, strict=True):
            cell["source"] = text
        return book

    def title_in(self, language: str) -> str:
        """The title, without its number."""
        if language == "en":
            return self.title
        heading = self._translation(language).read_text("utf-8").splitlines()[0]
        return heading.removeprefix(f"# {self.number} ")

    def speaks(self, language: str) -> bool:
        """Whether the lesson has its text in that language."""
        return language == "en" or self._translation(language).is_file()

    def _translation(self, language: str) -> Path:
        return self.path.parent / language / f"{self.name}.md"


def require_course() -> None:
    """Raises MissingExtra, which names what the extra ``course`` would bring; ask it early."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise MissingExtra(
            f"lessons run as notebooks; {', '.join(missing)} is not installed: "
            "pip install 'afterscene[course]'"
        )


def lessons(folder: Path = FOLDER / "lessons") -> list[Lesson]:
    """All lessons, by number."""
    return _found(folder, "[0-9][0-9]_*.py")


def tutorials(folder: Path = FOLDER / "tutorials") -> list[Lesson]:
    """The tutorials: lessons on one's own files, ``t1_own_image`` and on; in English alone."""
    return _found(folder, "t[0-9]_*.py")


def _found(folder: Path, pattern: str) -> list[Lesson]:
    found = []
    for path in sorted(folder.glob(pattern)):
        heading = HEADING.search(path.read_text(encoding="utf-8"))
        found.append(Lesson(path=path, title=heading.group(1) if heading else path.stem[3:]))
    return found


def whole_course() -> list[Lesson]:
    """The lessons, then the tutorials."""
    return [*lessons(), *tutorials()]


def find_lesson(number: str) -> Lesson:
    """The lesson of that number (``5``, ``05``) or name (``05_noise``); UnknownName lists them."""
    known = whole_course()
    for lesson in known:
        if number in (lesson.name, lesson.number, lesson.number.lstrip("0")):
            return lesson
    listed = ", ".join(lesson.number for lesson in known)
    raise UnknownName(f"lesson '{number}' is not there; choose one of: {listed}")
