"""A run is its config and its data; a model names every tile that it ever saw."""

import json
from pathlib import Path

import pytest

from afterscene import shipped
from afterscene.detectors import DETECTORS
from afterscene.recipes.registry import RECIPES
from tests.generators.launch import TOY, TOY_DETECTOR, toy_pairs

KINDS = {
    "generator": ("generator-small", TOY),
    "detector": ("tiny", TOY_DETECTOR),
}


@pytest.fixture
def data(tmp_path):
    """Five pairs: A learns from 1 and 2, B from 3 and 4; 0 validates."""
    root = toy_pairs(tmp_path / "xbd", count=5)
    name = "santa-rosa-wildfire_{:08d}".format

    def splits(*train: int) -> Path:
        chosen = {"train": [name(k) for k in train], "val": [name(0)]}
        (root / "splits.json").write_text(json.dumps(chosen))
        return root

    return splits


@pytest.fixture(params=KINDS)
def train(request, afterscene):
    """``train(data, out, ...)`` of a generator and of a detector."""
    recipe, toy = KINDS[request.param]
    settings = [word for pair in toy for word in ("--set", pair)]

    def run(data: Path, out: Path, *more: object, steps: int = 2):
        start = ("train", recipe, "--data", data, "--out", out, "--set", f"steps={steps}")
        return afterscene(*start, *settings, "--json", "--quiet", *more)

    return run


def tiles(outcome) -> list[int]:
    seen = shipped.seen(Path(outcome.json["model"]))
    return [int(name.rpartition("_")[2]) for name in seen]


def test_every_detector_is_a_recipe():
    assert set(DETECTORS) <= set(RECIPES)


def test_a_run_is_not_resumed_with_other_data(train, data, tmp_path):
    out = tmp_path / "run"
    assert train(data(1, 2), out).code == 0
    refused = train(data(2, 3), out, "--resume", steps=3)
    assert refused.code == 2
    assert "train: 1 more, such as santa-rosa-wildfire_00000003" in refused.stderr
    assert "train: 1 missing, such as santa-rosa-wildfire_00000001" in refused.stderr
    assert "--init" in refused.stderr
    again = train(data(1, 2), out, "--resume", steps=3)
    assert again.code == 0, again.stderr
    assert again.json["step"] == 3 and tiles(again) == [1, 2]


def test_a_picture_that_changed_is_other_data(train, data, tmp_path):
    root = data(1, 2)
    assert train(root, tmp_path / "run").code == 0
    image = root / "images" / "santa-rosa-wildfire_00000002_post_disaster.png"
    image.write_bytes(
        (root / "images" / "santa-rosa-wildfire_00000004_post_disaster.png").read_bytes()
    )
    refused = train(root, tmp_path / "run", "--resume", steps=3)
    assert refused.code == 2
    assert "train: 1 other, such as santa-rosa-wildfire_00000002" in refused.stderr


def test_a_run_that_does_not_say_what_it_learned_from_is_not_resumed(train, data, tmp_path):
    assert train(data(1, 2), tmp_path / "run").code == 0
    (tmp_path / "run" / "data.json").unlink()
    refused = train(data(1, 2), tmp_path / "run", "--resume", steps=3)
    assert refused.code == 2 and "data.json" in refused.stderr


def test_a_model_names_the_tiles_of_its_whole_history(train, data, tmp_path):
    assert train(data(1), tmp_path / "a").code == 0
    assert train(data(2), tmp_path / "b", "--init", tmp_path / "a").code == 0
    third = train(data(3), tmp_path / "c", "--init", tmp_path / "b" / "model")
    assert tiles(third) == [1, 2, 3]
    assert tiles(train(data(3), tmp_path / "c", "--resume", steps=3)) == [1, 2, 3]


def test_synthetic_pairs_name_the_tiles_they_were_made_from(afterscene, data, tmp_path):
    root = data(1)
    made = toy_pairs(tmp_path / "gbd", count=1)
    row = {"id": "santa-rosa-wildfire_00000000", "source": "elsewhere_00000009"}
    (made / "manifest.jsonl").write_text(json.dumps(row) + "\n")
    for path in [*made.glob("images/*"), *made.glob("labels/*")]:
        path.rename(path.with_name(path.name.replace("_00000000", "-wind_00000005")))
    row["id"] = "santa-rosa-wildfire-wind_00000005"
    (made / "manifest.jsonl").write_text(json.dumps(row) + "\n")
    settings = [word for pair in TOY_DETECTOR for word in ("--set", pair)]
    words = ("detect", "fit", "--detector", "tiny", "--xbd", root, "--split", "train")
    given = (*words, "--gbd", made, "--out", tmp_path / "run", "--set", "steps=1", *settings)
    (root / "splits.json").write_text(json.dumps({"train": ["santa-rosa-wildfire_00000001"]}))
    outcome = afterscene(*given, "--json", "--quiet")
    assert outcome.code == 0, outcome.stderr
    seen = shipped.seen(Path(outcome.json["model"]))
    assert seen == [
        "elsewhere_00000009",
        "santa-rosa-wildfire-wind_00000005",
        "santa-rosa-wildfire_00000001",
    ]
