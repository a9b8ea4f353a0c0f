"""The commands that only tell: hazards, models, doctor, version."""

import json

import pytest

from afterscene import __version__
from afterscene.cli import models
from afterscene.cli.output import one_line, table
from afterscene.hazards import HAZARDS, make_hazard


def test_hazards_list_is_an_array_and_its_fields_can_be_set(afterscene):
    entries = afterscene("hazards", "list", "--json").json
    assert [e["name"] for e in entries] == list(HAZARDS)
    for entry in entries:
        given = {
            p["name"]: p["default"]
            for p in entry["parameters"]
            if p["default"] is not None and p["name"] != "severity"
        }
        make_hazard(entry["name"], 0.5, **given)


def test_hazards_list_for_a_person_names_units(afterscene):
    text = afterscene("hazards", "list").stdout
    for name in HAZARDS:
        assert f"{name}: " in text
    assert "magnitude" in text and "Mw" in text


@pytest.fixture
def model(tmp_path, monkeypatch):
    folder = tmp_path / "tiny"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"kind": "generator", "width": 8}))
    (folder / "weights-00.safetensors").write_bytes(b"x" * 2_000_000)
    (folder / "README.md").write_text("---\nlicense: cc-by-nc-sa-4.0\n---\n# Tiny\n")
    monkeypatch.setattr(models.shipped, "models", lambda: {"tiny": folder})


@pytest.mark.usefixtures("model")
def test_models_list_and_show_tell_size_and_licence(afterscene):
    (entry,) = afterscene("models", "list", "--json").json
    assert (entry["name"], entry["megabytes"]) == ("tiny", 2.0)
    assert entry["licence"] == "cc-by-nc-sa-4.0"
    assert "# Tiny" in afterscene("models", "show", "tiny").stdout
    assert afterscene("models", "show", "tiny", "--json").json["config"]["width"] == 8


@pytest.mark.usefixtures("model")
def test_an_unknown_model_is_refused_with_the_known_ones(afterscene):
    outcome = afterscene("models", "show", "huge")
    assert outcome.code == 2
    assert "huge" in outcome.stderr and "tiny" in outcome.stderr


def test_every_shipped_model_has_a_card_and_a_licence():
    for name, folder in models.shipped.models().items():
        assert models.card(folder).strip(), name
        assert "<!--" not in models.card(folder), "marks of tables are no text of a card"
        assert models.licence(folder) != "see the card", name


def test_doctor_tells_what_is_here(afterscene):
    facts = afterscene("doctor", "--json").json
    assert facts["cpu"]["cores"] >= 1
    assert facts["memory"]["total_gb"] is None or facts["memory"]["total_gb"] > 0.5
    assert facts["torch"]["gflops_float32"] > 0
    assert facts["extras"]["dev"]["installed"], "the tests run with the extra dev"
    assert facts["advice"]
    assert "cores usable" in afterscene("doctor").stdout


def test_version(afterscene):
    assert afterscene("--version").stdout.strip() == f"afterscene {__version__}"


def test_a_table_is_never_cut():
    wide = "x" * 300
    assert wide in table(("a", "b"), [(1, wide)])


def test_one_line_shows_control_characters_as_escapes():
    assert one_line("a\nb\x1b[0m\tü") == "a\\nb\\x1b[0m\\tü"
