"""``afterscene detect fit|predict|score`` and ``score``, with a detector of a few steps."""

import json

import numpy as np
import pytest
from PIL import Image
from tests.plugins import install

import toys
from afterscene.metrics.folders import write_official

KEYS = {
    "score",
    "damage_f1",
    "localization_f1",
    "damage_f1_no_damage",
    "damage_f1_minor_damage",
    "damage_f1_major_damage",
    "damage_f1_destroyed",
}


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    """An xBD folder of two labelled pairs."""
    root = tmp_path_factory.mktemp("pairs")
    for k, word in enumerate(("no-damage", "destroyed")):
        stem = f"toy-town_{k:08d}"
        pre = toys.write_pre(root, stem, seed=k)
        Image.open(pre).save(root / "images" / f"{stem}_post_disaster.png")
        text = toys.label_text(
            [toys.box_wkt(*b) for b in toys.BOXES], f"{stem}_post_disaster", word
        )
        (root / "labels" / f"{stem}_post_disaster.json").write_text(text)
    return root


@pytest.fixture(scope="module")
def model(pairs, tmp_path_factory):
    from typer.testing import CliRunner

    from afterscene.cli import app

    out = tmp_path_factory.mktemp("model") / "detector"
    command = [
        "detect",
        "fit",
        "--xbd",
        pairs,
        "--out",
        out,
        "--set",
        "steps=2",
        "--set",
        "encoder=tiny",
    ]
    result = CliRunner().invoke(app, [str(c) for c in [*command, "--json", "--quiet"]])
    assert result.exit_code == 0, result.output
    return out


def test_fit_saves_weights_that_are_no_pickle(model):
    assert (model / "model" / "model.safetensors").is_file()
    assert (model / "model" / "config.json").is_file()


def test_fit_refuses_a_folder_that_holds_a_detector(afterscene, pairs, model):
    outcome = afterscene("detect", "fit", "--xbd", pairs, "--out", model, "--set", "steps=1")
    assert outcome.code == 2
    assert str(model) in outcome.stderr


def test_fit_takes_fields_of_the_detector(afterscene, pairs, tmp_path):
    command = ["detect", "fit", "--xbd", pairs, "--detector", "tiny", "--set", "steps=1"]
    command += ["--out", tmp_path / "out", "--quiet", "--json"]
    outcome = afterscene(*command, "--set", "localization=pre", "--set", "width=8")
    assert outcome.code == 0, outcome.stderr
    kept = json.loads((tmp_path / "out" / "model" / "config.json").read_text())["detector"]
    assert (kept["localization"], kept["width"], kept["steps"]) == ("pre", 8, 1)
    outcome = afterscene(*command[:-3], tmp_path / "two", "--set", "depth=3")
    assert outcome.code == 2 and "depth" in outcome.stderr


def test_predict_writes_masks_of_levels(afterscene, pairs, model, tmp_path):
    command = ("detect", "predict", "--model", model, "--xbd", pairs, "--out", tmp_path / "out")
    rows = afterscene(*command, "--json", "--quiet").json["predictions"]
    assert [row["id"] for row in rows] == ["toy-town_00000000", "toy-town_00000001"]
    for row in rows:
        mask = np.asarray(Image.open(tmp_path / "out" / row["file"]))
        assert mask.shape == (toys.SIDE, toys.SIDE)
        assert mask.max() <= 4


def test_predict_takes_two_files(afterscene, pairs, model, tmp_path):
    pre, post = (pairs / "images" / f"toy-town_00000000_{w}_disaster.png" for w in ("pre", "post"))
    command = ("detect", "predict", "--model", model, "--out", tmp_path / "out", "--quiet")
    assert afterscene(*command, "--pre", pre, "--post", post).code == 0
    assert (tmp_path / "out" / "toy-town_00000000_prediction.png").is_file()
    assert "--xbd" in afterscene(*command, "--pre", pre).stderr


def test_pre_and_post_of_different_size_are_refused(afterscene, pairs, model, tmp_path):
    small = tmp_path / "small.png"
    Image.fromarray(np.zeros((48, 64, 3), np.uint8)).save(small)
    pre = pairs / "images" / "toy-town_00000000_pre_disaster.png"
    out = tmp_path / "out"
    outcome = afterscene(
        *("detect", "predict", "--model", model, "--out", out, "--quiet"),
        *("--pre", pre, "--post", small),
    )
    assert outcome.code == 2
    assert "48" in outcome.stderr and "64" in outcome.stderr
    assert not out.exists()


def test_a_tree_with_pre_and_post_of_different_size_is_refused(afterscene, tmp_path):
    pre = toys.write_pre(tmp_path / "xbd", "toy-town_00000000")
    post = pre.with_name("toy-town_00000000_post_disaster.png")
    Image.fromarray(np.zeros((48, 64, 3), np.uint8)).save(post)
    text = toys.label_text([toys.box_wkt(5, 5, 9, 9)], post.stem, "destroyed")
    (tmp_path / "xbd" / "labels" / f"{post.stem}.json").write_text(text)
    outcome = afterscene("detect", "fit", "--xbd", tmp_path / "xbd", "--out", tmp_path / "out")
    assert outcome.code == 2
    assert "toy-town_00000000" in outcome.stderr
    assert not (tmp_path / "out").exists()


def test_score_prints_the_official_keys_and_the_undamaged_floor(afterscene, pairs, model):
    values = afterscene(
        *("detect", "score", "--xbd", pairs, "--model", model, "--json", "--quiet")
    ).json
    assert set(values) >= KEYS | {"all_undamaged_score", "absent_levels", "pairs"}
    assert values["pairs"] == 2
    assert set(values["absent_levels"]) == {"minor-damage", "major-damage"}
    assert values["events"]["toy-town"]["score"] == values["score"]
    assert values["objects"]["buildings"] == 2 * len(toys.BOXES)
    low, high = values["intervals"]["localization_f1"]
    assert low <= values["localization_f1"] <= high
    assert 0 <= values["calibration"]["ece"] <= 1


def test_a_folder_that_holds_no_detector_is_refused(afterscene, pairs, tmp_path):
    outcome = afterscene("detect", "score", "--xbd", pairs, "--model", tmp_path / "none")
    assert outcome.code == 2
    assert "none" in outcome.stderr


@pytest.fixture
def official(tmp_path):
    """Perfect predictions of one official tile."""
    mask = np.zeros((1024, 1024), np.uint8)
    for level in (1, 2, 3, 4):
        mask[level * 100 : level * 100 + 50, 100:200] = level
    for folder, role in (("pred", "prediction"), ("target", "target")):
        (tmp_path / folder).mkdir()
        write_official(tmp_path / folder, 0, "damage", mask, role=role)
        write_official(tmp_path / folder, 0, "localization", mask > 0, role=role)
    return tmp_path / "pred", tmp_path / "target"


def test_score_of_perfect_predictions_is_one(afterscene, official):
    values = afterscene("score", *official, "--json").json
    assert set(values) >= KEYS
    assert values["score"] == pytest.approx(1, abs=1e-5)
    assert values["absent_levels"] == []


def test_score_names_what_is_missing(afterscene, official):
    (official[0] / "test_damage_00000_prediction.png").unlink()
    outcome = afterscene("score", *official)
    assert outcome.code == 2
    assert "test_damage_00000_prediction.png" in outcome.stderr


def test_score_of_an_empty_folder_is_refused(afterscene, tmp_path):
    assert afterscene("score", tmp_path, tmp_path).code == 2


def test_a_detector_of_another_package_is_trained_and_used(
    afterscene, pairs, tmp_path, monkeypatch
):
    rows = ("encoders:corner=tests.plugins:corner", "recipes:corner=tests.plugins:corner_detector")
    install(tmp_path / "site", monkeypatch, "other", *rows)
    out = tmp_path / "run"
    flags = ("--xbd", pairs, "--out", out, "--set", "steps=1", "--json", "--quiet")
    trained = afterscene("detect", "fit", "--detector", "corner", *flags)
    assert trained.code == 0, trained.stderr
    scored = afterscene("detect", "score", "--model", out, "--xbd", pairs, "--json", "--quiet")
    assert scored.code == 0, scored.stderr
    assert "corner" in [row["name"] for row in afterscene("recipes", "list", "--json").json]
    refused = afterscene("detect", "fit", "--detector", "layout", *flags)
    assert refused.code == 2 and "trains no detector" in refused.stderr
