"""What a footprint file says about itself is asked: its layers, columns, systems, members."""

import json
import struct
import zipfile
from pathlib import Path

import numpy as np
import pyproj
import pytest
import shapely

from afterscene.errors import AftersceneError, BadRegions, MissingExtra
from afterscene.geodata.footprints import read_footprints
from afterscene.geodata.geopackage import write_geopackage
from afterscene.geodata.grid import Grid
from afterscene.geodata.leftout import LeftOut
from afterscene.geodata.mapped import gdal, iterate_footprints, iterate_rows
from afterscene.geodata.mapped import zipped as zipped_files
from pictures import UTM
from published import FAR, SQUARE, feature, layered

COUNTY = shapely.box(9.0, 49.0, 11.0, 51.0)
ROAD = shapely.LineString([(10, 50), (10.1, 50)])
TO_UTM = pyproj.Transformer.from_crs("EPSG:4326", "EPSG:32632", always_xy=True)


def in_utm(shape):
    return shapely.transform(shape, lambda xy: np.stack(TO_UTM.transform(*xy.T), axis=1))


def names(path, layer=""):
    """What the outlines of a file are, in its order."""
    known = {"square": SQUARE, "far": FAR, "county": COUNTY}
    where = Path(f"{path}:{layer}") if layer else path
    return [
        next(n for n, s in known.items() if s.symmetric_difference(f.outline).area < 1e-9)
        for f in iterate_footprints(where)
    ]


# --- GeoPackage -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "houses", ["buildings", "Building", "osm_buildings", "gis_osm_buildings_a_free", "BuildingsA"]
)
def test_the_layer_that_is_named_after_buildings_is_read(tmp_path, houses):
    path = layered(tmp_path / "a.gpkg", {"county": [COUNTY], houses: [SQUARE, FAR], "road": [ROAD]})
    assert names(path) == ["square", "far"]
    assert names(path, "county") == ["county"]


def test_the_only_layer_of_polygons_is_read_whatever_its_name(tmp_path):
    path = layered(tmp_path / "a.gpkg", {"x": [SQUARE], "roads": [ROAD]})
    assert names(path) == ["square"]
    kinds = {"x": "GEOMETRY", "roads": "GEOMETRY"}
    path = layered(tmp_path / "b.gpkg", {"x": [SQUARE], "roads": [ROAD]}, kinds)
    assert names(path) == ["square"]


@pytest.mark.parametrize(
    "layers",
    [
        {"county": [COUNTY], "houses": [SQUARE]},
        {"buildings_2018": [SQUARE], "buildings_2023": [FAR]},
        {"rebuilding_zones": [COUNTY], "parcels": [SQUARE]},
    ],
)
def test_where_the_names_do_not_tell_the_layers_are_listed(tmp_path, layers):
    path = layered(tmp_path / "a.gpkg", layers)
    with pytest.raises(BadRegions, match=r"2 layers of polygons.*as a\.gpkg:LAYER") as error:
        names(path)
    assert all(layer in str(error.value) for layer in layers)
    assert [len(names(path, layer)) for layer in layers] == [1, 1]


def test_a_layer_that_is_not_there_and_a_file_without_layers(tmp_path):
    path = layered(tmp_path / "a.gpkg", {"x": [SQUARE]})
    with pytest.raises(BadRegions, match="has no layer 'y'; it has x"):
        names(path, "y")
    with pytest.raises(BadRegions, match="no layer of polygons"):
        names(layered(tmp_path / "b.gpkg", {"roads": [ROAD]}))
    lines = tmp_path / "a.geojsonl"
    lines.write_text(json.dumps(feature(SQUARE)))
    with pytest.raises(BadRegions, match="has no layers, so leave :x out"):
        names(lines, "x")


def test_a_layer_may_have_colons_and_quotes_in_its_name(tmp_path):
    path = layered(tmp_path / "a.gpkg", {'the "new": ones': [SQUARE], "b": [FAR]})
    assert names(path, 'the "new": ones') == ["square"]


def test_a_system_that_only_the_file_defines_is_used(tmp_path):
    own = "+proj=tmerc +lat_0=50 +lon_0=10 +datum=WGS84"
    move = pyproj.Transformer.from_crs("EPSG:4326", own, always_xy=True)
    moved = shapely.transform(SQUARE, lambda xy: np.stack(move.transform(*xy.T), axis=1))
    assert names(write_geopackage(tmp_path / "a.gpkg", "x", [moved], {}, crs=own)) == ["square"]
    with pytest.raises(BadRegions, match="names no reference system"):
        names(write_geopackage(tmp_path / "b.gpkg", "x", [moved], {}, crs=None))
    local = 'LOCAL_CS["site",UNIT["metre",1]]'
    with pytest.raises(BadRegions, match="is a local one"):
        names(write_geopackage(tmp_path / "c.gpkg", "x", [moved], {}, crs=local))


def test_names_of_a_column_uid_are_kept(tmp_path):
    columns = {"uid": ["north", "south"]}
    path = write_geopackage(tmp_path / "a.gpkg", "x", [SQUARE, FAR], columns, crs="EPSG:4326")
    assert [f.uid for f in iterate_footprints(path)] == ["north", "south"]


# --- GeoParquet -----------------------------------------------------------------------------------

UTM32 = json.loads(pyproj.CRS("EPSG:32632").to_json())


def geoparquet(path, shapes, column="geometry", options=None, **said):
    pyarrow = pytest.importorskip("pyarrow", reason="needs the extra geo")
    from pyarrow import parquet

    blobs = [s if s is None or isinstance(s, bytes) else s.wkb for s in shapes]
    about = {"encoding": "WKB", "geometry_types": [], **said}
    geo = {"version": "1.1.0", "primary_column": column, "columns": {column: about}}
    table = pyarrow.table({"n": range(len(shapes)), column: pyarrow.array(blobs, pyarrow.binary())})
    parquet.write_table(
        table.replace_schema_metadata({"geo": json.dumps(geo)}), path, **(options or {})
    )
    return path


def test_column_and_system_are_those_of_the_metadata(tmp_path):
    path = tmp_path / "a.parquet"
    assert names(geoparquet(path, [SQUARE, FAR], "geom")) == ["square", "far"]
    assert names(geoparquet(path, [in_utm(SQUARE)], "outline", crs=UTM32)) == ["square"]
    assert names(geoparquet(path, [in_utm(SQUARE)], crs="EPSG:32632")) == ["square"]
    crs84 = json.loads(pyproj.CRS("OGC:CRS84").to_json())
    assert names(geoparquet(path, [SQUARE], crs=crs84)) == ["square"]


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"crs": None}, "not known"),
        ({"crs": {"type": "nonsense"}}, "not known"),
        ({"crs": json.loads(pyproj.CRS("EPSG:5703").to_json())}, "is a local one"),
    ],
)
def test_a_system_that_is_none_is_refused(tmp_path, said, words):
    with pytest.raises(BadRegions, match=words):
        names(geoparquet(tmp_path / "a.parquet", [SQUARE], **said))


def test_metadata_that_point_nowhere_and_plain_parquet(tmp_path):
    pyarrow = pytest.importorskip("pyarrow", reason="needs the extra geo")
    from pyarrow import parquet

    path = tmp_path / "a.parquet"
    for geo, words in (
        (b"{", "not JSON"),
        (b'{"primary_column": "gone"}', "no column 'gone'"),
        (b'{"primary_column": 7}', "no column 7"),
        (b'{"primary_column": "n"}', "column n is int64, not WKB"),
        (b"[" * 10_000, "not JSON"),
    ):
        table = pyarrow.table({"n": [1], "geometry": [SQUARE.wkb]})
        parquet.write_table(table.replace_schema_metadata({"geo": geo}), path)
        with pytest.raises(BadRegions, match=words):
            names(path)
    parquet.write_table(pyarrow.table({"geom": [SQUARE.wkb, FAR.wkb]}), path)
    assert names(path) == ["square", "far"]


def test_missing_outlines_and_equal_ones_are_counted(tmp_path):
    path = geoparquet(tmp_path / "a.parquet", [SQUARE, None, SQUARE, b"x", FAR, None])
    left_out = LeftOut()
    rows = list(iterate_rows(path, None, left_out))
    assert [row.shape is None for row in rows].count(True) == 3
    assert left_out.total == 1 and len(list(iterate_footprints(path))) == 2


# --- Shapefile, FlatGeobuf, KML -------------------------------------------------------------------

ENDINGS = {".shp": "ESRI Shapefile", ".fgb": "FlatGeobuf", ".kml": "KML"}


def by_gdal(path, shapes, crs="EPSG:4326", **columns):
    pyogrio = pytest.importorskip("pyogrio", reason="needs the extra geo")
    fields = list(columns)
    pyogrio.raw.write(
        path,
        np.array([s.wkb for s in shapes], object),
        field_data=[np.array(columns[f], object) for f in fields],
        fields=fields,
        geometry_type="Polygon",
        crs=crs,
        driver=ENDINGS[path.suffix],
    )
    return path


@pytest.mark.parametrize("end", ENDINGS)
def test_gdals_formats_give_the_same_outlines(tmp_path, end):
    path = by_gdal(tmp_path / f"a{end}", [SQUARE, FAR], uid=["a", "b"])
    assert sorted(names(path)) == ["far", "square"]  # FlatGeobuf sorts by place
    assert names(tmp_path / f"a{end}", "a")  # its only layer


def test_a_shapefile_in_metres_with_and_without_its_system(tmp_path):
    path = by_gdal(tmp_path / "a.shp", [in_utm(SQUARE)], crs="EPSG:32632")
    assert names(path) == ["square"]
    (tmp_path / "a.prj").unlink()
    with pytest.raises(BadRegions, match=r"a\.prj.*ogr2ogr -a_srs"):
        names(path)
    (tmp_path / "a.shx").unlink()
    with pytest.raises(BadRegions, match=r"a\.shp: cannot be read"):
        names(path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.kml", b'<OGRVRTDataSource><OGRVRTLayer name="x"/></OGRVRTDataSource>'),
        ("a.kml", b"<!-- <kml> --><OGRWFSDataSource><URL>http://127.0.0.1:9</URL>"),
        ("a.kml", b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><kml>&e;</kml>'),
        ("a.kml", b"<kml><NetworkLink><href>http://127.0.0.1:9/x.kml</href></NetworkLink></kml>"),
        ("a.kml", b"hello"),
        ("a.kml", b""),
        ("a.shp", b"\0\0\x27\x0a" + b"<OGRVRTDataSource></OGRVRTDataSource>"),
        ("a.shp", b"<OGRVRTDataSource></OGRVRTDataSource>"),
        ("a.shp", b"\0\0\x27\x0a" + b"\0" * 200),
        ("a.fgb", b"fgb\x03fgb\x00" + b"\xff" * 200),
        ("a.fgb", b"<OGRVRTDataSource></OGRVRTDataSource>"),
    ],
)
def test_what_poses_as_one_of_them_is_refused(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(AftersceneError, match=name) as error:
        names(path)
    assert "\n" not in str(error.value)


def test_no_driver_beside_the_three_may_take_a_file(tmp_path, monkeypatch):
    path = by_gdal(tmp_path / "a.kml", [SQUARE])
    monkeypatch.setattr(gdal, "DRIVERS", ("FlatGeobuf",))
    with pytest.raises(BadRegions, match=r"is a (LIB)?KML file"):
        names(path)


def test_without_the_extra_the_way_out_is_told(tmp_path, monkeypatch):
    import builtins

    real = builtins.__import__

    def without(name, *rest):
        if name.startswith(("pyogrio", "pyarrow")):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    (tmp_path / "a.shp").write_bytes(b"\0\0\x27\x0a" + b"\0" * 96)
    with pytest.raises(MissingExtra, match=r"afterscene\[geo\].*ogr2ogr a\.gpkg a\.shp"):
        names(tmp_path / "a.shp")
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    with pytest.raises(MissingExtra, match=r"afterscene\[geo\]"):
        names(tmp_path / "a.parquet")


# --- zips -----------------------------------------------------------------------------------------


def zipped(path, **members):
    """A zip of files (paths) or bytes; a name's double underscore is a slash."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            data = content.read_bytes() if isinstance(content, Path) else content
            archive.writestr(name.replace("__", "/").replace("_dot_", "."), data)
    return path


LINE = json.dumps(feature(SQUARE)).encode()
OTHER = json.dumps(feature(FAR)).encode()


def test_a_zip_is_read_by_the_reader_of_what_is_in_it(tmp_path):
    path = zipped(tmp_path / "a.zip", data__a_dot_geojson=LINE, readme_dot_txt=b"hello")
    assert names(path) == ["square"]
    inner = layered(tmp_path / "in.gpkg", {"county": [COUNTY], "houses": [SQUARE]})
    path = zipped(tmp_path / "b.zip", in_dot_gpkg=inner)
    with pytest.raises(BadRegions, match=r"b\.zip: in\.gpkg: has 2 layers"):
        names(path)
    assert names(path, "houses") == ["square"]


def test_several_files_in_a_zip_are_told_apart_by_name_or_listed(tmp_path):
    path = zipped(tmp_path / "a.zip", x_dot_geojson=OTHER, buildings_dot_geojson=LINE)
    assert names(path) == ["square"]
    assert names(path, "x") == names(path, "x.geojson") == ["far"]
    path = zipped(tmp_path / "b.zip", x_dot_geojson=OTHER, y_dot_geojson=LINE)
    with pytest.raises(BadRegions, match="out of x, y"):
        names(path)


def test_a_shapefile_in_a_zip_of_a_mac(tmp_path):
    by_gdal(tmp_path / "a.shp", [in_utm(SQUARE)], crs="EPSG:32632")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for part in tmp_path.glob("a.[sdp][hbr]*"):
            archive.write(part, f"Buildings/A{part.suffix.upper()}")
            archive.writestr(f"__MACOSX/Buildings/._A{part.suffix.upper()}", b"mac")
    assert names(tmp_path / "a.zip") == ["square"]


def test_a_kmz_is_a_zipped_kml(tmp_path):
    kml = by_gdal(tmp_path / "a.kml", [SQUARE])
    assert names(zipped(tmp_path / "a.kmz", doc_dot_kml=kml)) == ["square"]


def test_members_do_not_leave_the_folder_and_bombs_are_stopped(tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("../../../out.geojson", LINE)
        archive.writestr("/absolute.geojson", LINE)
    assert names(tmp_path / "a.zip") == ["square"]
    assert {p.name for p in tmp_path.iterdir()} == {"a.zip"}
    monkeypatch.setattr(zipped_files, "SPARE", 2**20)
    bomb = zipped(tmp_path / "b.zip", b_dot_geojson=b" " * (8 * 2**20))
    with pytest.raises(BadRegions, match="unpacks to more than"):
        names(bomb)
    (tmp_path / "c.zip").write_bytes((tmp_path / "a.zip").read_bytes()[:60])
    with pytest.raises(BadRegions, match="not an intact zip"):
        names(tmp_path / "c.zip")
    with pytest.raises(BadRegions, match="no footprint file"):
        names(zipped(tmp_path / "d.zip", d_dot_zip=b"PK", e_dot_txt=b"x"))


# --- GeoJSON and CSV ------------------------------------------------------------------------------


def written(path, *values, sep="\n"):
    path.write_text(sep.join(v if isinstance(v, str) else json.dumps(v) for v in values))
    return path


def test_one_reader_for_a_collection_and_for_lines(tmp_path):
    one, two = feature(SQUARE), feature(FAR)
    whole = {"type": "FeatureCollection", "features": [one, two]}
    turned = {"features": [one, two], "type": "FeatureCollection"}
    for k, values in enumerate(
        [[whole], [turned], [one, two], ["", one, "", two, ""], [json.dumps(whole, indent=2)],
         ["\x1e" + json.dumps(one), "\x1e" + json.dumps(two)],
         [json.dumps(one, indent=1), json.dumps(two, indent=1)], [one["geometry"], two["geometry"]]]
    ):  # fmt: skip
        for name in (f"{k}.geojson", f"{k}.json", f"{k}.geojsonl"):
            assert names(written(tmp_path / name, *values)) == ["square", "far"]


def test_lines_and_collections_land_on_a_grid_alike(tmp_path):
    grid = Grid(shape=(99, 99), crs="EPSG:4326", transform=UTM[1])
    grid = Grid(shape=(99, 99), crs="EPSG:4326", transform=type(UTM[1])(1e-5, 0, 10, 0, -1e-5, 50))
    shape = shapely.box(10.0001, 49.9995, 10.0002, 49.9996)
    one = feature(shape) | {"id": 7}
    whole = {"type": "FeatureCollection", "features": [one]}
    for value in (one, whole):
        (found,) = read_footprints(written(tmp_path / "f.geojson", value), grid).buildings
        assert found.uid == "7"
        assert found.polygon.bounds == pytest.approx((10, 40, 20, 50), abs=1e-6)


@pytest.mark.parametrize("last", [False, True])
def test_a_system_is_used_wherever_it_stands(tmp_path, last):
    crs = {"crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32632"}}}
    listed = {"features": [feature(in_utm(SQUARE), crs="none")]}
    parts = [listed, crs] if last else [crs, listed]
    whole = {"type": "FeatureCollection", **parts[0], **parts[1]}
    assert names(written(tmp_path / "f.geojson", whole)) == ["square"]


@pytest.mark.parametrize(
    ("crs", "code"),
    [
        (None, 4326),
        ({"type": "name", "properties": {"name": "EPSG:32632"}}, 32632),
        ({"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}}, 4326),
        ({"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG:6.9:32632"}}, 32632),
        ({"type": "EPSG", "properties": {"code": 32632}}, 32632),
    ],
)
def test_each_form_of_the_old_member(tmp_path, crs, code):
    shape = in_utm(SQUARE) if code == 32632 else SQUARE
    whole = {"type": "FeatureCollection", "crs": crs, "features": [feature(shape)]}
    assert names(written(tmp_path / "f.geojson", whole)) == ["square"]


@pytest.mark.parametrize(
    "crs",
    [
        {"type": "name", "properties": None},
        {"type": "name", "properties": {"name": None}},
        {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::999999"}},
        {"type": "name"},
        {"type": "link", "properties": {"href": "http://127.0.0.1:9"}},
        {"properties": {"name": 1e308}},
        *("EPSG:32632", 7, [], 1e308),
    ],
)
def test_a_member_that_names_no_system_is_refused(tmp_path, crs):
    whole = {"type": "FeatureCollection", "crs": crs, "features": [feature(SQUARE)]}
    with pytest.raises(BadRegions, match=r"f\.geojson: .*(names no system|not known)") as error:
        names(written(tmp_path / "f.geojson", whole))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "text",
    [
        '{"type": "FeatureCollection", "features": [1, 2',
        '{"type": "FeatureCollection", "features": [{}], "features": []}',
        '{"type": "FeatureCollection", "features": [{"a": 1, "a": 2}]}',
        '{"type": "FeatureCollection", "features": [,]}',
        '{"type": "FeatureCollection" "features": []}',
        '{"type": "FeatureCollection", "features": [] ]',
        '{"type": "FeatureCollection", "features": []} x',
        '{"type": "Topology", "objects": {}}',
        '{"features": [{"attributes": {}, "geometry": {"rings": []}}]}',
        '{"type": "Feature"',
        '{7: 1}',
        '{"features": ' + "[" * 100_000,
        "[]",
    ],
)  # fmt: skip
def test_what_is_no_geojson_is_one_sentence(tmp_path, text):
    with pytest.raises(BadRegions, match=r"f\.geojson") as error:
        names(written(tmp_path / "f.geojson", text))
    assert "\n" not in str(error.value) and len(str(error.value)) < 600


def test_rings_that_are_not_closed_are_closed(tmp_path):
    open_ring = feature(SQUARE)
    open_ring["geometry"]["coordinates"][0].pop()
    assert names(written(tmp_path / "f.geojson", open_ring)) == ["square"]


@pytest.mark.parametrize("column", ["geometry", "WKT", "the_geom"])
@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_csv_of_any_mark_with_wkt_ewkt_and_ewkb(tmp_path, column, mark):
    metres = shapely.set_srid(in_utm(SQUARE), 32632)
    texts = [
        SQUARE.wkt,
        f"SRID=4326;{SQUARE.wkt}",
        f"srid=32632;{in_utm(SQUARE).wkt}",
        f"SRID=0;{SQUARE.wkt}",
        SQUARE.wkb_hex,
        shapely.to_wkb(metres, hex=True, include_srid=True),
    ]
    rows = [mark.join(("id", column)), *(f'{k}{mark}"{t}"' for k, t in enumerate(texts))]
    path = written(tmp_path / "f.csv", *rows)
    assert names(path) == ["square"] * 6
    assert [f.uid for f in iterate_footprints(path)] == list("012345")


def test_ewkt_of_a_system_that_nobody_knows_is_named(tmp_path):
    path = written(tmp_path / "f.csv", "wkt", f'"SRID=999999;{SQUARE.wkt}"')
    with pytest.raises(BadRegions, match=r"f\.csv: CRS 'EPSG:999999' is not known"):
        names(path)


def test_wkb_of_each_dialect_is_read(tmp_path):
    solid = shapely.force_3d(SQUARE, 5.0)
    two = shapely.MultiPolygon([SQUARE, FAR])
    blobs = [
        *(shapely.to_wkb(solid, flavor=f) for f in ("iso", "extended")),
        *(shapely.to_wkb(s, byte_order=o) for s in (SQUARE, two) for o in (0, 1)),
        shapely.to_wkb(shapely.force_3d(two, 5.0), flavor="iso"),
    ]
    path = layered(tmp_path / "a.gpkg", {"x": blobs})
    assert len(list(iterate_footprints(path))) == len(blobs)
    odd = struct.pack("<BI", 1, 65536 * 3 + 392) + SQUARE.wkb[5:]
    assert not list(iterate_footprints(layered(tmp_path / "b.gpkg", {"x": [odd]})))
