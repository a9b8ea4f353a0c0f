"""Every lesson runs at small size in a process of its own; its page shows what it drew."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from afterscene.errors import CourseFailed, UnknownName
from afterscene.school import site
from afterscene.school.catalogue import Lesson, find_lesson, lessons, pages
from afterscene.school.player import Event, Played, play, played_before
from pagecheck import check_pages

LESSONS = lessons()
SIZES = pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)


@SIZES
def test_a_lesson_runs_draws_and_makes_a_page(lesson, tmp_path, monkeypatch):
    monkeypatch.delenv("AFTERSCENE_DATA", raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    figures, heard = tmp_path / site.FIGURES, []
    played = play(lesson, figures, small=True, on_line=heard.append)
    assert heard == sorted(heard) and len(set(heard)) > 2
    kinds = [event.kind for event in played.events]
    assert "note" in kinds and "figure" in kinds
    picture = np.asarray(Image.open(figures / f"{lesson.name}.png"))
    assert picture.shape[0] > 100 and picture.shape[1] > 300
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 30
    for animation in figures.glob("*.gif"):
        with Image.open(animation) as moving:
            assert moving.n_frames > 3
    site.build_site([played], tmp_path)
    shown = check_pages(tmp_path)
    assert shown == 2 * (kinds.count("figure") + kinds.count("animation"))  # two languages
    page = (tmp_path / f"{lesson.name}.html").read_text("utf-8")
    assert page.count("<img") == kinds.count("figure") + kinds.count("animation")
    assert page.count("<h1>") == 1
    assert played_before(lesson, figures, small=True) == played
    assert played_before(lesson, figures, small=False) is None


@SIZES
def test_a_lesson_is_a_percent_notebook(lesson):
    text = lesson.path.read_text("utf-8")
    assert "format_name: percent" in text
    cells = lesson.cells()
    assert len(cells) >= 6
    assert cells[0].kind == "text"
    assert cells[0].source.startswith(f"# {lesson.number} ")
    assert f'lesson.figure("{lesson.name}"' in text.replace("(\n    ", "(")
    lines = text.splitlines()
    for cell in cells:
        if cell.kind == "code":
            assert cell.source.splitlines()[0] in lines[cell.first : cell.first + 3]


@SIZES
def test_a_lesson_says_the_same_in_chinese(lesson):
    """Cell by cell: headings, code spans, papers; a changed lesson must change its translation."""
    both = zip(lesson.cells(), lesson.cells("zh"), strict=True)
    for english, chinese in ((a.source, b.source) for a, b in both if a.kind == "text"):
        for pattern in (r"`[^`]+`", r"arXiv [\d.]+", r"^#+ ", r"^- ", r"\b\d\d\b"):
            there, here = (re.findall(pattern, x, re.M) for x in (english, chinese))
            assert set(there) == set(here), f"{pattern} in: {chinese[:40]}"
        assert re.search(r"[\u4e00-\u9fff]", chinese)
    assert lesson.title_in("zh") != lesson.title


def test_every_page_has_its_other_language(tmp_path):
    lesson = LESSONS[0]
    site.build_site([Played(lesson=lesson, events=(), seconds=1, small=True)], tmp_path)
    for name, other in ((lesson.name, f"{lesson.name}.zh"), ("index", "index.zh")):
        for here, there in ((name, other), (other, name)):
            page = (tmp_path / f"{here}.html").read_text("utf-8")
            assert f'href="{there}.html"' in page
            assert f'lang="{"zh-CN" if here.endswith("zh") else "en"}"' in page
    assert "平均出来的图像" in (tmp_path / "index.zh.html").read_text("utf-8")
    with pytest.raises(UnknownName, match="no text in 'fr'"):
        lesson.cells("fr")


def test_there_are_ten_lessons_and_each_process_moves(tmp_path):
    assert [lesson.number for lesson in LESSONS] == [f"{k:02d}" for k in range(1, 11)]
    for lesson in LESSONS:
        assert "lesson.animation(" in lesson.path.read_text("utf-8"), lesson.name


def test_a_lesson_is_found_by_its_number_and_name():
    assert [x.number for x in LESSONS] == sorted({x.number for x in LESSONS})
    assert find_lesson("1") == find_lesson("01") == find_lesson("01_averaging") == LESSONS[0]
    with pytest.raises(UnknownName, match="choose one of: 01, "):
        find_lesson("77")


def toy(tmp_path: Path, code: str) -> Lesson:
    path = tmp_path / "lessons" / "01_toy.py"
    path.parent.mkdir()
    (tmp_path / "lesson.py").write_text("")
    path.write_text(f"# %% [markdown]\n# # 01 A <toy>\n\n# %%\n{code}\n")
    (lesson,) = lessons(path.parent)
    return lesson


def test_a_note_stands_under_the_cell_that_made_it(tmp_path):
    code = (
        "from afterscene.school import lesson\n\n\ndef speak():\n    lesson.note('a < b')\n\n\n"
        "# %%\nspeak()\n\n# %%\nlesson.note('later')\n"
    )
    lesson = toy(tmp_path, code)
    played = play(lesson, tmp_path / "figures", small=True)
    site.build_site([played], tmp_path)
    page = (tmp_path / "01_toy.html").read_text("utf-8")
    assert "<h1>01 A &lt;toy&gt;</h1>" in page
    first, second = page.rindex("a &lt; b"), page.index("later</pre>")
    assert first < second
    assert page[:first].count('class="code"') == 2  # the definition, then the call


def test_a_lesson_that_fails_says_why_and_leaves_no_record(tmp_path):
    lesson = toy(tmp_path, "raise ValueError('no pixels')")
    with pytest.raises(CourseFailed, match=r"01_toy ended with code 1 \(ValueError: no pixels\)"):
        play(lesson, tmp_path / "figures", small=True)
    assert played_before(lesson, tmp_path / "figures", small=True) is None


def test_a_changed_lesson_or_a_lost_figure_is_run_again(tmp_path):
    lesson, figures = toy(tmp_path, "pass"), tmp_path / "figures"
    played = play(lesson, figures, small=True)
    assert played_before(lesson, figures, small=True) == played
    lesson.path.write_text(lesson.path.read_text() + "\n")
    assert played_before(lesson, figures, small=True) is None
    lost = Event(line=5, kind="figure", content="gone.png")
    assert played_before(lesson, tmp_path / "nowhere", small=True) is None
    assert Played(lesson=lesson, events=(lost,), seconds=1, small=True).of(5, 6) == [lost]


def test_the_pages_beside_the_lessons_have_a_title_and_no_markup_left(tmp_path):
    lesson = LESSONS[0]
    site.build_site([Played(lesson=lesson, events=(), seconds=1, small=True)], tmp_path)
    check_pages(tmp_path)
    for name, title, _ in pages():
        page = (tmp_path / f"{name}.html").read_text("utf-8")
        assert f"<title>{title}</title>" in page
        assert not re.search(r"^\s*(\||#)", re.sub(r"<pre>.*?</pre>", "", page, flags=re.S), re.M)


def test_the_pages_name_only_commands_that_exist():
    import typer.main

    from afterscene.cli import app

    root = typer.main.get_command(app)
    for name, _, text in pages():
        for words in re.findall(r"afterscene ([a-z]+)(?: ([a-z]+))?", text):
            command = root.commands.get(words[0])
            assert command is not None, f"{name}: {words}"
            if hasattr(command, "commands") and words[1]:
                assert words[1] in command.commands, f"{name}: {words}"


def test_the_league_stands_the_same_in_the_course_and_in_the_docs():
    """One table, two places; the lessons quote its distances."""
    root = Path(__file__).resolve().parents[2]
    course = {name: text for name, _, text in pages()}["league"]
    docs = (root / "docs" / "results" / "league.md").read_text("utf-8")
    assert docs.startswith(course)
    for picture in re.findall(r"\]\(([^)]+)\)", docs):
        assert (root / "docs" / "results" / picture).is_file()
    quoted = find_lesson("04").cells()[-1].source
    rows = {
        row.split("|")[1].strip(" *"): row.split("|")[3]
        for row in course.splitlines()
        if "|" in row
    }
    for title in ("spaced pixels", "random pixels", "blocks of 4 x 4", "next pixel"):
        assert rows[title].strip() in quoted
