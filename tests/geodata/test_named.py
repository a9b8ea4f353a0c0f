"""Places of a GeoJSON file: masks of roads, land and names; files that cannot be used are said."""

import json

import numpy as np
import pytest
from affine import Affine

from afterscene.errors import BadParameter, MissingFile
from afterscene.geodata.crs import WGS84
from afterscene.geodata.grid import Grid
from afterscene.geodata.named import read_named_places

ROAD = {"type": "LineString", "coordinates": [[0, 20], [100, 20]]}
WOOD = {"type": "Polygon", "coordinates": [[[50, 50], [90, 50], [90, 90], [50, 90], [50, 50]]]}
GRID = Grid(shape=(100, 100))


def written(path, *features, **more):
    rows = [{"type": "Feature", "geometry": shape, "properties": tags} for shape, tags in features]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": rows, **more}))
    return path


@pytest.fixture
def drawn(tmp_path):
    features = (
        (ROAD, {"highway": "residential", "name": "Mill Lane"}),
        (WOOD, {"natural": "wood"}),
    )
    return written(tmp_path / "p.geojson", *features, coordinates="pixels")


def test_roads_land_and_names_have_their_pixels(drawn):
    places = read_named_places(drawn)
    road = places.mask(GRID, kind="road")
    assert np.array_equal(np.unique(np.nonzero(road)[0]), [20]) and road[20].all()
    assert np.array_equal(places.mask(GRID, name="MILL lane"), road)
    wood = places.mask(GRID, kind="forest")
    assert wood[50:90, 50:90].all() and not wood[:49].any() and not wood[:, :49].any()


def test_degrees_fall_on_the_picture_with_a_place(tmp_path):
    grid = Grid(shape=(100, 100), crs=WGS84, transform=Affine(0.001, 0, 10, 0, -0.001, 50))
    line = {"type": "LineString", "coordinates": [[9.9, 49.98], [10.2, 49.98]]}
    file = written(tmp_path / "p.geojson", (line, {"waterway": "river"}))
    rows = np.unique(np.nonzero(read_named_places(file).mask(grid, kind="water"))[0])
    assert rows.tolist() in ([19], [20])
    with pytest.raises(BadParameter, match="in degrees"):
        read_named_places(file).mask(GRID, kind="water")


def test_what_is_not_there_is_said_with_the_nearest_name(drawn):
    places = read_named_places(drawn)
    with pytest.raises(BadParameter, match=r"'Mil Lane'.*Mill Lane"):
        places.mask(GRID, name="Mil Lane")
    with pytest.raises(BadParameter, match="no water; its features are forest, road"):
        places.mask(GRID, kind="water")
    with pytest.raises(BadParameter, match="outside the picture"):
        places.mask(Grid(shape=(10, 10)), kind="road")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no GeoJSON"),
        ("[]", "FeatureCollection"),
        ("{" * 5000, "no GeoJSON"),
        ('{"features": []}', "none of its 0 features"),
        ('{"features": [1, {"properties": 3}]}', "none of its 2 features"),
        ('{"features": [{"properties": {"name": "a"}}]}', "feature 1 .a. has no usable geometry"),
        (
            '{"features": [{"properties": {"name": "a"}, "geometry": '
            '{"type": "Point", "coordinates": [NaN, 1]}}]}',
            "no usable geometry",
        ),
        (
            '{"features": [{"properties": {"name": "a"}, "geometry": '
            '{"type": "Polygon", "coordinates": [[1, 2]]}}]}',
            "no usable geometry",
        ),
    ],
)
def test_files_that_cannot_be_used(tmp_path, text, words):
    path = tmp_path / "p.geojson"
    path.write_text(text)
    with pytest.raises(BadParameter, match=words):
        read_named_places(path)


def test_no_file(tmp_path):
    with pytest.raises(MissingFile, match="no such file of places"):
        read_named_places(tmp_path / "none.geojson")


def test_another_system_is_told_and_spaces_in_a_name_do_not_count(tmp_path, drawn):
    metres = {"type": "LineString", "coordinates": [[5e5, 4.6e6], [5.1e5, 4.6e6]]}
    file = written(tmp_path / "m.geojson", (metres, {"highway": "path", "name": "Mill Lane"}))
    with pytest.raises(BadParameter, match=r"Mill Lane has are no longitude.*EPSG:4326"):
        read_named_places(file)
    assert read_named_places(drawn).mask(GRID, name=" mill  lane").any()
