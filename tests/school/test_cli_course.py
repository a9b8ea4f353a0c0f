"""``afterscene course``: list, run, export; a lesson that ran is not run again."""

from pathlib import Path

import nbformat
import pytest

from afterscene.school import catalogue


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """A course of one lesson that takes no time; the folder to write into."""
    path = tmp_path / "course" / "lessons" / "07_toy.py"
    path.parent.mkdir(parents=True)
    path.write_text(
        "# %% [markdown]\n# # 07 A toy\n\n# %%\nprint('once')\n\n# %%\nprint('twice')\n"
    )
    listed = catalogue.lessons(path.parent)
    monkeypatch.setattr(catalogue, "whole_course", lambda: listed)
    return tmp_path / "out"


def test_the_list_is_an_array_with_paths_that_exist(afterscene):
    entries = afterscene("course", "list", "--json").json
    assert {"01", "03", "t1"} <= {entry["number"] for entry in entries}
    table = afterscene("course", "list").stdout
    for entry in entries:
        text = Path(entry["path"]).read_text("utf-8")
        assert f" {entry['title']}\n" in text
        assert entry["title"] in table


def test_a_lesson_runs_and_its_page_is_named(afterscene, toy):
    outcome = afterscene("course", "run", "7", "--out", toy, "--small", "--json")
    assert outcome.json["notes"] == ["once", "twice"]
    assert "lesson 07: 2/2" in outcome.stderr
    assert outcome.json["page"] == str(toy / "07_toy.html")
    assert "twice" in (toy / "07_toy.html").read_text()
    assert 'href="07_toy.html"' in (toy / "index.html").read_text()
    both = afterscene("course", "run", "all", "--out", toy, "--small")
    assert "lesson 07" not in both.stderr and both.stdout == f"page: {toy / 'index.html'}\n"


def test_lessons_are_exported_as_notebooks_that_have_not_run(afterscene, toy):
    (path,) = afterscene("course", "export", "7", "--out", toy, "--json").json
    book = nbformat.read(path, as_version=4)
    nbformat.validate(book)
    assert [cell.source for cell in book.cells] == ["# 07 A toy", "print('once')", "print('twice')"]
    assert not any(cell.get("outputs") for cell in book.cells)
    again = afterscene("course", "export", "--out", toy)
    assert again.code == 2 and "already holds" in again.stderr  # it may have been changed


def test_without_the_extra_a_sentence_names_it(afterscene, toy, monkeypatch):
    monkeypatch.setattr(catalogue, "find_spec", lambda name: None if name == "nbclient" else name)
    for words in (("run", "7"), ("export", "7")):
        refused = afterscene("course", *words, "--out", toy)
        assert refused.code == 2 and "nbclient is not installed: pip install" in refused.stderr
        assert not toy.exists()


def test_an_unknown_lesson_and_a_foreign_folder_are_one_sentence(afterscene, toy):
    wrong = afterscene("course", "run", "9", "--out", toy)
    assert wrong.code == 2 and "choose one of: 07" in wrong.stderr and not toy.exists()
    toy.mkdir()
    (toy / "mine.txt").write_text("mine")
    refused = afterscene("course", "run", "all", "--out", toy)
    assert refused.code == 2 and "did not write it" in refused.stderr
    assert [path.name for path in toy.iterdir()] == ["mine.txt"]
