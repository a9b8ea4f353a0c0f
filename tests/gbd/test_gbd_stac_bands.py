"""A STAC item says which bands are red, green and blue where its file does not."""

import json
import shutil

import numpy as np
import pytest
import rasterio

from afterscene.geodata.scene import read_scene
from pictures import UTM, outlines, scene_of, town
from published import feature

pytest.importorskip("pystac", reason="pystac of the extra geo is not installed")

LEVELS = {"red": 40, "green": 90, "blue": 140, "nir": 190, "swir": 240}
BGRN = ("blue", "green", "red", "nir")


@pytest.fixture
def plan(afterscene, tmp_path):
    """``plan(holds, bands, ...)``: the outcome, and what red, green and blue of the tile are."""

    def run(holds, *, asset=None, item=None, says=None):
        pixels, boxes = town()
        values = np.array([LEVELS[name] for name in holds], np.uint8)
        bands = np.broadcast_to(values[:, None, None], (len(holds), *pixels.shape[1:]))
        size = {"count": len(holds), "height": 256, "width": 256, "dtype": "uint8"}
        place = {"crs": UTM[0], "transform": UTM[1], "photometric": "minisblack"}
        with rasterio.open(tmp_path / "x.tif", "w", "GTiff", **size, **place) as file:
            file.write(bands)
            for number, text in enumerate(says or (), 1):
                file.set_band_description(number, text)
        shapes = outlines(scene_of(pixels), boxes)[:9]
        text = json.dumps({"type": "FeatureCollection", "features": [*map(feature, shapes)]})
        (tmp_path / "f.geojson").write_text(text)
        body = {
            **{"type": "Feature", "stac_version": "1.0.0", "id": "x", "geometry": None},
            "properties": {"datetime": "2018-09-01T10:00:00Z", **(item or {})},
            "assets": {"ms": {"href": "x.tif", "roles": ["data"], **(asset or {})}},
            "links": [],
        }
        (tmp_path / "item.json").write_text(json.dumps(body))
        flags = ("--stac", tmp_path / "item.json", "--footprints", tmp_path / "f.geojson")
        shutil.rmtree(tmp_path / "p.tiles", ignore_errors=True)
        made = afterscene(
            *("gbd", "plan", *flags, "--hazard", "wind", "--count", 1),
            *("--out", tmp_path / "p.jsonl"),
        )
        found = [*(tmp_path / "p.tiles" / "images").glob("*.tif")]
        return made, read_scene(found[0]).rgb()[0, 0].tolist() if found else None

    return run


def named(names, key="common_name"):
    return [{"name": f"B{k}", key: name} for k, name in enumerate(names, 1)]


WAVES = {"blue": 0.49, "green": 0.56, "red": 0.665, "nir": 0.83}
STATED = {
    "eo:bands": {"asset": {"eo:bands": named(BGRN)}},
    "bands of STAC 1.1": {"asset": {"bands": named(BGRN, "eo:common_name")}},
    "of the item": {"item": {"eo:bands": named(BGRN)}},
    "wavelengths": {
        "asset": {"eo:bands": [{"name": n, "center_wavelength": WAVES[n]} for n in BGRN]}
    },
    "names": {"asset": {"eo:bands": [{"name": name.upper()} for name in BGRN]}},
}


@pytest.mark.parametrize("case", STATED)
def test_the_order_is_the_catalogue_s(plan, case):
    made, colours = plan(BGRN, **STATED[case])
    assert made.code == 0, made.stderr
    assert colours == [40, 90, 140]
    assert "does not say the order" not in made.stderr


def test_what_the_file_itself_says_goes_first(plan):
    made, colours = plan(
        BGRN, asset={"eo:bands": named(("red", "green", "blue", "nir"))}, says=BGRN
    )
    assert made.code == 0 and colours == [40, 90, 140]


def test_where_neither_says_it_is_said(plan):
    for listed in ({}, {"eo:bands": named(BGRN[:2])}, {"eo:bands": [1]}, {"eo:bands": [{}] * 4}):
        made, colours = plan(("red", "green", "blue", "nir"), asset=listed)
        assert made.code == 0 and colours == [40, 90, 140]
        assert "does not say the order of its 4 bands" in made.stderr


def test_bands_without_three_colours_are_refused(plan, tmp_path):
    made, _ = plan(("nir", "swir", "red"), asset={"eo:bands": named(("nir", "swir16", "red"))})
    assert made.code == 2 and made.stderr.count("\n") == 1
    assert "its bands are nir, swir16, red, not red, green and blue" in made.stderr
