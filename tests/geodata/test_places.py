"""Footprints onto images of any reference system: in place, counted, or refused in a sentence."""

import json

import numpy as np
import pyproj
import pytest
import shapely
from affine import Affine
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from afterscene.errors import AftersceneError, BadParameter
from afterscene.geodata.crs import WGS84, metres_a_unit, on_earth, way
from afterscene.geodata.damage import Building
from afterscene.geodata.footprints import read_footprints
from afterscene.geodata.geopackage import write_geopackage
from afterscene.geodata.georeference import make_label
from afterscene.geodata.grid import Grid
from afterscene.geodata.leftout import OUTSIDE, RENAMED, UNPLACED
from afterscene.geodata.overview import ImageFile
from afterscene.geodata.scene import Scene, write_scene
from pictures import UTM, outlines, scene_of, town
from published import feature

LOCAL = 'LOCAL_CS["site",UNIT["metre",1]]'
ENGINEERING = (
    'ENGCRS["works",EDATUM["corner stone"],CS[Cartesian,2],AXIS["(E)",east],AXIS["(N)",north],'
    'LENGTHUNIT["metre",1]]'
)
SYSTEMS = (
    *("EPSG:4326", "EPSG:32616", "EPSG:3857", "EPSG:3031", "EPSG:3413", "EPSG:2263", "EPSG:4979"),
    *("EPSG:32616+5703", LOCAL, ENGINEERING, "EPSG:5703", "EPSG:4978", "OGC:CRS84", "ESRI:54009"),
    *("+proj=utm +zone=16 +datum=WGS84 +towgs84=1,2,3", "+proj=ortho +lat_0=30 +lon_0=-87"),
    *("+proj=geos +h=35785831 +lon_0=-75", "+proj=ob_tran +o_proj=longlat +o_lat_p=39 +lon_0=180"),
)
numbers = st.one_of(
    st.floats(-180, 180),
    st.floats(499_000, 501_000),
    st.floats(-4e6, 4e6),
    st.floats(allow_nan=False, allow_infinity=False),
)
rings = st.lists(st.tuples(numbers, numbers), min_size=3, max_size=6)


def shape_of(ring):
    with np.errstate(all="ignore"):
        return shapely.Polygon(ring)


def grid_of(crs, image=None):
    """1000 x 1000 pixels that show the harbour of 30 N 87 W, where the system can."""
    x = y = 0.0
    if on_earth(crs):
        ((x, y),) = way(WGS84, crs)(np.array([[-87.0, 30.0]]))
    x, y = (v if np.isfinite(v) else 0.0 for v in (x, y))
    step = 0.5 if metres_a_unit(crs) else 5e-6
    return Grid(shape=(1000, 1000), crs=crs, transform=Affine(step, 0, x, 0, -step, y), image=image)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(SYSTEMS), st.sampled_from(SYSTEMS), st.lists(rings, min_size=1, max_size=4))
@example("EPSG:32616", "EPSG:4326", [[(0, 0), (1e308, 0), (1e308, 1e308)]])
@example("EPSG:32616", "EPSG:4326", [[(1e7, 1e7), (1e7 + 10, 1e7), (1e7, 1e7 + 10)]])
@example("EPSG:4326", "EPSG:32616", [[(1e300, 0), (0, 1), (1, 1)]])
@example(LOCAL, "EPSG:4326", [[(0, 0), (1, 0), (1, 1)]])
@example("EPSG:3031", "EPSG:4326", [[(-180, -90), (180, -90), (0, -89)]])
def test_any_finite_polygon_in_any_system_is_used_counted_or_refused(
    tmp_path_factory, image, file, drawn
):
    path = tmp_path_factory.mktemp("any") / "f.gpkg"
    write_geopackage(path, "buildings", [shape_of(ring) for ring in drawn], {}, crs=file)
    try:
        found = read_footprints(path, grid_of(image))
    except AftersceneError as error:
        assert "f.gpkg" in str(error) and "\n" not in str(error)
        return
    lost = sum(n for reason, n in found.left_out.reasons.items() if reason != RENAMED)
    assert len(found.buildings) + lost == len(drawn)
    for building in found.buildings:
        left, top, right, bottom = building.polygon.bounds
        assert right >= 0 and bottom >= 0 and left <= 1000 and top <= 1000


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(SYSTEMS), st.tuples(*[st.floats(-1e9, 1e9)] * 6), rings)
def test_a_scene_of_any_system_and_transform_has_a_label(crs, numbers, ring):
    pixels = np.zeros((1, 32, 32), np.uint8)
    scene = scene_of(pixels, crs, Affine(*numbers))
    assert scene.gsd is None or scene.gsd >= 0
    outline = shapely.box(3, 3, 9, 9)
    label = make_label(
        [Building(polygon=outline, level=None, uid="a")], metadata={"width": 32}, scene=scene
    )
    (building,) = label.buildings
    assert building.lnglat is None or np.isfinite(building.lnglat.bounds).all()
    try:
        boxes = Grid(shape=(32, 32), crs=crs, transform=Affine(*numbers)).bounds()
    except BadParameter:
        return
    assert all(w <= e and s <= n for w, s, e, n in boxes)


# --- what the image's system cannot hold ----------------------------------------------------------


@pytest.fixture
def houses():
    """Grid of an image, and 30 houses on it in degrees and in metres."""
    pixels, boxes = town()
    scene = scene_of(pixels)
    metres = [
        shapely.transform(shapely.box(*b), lambda xy: xy * [0.5, -0.5] + [UTM[1].c, UTM[1].f])
        for b in boxes
    ]
    grid = Grid(shape=scene.shape, crs=scene.crs, transform=scene.transform)
    return grid, outlines(scene, boxes)[:30], metres[:30]


def collection(path, shapes, **members):
    features = [feature(s) for s in shapes]
    path.write_text(json.dumps({"type": "FeatureCollection", **members, "features": features}))
    return path


def swapped(shape):
    return shapely.transform(shape, lambda xy: xy[:, ::-1])


def test_good_houses_stay_when_one_is_far_away(tmp_path, houses):
    grid, degrees, _ = houses
    for far, reason in (
        (shapely.box(1e7, 1e7, 1e7 + 9, 1e7 + 9), UNPLACED),
        (shapely.box(0, 0, 1e308, 1e308), UNPLACED),
        (shapely.box(-91, 89.999, -90, 90), OUTSIDE),
        (shapely.box(93, -30.2, 93.1, -30.1), OUTSIDE),
    ):
        found = read_footprints(collection(tmp_path / "f.geojson", [*degrees, far]), grid)
        assert len(found.buildings) == 30 and found.left_out.as_json() == {reason: 1}


@pytest.mark.parametrize("name", ["f.geojson", "f.gpkg"])
def test_a_file_with_latitude_first_is_refused_and_told_so(tmp_path, houses, name):
    grid, degrees, _ = houses
    turned = [swapped(s) for s in degrees]
    path = tmp_path / name
    if name == "f.gpkg":
        write_geopackage(path, "buildings", turned, {}, crs="EPSG:4326")
    else:
        collection(path, turned)
    with pytest.raises(BadParameter, match="30 of 30 would with latitude and longitude swapped"):
        read_footprints(path, grid)


def test_latitude_first_where_it_is_no_latitude(tmp_path):
    """In Japan the longitude is beyond 90: such coordinates are not degrees at all."""
    grid = Grid(
        shape=(100, 100), crs="EPSG:32654", transform=Affine(0.5, 0, 390_000, 0, -0.5, 3_950_000)
    )
    ((lng, lat),) = way("EPSG:32654", WGS84)(np.array([[390_010.0, 3_949_990.0]]))
    house = shapely.box(lat, lng, lat + 1e-5, lng + 1e-5)
    with pytest.raises(BadParameter, match="1 of 1 would with latitude and longitude swapped"):
        read_footprints(collection(tmp_path / "f.geojson", [house]), grid)


def test_metres_without_a_system_are_refused_and_told_so(tmp_path, houses):
    grid, _, metres = houses
    with pytest.raises(BadParameter, match="in the picture's own CRS, 'WGS 84 / UTM zone 16N'"):
        read_footprints(collection(tmp_path / "f.geojson", metres), grid)
    away = [shapely.transform(s, lambda xy: xy + 1e6) for s in metres]
    with pytest.raises(BadParameter, match="are not degrees"):
        read_footprints(collection(tmp_path / "f.geojson", away), grid)


def test_another_place_is_told_with_both_places(tmp_path, houses):
    grid, degrees, _ = houses
    away = [shapely.transform(s, lambda xy: xy + np.array([3, 1])) for s in degrees]
    with pytest.raises(BadParameter, match=r"lie at -84\.0.* E, 31\.19.* N, the first picture at"):
        read_footprints(collection(tmp_path / "f.geojson", away), grid)


# --- images without a place on the Earth ----------------------------------------------------------


@pytest.mark.parametrize("crs", [LOCAL, ENGINEERING])
def test_a_local_system_is_no_place_but_has_pixels_of_a_size(tmp_path, houses, crs):
    _, degrees, _ = houses
    scene = scene_of(town()[0], crs)
    write_scene(scene, tmp_path / "a.tif")
    grid = ImageFile(tmp_path / "a.tif").grid
    assert not grid.placed and not scene.placed and scene.gsd == 0.5
    with pytest.raises(BadParameter, match=r"CRS of .*a\.tif, '.+', is a local one") as error:
        read_footprints(collection(tmp_path / "f.geojson", degrees), grid)
    assert "gdal_edit.py -a_srs" in str(error.value)
    with pytest.raises(BadParameter, match="is a local one"):
        grid.bounds()


def told(tmp_path, image):
    path = collection(tmp_path / "f.geojson", [shapely.box(0, 0, 1, 1)])
    with pytest.raises(BadParameter, match="has no place") as error:
        read_footprints(path, ImageFile(image).grid)
    return str(error.value).partition("has no place: ")[2]


@pytest.mark.parametrize(
    ("name", "world"),
    [("a.png", "a.pgw"), ("a.png", "a.pngw"), ("a.jpg", "a.JGW"), ("a.tif", "a.tfw"),
     ("a.png", "a.wld"), ("a.b.png", "a.b.pgw")],
)  # fmt: skip
def test_a_world_file_needs_a_system(tmp_path, name, world):
    Image.new("RGB", (32, 32)).save(tmp_path / name)
    assert told(tmp_path, tmp_path / name).startswith("give a GeoTIFF")
    (tmp_path / world).write_text("0.5\n0\n0\n-0.5\n500000\n3340000\n")
    words = told(tmp_path, tmp_path / name)
    assert world in words and "gdal_translate -a_srs EPSG:CODE" in words


def test_control_points_and_a_camera_model_need_a_warp(tmp_path):
    import rasterio
    from rasterio.control import GroundControlPoint
    from rasterio.rpc import RPC

    size = {"driver": "GTiff", "count": 1, "height": 32, "width": 32, "dtype": "uint8"}
    points = [GroundControlPoint(r, c, c / 2, -r / 2) for r in (0, 32) for c in (0, 32)]
    for crs, words in (("EPSG:32616", "gdalwarp -r cubic"), (None, "gdalwarp -s_srs EPSG:CODE")):
        with rasterio.open(tmp_path / "g.tif", "w", **size) as file:
            file.gcps = (
                points,
                rasterio.crs.CRS.from_user_input(crs) if crs else rasterio.crs.CRS(),
            )
        said = told(tmp_path, tmp_path / "g.tif")
        assert said.startswith("it has 4 ground control points") and words in said
    line = [1.0] + [0.0] * 19
    model = RPC(
        height_off=0, height_scale=500, lat_off=30, lat_scale=0.1, line_den_coeff=line,
        line_num_coeff=line, line_off=16, line_scale=16, long_off=-87, long_scale=0.1,
        samp_den_coeff=line, samp_num_coeff=line, samp_off=16, samp_scale=16,
    )  # fmt: skip
    with rasterio.open(tmp_path / "r.tif", "w", **size) as file:
        file.rpcs = model
    assert "gdalwarp -rpc" in told(tmp_path, tmp_path / "r.tif")
    Image.new("RGB", (32, 32)).save(tmp_path / "s.tif")
    (tmp_path / "s_RPC.TXT").write_text("LINE_OFF: 16")
    assert "s_RPC.TXT" in told(tmp_path, tmp_path / "s.tif")


def test_half_a_place_is_told_which_half(tmp_path):
    blank = np.zeros((1, 32, 32), np.uint8)
    write_scene(scene_of(blank, crs=None), tmp_path / "a.tif")
    assert "transform but no CRS" in told(tmp_path, tmp_path / "a.tif")
    write_scene(scene_of(blank, transform=None), tmp_path / "b.tif")
    assert "-a_ullr" in told(tmp_path, tmp_path / "b.tif")


# --- boxes of images anywhere ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("crs", "x", "y", "expected"),
    [
        ("EPSG:3031", -500, 500, (-180, -90, 180)),
        ("EPSG:3413", -500, 500, (-180, None, 180)),
    ],
    ids=["south pole", "north pole"],
)
def test_an_image_of_a_pole_lies_at_every_longitude(crs, x, y, expected):
    (box,) = Grid(shape=(1000, 1000), crs=crs, transform=Affine(1, 0, x, 0, -1, y)).bounds()
    west, south, east = expected
    assert (box[0], box[2]) == (west, east)
    assert box[1] == south if south else box[3] == 90
    lng, lat = 12.0, -89.999 if south else 89.999
    assert box[1] <= lat <= box[3] and box[0] <= lng <= box[2]


def test_a_file_beyond_180_lands_on_a_picture_beside_it(tmp_path):
    grid = Grid(shape=(200, 200), crs="EPSG:32701", transform=Affine(0.5, 0, 190_000, 0, -0.5, 8e6))
    ((lng, lat),) = way("EPSG:32701", WGS84)(np.array([[190_050.0, 8e6 - 50]]))
    assert lng < -179
    for turn in (0, 360):
        house = shapely.box(lng + turn, lat, lng + turn + 1e-4, lat + 1e-4)
        found = read_footprints(collection(tmp_path / "f.geojson", [house]), grid)
        assert len(found.buildings) == 1


def test_way_gives_infinity_where_there_is_no_place():
    move = way(WGS84, "EPSG:32616")
    assert not np.isfinite(move(np.array([[1e308, 1e308], [np.nan, 1.0]]))).any()
    with pytest.raises(BadParameter, match="not known"):
        way("nonsense", WGS84)
    with pytest.raises(BadParameter, match="is a local one"):
        way(LOCAL, WGS84)
    assert pyproj.CRS(LOCAL).is_engineering and isinstance(Scene.placed, property)
