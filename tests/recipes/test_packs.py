"""A pack trains on a machine that has torch and little else, and says what it was trained on."""

import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from afterscene import shipped
from afterscene.errors import BadParameter
from afterscene.generators.loading import load
from afterscene.recipes.pack import Pack, config_of
from afterscene.recipes.packed import PackedRun, main
from afterscene.recipes.packing import write_pack
from afterscene.recipes.registry import recipe
from tests.generators import toy
from tests.generators.launch import TOY, toy_pairs

SETTINGS = [word for pair in TOY for word in ("--set", pair)]
#: What a bare machine with a graphics card has besides the standard library.
BARE = ("torch", "numpy", "PIL", "safetensors")
#: Runs a module where no other installed package can be imported by the library.
BLOCKED = """
import runpy, sys
import importlib.metadata as known

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked!r}:
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Blocker())
sys.argv = {argv!r}
runpy.run_module({module!r}, run_name="__main__")
"""
ABSENT = {
    *("cv2", "rasterio", "shapely", "pyproj", "affine", "typer", "click", "rich", "jinja2"),
    *("accelerate", "tensorboard", "scipy", "ray", "matplotlib", "pyarrow", "transformers"),
}


@pytest.fixture(scope="module")
def packed(tmp_path_factory, request):
    """A pack of four toy pairs in ``train`` and one in ``val``, of two events."""
    from typer.testing import CliRunner

    from afterscene.cli import app

    folder = tmp_path_factory.mktemp("packed")
    root = toy_pairs(folder / "xbd", count=5)
    for path in [*root.glob("*/santa-rosa-wildfire_00000004*")]:
        path.rename(path.with_name(path.name.replace("santa-rosa-wildfire", "hurricane-michael")))
    names = [f"santa-rosa-wildfire_{k:08d}" for k in range(4)]
    splits = {"train": [*names[1:], "hurricane-michael_00000004"], "val": names[:1]}
    (root / "splits.json").write_text(json.dumps(splits))
    words = ("pack", "generator-small", "--data", root, "--out", folder / "pack", *SETTINGS)
    outcome = CliRunner().invoke(app, [str(word) for word in (*words, "--json")])
    assert outcome.exit_code == 0, outcome.output
    return Pack(folder / "pack")


def test_a_tile_comes_back_as_it_was_packed(packed):
    """Levels, places, styles and pixel sizes exactly, pictures nearly."""
    data = packed.data()
    assert len(data.train) == 4 and len(data.validation) == 1
    for tile in data.train:
        assert tile.levels.shape == tile.pre.shape[:2] == tile.registered.shape[:2]
        assert set(np.unique(tile.levels)) <= {0, 1, 4, 255}
        assert tile.places.levels.tolist().count(4) == 2
        assert np.abs(tile.registered.astype(int) - tile.matched).mean() < 40


def test_a_pack_keeps_within_its_budget_and_spends_it_on_quality(tmp_path):
    tiles = [toy.tile(seed) for seed in range(2)]
    data = toy.data_of(tmp_path / "run", tiles)
    made = [
        write_pack(tmp_path / f"{budget}", "generator", recipe("generator"), data, budget=budget)
        for budget in (0.03, 0.06)
    ]
    assert made[0].bytes <= 30_000 < made[1].bytes <= 60_000
    assert made[0].quality < made[1].quality and made[0].psnr < made[1].psnr
    back = Pack(tmp_path / "0.06").data().train
    for tile, own in zip(back, tiles, strict=True):
        assert (tile.levels == own.levels).all()
        assert np.allclose(tile.style, own.style) and tile.gsd == own.gsd
        assert np.allclose(tile.places.centres, own.places.centres, atol=0.1)
    with pytest.raises(BadParameter, match=r"do not fit into 0\.002 MB"):
        write_pack(tmp_path / "p", "generator", recipe("generator"), data, budget=0.002)


def test_the_configuration_travels_with_the_pack(packed):
    own = config_of(packed.about["config"])
    assert own.model.widths == (8, 16) and own.crops.shapes == ((32, 4), (48, 3)) and own.lr == 4e-3


def bare(*argv: object) -> subprocess.CompletedProcess:
    """The door where OpenCV, rasterio, shapely, typer and others cannot be imported."""
    module = "afterscene.recipes.packed"
    code = BLOCKED.format(blocked=ABSENT, argv=[module, *map(str, argv)], module=module)
    words = [sys.executable, "-c", code]
    return subprocess.run(words, capture_output=True, text=True, timeout=300)


def test_a_bare_machine_trains_and_the_model_draws(packed, afterscene, tmp_path):
    out = tmp_path / "run"
    made = bare(packed.path, "--out", out, "--minutes", "5", "--set", "steps=4")
    assert made.returncode == 0, made.stderr
    assert "next, " in made.stdout and "step 4" in made.stdout
    assert len((out / "log.jsonl").read_text().splitlines()) == 4
    assert all(f.stat().st_size < 16e6 for f in (out / "model").iterdir())
    assert shipped.seen(out / "model") == sorted(row["name"] for row in packed.about["train"])
    assert set(load(out / "model").styles) == {"wildfire", "wind"}
    pair = packed.path.parent / "xbd"
    (picture,) = pair.glob("images/*_00000001_pre_*")
    (label,) = pair.glob("labels/*_00000001_pre_*")
    words = ("synthesize", picture, "--labels", label, "--hazard", "wildfire", "--model")
    drawn = afterscene(*words, out / "model", "--out", tmp_path / "drawn", "--quiet")
    assert drawn.code == 0, drawn.stderr


def test_a_stopped_run_goes_on_with_the_same_pack_alone(packed, tmp_path, capsys):
    words = [str(packed.path), "--out", str(tmp_path / "run"), "--set"]
    assert main([*words, "steps=2"]) == 0
    assert main([*words, "steps=3"]) == 2
    assert "holds the states of a run" in capsys.readouterr().err
    assert main([*words, "steps=3", "--resume"]) == 0
    assert main([*words, "steps=4", "--resume", "--without", "hurricane-michael"]) == 2
    assert "started with other data" in capsys.readouterr().err


def test_an_event_is_left_out_of_the_data_and_of_the_model(packed, tmp_path, afterscene):
    words = ("train", "generator-small", "--data", packed.path, "--out", tmp_path / "run")
    more = ("--without", "hurricane-michael", "--set", "steps=1", "--json")
    outcome = afterscene(*words, *more)
    assert outcome.code == 0, outcome.stderr
    assert not any("michael" in name for name in shipped.seen(tmp_path / "run" / "model"))
    assert set(load(tmp_path / "run" / "model").styles) == {"wildfire"}


@pytest.mark.parametrize(
    "more, told",
    [
        (("--without", "nowhere"), "has tiles of hurricane-michael, santa-rosa-wildfire alone"),
        (("--init", "default"), "is needed"),
        (("--minutes", "0"), "seconds must be > 0"),
    ],
)
def test_what_cannot_be_asked_of_a_pack_is_said(packed, tmp_path, afterscene, more, told):
    words = ("train", "generator-small", "--data", packed.path, "--out", tmp_path / "run")
    outcome = afterscene(*words, *more)
    assert outcome.code == 2 and told in outcome.stderr


def test_another_file_is_no_pack(tmp_path, afterscene, capsys):
    path = tmp_path / "x.png"
    Image.new("RGB", (8, 8)).save(path)
    assert main([str(path), "--out", str(tmp_path / "run")]) == 2
    assert "is no pack" in capsys.readouterr().err
    assert main([str(tmp_path / "absent"), "--out", str(tmp_path / "run")]) == 2
    words = ("train", "generator", "--data", path, "--out", tmp_path / "run")
    assert afterscene(*words).code == 2


def test_what_comes_next_is_an_event_whose_hazard_another_event_teaches(packed, tmp_path):
    rows = [
        {"name": f"{event}_{k:08d}", "hazard": hazard, "building_levels": [4] * count}
        for event, hazard, count in (
            ("a-fire", "wildfire", 30),
            ("b-fire", "wildfire", 40),
            ("c-fire", "wildfire", 3),
            ("d-quake", "earthquake", 90),
        )
        for k in range(2)
    ]
    pack = Pack(packed.path)
    pack.__dict__["about"] = {**packed.about, "train": rows}
    assert pack.events == ["b-fire", "a-fire"]
    run = {"config": packed.config, "pack": pack, "out": tmp_path / "run"}
    assert "--without b-fire" in PackedRun(**run).next
    assert "--without a-fire" in PackedRun(**run, without=("b-fire",)).next
    assert "train unet" in PackedRun(**run, without=("a-fire",)).next


def test_a_pack_begins_with_a_model_and_names_what_that_has_seen(packed, tmp_path, capsys):
    """Tiles that the initial model saw are not used for validation, and are told."""
    words = [str(packed.path), *SETTINGS, "--set", "steps=2"]
    assert main([*words, "--out", str(tmp_path / "first")]) == 0
    model = tmp_path / "first" / "model"
    config = json.loads((model / "config.json").read_text(encoding="utf-8"))
    seen = [*config["tiles"], "santa-rosa-wildfire_00000000"]
    (model / "config.json").write_text(json.dumps({**config, "tiles": seen}), encoding="utf-8")
    distil = [*words, "--distil", "--set", "crops.shapes=[16,4]", "--out", str(tmp_path / "second")]
    assert main(distil) == 2
    assert "--init" in capsys.readouterr().err
    assert main([*distil, "--init", str(model)]) == 0
    said = capsys.readouterr().out
    assert "1 of the tiles that are held out" in said and "0 for validation" in said
    made = json.loads((tmp_path / "second" / "model" / "config.json").read_text(encoding="utf-8"))
    assert set(seen) <= set(made["tiles"]) and made["render"]["steps"] == 2
