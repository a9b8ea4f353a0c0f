"""Warnings through the commands: a line on stderr, a list in ``--json``, thousands summed."""

import json
import warnings

import numpy as np
import pytest
from affine import Affine

import toys
from afterscene.cli.output import Output
from afterscene.errors import BandsAssumed, OddPair
from afterscene.geodata.scene import write_scene
from pictures import outlines, scene_of, town
from published import feature


@pytest.fixture
def place(tmp_path):
    """``post.tif`` of four bands without a stated order, and ``f.geojson``."""
    import rasterio

    pixels, boxes = town()
    scene = scene_of(pixels)
    bands = np.concatenate([pixels, pixels[:1]])
    size = {"count": 4, "height": 256, "width": 256, "dtype": "uint8"}
    georeference = {"crs": scene.crs, "transform": scene.transform}
    with rasterio.open(
        *(tmp_path / "silent.tif", "w", "GTiff"), **size, **georeference, photometric="minisblack"
    ) as file:
        file.write(bands)
    write_scene(scene, tmp_path / "post.tif")
    features = [feature(s) for s in outlines(scene, boxes)[:30]]
    text = json.dumps({"type": "FeatureCollection", "features": features})
    (tmp_path / "f.geojson").write_text(text)
    return tmp_path


BANDS = "silent.tif: does not say the order of its 4 bands; they are taken as red, green, blue"


def test_assess_says_what_is_odd_of_its_images(afterscene, place, quick_model):
    out = ("--footprints", place / "f.geojson", "--model", quick_model, "-o", place / "x.gpkg")
    files = ("--pre", place / "post.tif", "--post", place / "silent.tif")
    made = afterscene("assess", *files, *out, "--json")
    assert made.code == 0, made.stderr
    assert made.stderr.count(BANDS) == 1  # of windows that are read many times
    lines = made.json["warnings"]
    assert sum(BANDS in line for line in lines) == 1
    assert sum("post.tif says after" in line for line in lines) == 1
    quiet = afterscene("assess", *files, *out, "--overwrite", "--quiet")
    assert quiet.code == 0 and "warning" not in quiet.stderr


def test_commands_that_draw_say_it_once_a_file(afterscene, place):
    drawn = ("--hazard", "wind", "--severity", 1)
    label = ("--labels", place / "f.geojson", "--out", place / "out")
    made = afterscene("synthesize", place / "silent.tif", *label, *drawn, "--json")
    assert made.code == 0, made.stderr
    assert made.stderr.count(BANDS) == 1 and BANDS in " ".join(made.json["warnings"])
    (place / "pre").mkdir()
    (place / "silent.tif").rename(place / "pre" / "silent.tif")
    plan = ("gbd", "plan", "--images", place / "pre", "--footprints", place / "f.geojson")
    made = afterscene(*plan, "--hazard", "wind", "--count", 1, "--out", place / "p.jsonl", "--json")
    assert made.code == 0, made.stderr
    assert made.stderr.count(BANDS) == 1 and BANDS in " ".join(made.json["warnings"])


def test_detect_says_that_both_images_are_one(afterscene, quick_model, tmp_path):
    image = toys.write_pre(tmp_path, "toy-town_00000000")
    files = ("--pre", image, "--post", image, "--model", quick_model, "--out", tmp_path / "o")
    made = afterscene("detect", "predict", *files)
    assert made.code == 0 and "show the same pixels" in made.stderr


def test_of_drawn_pairs_that_no_disaster_changed_nothing_is_said(
    afterscene, quick_model, tree, tmp_path
):
    drawn = ("--xbd", tree, "--hazard", "wind", "--count", 2, "--severity", 0)
    assert afterscene("gbd", "build", *drawn, "--out", tmp_path / "gbd").code == 0
    files = ("--xbd", tmp_path / "gbd", "--model", quick_model, "--out", tmp_path / "o")
    made = afterscene("detect", "predict", *files)
    assert made.code == 0 and "warning" not in made.stderr, made.stderr


def test_the_command_that_brings_a_pair_to_one_grid_names_the_files(
    afterscene, place, quick_model, refused
):
    scene = scene_of(town()[0])
    half = scene.transform @ Affine.translation(0.5, 0)
    write_scene(scene.replace(transform=half), place / "half.tif")
    files = ("--pre", place / "post.tif", "--post", place / "half.tif", "--model", quick_model)
    words = ("0.5 pixels apart", f"-ts 256 256 -r cubic {place / 'half.tif'} warped.tif")
    refused(afterscene("detect", "predict", *files, "--out", place / "o"), *words)
    footprints = ("--footprints", place / "f.geojson", "-o", place / "y.gpkg")
    refused(afterscene("assess", *files, *footprints), *words)


def test_many_of_a_kind_are_summed(capsys):
    with warnings.catch_warnings():
        output = Output(json=True)
        for number in range(100):
            for _ in range(2):
                warnings.warn(f"image {number}", BandsAssumed, stacklevel=1)
        warnings.warn("a pair", OddPair, stacklevel=1)
        output.result({"a": 1}, "")
        with pytest.warns(UserWarning, match="of another"):
            warnings.warn("of another", UserWarning, stacklevel=1)
    said = capsys.readouterr()
    rest = "97 more warnings of this kind (BandsAssumed)"
    expected = ["image 0", "image 1", "image 2", "a pair", rest]
    assert json.loads(said.out) == {"a": 1, "warnings": expected}
    assert said.err.splitlines() == [f"warning: {line}" for line in expected]
