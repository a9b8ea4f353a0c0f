"""Images of 3 m and 10 m through the commands: said with the figure, or refused."""

import json

import numpy as np
import pytest
import shapely
from affine import Affine

from afterscene.geodata.scene import write_scene
from pictures import outlines, scene_of
from published import feature


@pytest.fixture
def coarse(tmp_path):
    """``coarse(metres)``: a picture of pixels of that size with houses of 15 x 15 m."""

    def make(metres):
        rng = np.random.default_rng(0)
        pixels = rng.integers(60, 200, (3, 128, 128)).astype(np.uint8)
        transform = Affine(metres, 0, 500_000, 0, -metres, 3_340_000)
        scene = scene_of(pixels, transform=transform)
        boxes = [(x, y, x + 15 / metres, y + 15 / metres) for x in (9, 59) for y in (9, 69, 99)]
        folder = tmp_path / f"{metres}"
        (folder / "pre").mkdir(parents=True)
        write_scene(scene, folder / "pre" / "a.tif")
        other = scene.replace(pixels=pixels[:, ::-1].copy())
        write_scene(other, folder / "b.tif")
        text = {"type": "FeatureCollection", "features": list(map(feature, outlines(scene, boxes)))}
        (folder / "f.geojson").write_text(json.dumps(text))
        return folder

    return make


@pytest.fixture
def commands(afterscene, quick_model):
    def run(folder, *more):
        pre, houses = folder / "pre" / "a.tif", folder / "f.geojson"
        wind = ("--hazard", "wind")
        files = ("--pre", pre, "--post", folder / "b.tif", "--model", quick_model)
        pictures = ("--images", pre.parent, "--footprints", houses, "--count", 1)
        return {
            "synthesize": afterscene(
                *("synthesize", pre, "--labels", houses, *wind, "--out", folder / "s"), *more
            ),
            "assess": afterscene(
                *("assess", *files, "--footprints", houses, "-o", folder / "x.gpkg"), *more
            ),
            "plan": afterscene(
                *("gbd", "plan", *pictures, *wind, "--out", folder / "p.jsonl"), *more
            ),
        }

    return run


def test_three_metres_are_said_once_by_every_command(coarse, commands):
    for name, outcome in commands(coarse(3.0), "--json").items():
        assert outcome.code == 0, (name, outcome.stderr)
        assert outcome.stderr.count("its pixels are 3 m wide") == 1, name
        (line,) = outcome.json["warnings"]
        assert "gdalwarp -t_srs EPSG:32616 -tr 0.5 0.5 -r cubic" in line


def test_ten_metres_are_refused_by_every_command(coarse, commands, refused):
    for outcome in commands(coarse(10.0)).values():
        refused(outcome, "a.tif", "6 footprints covers 2.3 pixels of 10 m", "gdalwarp")


def test_half_a_metre_is_used_without_a_word(coarse, commands):
    for name, outcome in commands(coarse(0.5), "--json").items():
        assert outcome.code == 0, (name, outcome.stderr)
        assert "warnings" not in outcome.json, name


def test_a_plan_s_tiles_are_built_without_a_word(coarse, commands, afterscene):
    folder = coarse(3.0)
    commands(folder)
    made = afterscene("gbd", "build", "--plan", folder / "p.jsonl", "--out", folder / "gbd")
    assert made.code == 0 and "warning" not in made.stderr


def test_metadata_s_gsd_is_not_asked(coarse, afterscene):
    folder = coarse(0.5)
    boxes = [shapely.box(9, 9, 39, 39), shapely.box(60, 60, 90, 90)]
    entries = [{"properties": {"uid": f"b{k}"}, "wkt": b.wkt} for k, b in enumerate(boxes)]
    metadata = {"width": 128, "height": 128, "gsd": 2.8}
    text = {"features": {"xy": entries, "lng_lat": []}, "metadata": metadata}
    (folder / "a.json").write_text(json.dumps(text))
    files = (folder / "pre" / "a.tif", "--labels", folder / "a.json", "--out", folder / "s")
    made = afterscene("synthesize", *files, "--hazard", "wind")
    assert made.code == 0 and "warning" not in made.stderr
