"""``afterscene demo`` and ``compare`` as a user meets them, at toy size."""

import json

import pytest

import toys
from afterscene.detectors import DetectorConfig
from afterscene.lab import demo

TOY_DETECTOR = DetectorConfig(
    encoder="tiny", pretrained=False, width=8, steps=2, batch=1, crop=64, warmup=1
)
TINY = demo.DemoConfig(
    hazards=("wind", "flood"), each=1, held=("suburb",), detector=TOY_DETECTOR, seeds=(0,)
)


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(demo, "DemoConfig", lambda **_: TINY)
    monkeypatch.setattr("afterscene.generators.load", lambda _: toys.ToyGenerator())


@pytest.mark.usefixtures("small")
def test_demo_tells_where_the_report_is_and_what_to_do_next(afterscene, tmp_path, monkeypatch):
    monkeypatch.delenv("AFTERSCENE_NO_PROGRESS", raising=False)
    outcome = afterscene("demo", "--out", tmp_path / "demo")
    assert outcome.code == 0, outcome.stderr
    assert str(tmp_path / "demo" / "report.html") in outcome.stdout
    assert outcome.stdout.count("  afterscene ") == len(demo.NEXT) == 3
    assert "demo: 100/100" in outcome.stderr and "1 of 4: drawing 2 pairs" in outcome.stderr
    again = afterscene("demo", "--out", tmp_path / "demo", "--json", "--quiet")
    assert again.json["synthetic_pairs"] == 2
    assert again.stderr == ""


@pytest.mark.usefixtures("small")
def test_demo_refuses_a_folder_of_the_user(afterscene, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    outcome = afterscene("demo", "--out", tmp_path, "--overwrite")
    assert outcome.code == 2
    assert (tmp_path / "notes.txt").read_text() == "mine"


@pytest.fixture
def pairs(tmp_path):
    """Real pairs: a place each to train, choose and test on, one house of each level."""
    tree, words = tmp_path / "xbd", ("no-damage", "minor-damage", "major-damage", "destroyed")
    names = [f"toy-town_{number:08d}" for number in range(3)]
    for number, name in enumerate(names):
        image = toys.write_pre(tree, name, seed=number)
        image.with_name(f"{name}_post_disaster.png").write_bytes(image.read_bytes())
        label = json.loads((tree / "labels" / f"{name}_pre_disaster.json").read_text())
        for one, word in zip(label["features"]["xy"], words, strict=True):
            one["properties"]["subtype"] = word
        (tree / "labels" / f"{name}_post_disaster.json").write_text(json.dumps(label))
    splits = dict(zip(("train", "val", "test"), ([name] for name in names), strict=True))
    (tree / "splits.json").write_text(json.dumps(splits))
    return tree


@pytest.fixture
def gbd(afterscene, pairs, tmp_path):
    command = ("gbd", "build", "--xbd", pairs, "--split", "train", "--hazard", "wind")
    assert afterscene(*command, "--count", 1, "--out", tmp_path / "gbd").code == 0
    return tmp_path / "gbd"


#: Settings with which a training takes a moment.
TOY = ["detector.encoder=tiny", "detector.pretrained=false", "detector.crop=64", "seeds=0"]
TOY_SETTINGS = [word for setting in TOY for word in ("--set", setting)]


def test_compare_gives_all_arms_and_a_page(afterscene, pairs, gbd, tmp_path):
    command = ("compare", "given", "--xbd", pairs, "--gbd", gbd, "--out", tmp_path / "out")
    outcome = afterscene(*command, "--json", *TOY_SETTINGS, "--set", "detector.steps=1", "--quiet")
    assert outcome.code == 0, outcome.stderr
    (setting,) = outcome.json["settings"]
    assert [arm["name"] for arm in setting["arms"]] == ["oversampled", "gbd", "gbd-then-real"]
    assert (tmp_path / "out" / "report.html").is_file()


def test_compare_stops_at_a_planted_leak(afterscene, pairs, tmp_path):
    build = ("gbd", "build", "--xbd", pairs, "--split", "test", "--hazard", "wind")
    assert afterscene(*build, "--count", 1, "--out", tmp_path / "leak").code == 0
    command = ("compare", "given", "--xbd", pairs, "--gbd", tmp_path / "leak")
    outcome = afterscene(*command, "--out", tmp_path / "out")
    assert outcome.code == 2
    assert "toy-town_00000002" in outcome.stderr
    assert not (tmp_path / "out").exists()


def test_compare_runs_a_protocol_and_stops_at_its_limit(afterscene, pairs, tmp_path):
    command = ("compare", "rare-levels", "--xbd", pairs, "--out", tmp_path / "out", "--quiet")
    toy = (*TOY_SETTINGS, "--set", "detector.steps=2", "--set", "arms=real,augmented")
    values = afterscene(*command, *toy, "--json", "--limit", 1).json
    assert (values["whole"], values["trained"]) == (False, 1)
    assert "run the same command again" in afterscene(*command, *toy, "--limit", 0).stdout
    values = afterscene(*command, *toy, "--json").json
    assert (values["whole"], values["trained"]) == (True, 1)
    assert [arm["name"] for arm in values["settings"][0]["arms"]] == ["real", "augmented"]
    refused = afterscene("compare", "rare-levels", "--xbd", pairs, "--out", tmp_path / "b")
    assert refused.code == 2 and "--model FOLDER" in refused.stderr
    refused = afterscene("compare", "given", "--xbd", pairs, "--out", tmp_path / "c")
    assert refused.code == 2 and "--gbd" in refused.stderr
