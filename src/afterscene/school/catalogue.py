"""Which lessons and pages there are, and how a lesson falls into cells.

A lesson is a Python file in jupytext's percent format: ``# %% [markdown]`` begins a cell of text
(each line behind ``# ``), ``# %%`` one of code. Nothing else of the format is used.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from afterscene.errors import UnknownName

FOLDER = Path(__file__).parent
LANGUAGES = ("en", "zh")


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A cell: ``kind`` text or code, its ``source`` (Markdown or Python), its ``first`` line."""

    kind: str
    source: str
    first: int


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
        """Two digits, as typed after ``afterscene course run``."""
        return self.name[:2]

    def cells(self, language: str = "en") -> list[Cell]:
        """The cells in order, without the empty ones and without jupytext's header.

        In another language the text cells are those of ``{language}/{name}.md`` beside the script,
        separated by lines of ``%%``; code stays. Raises :class:`UnknownName` where it is missing.
        """
        cells = self._own_cells()
        if language == "en":
            return cells
        texts = iter(self._translated(language, sum(cell.kind == "text" for cell in cells)))
        return [replace(c, source=next(texts)) if c.kind == "text" else c for c in cells]

    def title_in(self, language: str) -> str:
        """The title, without its number."""
        if language == "en":
            return self.title
        heading = self.cells(language)[0].source.splitlines()[0]
        return heading.removeprefix(f"# {self.number} ")

    def speaks(self, language: str) -> bool:
        """Whether the lesson has its text in that language."""
        return language == "en" or self._translation(language).is_file()

    def _translation(self, language: str) -> Path:
        return self.path.parent / language / f"{self.name}.md"

    def _translated(self, language: str, count: int) -> list[str]:
        path = self._translation(language)
        if not path.is_file():
            raise UnknownName(f"lesson {self.number} has no text in '{language}'; choose: en")
        texts = [part.strip("\n") for part in path.read_text("utf-8").split("\n%%\n")]
        assert len(texts) == count, f"{path}: {len(texts)} cells of text, the lesson has {count}"
        return texts

    def _own_cells(self) -> list[Cell]:
        lines = self.path.read_text(encoding="utf-8").splitlines()
        starts = [index for index, line in enumerate(lines) if line.startswith("# %%")]
        cells = []
        for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
            body = lines[start + 1 : end]
            text = lines[start] == "# %% [markdown]"
            if text:
                body = [line.removeprefix("#").removeprefix(" ") for line in body]
            source = "\n".join(body).strip("\n")
            if source.strip():
                kind = "text" if text else "code"
                cells.append(Cell(kind=kind, source=source, first=start + 1))
        return cells


def lessons(folder: Path = FOLDER / "lessons") -> list[Lesson]:
    """All lessons, by number."""
    found = []
    for path in sorted(folder.glob("[0-9][0-9]_*.py")):
        heading = re.search(r"^# # \d\d (.+)$", path.read_text(encoding="utf-8"), re.M)
        found.append(Lesson(path=path, title=heading.group(1) if heading else path.stem[3:]))
    return found


def find_lesson(number: str) -> Lesson:
    """The lesson of that number (``5``, ``05``) or name (``05_noise``); UnknownName lists them."""
    known = lessons()
    for lesson in known:
        if number in (lesson.name, lesson.number, lesson.number.lstrip("0")):
            return lesson
    listed = ", ".join(lesson.number for lesson in known)
    raise UnknownName(f"lesson '{number}' is not there; choose one of: {listed}")


def pages(folder: Path = FOLDER / "pages") -> list[tuple[str, str, str]]:
    """``(name, title, Markdown)`` of the pages beside the lessons; the title is the first line."""
    found = []
    for path in sorted(folder.glob("*.md")):
        text = path.read_text(encoding="utf-8")
        found.append((path.stem, text.splitlines()[0].removeprefix("# "), text))
    return found
