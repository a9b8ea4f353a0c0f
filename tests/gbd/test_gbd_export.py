"""Every format says that it is synthetic, carries the licence, and reads back as it was written."""

import importlib.util
import io
import json
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from shapely.geometry import Polygon, box, shape

import toys
from afterscene.errors import BadLabel, MissingExtra, UnknownName
from afterscene.gbd.dataset import Dataset
from afterscene.gbd.export import EXPORTERS, coco, find_exporter, webdataset
from afterscene.geodata.damage import Building, DamageLevel, instances
from afterscene.geodata.mapped import iterate_footprints

LICENCE = "CC-BY-NC-SA-4.0 AND LicenseRef-unknown"


def run(name: str, folder: Path, out: Path) -> list[Path]:
    for module in EXPORTERS[name].needs:
        pytest.importorskip(module, reason=f"{module} of the extra geo is not installed")
    out.mkdir()
    return find_exporter(name).write(Dataset(folder), out)


def levels_of(folder: Path) -> list[str]:
    return [b.level.word for e in Dataset(folder) for b in e.label.buildings]


@pytest.mark.parametrize("name", EXPORTERS)
def test_the_same_set_gives_the_same_bytes_and_no_path_of_this_machine(name, finished, tmp_path):
    first, second = (run(name, finished, tmp_path / sub) for sub in ("a", "b"))
    assert first and all(path.is_file() for path in first)
    assert [p.name for p in first] == [p.name for p in second]
    assert toys.files_of(tmp_path / "a") == toys.files_of(tmp_path / "b")
    for content in toys.files_of(tmp_path / "a").values():
        assert str(finished).encode() not in content and str(tmp_path).encode() not in content


@pytest.mark.parametrize("name", EXPORTERS)
def test_every_format_bears_mark_and_licence(name, finished, tmp_path):
    run(name, finished, tmp_path / "out")
    content = b"".join(toys.files_of(tmp_path / "out").values())
    assert b"synthetic" in content and b"CC-BY-NC-SA-4.0" in content.replace(
        b"by-nc-sa/4.0", b"CC-BY-NC-SA-4.0"
    )


def test_an_unknown_format_is_refused_with_the_known_ones():
    with pytest.raises(UnknownName, match="geojson"):
        find_exporter("shapefile")


def test_a_missing_extra_names_what_to_install(finished, tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    for name, kind in EXPORTERS.items():
        if kind.needs:
            with pytest.raises(MissingExtra, match=r"afterscene\[geo\]"):
                find_exporter(name)
    assert not list(tmp_path.iterdir())


def test_webdataset_members_are_grouped_by_key_and_bear_no_owner(finished, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    shards = webdataset.export_webdataset(Dataset(finished), out, per_shard=2)
    assert [path.name for path in shards] == ["gbd-000000.tar", "gbd-000001.tar"]
    keys = []
    for path in shards:
        with tarfile.open(path) as tar:
            for member in tar:
                assert (member.mtime, member.uid, member.gid, member.uname) == (0, 0, 0, "")
                keys.append(member.name.split(".")[0])
    ids = [row["id"] for row in Dataset(finished).rows]
    assert keys == [key for key in ids for _ in range(6)]


def test_a_webdataset_sample_holds_the_files_of_the_pair(finished, tmp_path):
    (shard,) = run("webdataset", finished, tmp_path / "out")
    entry = next(iter(Dataset(finished)))
    with tarfile.open(shard) as tar:
        read = {m.name.split(".", 1)[1]: tar.extractfile(m).read() for m in list(tar)[:6]}
    assert read["post.png"] == entry.post.read_bytes()
    assert read["pre.png"] == entry.pre.read_bytes()
    assert Image.open(io.BytesIO(read["post.png"])).info["AFTERSCENE_SYNTHETIC"] == "true"
    row = json.loads(read["json"])
    assert (row["synthetic"], row["licence"], row["id"]) == (True, LICENCE, entry.id)
    assert read["txt"].decode() == row["captions"][0]


def test_dots_of_an_id_do_not_split_a_webdataset_key(finished):
    entry = next(iter(Dataset(finished)))
    object.__setattr__(entry, "row", {**entry.row, "id": "st.louis%_1"})
    assert {name.split(".")[0] for name, _ in webdataset.members(entry)} == {"st%2Elouis%25_1"}


def test_coco_has_each_building_with_its_level(finished, tmp_path):
    (path,) = run("coco", finished, tmp_path / "out")
    found = json.loads(path.read_text())
    words = {c["id"]: c["name"] for c in found["categories"]}
    assert words == {1: "no-damage", 2: "minor-damage", 3: "major-damage", 4: "destroyed"}
    assert [words[a["category_id"]] for a in found["annotations"]] == levels_of(finished)
    first = found["annotations"][0]
    left, top, right, bottom = toys.BOXES[0]
    assert first["bbox"] == [left, top, right - left, bottom - top]
    assert first["area"] == (right - left) * (bottom - top)
    ring = np.reshape(first["segmentation"][0], (-1, 2))
    assert Polygon(ring).equals(box(left, top, right, bottom))
    for image in found["images"]:
        assert image["synthetic"] is True and image["licence"] == LICENCE
        assert (finished / image["file_name"]).is_file()
    assert found["info"]["unclassified_left_out"] == 0


@pytest.mark.parametrize(
    ("outline", "bounds"),
    [
        (box(-5, 10, 8, 20), (0, 10, 8, 20)),
        (box(60, 60, 90, 90), (60, 60, 64, 64)),
        (box(-9, -9, 99, 99).difference(box(5, 5, 9, 9)), (0, 0, 64, 64)),
        (box(-9, 0, 70, 9).union(box(-9, 20, 70, 29)), (0, 0, 64, 29)),
        (Polygon([(-9, 0), (9, 18), (9, 0), (-9, 18)]), (0, 0, 9, 18)),
        (box(64, 0, 70, 9), None),
        (box(-9, 0, -1, 9), None),
    ],
)
def test_coco_ends_at_the_edge_of_the_picture(outline, bounds):
    building = Building(polygon=outline, level=DamageLevel.MINOR, uid="a")
    inside = coco.within(building, (64, 64))
    assert (inside and inside.polygon.bounds) == bounds
    if inside:
        found = coco.segmentation(inside, (64, 64))
        rings = [] if isinstance(found, dict) else found
        assert all(0 <= v <= 64 for ring in rings for v in ring)


def test_coco_counts_what_lies_outside(own, tmp_path):
    label = next((own / "labels").glob("*_post_*"))
    content = json.loads(label.read_text())
    content["features"]["xy"][0]["wkt"] = "POLYGON ((64 0, 70 0, 70 9, 64 0))"
    content["features"]["xy"][1]["wkt"] = "POLYGON ((50 0, 70 0, 70 9, 50 9, 50 0))"
    label.write_text(json.dumps(content))
    (path,) = run("coco", own, tmp_path / "out")
    found = json.loads(path.read_text())
    assert found["info"]["outside_left_out"] == 1
    boxes = [a["bbox"] for a in found["annotations"]]
    assert [50, 0, 14, 9] in boxes and all(x + w <= 64 and y + h <= 64 for x, y, w, h in boxes)


def test_coco_writes_a_building_with_a_court_as_runs():
    court = box(2, 2, 12, 12).difference(box(5, 5, 9, 9))
    building = Building(polygon=court, level=DamageLevel.MINOR, uid="a")
    found = coco.segmentation(building, (16, 20))
    flat = np.repeat(np.arange(len(found["counts"])) % 2, found["counts"])
    mask = flat.reshape(found["size"], order="F")
    assert np.array_equal(mask, instances([building], (16, 20)))
    assert mask[7, 7] == 0 and mask[3, 3] == 1


def test_runs_start_with_background():
    assert coco.run_lengths(np.ones((2, 2), bool)) == {"counts": [0, 4], "size": [2, 2]}


def test_coco_leaves_out_and_counts_what_was_not_classified(own, tmp_path):
    label = next((own / "labels").glob("*_post_*"))
    content = json.loads(label.read_text())
    content["features"]["xy"][0]["properties"]["subtype"] = "un-classified"
    label.write_text(json.dumps(content))
    (path,) = run("coco", own, tmp_path / "out")
    found = json.loads(path.read_text())
    assert found["info"]["unclassified_left_out"] == 1
    assert len(found["annotations"]) == 3 * len(toys.BOXES) - 1


def test_geojson_places_each_building_in_degrees(finished, tmp_path):
    (path,) = run("geojson", finished, tmp_path / "out")
    found = json.loads(path.read_text())
    assert (found["type"], found["synthetic"]) == ("FeatureCollection", True)
    assert [f["properties"]["level"] for f in found["features"]] == levels_of(finished)
    for feature in found["features"]:
        outline = shape(feature["geometry"])
        assert outline.exterior.is_ccw, "RFC 7946"
        assert box(10, 49.99, 10.01, 50).contains(outline)
        assert feature["properties"]["synthetic"] is True
        assert feature["properties"]["licence"] == LICENCE
        assert feature["properties"]["pair"].startswith("toy-town-wildfire_")


@pytest.mark.parametrize("name", ["geojson", "geopackage", "geoparquet"])
def test_a_set_without_any_place_has_no_geographic_form(name, set_maker, tmp_path):
    folder = set_maker(tmp_path, placed=False, count=1)
    with pytest.raises(BadLabel, match="lng_lat"):
        run(name, folder, tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize("name", ["geopackage", "geoparquet"])
def test_tables_of_buildings_read_back_as_the_geojson(name, finished, tmp_path):
    geopandas = pytest.importorskip("geopandas", reason="geopandas of the extra geo is missing")
    (path,) = run(name, finished, tmp_path / "out")
    (plain,) = run("geojson", finished, tmp_path / "plain")
    frame = geopandas.read_file(path) if name == "geopackage" else geopandas.read_parquet(path)
    features = json.loads(plain.read_text())["features"]
    assert frame.crs.to_epsg() == 4326
    assert frame["level"].tolist() == [f["properties"]["level"] for f in features]
    assert frame["synthetic"].astype(bool).all() and set(frame["licence"]) == {LICENCE}
    for outline, feature in zip(frame.geometry, features, strict=True):
        assert outline.equals_exact(shape(feature["geometry"]), 1e-12) or outline.equals(
            shape(feature["geometry"])
        )


def test_the_geopackage_reads_back_with_mark_and_licence_in_row_and_layer(finished, tmp_path):
    (path,) = run("geopackage", finished, tmp_path / "out")
    (plain,) = run("geojson", finished, tmp_path / "plain")
    features = json.loads(plain.read_text())["features"]
    for found, feature in zip(iterate_footprints(path), features, strict=True):
        assert found.outline.equals(shape(feature["geometry"]))
    with closing(sqlite3.connect(path)) as base:
        rows = base.execute("SELECT level, synthetic, licence FROM buildings ORDER BY fid")
        assert rows.fetchall() == [(level, 1, LICENCE) for level in levels_of(finished)]
        ((told,),) = base.execute("SELECT description FROM gpkg_contents")
    assert told.startswith(f"synthetic: true; licence: {LICENCE};")


def test_the_parquet_manifest_has_a_typed_row_for_each_pair(finished, tmp_path):
    (path,) = run("manifest", finished, tmp_path / "out")
    from pyarrow import parquet

    rows = parquet.read_table(path).to_pylist()
    for row, entry in zip(rows, Dataset(finished), strict=True):
        assert (row["id"], row["synthetic"], row["licence"]) == (entry.id, True, LICENCE)
        assert row["destroyed"] == entry.row["levels"].get("destroyed", 0)
        assert json.loads(row["parameters"]) == entry.row["parameters"]
        assert tuple(row["captions"]) == entry.captions


def test_the_stac_catalogue_links_each_pair_to_its_source(finished, tmp_path):
    run("stac", finished, tmp_path / "out")
    import pystac
    from pystac.extensions.label import LabelExtension

    catalog = pystac.Catalog.from_file(str(tmp_path / "out" / "catalog.json"))
    items = {item.id: item for item in catalog.get_items(recursive=True)}
    for entry in Dataset(finished):
        item = items[entry.id]
        assert item.properties["synthetic"] is True and item.properties["licence"] == LICENCE
        (derived,) = item.get_links("derived_from")
        assert derived.resolve_stac_object().target.id == f"{entry.row['source']}_pre"
        assert not items[f"{entry.row['source']}_pre"].properties["synthetic"]
        label = LabelExtension.ext(item)
        assert [s.id for s in label.get_sources()] == [f"{entry.row['source']}_pre"]
        assert label.label_classes[0].classes[:2] == ["no-damage", "minor-damage"]
        image = Path(item.assets["image"].get_absolute_href())
        assert image.resolve() == entry.post.resolve()
        frame = box(10, 50 - 64e-5, 10 + 64e-5, 50)
        assert shape(item.geometry).symmetric_difference(frame).area < 1e-9 * frame.area + 1e-16
        assert item.datetime.isoformat() == "2018-10-13T12:00:00+00:00"


def test_every_stac_object_keeps_the_core_schema(finished, tmp_path):
    pytest.importorskip("jsonschema", reason="jsonschema of the extra geo is not installed")
    run("stac", finished, tmp_path / "out")
    import pystac
    from pystac.validation import RegisteredValidator

    catalog = pystac.Catalog.from_file(str(tmp_path / "out" / "catalog.json"))
    collections = list(catalog.get_children())
    items = list(catalog.get_items(recursive=True))
    assert len(collections) == 1 and len(items) >= 4
    validator = RegisteredValidator.get_validator()
    for thing in (catalog, *collections, *items):
        validator.validate_core(thing.to_dict(), thing.STAC_OBJECT_TYPE, "1.1.0", None)


def test_a_pair_without_place_or_date_still_keeps_the_schema(set_maker, tmp_path):
    pytest.importorskip("jsonschema", reason="jsonschema of the extra geo is not installed")
    run("stac", set_maker(tmp_path, placed=False, count=1), tmp_path / "out")
    import pystac
    from pystac.validation import RegisteredValidator

    catalog = pystac.Catalog.from_file(str(tmp_path / "out" / "catalog.json"))
    for item in catalog.get_items(recursive=True):
        assert item.geometry is None and item.datetime is None
        validator = RegisteredValidator.get_validator()
        validator.validate_core(item.to_dict(), item.STAC_OBJECT_TYPE, "1.1.0", None)


def test_the_croissant_card_describes_its_records(finished, tmp_path):
    items, path = run("croissant", finished, tmp_path / "out")
    card = json.loads(path.read_text())
    assert "http://mlcommons.org/croissant/1.1" in card["conformsTo"]
    (file,) = card["distribution"]
    from afterscene.files import sha256_file

    assert file["sha256"] == sha256_file(items)
    records = [json.loads(line) for line in items.read_text().splitlines()]
    fields = {field["name"] for field in card["recordSet"][0]["field"]}
    for record, entry in zip(records, Dataset(finished), strict=True):
        assert record.keys() == fields
        assert (record["synthetic"], record["licence"]) == (True, LICENCE)
        assert (finished / record["post"]) == entry.post
    assert "https://creativecommons.org/licenses/by-nc-sa/4.0/" in card["license"]
    assert "synthetic" in card["keywords"]
