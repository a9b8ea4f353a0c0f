"""Each image is decoded once a command: counted at the one function that decodes."""

import json
from collections import Counter
from pathlib import Path

import pytest

from afterscene.detectors import DetectorConfig, fit
from afterscene.geodata import decode, scene
from afterscene.geodata.pair import read_pairs
from tests.generators.launch import arguments, toy_pairs
from tests.lab import places

TINY = DetectorConfig(
    encoder="tiny", pretrained=False, width=8, steps=2, batch=1, crop=64, warmup=1
)


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each file was decoded since the test began."""
    seen: Counter[str] = Counter()

    def counted(path: Path, *part) -> decode.Decoded:
        seen[path.name] += 1
        return decode.decode(path, *part)

    monkeypatch.setattr(scene, "decode", counted)
    return seen


@pytest.fixture
def xbd(tmp_path: Path) -> Path:
    """Pairs of 64 pixels: two to train on, one to validate with, one to test."""
    folder = toy_pairs(tmp_path / "xbd", 4)
    ids = sorted({p.name.rsplit("_", 2)[0] for p in (folder / "images").iterdir()})
    splits = {"train": ids[:2], "val": ids[2:3], "test": ids[3:]}
    (folder / "splits.json").write_text(json.dumps(splits))
    return folder


def images(folder: Path, *splits: str) -> Counter[str]:
    """Pre and post image of each pair of the splits, once."""
    known = json.loads((folder / "splits.json").read_text())
    wanted = tuple(f"{name}_" for split in splits for name in known[split])
    names = (path.name for path in (folder / "images").iterdir())
    return Counter(name for name in names if name.startswith(wanted))


def held_out(folder: Path) -> Counter[str]:
    """The pre images of the split test: training compares their looks with what it learns from."""
    return Counter(name for name in images(folder, "test") if "_pre_" in name)


def test_detect_fit_and_score(afterscene, xbd, tmp_path, decoded):
    given = ("--xbd", xbd, "--split", "train", "--val", "val", "--set", "objects=true", "--quiet")
    small = ("--set", "steps=2", "--set", "encoder=tiny", "--out", tmp_path / "model")
    outcome = afterscene("detect", "fit", *given, *small)
    assert outcome.code == 0, outcome.stderr
    assert decoded == images(xbd, "train", "val") + held_out(xbd)
    decoded.clear()
    score = ("--xbd", xbd, "--split", "test", "--model", tmp_path / "model", "--json")
    outcome = afterscene("detect", "score", *score)
    assert outcome.code == 0, outcome.stderr
    assert decoded == images(xbd, "test")


def test_assess(afterscene, xbd, tmp_path, decoded):
    fit(TINY, read_pairs(xbd, "train"), seed=0).save(tmp_path / "model")
    (name,) = json.loads((xbd / "splits.json").read_text())["test"]
    pre, post = (xbd / "images" / f"{name}_{when}_disaster.png" for when in ("pre", "post"))
    given = ("--pre", pre, "--post", post, "--model", tmp_path / "model", "--quiet")
    label = xbd / "labels" / f"{name}_post_disaster.json"
    decoded.clear()
    outcome = afterscene("assess", *given, "--footprints", label, "-o", tmp_path / "a.gpkg")
    assert outcome.code == 0, outcome.stderr
    assert decoded == images(xbd, "test")


@pytest.mark.parametrize("recipe", ["generator-small", "unet"])
def test_train(afterscene, xbd, tmp_path, decoded, recipe):
    outcome = afterscene(*arguments(xbd, tmp_path / "run", 1, recipe=recipe))
    assert outcome.code == 0, outcome.stderr
    assert decoded == images(xbd, "train", "val") + held_out(xbd)


def test_a_tile_that_is_held_out_by_name_or_place_is_refused_before_anything_is_decoded(
    afterscene, xbd, tmp_path, decoded
):
    splits = json.loads((xbd / "splits.json").read_text())
    splits["train"] += splits["test"]
    (xbd / "splits.json").write_text(json.dumps(splits))
    outcome = afterscene(*arguments(xbd, tmp_path / "run", 1, recipe="generator-small"))
    assert outcome.code == 2
    assert "is an evaluation tile" in outcome.stderr
    assert not decoded


def test_evaluate_generator(afterscene, tmp_path, monkeypatch, decoded):
    """Nine candidates and a picture row of each tile; baselines from the training pairs."""
    xbd = places.paired_tree(tmp_path / "pairs")
    monkeypatch.setattr("afterscene.lab.evaluation.seam_figures", lambda *_: None)
    given = ("--xbd", xbd, "--split", "test", "--json", "--quiet")
    outcome = afterscene("evaluate", "generator", *given)
    assert outcome.code == 0, outcome.stderr
    assert decoded == images(xbd, "train", "test")
