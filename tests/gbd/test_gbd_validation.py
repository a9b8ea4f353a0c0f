"""What others check: mlcroissant, rio-cogeo, ogrinfo, ml-aoi's rules, torchgeo's names."""

import json
import shutil
import subprocess

import numpy as np
import pytest

import toys
from afterscene.gbd import PlanConfig, Rendering, build, draw_plan, find_sources
from afterscene.gbd.dataset import Dataset
from afterscene.gbd.export import EXPORTERS, find_exporter
from afterscene.geodata.scene import read_scene, read_tags


def run(name, folder, out):
    for module in EXPORTERS[name].needs:
        pytest.importorskip(module, reason=f"{module} of the extra geo is not installed")
    out.mkdir()
    return find_exporter(name).write(Dataset(folder), out)


def test_mlcroissant_finds_nothing_wrong_with_the_card_and_reads_its_records(finished, tmp_path):
    mlcroissant = pytest.importorskip("mlcroissant", reason="needs: pip install mlcroissant")
    _, path = run("croissant", finished, tmp_path / "out")
    card = mlcroissant.Dataset(jsonld=str(path))
    assert not card.metadata.ctx.issues.errors, card.metadata.ctx.issues.errors
    records = list(card.records("pairs"))
    assert [r["pairs/id"].decode() for r in records] == [e.id for e in Dataset(finished)]
    assert all(r["pairs/synthetic"] for r in records)


def test_the_card_is_a_geocroissant_where_the_place_is_known(finished, set_maker, tmp_path):
    _, path = run("croissant", finished, tmp_path / "out")
    card = json.loads(path.read_text())
    assert "http://mlcommons.org/croissant/geo/1.0" in card["conformsTo"]
    south, west, north, east = map(float, card["spatialCoverage"]["geo"]["box"].split())
    assert (west, north) == (10, 50)
    assert (east, south) == pytest.approx((10 + 64e-5, 50 - 64e-5), abs=2e-6)
    assert card["temporalCoverage"] == "2018-10-13/2018-10-13"
    step = card["geocr:spatialResolution"]
    assert step["unitText"] == "m" and 0.7 < step["value"] < 1.15
    _, path = run("croissant", set_maker(tmp_path, placed=False, count=1), tmp_path / "plain")
    plain = json.loads(path.read_text())
    assert not [key for key in plain if key.startswith("geocr:")]
    assert plain["conformsTo"] == "http://mlcommons.org/croissant/1.1"


def test_cogs_are_valid_and_keep_pixels_place_mark_and_licence(finished, tmp_path):
    files = run("cog", finished, tmp_path / "out")
    assert len(files) == 2 * len(Dataset(finished))
    for entry in Dataset(finished):
        made = read_scene(tmp_path / "out" / f"{entry.id}_post_disaster.tif")
        assert np.array_equal(made.pixels, read_scene(entry.post).pixels)
        assert np.allclose(made.lnglat(np.array([[0, 0]])), [[10, 50]], atol=1e-9)
        tags = read_tags(tmp_path / "out" / f"{entry.id}_post_disaster.tif")
        assert tags["AFTERSCENE_SYNTHETIC"] == "true" and tags["LICENCE"] == entry.licence
        pre = read_tags(tmp_path / "out" / f"{entry.id}_pre_disaster.tif")
        assert "AFTERSCENE_SYNTHETIC" not in pre and pre["synthetic"] == "false"


def test_rio_cogeo_finds_the_cogs_valid(tmp_path):
    """Of the size of a real tile: below 512 pixels a COG needs no tiles and no overviews."""
    cogeo = pytest.importorskip("rio_cogeo.cogeo", reason="needs: pip install rio-cogeo")
    rng = np.random.default_rng(0)
    from afterscene.geodata.encode import encode_cog
    from afterscene.geodata.scene import Scene

    pixels = rng.integers(0, 255, (3, 1024, 1024)).astype(np.uint8)
    for valid in (np.ones((1024, 1024), bool), rng.random((1024, 1024)) < 0.5):
        content = encode_cog(Scene(pixels=pixels, valid=valid), {"A": "b"})
        (tmp_path / "x.tif").write_bytes(content)
        valid_cog, errors, warnings = cogeo.cog_validate(tmp_path / "x.tif", strict=True)
        assert valid_cog and not errors and not warnings


@pytest.mark.skipif(shutil.which("ogrinfo") is None, reason="ogrinfo (gdal-bin) is not installed")
def test_ogrinfo_opens_the_geopackage(finished, tmp_path):
    (path,) = run("geopackage", finished, tmp_path / "out")
    said = subprocess.run(
        ["ogrinfo", "-so", "-al", str(path)], capture_output=True, text=True, check=True
    )
    assert f"Feature Count: {len(toys.BOXES) * len(Dataset(finished))}" in said.stdout
    assert "Geometry: Multi Polygon" in said.stdout and "Warning" not in said.stderr
    assert 'ID["EPSG",4326]' in said.stdout


def test_stac_items_carry_the_ml_aoi_split(finished, tmp_path):
    """By the rules of its schema v0.1.0: an Item that lists it, split one of three words."""
    run("stac", finished, tmp_path / "out")
    found = [json.loads(p.read_text()) for p in (tmp_path / "out").rglob("*.json")]
    items = [d for d in found if d.get("type") == "Feature"]
    assert len(items) > len(Dataset(finished))
    for item in items:
        assert (
            "https://stac-extensions.github.io/ml-aoi/v0.1.0/schema.json"
            in (item["stac_extensions"])
        )
        assert item["properties"]["ml-aoi:split"] in ("train", "test", "validate")
        assert {"type", "properties", "assets"} <= item.keys()


def test_torchgeos_rule_of_names_finds_every_pair(tmp_path):
    """``torchgeo.datasets.XView2``: ROOT/train/images/*.png without the last two words are the
    names; of each it opens two images and, in targets/, two masks.
    """
    tree = toys.toy_tree(tmp_path / "xbd")
    plan = draw_plan(find_sources(tree), PlanConfig(hazards=("wind",), count=4, seed=1))
    build(plan, tmp_path / "root" / "train", toys.ToyGenerator(), rendering=Rendering())
    folder = tmp_path / "root" / "train"
    names = {"_".join(p.name.split("_")[:-2]) for p in (folder / "images").glob("*.png")}
    assert names == {entry.id for entry in Dataset(folder)}
    for name in names:
        for when, values in (("pre", {0, 1}), ("post", {0, 1, 2, 3, 4})):
            image = read_scene(folder / "images" / f"{name}_{when}_disaster.png")
            mask = read_scene(folder / "targets" / f"{name}_{when}_disaster_target.png")
            assert image.pixels.shape == (3, toys.SIDE, toys.SIDE)
            assert mask.pixels.shape[0] == 1 and set(np.unique(mask.pixels)) <= values
