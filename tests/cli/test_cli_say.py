"""``afterscene synthesize --say``: sentences in, obeyed labels out; ``--explain`` draws nothing."""

import json

import numpy as np
import pytest
from PIL import Image

from afterscene.geodata.scene import read_scene, read_tags
from afterscene.geodata.xbd import read_label

STEM = "toy-town_00000000"
NORTH = "the northern half is destroyed by fire, nothing else is touched"


@pytest.fixture
def say(afterscene, tree, tmp_path):
    def run(sentence, *more, out=tmp_path / "out"):
        pre = tree / "images" / f"{STEM}_pre_disaster.png"
        label = tree / "labels" / f"{STEM}_pre_disaster.json"
        return afterscene(
            "synthesize", pre, "--labels", label, "--say", sentence, "--out", out, *more
        )

    return run


def levels(path):
    return [b.level.word for b in read_label(path).buildings]


def test_labels_obey_and_the_sentence_is_kept(say, tmp_path):
    outcome = say(NORTH)
    assert outcome.code == 0, outcome.stderr
    assert "understood: A wildfire; every building in the northern half is" in outcome.stderr
    assert levels(tmp_path / "out" / f"{STEM}_post_disaster.json") == [
        *["destroyed"] * 2,
        *["no-damage"] * 2,
    ]
    (row,) = map(json.loads, (tmp_path / "out" / "manifest.jsonl").read_text().splitlines())
    assert row["say"] == NORTH
    assert row["hazard"] == "wildfire"


def test_explain_says_and_draws_a_map_without_a_model(say, tmp_path, monkeypatch):
    monkeypatch.setattr("afterscene.gbd.load_generator", None)
    outcome = say(NORTH, "--explain", "--json")
    found = json.loads(outcome.stdout)
    assert found["levels"] == {STEM: {"destroyed": 2, "no-damage": 2}}
    assert found["saying"]["hazard"] == found["hazard"] == "wildfire"
    (path,) = found["maps"]
    assert read_scene(path).shape == (64, 136)
    assert read_tags(path)["AFTERSCENE_SYNTHETIC"] == "true"
    assert json.loads((tmp_path / "out" / "understood.json").read_text()) == found


def test_another_sentence_does_not_go_on_with_a_run(say):
    assert say(NORTH).code == 0
    outcome = say("the southern half is destroyed by fire")
    assert outcome.code == 2
    assert "say:" in outcome.stderr


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        ("", "is empty"),
        ("a" * 100_000, "100000 characters"),
        ("the north is florded", "flooded"),
        ("the north is destroyed", "--hazard"),
        ("building 5 is destroyed by fire", "there is no building 5"),
        ("\x1b[31mthe north burns", "control character"),
    ],
)
def test_bad_sentences_are_one_line(say, refused, tmp_path, sentence, words):
    outcome = say(sentence)
    refused(outcome, words)
    assert not list((tmp_path / "out").glob("*.png"))


def test_explain_needs_a_sentence_and_synthesize_a_hazard(afterscene, tree, tmp_path, refused):
    pre = tree / "images" / f"{STEM}_pre_disaster.png"
    call = ["synthesize", pre, "--labels", tree / "labels", "--out", tmp_path / "o"]
    refused(
        afterscene(*call[:3], tree / "labels" / f"{STEM}_pre_disaster.json", *call[4:]), "--say"
    )
    refused(
        afterscene(
            *call[:3], tree / "labels" / f"{STEM}_pre_disaster.json", *call[4:], "--explain"
        ),
        "--explain explains --say or --sketch",
    )


def test_a_painted_map_gives_the_levels_and_the_sketch_is_told(afterscene, tree, tmp_path):
    pre = tree / "images" / f"{STEM}_pre_disaster.png"
    label = tree / "labels" / f"{STEM}_pre_disaster.json"
    map_ = np.full((64, 64, 3), 255, np.uint8)
    map_[:, :32] = (192, 28, 40)
    Image.fromarray(map_).save(tmp_path / "map.png")
    call = ("synthesize", pre, "--labels", label, "--sketch", tmp_path / "map.png")
    shown = afterscene(*call, "--hazard", "wind", "--explain", "--out", tmp_path / "e", "--json")
    assert json.loads(shown.stdout)["levels"] == {STEM: {"destroyed": 2, "no-damage": 2}}
    outcome = afterscene(*call, "--hazard", "wind", "--out", tmp_path / "out")
    assert outcome.code == 0, outcome.stderr
    assert levels(tmp_path / "out" / f"{STEM}_post_disaster.json").count("destroyed") == 2
    (row,) = map(json.loads, (tmp_path / "out" / "manifest.jsonl").read_text().splitlines())
    assert row["sketch"] == "map.png"
    for wrong, words in (
        (("--say", NORTH), "give one of them"),
        ((), "--hazard is missing"),
        (("--hazard", "wind", "--places", label), "--places holds what --say names"),
    ):
        assert words in afterscene(*call, *wrong, "--out", tmp_path / "no").stderr
