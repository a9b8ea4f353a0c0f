"""``gbd export``, ``gbd stats`` and ``licenses`` as a user meets them."""

import importlib.util
import json

import pytest

import toys
from afterscene.gbd.export import EXPORTERS


@pytest.fixture
def made(afterscene, tree, tmp_path):
    """A built set of two pairs."""
    out = tmp_path / "set"
    flags = ("--xbd", tree, "--hazard", "wildfire", "--count", 2, "--out", out, "--quiet")
    assert afterscene("gbd", "build", *flags).code == 0
    return out


def test_export_writes_the_format_and_tells_what(afterscene, made, tmp_path):
    outcome = afterscene(
        "gbd", "export", made, "--format", "webdataset", "--out", tmp_path / "out", "--json"
    )
    assert outcome.code == 0, outcome.stderr
    assert outcome.json["files"] == ["gbd-000000.tar"]
    assert (outcome.json["pairs"], outcome.json["format"]) == (2, "webdataset")
    assert "CC-BY-NC-SA-4.0" in outcome.json["licence"]
    assert (tmp_path / "out" / "gbd-000000.tar").is_file()


def test_help_names_every_format(afterscene):
    text = " ".join(afterscene("gbd", "export", "--help").stdout.split())
    for name in EXPORTERS:
        assert name in text


@pytest.mark.parametrize(
    ("name", "word"), [("shapefile", "geojson"), ("geojson", "lng_lat"), ("../x", "not known")]
)
def test_what_cannot_be_exported_is_one_sentence_and_leaves_nothing(
    afterscene, made, tmp_path, name, word
):
    outcome = afterscene("gbd", "export", made, "--format", name, "--out", tmp_path / "out")
    assert outcome.code == 2
    assert outcome.stderr.count("\n") == 1 and word in outcome.stderr
    assert not (tmp_path / "out").exists()


def test_an_absent_extra_is_told_before_an_older_export_is_touched(
    afterscene, made, tmp_path, monkeypatch
):
    out = tmp_path / "out"
    afterscene("gbd", "export", made, "--format", "coco", "--out", out)
    before = toys.files_of(out)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    outcome = afterscene("gbd", "export", made, "--format", "stac", "--out", out, "--overwrite")
    assert outcome.code == 2 and "afterscene[geo]" in outcome.stderr
    assert toys.files_of(out) == before


def test_an_older_export_is_replaced_only_on_demand(afterscene, made, tmp_path):
    flags = ("gbd", "export", made, "--format", "coco", "--out", tmp_path / "out")
    assert afterscene(*flags).code == 0
    assert afterscene(*flags).code == 2
    assert afterscene(*flags, "--overwrite").code == 0


@pytest.mark.parametrize("where", [".", "..", "images/..", "link"])
def test_the_set_itself_is_no_place_to_export_to(afterscene, made, where):
    (made / "link").symlink_to(made)
    before = toys.files_of(made / "images")
    for more in ((), ("--overwrite",)):
        outcome = afterscene(
            "gbd", "export", made, "--format", "coco", "--out", made / where, *more
        )
        assert (outcome.code, "contains the set" in outcome.stderr) == (2, True)
        assert toys.files_of(made / "images") == before


def test_stats_as_table_and_json(afterscene, made):
    rows = [json.loads(line) for line in (made / "manifest.jsonl").read_text().splitlines()]
    found = afterscene("gbd", "stats", made, "--json").json
    destroyed = sum(row["levels"].get("destroyed", 0) for row in rows)
    assert found["total"]["levels"]["destroyed"] == destroyed
    text = afterscene("gbd", "stats", made).stdout
    assert text.splitlines()[0].split()[:4] == ["hazard", "event", "region", "pairs"]
    assert text.splitlines()[1].split()[:4] == ["wildfire", "toy-town", "2", "8"]


def test_stats_write_a_page_apart_from_the_set(afterscene, made, tmp_path):
    flags = ("gbd", "stats", made, "--out")
    assert afterscene(*flags, tmp_path / "page").code == 0
    assert {"stats.html", "stats.json"} < set(toys.files_of(tmp_path / "page"))
    assert afterscene(*flags, tmp_path / "page").code == 2
    assert afterscene(*flags, tmp_path / "page", "--overwrite").code == 0
    before = toys.files_of(made)
    assert afterscene(*flags, made, "--overwrite").code == 2
    assert toys.files_of(made) == before


def test_licenses_tells_the_combined_terms(afterscene, made):
    found = afterscene("licenses", made, "--json").json
    assert found["commercial_use"] is False and found["unknown"] == ["LicenseRef-unknown"]
    assert sum(found["items"].values()) == 2
    assert "ask the owner" in afterscene("licenses", made).stdout


@pytest.mark.parametrize("words", [("gbd", "stats"), ("licenses",), ("gbd", "export")])
def test_a_folder_that_holds_no_set_is_one_sentence(afterscene, tmp_path, words):
    more = ("--format", "coco", "--out", tmp_path / "o") if words[-1] == "export" else ()
    outcome = afterscene(*words, tmp_path / "nowhere", *more)
    assert outcome.code == 2
    assert outcome.stderr.count("\n") == 1 and "manifest" in outcome.stderr
    assert not (tmp_path / "o").exists()
