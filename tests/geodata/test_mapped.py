"""Footprints come out of every format alike; bad files are named, bad outlines counted."""

import gzip
import json
import tracemalloc

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from afterscene.errors import AftersceneError, BadRegions, MissingFile
from afterscene.geodata.leftout import LeftOut
from afterscene.geodata.mapped import iterate_footprints
from afterscene.geodata.mapped.rows import LONGEST
from published import FAR, MAKERS, SQUARE, feature, geopackage, google, microsoft

CASES = list(MAKERS)


@pytest.mark.parametrize("name", CASES)
def test_every_format_gives_the_same_outlines_and_a_box_keeps_what_touches_it(tmp_path, name):
    path = MAKERS[name](tmp_path / name)
    found = list(iterate_footprints(path))
    assert [f.outline.normalize() for f in found] == [SQUARE.normalize(), FAR.normalize()]
    assert all(f.source for f in found)
    (near,) = iterate_footprints(path, (9.9, 49.9, 10.1, 50.1))
    assert near.outline.normalize() == SQUARE.normalize()


def test_confidence_is_kept_where_the_source_knows_it(tmp_path):
    assert {f.confidence for f in iterate_footprints(google(tmp_path / "g.csv.gz"))} == {0.87}
    assert {f.confidence for f in iterate_footprints(microsoft(tmp_path / "m.csv.gz"))} == {None}


def test_a_geopackage_of_another_reference_system_comes_out_in_degrees(tmp_path):
    box = shapely.box(500000, 5538630, 500020, 5538650)
    (found,) = iterate_footprints(geopackage(tmp_path / "utm.gpkg", [box], 32632))
    assert found.outline.centroid.distance(shapely.Point(9.0001, 50.0)) < 0.001


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("keep", [0.3, 0.7])
def test_a_file_that_is_cut_off_is_named(tmp_path, name, keep):
    path = MAKERS[name](tmp_path / name)
    path.write_bytes(path.read_bytes()[: int(keep * path.stat().st_size)])
    if name == "any.geojsonl" or name == "any.gpkg":
        keep = 0.2  # a later cut may fall between two features, or into SQLite's empty pages
        path.write_bytes(path.read_bytes()[: int(keep * path.stat().st_size)])
    with pytest.raises(AftersceneError, match=name) as error:
        list(iterate_footprints(path))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", CASES)
def test_empty_missing_and_misnamed_files_are_named(tmp_path, name):
    path = tmp_path / name
    with pytest.raises(MissingFile, match=name):
        list(iterate_footprints(path))
    vrt = b"<VRTDataset><SourceFilename>secret</SourceFilename></VRTDataset>"
    for content in (b"", vrt):
        path.write_bytes(content)
        with pytest.raises(BadRegions, match=name):
            list(iterate_footprints(path))


def test_a_gzip_bomb_ends_at_its_first_line(tmp_path):
    path = tmp_path / "bomb.csv.gz"
    path.write_bytes(gzip.compress(b'{"a": "' + b"0" * (16 * LONGEST)))
    tracemalloc.start()
    with pytest.raises(BadRegions, match="longer than"):
        list(iterate_footprints(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 6 * LONGEST


ODD = [
    {"type": "Polygon", "coordinates": []},
    {"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]},
    {"type": "Polygon", "coordinates": [[[0, 0], [1, None], [1, 1], [0, 0]]]},
    {"type": "Polygon", "coordinates": "nonsense"},
    {"type": "GeometryCollection", "geometries": []},
    {"type": "Point", "coordinates": [1, 2]},
    {"type": "Nonsense"},
    None,
    7,
]


@pytest.mark.parametrize("odd", ODD)
def test_an_outline_that_cannot_be_used_is_left_out_and_counted(tmp_path, odd):
    good = feature(SQUARE)
    path = tmp_path / "odd.geojsonl"
    path.write_text(json.dumps(good | {"geometry": odd}) + "\n" + json.dumps(good) + "\n")
    skipped = LeftOut()
    (found,) = iterate_footprints(path, left_out=skipped)
    assert found.outline.normalize() == SQUARE.normalize()
    assert sum(skipped.reasons.values()) == 1


@pytest.mark.parametrize(
    "wkt", ["", "POLYGON EMPTY", "POLYGON ((0 0, 1 1))", "POINT (1 2)", "POLYGON ((nan 0, 1 1))"]
)
def test_bad_wkt_is_counted_by_its_reason(tmp_path, wkt):
    path = tmp_path / "odd.csv"
    text = f'latitude,longitude,confidence,geometry\n50,10,0.9,"{wkt}"\n'
    path.write_text(text + f'50,10,0.9,"{shapely.to_wkt(SQUARE)}"\n')
    skipped = LeftOut()
    assert len(list(iterate_footprints(path, left_out=skipped))) == 1
    assert sum(skipped.reasons.values()) == 1


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200), st.sampled_from(["x.geojsonl", "x.csv", "x.geojson", "x.gpkg"]))
def test_any_bytes_end_in_outlines_or_in_our_error(tmp_path_factory, data, name):
    path = tmp_path_factory.mktemp("fuzz") / name
    path.write_bytes((b"SQLite format 3\0" if name.endswith("gpkg") else b"{") + data)
    try:
        list(iterate_footprints(path))
    except AftersceneError as error:
        assert name in str(error)
