"""``afterscene course``: list, run, build; a lesson that ran is not run again."""

from pathlib import Path

import pytest

from afterscene.school import catalogue


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """A course of one lesson that takes no time; the folder to write into."""
    path = tmp_path / "course" / "lessons" / "07_toy.py"
    path.parent.mkdir(parents=True)
    (path.parents[1] / "lesson.py").write_text("")
    # What lesson.note writes, without the seconds that its imports take.
    said = 'print(\'{"line": %d, "kind": "note", "content": "%s"}\')'
    cells = [f"# %%\n{said % at}\n\n" for at in ((5, "once"), (8, "twice"))]
    path.write_text("# %% [markdown]\n# # 07 A toy\n\n" + "".join(cells))
    listed = catalogue.lessons(path.parent)
    monkeypatch.setattr(catalogue, "lessons", lambda: listed)
    return tmp_path / "out"


def test_the_list_is_an_array_with_paths_that_exist(afterscene):
    entries = afterscene("course", "list", "--json").json
    assert {"01", "03", "04"} <= {entry["number"] for entry in entries}
    for entry in entries:
        text = Path(entry["path"]).read_text("utf-8")
        assert f"# # {entry['number']} {entry['title']}\n" in text
        assert entry["title"] in afterscene("course", "list").stdout


def test_a_lesson_runs_and_its_page_is_named(afterscene, toy):
    outcome = afterscene("course", "run", "7", "--out", toy, "--small", "--json")
    assert outcome.json["notes"] == ["once", "twice"]
    assert "lesson 07: 2/2" in outcome.stderr
    assert "twice" in (toy / "07_toy.html").read_text()
    again = afterscene("course", "run", "7", "--out", toy, "--small", "--quiet")
    assert again.stderr == "" and again.stdout.startswith("once\ntwice\npage: ")


def test_a_build_runs_what_is_new_alone(afterscene, toy):
    first = afterscene("course", "build", "--out", toy, "--small", "--json")
    assert "lesson 07" in first.stderr
    second = afterscene("course", "build", "--out", toy, "--small", "--json")
    assert "lesson 07" not in second.stderr and second.json == first.json
    assert "07_toy.html" in (toy / "index.html").read_text()
    assert "lesson 07" in afterscene("course", "build", "--out", toy).stderr  # another size


def test_an_unknown_lesson_and_a_foreign_folder_are_one_sentence(afterscene, toy):
    wrong = afterscene("course", "run", "9", "--out", toy)
    assert wrong.code == 2 and "choose one of: 07" in wrong.stderr and not toy.exists()
    toy.mkdir()
    (toy / "mine.txt").write_text("mine")
    refused = afterscene("course", "build", "--out", toy)
    assert refused.code == 2 and "did not write it" in refused.stderr
    assert [path.name for path in toy.iterdir()] == ["mine.txt"]
