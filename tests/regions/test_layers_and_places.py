"""Hazard layers and places: values where they are, one sentence where they are not."""

import json

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

from afterscene.errors import AftersceneError, BadImage, BadRegions, MissingFile
from afterscene.geodata.distance import distance_km
from afterscene.regions import Place, read_layer, read_places

GRID = """<?xml version="1.0" encoding="US-ASCII" standalone="yes"?>
<shakemap_grid xmlns="http://earthquake.usgs.gov/eqcenter/shakemap">
<grid_specification lon_min="10" lat_min="50" lon_max="10.1" lat_max="50.1" nlon="2" nlat="2"/>
<grid_field index="1" name="LON" units="dd"/><grid_field index="2" name="LAT" units="dd"/>
<grid_field index="3" name="PGA" units="pctg"/><grid_field index="4" name="MMI" units="intensity"/>
<grid_data>
10.0 50.1 40.0 7.1
10.1 50.1 20.0 6.0
10.0 50.0 10.0 5.0
10.1 50.0 5.0 4.0
</grid_data></shakemap_grid>
"""
UNITS = " ,,degrees_north,degrees_east,kts\n"
TRACKS = f"""SID,NAME,LAT,LON,USA_WIND
{UNITS}1,ANNA,50.05,10.02,100
1,ANNA,50.40,10.02,-
1,ANNA,55.00,10.02,140
2,BOB,nonsense,10.02,140
"""
HERE = Place(name="here", lng=10.0, lat=50.1)
THERE = Place(name="there", lng=-120.0, lat=-40.0)


def raster(path, **changes):
    array = np.array([[0.1, 0.2], [0.3, -9999.0]], np.float32)
    place = {"crs": "EPSG:4326", "transform": from_origin(10, 50.2, 0.1, 0.1)}
    kind = {"driver": "GTiff", "count": 1, "dtype": "float32", "nodata": -9999.0}
    with rasterio.open(path, "w", height=2, width=2, **(kind | place | changes)) as file:
        file.write(array, 1)
    return path


def text(path, content):
    path.write_text(content)
    return path


def test_a_raster_gives_its_pixel_and_nothing_off_it_or_on_nodata(tmp_path):
    layer = read_layer(raster(tmp_path / "pga.tif"), hazard="earthquake", unit="g")
    corners = [(10.05, 50.15), (10.15, 50.15), (10.05, 50.05), (10.15, 50.05), (11, 50)]
    places = [Place(name="p", lng=x, lat=y) for x, y in corners]
    assert np.allclose(layer.at(places), [0.1, 0.2, 0.3, 0.0, 0.0])


def test_a_shakemap_is_read_in_g_at_the_nearest_node(tmp_path):
    layer = read_layer(text(tmp_path / "grid.xml", GRID))
    assert (layer.hazard, layer.unit) == ("earthquake", "g")
    assert np.allclose(layer.at([HERE, THERE]), [0.4, 0.0])


def test_ibtracs_skips_its_units_and_gives_the_strongest_wind_near(tmp_path):
    layer = read_layer(text(tmp_path / "ibtracs.csv", TRACKS))
    assert np.allclose(layer.at([HERE, THERE]), [100 * 0.514444, 0.0])


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
OUTSIDE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///secret">]>'


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("grid.xml", ""),
        ("grid.xml", GRID[:400]),
        ("grid.xml", GRID.replace("?>", "?>" + BOMB, 1)),
        ("grid.xml", GRID.replace("?>", "?>" + OUTSIDE, 1)),
        ("grid.xml", GRID.replace("40.0", "nan")),
        ("grid.xml", GRID.replace("40.0", "forty")),
        ("grid.xml", GRID.replace('name="PGA"', 'name="PGV"')),
        ("grid.xml", GRID.replace("10.0 50.1 40.0 7.1\n", "10.0 50.1\n")),
        ("grid.xml", "<a>" * 50_000),
        ("ibtracs.csv", ""),
        ("ibtracs.csv", "SID,NAME\n1,ANNA\n"),
        ("ibtracs.csv", TRACKS.replace(UNITS, "")),
        ("ibtracs.csv", "\n".join(TRACKS.splitlines()[:2])),
        ("ibtracs.csv", "\0\0\0"),
        ("layer.shp", "nonsense"),
    ],
)
def test_a_damaged_text_layer_is_named(tmp_path, name, content):
    with pytest.raises(BadRegions, match=name) as error:
        read_layer(text(tmp_path / name, content))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_document_type_is_refused_in_any_encoding(tmp_path, encoding):
    rest = GRID.split("?>", 1)[1]
    raw = (f'<?xml version="1.0" encoding="{encoding}"?>' + BOMB + rest).encode(encoding)
    (tmp_path / "grid.xml").write_bytes(raw)
    with pytest.raises(BadRegions, match="document type"):
        read_layer(tmp_path / "grid.xml")


def test_a_raster_that_poses_or_has_no_place_is_refused(tmp_path):
    good = raster(tmp_path / "a.tif")
    (tmp_path / "vrt.tif").write_text(f"<VRTDataset><SourceFilename>{good}</SourceFilename>")
    (tmp_path / "empty.tif").write_bytes(b"")
    (tmp_path / "png.tif").write_bytes(b"\x89PNG\r\n\x1a\n")
    (tmp_path / "cut.tif").write_bytes(good.read_bytes()[:60])
    raster(tmp_path / "nowhere.tif", crs=None, transform=rasterio.Affine.identity())
    for name in ("vrt.tif", "empty.tif", "png.tif", "cut.tif", "nowhere.tif"):
        with pytest.raises(BadImage, match=name):
            read_layer(tmp_path / name, hazard="flood", unit="m").at([HERE])
    with pytest.raises(BadRegions, match="HAZARD=FILE"):
        read_layer(good)
    with pytest.raises(MissingFile, match=r"no-such\.tif"):
        read_layer(tmp_path / "no-such.tif", hazard="flood", unit="m")


def test_places_of_a_geojson(tmp_path):
    point = {"type": "Point", "coordinates": [10, 50]}
    area = {"type": "Polygon", "coordinates": [[[0, 0], [2, 0], [2, 2], [0, 2], [0, 0]]]}
    features = [
        {"type": "Feature", "properties": {"name": "a", "population": 5}, "geometry": point},
        {"type": "Feature", "properties": None, "geometry": area},
    ]
    document = {"type": "FeatureCollection", "features": features}
    one, two = read_places(text(tmp_path / "p.geojson", json.dumps(document)))
    assert (one.name, one.population, one.lng) == ("a", 5, 10)
    assert (two.name, two.lng, two.lat) == ("place-1", 1, 1)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"type": "FeatureCollection", "features": []}',
        '{"type": "FeatureCollection", "features": [7]}',
        '{"type": "FeatureCollection", "features": [{"geometry": null}]}',
        '{"type": "FeatureCollection", "features": [{"geometry": {"type": "Point", '
        '"coordinates": [200, 95]}}]}',
        '{"a": ' * 100_000,
        '{"type": "FeatureCollection", "features": [{"geometry": NaN}]}',
    ],
)
def test_places_that_are_none_are_named(tmp_path, content):
    with pytest.raises(AftersceneError, match=r"p\.geojson"):
        read_places(text(tmp_path / "p.geojson", content))


def test_distances_are_those_of_a_sphere_and_cross_the_antimeridian():
    assert distance_km(0, 0, 0, 90) == pytest.approx(10007.5, abs=1)
    assert distance_km(179.5, 0, -179.5, 0) == pytest.approx(111.2, abs=0.1)
