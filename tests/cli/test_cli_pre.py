"""afterscene pre: footprints in, an xBD folder of marked pre images out."""

import json
from types import MappingProxyType

import cv2
import numpy as np
from PIL import Image

import toys
from afterscene.gbd import find_sources
from afterscene.geodata.scene import read_scene, read_tags
from afterscene.geodata.xbd import read_label

FIGURES = {"frechet", "kernel", "localization_f1"}
SIZES = ("model.widths=8,8", "model.depths=1,1", "model.embedding=16", "crops.shapes=[64,4]")
SMALL = (*SIZES, "evaluations=1", "warmup=1")


class Drawer:
    """A layout model that gives its plan back."""

    hash = "ab" * 32
    folder = None
    styles = MappingProxyType({})

    def draw_style(self, name, seed):
        return np.zeros(6, np.float32)

    def repaint(self, picture, levels, **_):
        return picture


def test_a_model_is_trained_and_draws_a_label(afterscene, tmp_path):
    data = toys.toy_tree(tmp_path / "xbd", count=4)
    names = [f"toy-town_{k:08d}" for k in range(4)]
    (data / "splits.json").write_text(json.dumps({"train": names[:2], "test": names[2:]}))
    sets = [part for value in SMALL for part in ("--set", value)]
    train = (
        "train",
        "layout",
        "--data",
        data,
        "--out",
        tmp_path / "run",
        "--set",
        "steps=1",
        "--quiet",
    )
    assert afterscene(*train, *sets).code == 0
    model = ("--model", tmp_path / "run" / "model", "--json", "--quiet")
    label = data / "labels" / "toy-town_00000001_pre_disaster.json"
    outcome = afterscene("pre", label, *model, "--out", tmp_path / "one")
    assert outcome.code == 0, outcome.stderr
    (image,) = outcome.json["images"]
    assert read_scene(image).shape == (toys.SIDE, toys.SIDE)
    assert read_tags(image)["AFTERSCENE_SYNTHETIC"] == "true"
    assert [s.id for s in find_sources(tmp_path / "one")] == ["toy-town_00000001"]
    judged = afterscene("evaluate", "layout", "--xbd", data, "--split", "test", *model)
    assert judged.code == 0, judged.stderr
    assert judged.json["candidates"]["drawn layout as it is"].keys() == FIGURES


def test_a_missing_label_leaves_no_folder(afterscene, tmp_path):
    refused = afterscene("pre", tmp_path / "MISSING.json", "--out", tmp_path / "drawn")
    assert refused.code == 2 and "MISSING.json" in refused.stderr
    assert not (tmp_path / "drawn").exists()


def test_a_sketch_gives_an_image_with_its_roofs(afterscene, tmp_path, monkeypatch):
    monkeypatch.setattr("afterscene.generators.load", lambda *_: Drawer())
    canvas = np.full((96, 96, 3), 255, np.uint8)
    cv2.rectangle(canvas, (30, 30), (60, 52), (10, 10, 10), 2)
    Image.fromarray(canvas).save(tmp_path / "mine.png")
    outcome = afterscene("pre", "--sketch", tmp_path / "mine.png", "--out", tmp_path / "o")
    assert outcome.code == 0, outcome.stderr
    (source,) = find_sources(tmp_path / "o")
    assert source.id == "mine_00000000"
    (roof,) = read_label(source.label).buildings
    assert np.allclose(roof.polygon.bounds, (30, 30, 60, 52), atol=3)
    label = tmp_path / "o" / "labels" / "mine_00000000_pre_disaster.json"
    for call in (("pre",), ("pre", label, "--sketch", tmp_path / "mine.png")):
        refused = afterscene(*call, "--out", tmp_path / "no")
        assert refused.code == 2 and "not both" in refused.stderr
    Image.new("RGB", (8, 8)).save(tmp_path / "tiny.png")
    refused = afterscene("pre", "--sketch", tmp_path / "tiny.png", "--out", tmp_path / "no")
    assert refused.code == 2 and "8x8 pixels" in refused.stderr
    assert not (tmp_path / "no").exists()
