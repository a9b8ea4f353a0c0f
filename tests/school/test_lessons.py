"""Every lesson runs at small size as the notebook that is exported; its page shows what it drew."""

import io
import json
import re
from base64 import b64decode
from pathlib import Path

import nbformat
import numpy as np
import pytest
from PIL import Image

from afterscene.errors import CourseFailed, UnknownName
from afterscene.school import notebook
from afterscene.school.catalogue import (
    FOLDER,
    Lesson,
    find_lesson,
    lessons,
    tutorials,
    whole_course,
)
from afterscene.school.markdown import write_pages
from afterscene.school.notebook import (
    kept_notebook,
    notes_of,
    run_lesson,
    sources_of,
    write_notebook,
)

LESSONS = lessons()
EACH = pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)


def texts(book):
    return [cell.source for cell in book.cells if cell.cell_type == "markdown"]


def shown(book):
    """The pictures under the cells, by file name."""
    outputs = (output for cell in book.cells for output in cell.get("outputs", ()))
    return {
        output.metadata["filename"]: Image.open(io.BytesIO(b64decode(output.data["image/png"])))
        for output in outputs
        if output.output_type == "display_data"
    }


@EACH
def test_a_lesson_runs_draws_and_makes_a_page(lesson, tmp_path, monkeypatch):
    monkeypatch.delenv("AFTERSCENE_DATA", raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    heard = []
    book = run_lesson(lesson, small=True, on_cell=lambda: heard.append(1))
    assert len(heard) == sum(cell.cell_type == "code" for cell in book.cells) > 2
    assert len(notes_of(book)) > 2
    drawn = shown(book)
    picture = np.asarray(drawn[f"{lesson.name}.png"])
    assert picture.shape[0] > 100 and picture.shape[1] > 300
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 30
    films = [image for name, image in drawn.items() if name.endswith("-film.png")]
    assert films and all(film.n_frames > 3 for film in films)
    write_pages([(lesson, book)], tmp_path)
    for name in (f"{lesson.name}.md", f"{lesson.name}.zh.md"):
        page = (tmp_path / name).read_text("utf-8")
        found = re.findall(r"!\[([^\]]+)\]\(([^)]+)\)", page)
        assert {Path(source).name for _, source in found} == set(drawn)
        assert all((tmp_path / source).is_file() for _, source in found)
        assert all(note in page for note in notes_of(book))
        assert page.startswith(f"# {lesson.number} ")
    assert kept_notebook(lesson, tmp_path, small=True) == book
    assert kept_notebook(lesson, tmp_path, small=False) is None


@EACH
def test_a_lesson_is_a_notebook(lesson, tmp_path):
    """What is exported is valid, the same each time, and has the cells that run."""
    text = lesson.path.read_text("utf-8")
    assert "format_name: percent" in text
    book = lesson.notebook()
    assert len(book.cells) >= 6
    assert book.cells[0].source.startswith(f"# {lesson.number} ")
    assert f'lesson.figure("{lesson.name}"' in text.replace("(\n    ", "(")
    assert "lesson.animation(" in text
    read = nbformat.read(write_notebook(book, tmp_path / "x.ipynb"), as_version=4)
    nbformat.validate(read)
    assert read == book == lesson.notebook()


@EACH
def test_a_lesson_says_the_same_in_chinese(lesson):
    """Cell by cell: headings, code spans, papers; a changed lesson must change its translation."""
    for english, chinese in zip(
        texts(lesson.notebook()), texts(lesson.notebook("zh")), strict=True
    ):
        for pattern in (r"`[^`]+`", r"arXiv [\d.]+", r"^#+ ", r"^- ", r"\b\d\d\b"):
            there, here = (re.findall(pattern, x, re.M) for x in (english, chinese))
            assert set(there) == set(here), f"{pattern} in: {chinese[:40]}"
        assert re.search(r"[\u4e00-\u9fff]", chinese)
    assert lesson.title_in("zh") != lesson.title


def test_the_lessons_are_numbered_without_a_gap():
    numbers = [lesson.number for lesson in LESSONS]
    assert len(numbers) >= 13
    assert numbers == [f"{k:02d}" for k in range(1, len(numbers) + 1)]


def test_a_lesson_is_found_by_its_number_and_name():
    assert find_lesson("1") == find_lesson("01") == find_lesson("01_averaging") == LESSONS[0]
    with pytest.raises(UnknownName, match="choose one of: 01, "):
        find_lesson("77")
    with pytest.raises(UnknownName, match="no text in 'fr'"):
        LESSONS[0].notebook("fr")


def toy(tmp_path: Path, code: str) -> Lesson:
    path = tmp_path / "lessons" / "01_toy.py"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"# %% [markdown]\n# # 01 A <toy>\n\n# %%\n{code}\n")
    (lesson,) = lessons(path.parent)
    return lesson


def test_a_lesson_that_fails_says_why(tmp_path):
    lesson = toy(tmp_path, "raise ValueError('no pixels')")
    with pytest.raises(CourseFailed, match=r"01_toy failed \(ValueError: no pixels\)"):
        run_lesson(lesson, small=True)


def test_a_lesson_is_run_again_when_what_decides_it_changes(tmp_path, monkeypatch):
    lesson = toy(tmp_path, "from afterscene import files")
    monkeypatch.setattr(notebook, "run_notebook", lambda *_, **__: None)
    write_notebook(run_lesson(lesson, small=True), tmp_path / "01_toy.ipynb")
    assert kept_notebook(lesson, tmp_path, small=True) is not None
    assert kept_notebook(lesson, tmp_path / "nowhere", small=True) is None
    monkeypatch.setenv("AFTERSCENE_DATA", "elsewhere")
    assert kept_notebook(lesson, tmp_path, small=True) is None
    monkeypatch.undo()
    lesson.path.write_text(lesson.path.read_text() + "\n")
    assert kept_notebook(lesson, tmp_path, small=True) is None


def test_the_sources_of_a_lesson_are_what_it_imports_and_what_that_imports(tmp_path):
    here = notebook.PACKAGE
    found = sources_of(toy(tmp_path, "from afterscene.school import lesson").path)
    assert {here / "school" / "lesson.py", here / "school" / "sheets.py"} <= found
    assert here / "tensors.py" in found
    assert here / "school" / "notebook.py" not in found


def test_every_module_of_the_school_serves_a_lesson_or_a_command():
    scripts = [lesson.path for lesson in whole_course()]
    commands = (FOLDER / "commands").glob("*.py")
    used = set().union(*(sources_of(path) for path in (*scripts, *commands)))
    apart = {FOLDER / name for name in ("lessons", "tutorials", "site")}  # site: mkdocs' hooks
    modules = {p for p in FOLDER.rglob("[!_]*.py") if p.parent not in apart}
    assert sorted(modules - used) == []


@pytest.mark.parametrize("tutorial", tutorials(), ids=lambda tutorial: tutorial.name)
def test_a_tutorial_runs_and_its_page_has_dividers(tutorial, tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    book = run_lesson(tutorial, small=True)
    assert len(notes_of(book)) > 2
    write_pages([(tutorial, book)], tmp_path)
    page = (tmp_path / f"{tutorial.name}.md").read_text("utf-8")
    assert page.count('<div class="as-pair"') == page.count("show_pair(") >= 2
    assert not re.search(r'<div class="as-pair".*\n\n.*</div>', page), "Markdown ends HTML there"
    nbformat.validate(tutorial.notebook())


def test_the_lessons_name_only_commands_that_exist():
    import typer.main

    from afterscene.cli import app

    root = typer.main.get_command(app)
    named = {x.name: "\n".join(texts(x.notebook())) for x in whole_course()}
    for name, text in named.items():
        for words in re.findall(r"afterscene ([a-z]+)(?: ([a-z]+))?", text):
            command = root.commands.get(words[0])
            assert command is not None, f"{name}: {words}"
            if hasattr(command, "commands") and words[1]:
                assert words[1] in command.commands, f"{name}: {words}"


def test_the_lessons_quote_the_distances_of_the_published_league():
    published = notebook.PACKAGE / "lab" / "published" / "league.json"
    rows = {row["name"]: row["values"] for row in json.loads(published.read_text("utf-8"))["rows"]}
    quoted = find_lesson("04").notebook().cells[-1].source
    for name in ("spaced pixels", "random pixels", "blocks of 4 x 4", "next pixel"):
        assert f"{rows[name]['frechet']}" in quoted
