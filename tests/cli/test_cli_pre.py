"""afterscene pre: footprints in, an xBD folder of marked pre images out."""

import json

import toys
from afterscene.gbd import find_sources
from afterscene.geodata.scene import read_scene, read_tags

FIGURES = {"frechet", "kernel", "localization_f1"}
SIZES = ("model.widths=8,8", "model.depths=1,1", "model.embedding=16", "crops.shapes=[64,4]")
SMALL = (*SIZES, "evaluations=1", "warmup=1")


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
