"""Footprints as users bring them, through the commands: what is used, what is left out, what said.

Every command counts by the same record: ``left_out`` in ``--json``, a line a reason on stderr.
"""

import json
import shutil

import numpy as np
import pytest
import shapely
from affine import Affine
from PIL import Image

import toys
from afterscene.geodata.geopackage import write_geopackage
from afterscene.geodata.leftout import BROKEN, NO_POLYGON, OUTSIDE, RENAMED, TWICE, UNPLACED
from afterscene.geodata.scene import write_scene
from afterscene.geodata.xbd import read_label
from pictures import outlines, scene_of, town
from published import feature

LOCAL = 'LOCAL_CS["site",UNIT["metre",1]]'


@pytest.fixture
def place(tmp_path):
    """A folder ``pre`` with a.tif, and its houses in degrees and in pixels."""
    pixels, boxes = town()
    scene = scene_of(pixels)
    (tmp_path / "pre").mkdir()
    write_scene(scene, tmp_path / "pre" / "a.tif")
    return tmp_path, outlines(scene, boxes)[:30], boxes[:30]


def collection(path, shapes, **members):
    features = [s if isinstance(s, dict) else feature(s) for s in shapes]
    path.write_text(json.dumps({"type": "FeatureCollection", **members, "features": features}))
    return path


def xbd_label(path, boxes=(), degrees=(), side=256):
    def entries(shapes):
        return [{"properties": {"uid": f"b{k}"}, "wkt": s.wkt} for k, s in enumerate(shapes)]

    features = {"xy": entries([shapely.box(*b) for b in boxes]), "lng_lat": entries(degrees)}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"features": features, "metadata": {"width": side, "height": side}}))
    return path


@pytest.fixture
def assess(afterscene, quick_model, tmp_path):
    def run(footprints, *more, image=None):
        image = image or tmp_path / "pre" / "a.tif"
        out = tmp_path / "made" / "x.gpkg"
        shutil.rmtree(out.parent, ignore_errors=True)
        flags = ("--pre", image, "--post", image, "--model", quick_model, "-o", out)
        return afterscene("assess", *flags, "--footprints", footprints, *more)

    return run


@pytest.fixture
def plan(afterscene, tmp_path):
    def run(*footprints, images=None, more=()):
        shutil.rmtree(tmp_path / "p.tiles", ignore_errors=True)
        flags = [x for f in footprints for x in ("--footprints", f)]
        flags += ["--images", images or tmp_path / "pre", "--hazard", "wind", "--count", 1]
        return afterscene("gbd", "plan", *flags, "--out", tmp_path / "p.jsonl", *more)

    return run


@pytest.fixture
def both(assess, plan):
    """Both commands that take footprints, with --json: [(name, outcome)]."""

    def run(*footprints):
        found = [("plan", plan(*footprints, more=("--json",)))]
        return found + [("assess", assess(f, "--json")) for f in footprints[:1]]

    return run


def labelled(tmp_path):
    (path,) = (tmp_path / "p.tiles" / "labels").iterdir()
    return read_label(path).buildings


ODD = [
    {"type": "Feature", "properties": {}, "geometry": None},
    {"type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": [1, 2]}},
    {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": []}},
    {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": "x"}},
    {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": [[1]]}},
    7,
]


def test_every_drop_is_counted_with_its_reason_by_both_commands(place, both, plan, tmp_path):
    _, degrees, _ = place
    far, huge = shapely.box(1, 2, 1.1, 2.1), shapely.box(0, 0, 1e308, 1e308)
    file = tmp_path / "f.geojson"
    whole = [*degrees, *degrees[:5], far, huge]
    features = [feature(s) for s in whole]
    file.write_text(json.dumps({"type": "FeatureCollection", "features": [*features, *ODD]}))
    expected = {BROKEN: 4, NO_POLYGON: 2, OUTSIDE: 1, TWICE: 5, UNPLACED: 1}
    for name, outcome in both(file):
        assert outcome.code == 0, outcome.stderr
        assert outcome.json["left_out"] == expected, name
        for reason, count in expected.items():
            assert f"{count} x {reason}\n" in outcome.stderr
    assert len(labelled(tmp_path)) == 30
    quiet = plan(collection(tmp_path / "g.geojson", degrees), more=("--json",))
    assert quiet.json["left_out"] == {} and " x footprint that" not in quiet.stderr


def test_the_same_house_in_one_file_or_in_two_is_one(place, both, tmp_path):
    _, degrees, _ = place
    one = collection(tmp_path / "one.geojson", degrees)
    turned = [shapely.Polygon([*s.exterior.coords[2:], *s.exterior.coords[1:3]]) for s in degrees]
    two = write_geopackage(tmp_path / "two.gpkg", "x", turned, {}, crs="EPSG:4326")
    for _, outcome in both(one, two)[:1]:
        assert outcome.code == 0, outcome.stderr
        assert outcome.json["left_out"] == {TWICE: 30}
    assert len(labelled(tmp_path)) == 30


def test_a_house_that_is_given_twice_is_assessed_once(place, assess, tmp_path):
    _, degrees, _ = place
    outcome = assess(collection(tmp_path / "f.geojson", degrees * 2), "--json")
    assert outcome.json["buildings"] == sum(outcome.json["levels"].values()) == 30
    assert "not-assessed" not in outcome.json["levels"]


def test_names_that_stand_twice_are_numbered(place, both, tmp_path):
    _, degrees, _ = place
    file = collection(tmp_path / "f.geojson", [feature(s, uid="house") for s in degrees])
    for _, outcome in both(file):
        assert outcome.code == 0, outcome.stderr
        assert outcome.json["left_out"] == {RENAMED: 29}
    uids = {b.uid for b in labelled(tmp_path)}
    assert uids == {"house", *(f"house~{k}" for k in range(2, 31))}


@pytest.mark.parametrize("own", [False, True], ids=["one file", "a file a picture"])
@pytest.mark.parametrize("skip", [False, True])
def test_what_no_picture_can_hold_is_refused_with_a_guess(
    place, plan, tmp_path, own, skip, refused
):
    _, degrees, _ = place
    (tmp_path / "fp").mkdir()
    more = ("--on-error", "skip") if skip else ()
    for shapes, words in (
        ([shapely.transform(s, lambda xy: xy[:, ::-1]) for s in degrees], "swapped"),
        ([shapely.box(5e5, 3e6, 5e5 + 9, 3e6 + 9)], "not degrees"),
    ):
        file = collection(tmp_path / "fp" / "a.geojson", shapes)
        refused(plan(file.parent if own else file, more=more), "a.geojson", words)
    house = collection(tmp_path / "fp" / "a.geojson", [*degrees, shapely.box(1e7, 1e7, 2e7, 2e7)])
    outcome = plan(house.parent if own else house, more=(*more, "--json"))
    assert outcome.code == 0 and outcome.json["left_out"] == {UNPLACED: 1}


def test_a_picture_with_a_bad_file_of_its_own_is_skipped_and_the_others_stay(
    place, plan, tmp_path, refused
):
    folder, degrees, _ = place
    shutil.copy(folder / "pre" / "a.tif", folder / "pre" / "b.tif")
    (tmp_path / "fp").mkdir()
    collection(tmp_path / "fp" / "a.geojson", degrees)
    collection(tmp_path / "fp" / "b.geojson", [shapely.box(1e7, 1e7, 2e7, 2e7)])
    refused(plan(tmp_path / "fp"), "b.geojson")
    outcome = plan(tmp_path / "fp", more=("--on-error", "skip", "--json"))
    assert outcome.code == 0
    (skipped,) = outcome.json["imagery"]["skipped"]
    assert skipped["picture"] == "b.tif" and "b.geojson" in skipped["reason"]


def test_an_xbd_label_is_not_for_many_pictures(place, plan, tmp_path, refused):
    _, _, boxes = place
    label = xbd_label(tmp_path / "a.json", boxes)
    refused(plan(label), "is an xBD label", "folder")
    (tmp_path / "fp").mkdir()
    shutil.copy(label, tmp_path / "fp" / "a.json")
    assert plan(tmp_path / "fp").code == 0 and len(labelled(tmp_path)) == 30


def test_footprints_that_lie_on_another_picture_are_not_left_out(place, plan, tmp_path):
    """Two pictures side by side: what is outside of one of them is on the other."""
    _, degrees, _ = place
    pixels, boxes = town(seed=1)
    beside = scene_of(pixels, transform=Affine(0.5, 0, 500_128, 0, -0.5, 3_340_000))
    write_scene(beside, tmp_path / "pre" / "b.tif")
    far = shapely.box(1, 2, 1.1, 2.1)
    file = collection(tmp_path / "f.geojson", [*degrees, *outlines(beside, boxes), far])
    outcome = plan(file, more=("--json",))
    assert outcome.code == 0, outcome.stderr
    assert outcome.json["left_out"] == {OUTSIDE: 1} and outcome.json["imagery"]["tiles"] == 2


def test_a_local_system_is_said_where_a_place_is_needed_and_no_matter_where_not(
    place, assess, plan, afterscene, tmp_path, refused
):
    _, degrees, boxes = place
    (tmp_path / "local").mkdir()
    image = tmp_path / "local" / "a.tif"
    write_scene(scene_of(town()[0], LOCAL), image)
    file = collection(tmp_path / "f.geojson", degrees)
    refused(assess(file, image=image), "a.tif", "'site', is a local one", "gdal_edit.py")
    refused(plan(file, images=image.parent), "a.tif", "'site', is a local one")
    refused(plan(file, images=image.parent, more=("--on-error", "skip")), "is a local one")
    label = xbd_label(tmp_path / "labels" / "a.json", boxes)
    assert assess(label, image=image).code == 0
    assert plan(label.parent, images=image.parent).code == 0
    out = tmp_path / "out"
    made = afterscene("synthesize", image, "--labels", label, "--hazard", "wind", "--out", out)
    assert made.code == 0, made.stderr
    import rasterio

    with rasterio.open(out / "a_post_disaster.tif") as source:
        assert source.crs.to_wkt().startswith("LOCAL_CS") and source.transform[0] == 0.5


@pytest.fixture
def synthesize(afterscene, tmp_path):
    def run(image, labels, *more):
        shutil.rmtree(tmp_path / "out", ignore_errors=True)
        flags = ("--labels", labels, "--hazard", "wind", "--out", tmp_path / "out")
        return afterscene("synthesize", image, *flags, *more)

    return run


def test_synthesize_takes_any_footprints_where_the_image_has_a_place(place, synthesize, tmp_path):
    _, degrees, boxes = place
    image, away = tmp_path / "pre" / "a.tif", shapely.box(1, 2, 1.1, 2.1)
    files = [
        collection(tmp_path / "a.geojson", [*degrees, away]),
        collection(tmp_path / "a.json", [*degrees, away]),
        write_geopackage(tmp_path / "a.gpkg", "x", [*degrees, away], {}, crs="EPSG:4326"),
    ]
    (tmp_path / "folder").mkdir()
    shutil.copy(files[2], tmp_path / "folder" / "a.gpkg")
    for labels in (*files, tmp_path / "folder", f"{files[2]}:x"):
        outcome = synthesize(image, labels, "--json")
        assert outcome.code == 0, outcome.stderr
        assert outcome.json["left_out"] == {OUTSIDE: 1}
        label = read_label(tmp_path / "out" / "a_post_disaster.json")
        found = sorted(tuple(round(v) for v in b.polygon.bounds) for b in label.buildings)
        assert found == sorted(boxes)
        assert all(b.lnglat is not None for b in label.buildings)


def test_synthesize_says_what_a_geojson_needs_where_the_image_has_no_place(
    place, synthesize, tmp_path, refused
):
    _, degrees, _ = place
    Image.fromarray(town()[0].transpose(1, 2, 0)).save(tmp_path / "a.png")
    file = collection(tmp_path / "a.geojson", degrees)
    refused(synthesize(tmp_path / "a.png", file), "has coordinates on the Earth", "a.png")
    (tmp_path / "a.pgw").write_text("0.5\n0\n0\n-0.5\n500000\n3340000\n")
    refused(synthesize(tmp_path / "a.png", file), "a.pgw", "gdal_translate -a_srs EPSG:CODE")


def test_buildings_in_degrees_alone_get_their_pixels_from_the_image(
    place, synthesize, assess, plan, tmp_path, refused
):
    _, degrees, boxes = place
    label = xbd_label(tmp_path / "fp" / "a.json", degrees=degrees)
    outcome = synthesize(tmp_path / "pre" / "a.tif", label, "--json")
    assert outcome.code == 0, outcome.stderr
    found = read_label(tmp_path / "out" / "a_post_disaster.json").buildings
    assert sorted(tuple(round(v) for v in b.polygon.bounds) for b in found) == sorted(boxes)
    assert assess(label, "--json").json["buildings"] == 30
    assert plan(label.parent).code == 0 and len(labelled(tmp_path)) == 30
    Image.fromarray(town()[0].transpose(1, 2, 0)).save(tmp_path / "a.png")
    refused(synthesize(tmp_path / "a.png", label), "all of its 30 buildings stand in lng_lat alone")
    without = json.loads(label.read_text())
    del without["features"]["xy"]
    label.write_text(json.dumps(without))
    refused(synthesize(tmp_path / "a.png", label), "all of its 30 buildings stand in lng_lat alone")
    assert synthesize(tmp_path / "pre" / "a.tif", label).code == 0


def test_some_in_degrees_alone_are_placed_by_the_others_or_counted(place, synthesize, tmp_path):
    _, degrees, boxes = place
    Image.fromarray(town()[0].transpose(1, 2, 0)).save(tmp_path / "a.png")
    label = xbd_label(tmp_path / "a.json", boxes[:20], degrees)
    assert synthesize(tmp_path / "a.png", label, "--json").json["left_out"] == {}
    found = read_label(tmp_path / "out" / "a_post_disaster.json").buildings
    assert np.abs(np.subtract([b.polygon.bounds for b in found], boxes)).max() < 0.1
    one = xbd_label(tmp_path / "a.json", boxes[:1], degrees)
    content = json.loads(one.read_text())
    content["features"]["lng_lat"][0]["wkt"] = "POLYGON EMPTY"
    one.write_text(json.dumps(content))
    outcome = synthesize(tmp_path / "a.png", one, "--json")
    assert outcome.json["left_out"] == {"building of a label: lng_lat without xy": 29}
    assert "29 x building of a label: lng_lat without xy" in outcome.stderr


def test_a_tile_without_a_label_or_building_is_counted_by_build_and_plan(afterscene, tmp_path):
    tree = toys.toy_tree(tmp_path / "xbd")
    toys.write_pre(tree, "toy-town_00000003", wkts=())
    (tree / "labels" / "toy-town_00000002_pre_disaster.json").unlink()
    expected = {"pre image without a label": 1, "pre image whose label has no building": 1}
    flags = ("--xbd", tree, "--hazard", "wind", "--count", 2)
    for command in (("build", "--out", tmp_path / "b"), ("plan", "--out", tmp_path / "p.jsonl")):
        outcome = afterscene("gbd", command[0], *flags, *command[1:], "--json")
        assert outcome.code == 0, outcome.stderr
        assert outcome.json["left_out"] == expected
        assert "1 x pre image without a label" in outcome.stderr


def test_regions_counts_what_it_does_not_count(afterscene, tmp_path):
    places = collection(tmp_path / "p.geojson", [feature(shapely.Point(139.7, 35.7), name="x")])
    file = tmp_path / "f.geojson"
    good = feature(shapely.box(139.7, 35.7, 139.7002, 35.7001))
    file.write_text(json.dumps({"type": "FeatureCollection", "features": [good, *ODD[:2]]}))
    flags = ("--hazard", "earthquake", "--count", 1, "--places", places, "--footprints", file)
    outcome = afterscene("regions", *flags, "--out", tmp_path / "out", "--json")
    assert outcome.code == 0, outcome.stderr
    assert outcome.json["left_out"] == {BROKEN: 1, NO_POLYGON: 1}


def test_an_empty_file_is_said_to_be_empty(place, assess, plan, tmp_path, refused):
    file = collection(tmp_path / "f.geojson", [])
    refused(assess(file), "contains no footprints")
    refused(plan(file), "no footprint stands in it")
