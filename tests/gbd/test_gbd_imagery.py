"""Pictures of one's own become tiles: right place, right footprints, nothing from elsewhere."""

import json
import os
from datetime import UTC, datetime

import numpy as np
import pytest
import shapely
from affine import Affine
from PIL import Image

from afterscene.errors import AftersceneError, BadImage, BadParameter, BadRegions, MissingFile
from afterscene.gbd.imagery import cut_tiles, pictures_in, pictures_of_catalogue
from afterscene.geodata import overview
from afterscene.geodata.scene import read_scene, write_scene
from afterscene.geodata.tiles import Window
from afterscene.geodata.xbd import fit_lnglat, read_label
from pictures import outlines, picture, scene_of, town
from published import MAKERS

SIDE = 128


def corners(label):
    return sorted(tuple(round(v) for v in b.polygon.bounds) for b in label.buildings)


@pytest.mark.parametrize("maker", MAKERS)
def test_every_footprint_format_gives_the_same_tiles(tmp_path, maker):
    file, scene, boxes = picture(tmp_path, maker=maker)
    made = cut_tiles(pictures_in(tmp_path / "pre"), [file], tmp_path / "tiles", side=SIDE)
    assert made.tiles == [f"pre_{k:08d}" for k in (1, 2, 3, 4)]
    for k, (row, col) in enumerate(((0, 0), (0, SIDE), (SIDE, 0), (SIDE, SIDE)), 1):
        stem = f"pre_{k:08d}_pre_disaster"
        tile = read_scene(tmp_path / "tiles" / "images" / f"{stem}.tif")
        whole = scene.crop(Window(row, col, SIDE, SIDE))
        assert np.array_equal(tile.pixels, whole.pixels) and tile.transform == whole.transform
        label = read_label(tmp_path / "tiles" / "labels" / f"{stem}.json")
        wanted = [b for b in boxes if col - 18 < b[0] < col + SIDE and row - 14 < b[1] < row + SIDE]
        inside = [(a - col, b - row, c - col, d - row) for a, b, c, d in wanted]
        assert corners(label) == sorted(inside)
        assert fit_lnglat(label.buildings).residual < 0.05


@pytest.mark.parametrize("shift", [(0, 0), (7, -5), (-11, 3)])
def test_a_shift_is_measured_and_mended_and_stands_in_label_and_manifest(tmp_path, shift):
    file, _, _ = picture(tmp_path, x=shift[0], y=shift[1])
    made = cut_tiles(pictures_in(tmp_path / "pre"), [file], tmp_path / "tiles")
    label = read_label(tmp_path / "tiles" / "labels" / "pre_00000001_pre_disaster.json")
    found = label.metadata["footprint_shift"]
    assert (found["x"], found["y"]) == (-shift[0], -shift[1]) and found["score"] > 5
    assert dict(made.shifts) == {"corrected" if any(shift) else "aligned": 1}
    assert corners(label) == sorted(town()[1])


def test_where_the_picture_does_not_tell_the_tile_is_flagged_and_left(tmp_path):
    file, scene, boxes = picture(tmp_path)
    flat = scene.replace(pixels=np.full_like(scene.pixels, 90))
    write_scene(flat, tmp_path / "pre" / "harbour.tif")
    made = cut_tiles(pictures_in(tmp_path / "pre"), [file], tmp_path / "tiles")
    assert dict(made.shifts) == {"unsure": 1}
    label = read_label(tmp_path / "tiles" / "labels" / "pre_00000001_pre_disaster.json")
    assert label.metadata["footprint_shift"]["status"] == "unsure"
    assert corners(label) == sorted(boxes)


TURNED = Affine.translation(500_000, 3_340_000) @ Affine.rotation(30) @ Affine.scale(0.5, -0.5)


@pytest.mark.parametrize(
    ("crs", "transform"),
    [
        ("EPSG:32616", TURNED),
        ("EPSG:32616", Affine(0.5, 0, 500_000, 0, 0.5, 3_340_000)),
        ("EPSG:4326", Affine(5e-6, 0, 179.9995, 0, -5e-6, -16.5)),
        ("EPSG:32760", Affine(0.5, 0, 819_800, 0, -0.5, 8_174_000)),
        ("EPSG:3857", Affine(0.5, 0, -9_530_000, 0, -0.5, 3_520_000)),
    ],
    ids=["turned", "south-up", "antimeridian", "zone-edge", "mercator"],
)
def test_footprints_land_on_their_roofs_wherever_the_picture_lies(tmp_path, crs, transform):
    pixels, boxes = town()
    scene = scene_of(pixels, crs, transform)
    (tmp_path / "pre").mkdir()
    write_scene(scene, tmp_path / "pre" / "a.tif")
    turned = [
        shapely.transform(o, lambda xy: np.stack([(xy[:, 0] + 180) % 360 - 180, xy[:, 1]], 1))
        for o in outlines(scene, boxes)
    ]
    file = MAKERS["google.csv.gz"](tmp_path / "g.csv.gz", turned)
    cut_tiles(pictures_in(tmp_path / "pre"), [file], tmp_path / "tiles")
    label = read_label(tmp_path / "tiles" / "labels" / "pre_00000001_pre_disaster.json")
    assert len(label.buildings) == len(boxes)
    assert corners(label) == sorted(boxes)


def test_sixteen_bits_are_stretched_alike_in_all_tiles_and_the_limits_recorded(tmp_path):
    pixels, boxes = town()
    deep = (pixels.astype(np.uint16) * 17 + np.linspace(0, 900, 256).astype(np.uint16)).astype("u2")
    valid = np.ones((256, 256), bool)
    valid[:20] = False
    scene = scene_of(deep, valid=valid)
    (tmp_path / "pre").mkdir()
    write_scene(scene, tmp_path / "pre" / "deep.tif")
    file = MAKERS["any.geojsonl"](tmp_path / "f.geojsonl", outlines(scene, boxes))
    cut_tiles(pictures_in(tmp_path / "pre"), [file], tmp_path / "tiles", side=SIDE)
    limits = scene.stretch()
    tile = read_scene(tmp_path / "tiles" / "images" / "pre_00000001_pre_disaster.tif")
    assert not tile.valid[:20].any() and tile.valid[21:].all()
    assert np.array_equal(tile.pixels, scene.rgb(stretch=limits)[:SIDE, :SIDE].transpose(2, 0, 1))
    label = read_label(tmp_path / "tiles" / "labels" / "pre_00000001_pre_disaster.json")
    assert np.allclose(label.metadata["stretch"], limits)


def test_a_last_window_is_filled_with_nodata_and_an_empty_one_left_out(tmp_path):
    pixels, boxes = town(height=200)
    scene = scene_of(pixels, valid=np.tile(np.arange(256) < SIDE, (200, 1)))
    (tmp_path / "pre").mkdir()
    write_scene(scene, tmp_path / "pre" / "a.tif")
    file = MAKERS["any.geojsonl"](tmp_path / "f.geojsonl", outlines(scene, boxes))
    made = cut_tiles(pictures_in(tmp_path / "pre"), [file], tmp_path / "tiles", side=SIDE)
    assert made.tiles == ["pre_00000001", "pre_00000003"]
    assert made.left_out.as_json()["tile of mostly nodata"] == 2
    last = read_scene(tmp_path / "tiles" / "images" / "pre_00000003_pre_disaster.tif")
    assert last.shape == (SIDE, SIDE) and last.valid[:72].all() and not last.valid[72:].any()


def test_a_plain_png_takes_the_footprints_of_its_own_name(tmp_path):
    pixels, boxes = town()
    (tmp_path / "pre" / "old-town").mkdir(parents=True)
    Image.fromarray(pixels.transpose(1, 2, 0)).save(tmp_path / "pre" / "old-town" / "x.png")
    entries = [
        {"properties": {"uid": f"b{k}"}, "wkt": shapely.box(*b).wkt} for k, b in enumerate(boxes)
    ]
    label = {"features": {"xy": entries, "lng_lat": []}, "metadata": {}}
    (tmp_path / "fp").mkdir()
    (tmp_path / "fp" / "x.json").write_text(json.dumps(label))
    cut_tiles(pictures_in(tmp_path / "pre"), [tmp_path / "fp"], tmp_path / "tiles")
    found = read_label(tmp_path / "tiles" / "labels" / "old-town_00000001_pre_disaster.json")
    assert {b.uid for b in found.buildings} == {f"b{k}" for k in range(len(boxes))}
    with pytest.raises(BadParameter, match="no place"):
        file, _, _ = picture(tmp_path / "other")
        cut_tiles(pictures_in(tmp_path / "pre"), [file], tmp_path / "tiles2")


def test_only_one_window_is_held_of_a_large_picture(tmp_path, monkeypatch):
    file, _, _ = picture(tmp_path)
    seen = []

    def spy(path, *, window=None, bands=()):
        seen.append(window)
        return read_scene(path, window=window, bands=bands)

    monkeypatch.setattr(overview, "read_scene", spy)
    cut_tiles(pictures_in(tmp_path / "pre"), [file], tmp_path / "tiles", side=SIDE)
    assert len(seen) == 4
    assert all(w is not None and w.height * w.width <= SIDE * SIDE for w in seen)


# --- bad input: FAULTS 17 to 25, for each reader -------------------------------------------------


def vrt(secret):
    return (
        f'<VRTDataset rasterXSize="9" rasterYSize="9"><VRTRasterBand dataType="Byte" band="1">'
        f"<SimpleSource><SourceFilename>{secret}</SourceFilename></SimpleSource></VRTRasterBand>"
        "</VRTDataset>"
    ).encode()


BAD = {
    "empty": b"",
    "cut off": None,
    "vrt": vrt("/vsicurl/http://127.0.0.1:9/secret.tif"),
    "bomb": b"II*\x00\x08\x00\x00\x00\x02\x00\x00\x01\x04\x00\x01\x00\x00\x00\xff\xff\xff\x7f"
    b"\x01\x01\x04\x00\x01\x00\x00\x00\xff\xff\xff\x7f\x00\x00\x00\x00",
}


@pytest.mark.parametrize("how", BAD)
def test_a_bad_picture_is_named_or_skipped(tmp_path, how):
    file, _, _ = picture(tmp_path)
    whole = (tmp_path / "pre" / "harbour.tif").read_bytes()
    (tmp_path / "pre" / "bad.tif").write_bytes(whole[:900] if BAD[how] is None else BAD[how])
    pictures = pictures_in(tmp_path / "pre")
    with pytest.raises(BadImage, match=r"bad\.tif") as caught:
        cut_tiles(pictures, [file], tmp_path / "tiles")
    assert "\n" not in str(caught.value)
    made = cut_tiles(pictures, [file], tmp_path / "skipped", on_error="skip")
    assert len(made.tiles) == 1 and made.skipped[0][0] == "bad.tif"


def test_a_link_out_of_the_folder_is_not_followed(tmp_path):
    picture(tmp_path / "secret")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "a.tif").symlink_to(tmp_path / "secret" / "pre" / "harbour.tif")
    with pytest.raises(MissingFile, match="link to outside"):
        pictures_in(tmp_path / "mine")


def test_folders_without_pictures_and_odd_names(tmp_path):
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(MissingFile):
            pictures_in(folder)
    odd = tmp_path / "-x \n é."
    odd.mkdir()
    for name in ("a.png", "b_post_disaster.png", "post-event.png", ".hidden.png"):
        (odd / name).write_bytes(b"x")
    (found,) = pictures_in(tmp_path)
    assert (found.event, found.path.name) == ("x", "a.png")


# --- STAC -----------------------------------------------------------------------------------------


def catalogue(folder, *, asset="../../../../pre/harbour.tif", time="2018-09-01T10:00:00Z", **links):
    """In the shape of Maxar Open Data: event, acquisition, item with ``visual`` and more."""
    version = {"stac_version": "1.0.0"}
    item = folder / "events" / "storm" / "ard" / "tile.json"
    item.parent.mkdir(parents=True, exist_ok=True)
    asset = asset.replace("../../../../pre", "../../../pre") if asset.startswith("../..") else asset
    body = {
        **version,
        **{"type": "Feature", "id": "16/0331/tile", "geometry": None, "links": []},
        "properties": {"datetime": time, "gsd": 0.46, "view:off_nadir": 21.5, "utm_zone": 16},
        "assets": {
            "data-mask": {"href": "mask.gpkg", "roles": ["data-mask"]},
            "visual": {"href": asset, "roles": ["visual"], "type": "image/tiff"},
        },
    }
    item.write_text(json.dumps(body))

    def node(path, name, rel, href):
        link = {"rel": rel, "href": href} | links.get(name, {})
        up = {"rel": "parent", "href": "../catalog.json"}
        document = {**version, "type": "Catalog", "id": name, "description": "x"}
        path.write_text(json.dumps({**document, "links": [up, link]}))

    node(folder / "events" / "storm" / "ard" / "acq.json", "10400100", "item", "./tile.json")
    node(folder / "events" / "storm" / "col.json", "Big Storm 18", "child", "ard/acq.json")
    node(folder / "catalog.json", "root", "child", "events/storm/col.json")
    return folder / "catalog.json"


@pytest.fixture
def open_data(tmp_path):
    pytest.importorskip("pystac", reason="pystac of the extra geo is not installed")
    file, _, _ = picture(tmp_path)
    return tmp_path, file


def test_a_catalogue_gives_its_visual_pictures_by_event_with_their_time(open_data):
    folder, file = open_data
    (found,) = pictures_of_catalogue(catalogue(folder))
    assert (found.event, found.path.name) == ("Big-Storm-18", "harbour.tif")
    assert found.time == datetime(2018, 9, 1, 10, tzinfo=UTC)
    made = cut_tiles([found], [file], folder / "tiles")
    label = read_label(folder / "tiles" / "labels" / f"{made.tiles[0]}_pre_disaster.json")
    assert label.metadata["capture_date"] == "2018-09-01T10:00:00+00:00"
    assert label.metadata["off_nadir_angle"] == 21.5


def test_what_was_taken_after_the_event_is_left_out(open_data):
    folder, _ = open_data
    path = catalogue(folder)
    assert len(pictures_of_catalogue(path, datetime(2018, 9, 2, tzinfo=UTC))) == 1
    with pytest.raises(BadRegions, match="1 items were taken later"):
        pictures_of_catalogue(path, datetime(2018, 9, 1, 9, tzinfo=UTC))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"asset": "https://example.com/x.tif"}, "download the catalogue"),
        ({"asset": "/vsicurl/http://127.0.0.1/x.tif"}, "leaves the catalogue"),
        ({"asset": "../../../../../etc/passwd.tif"}, "leaves the catalogue"),
        ({"asset": "%2e%2e/%2e%2e/%2e%2e/%2e%2e/x.tif"}, "leaves the catalogue"),
        ({"asset": "C:\\x\\y.tif"}, "not a path"),
        ({"asset": "a\0b.tif"}, "not a path"),
        ({"asset": "x" * 300 + ".tif"}, "not a path"),
        ({"asset": "gone.tif"}, "is missing"),
        ({"asset": "notes.pdf"}, "neither an asset"),
        ({"time": "next Tuesday"}, "not a usable STAC item"),
        ({"root": {"href": "../elsewhere/catalog.json"}}, "leaves the catalogue"),
        ({"root": {"href": "http://127.0.0.1:9/catalog.json"}}, "download the catalogue"),
        ({"root": {"href": None}}, "no href"),
    ],
)
def test_a_catalogue_that_leads_elsewhere_or_nowhere_is_refused(open_data, change, words):
    folder, _ = open_data
    with pytest.raises(AftersceneError, match=words) as caught:
        pictures_of_catalogue(catalogue(folder, **change))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"a": NaN}', b"{}", b'{"stac_version": "1.0.0"}', b"[" * 10**5]
)
def test_a_catalogue_that_is_none_is_named(open_data, content):
    folder, _ = open_data
    path = folder / "catalog.json"
    path.write_bytes(content)
    with pytest.raises(AftersceneError, match=r"catalog\.json"):
        pictures_of_catalogue(path)
    with pytest.raises(MissingFile):
        pictures_of_catalogue(folder / "none.json")


def test_a_catalogue_that_runs_in_a_circle_ends(open_data):
    folder, _ = open_data
    path = catalogue(folder, **{"10400100": {"rel": "child", "href": "../../../catalog.json"}})
    with pytest.raises(BadRegions, match="has no image"):
        pictures_of_catalogue(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs POSIX")
def test_a_link_of_the_catalogue_to_a_file_outside_is_refused(open_data, tmp_path_factory):
    folder, _ = open_data
    outside = tmp_path_factory.mktemp("outside") / "x.tif"
    outside.write_bytes(b"II*\x00")
    link = folder / "pre" / "link.tif"
    link.symlink_to(outside)
    with pytest.raises(BadRegions, match="leaves the catalogue"):
        pictures_of_catalogue(catalogue(folder, asset="../../../pre/link.tif"))
