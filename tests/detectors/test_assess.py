"""Footprints in, levels out: the same as on the whole scene, in the right place, in three files."""

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyproj
import pytest
import shapely
from affine import Affine

from afterscene.detectors import Detector, fit
from afterscene.detectors import detector as detector_module
from afterscene.detectors.assess import assess
from afterscene.detectors.assessment import counts, write_layer
from afterscene.errors import BadImage, BadParameter, BadRegions
from afterscene.geodata.damage import Building, instances
from afterscene.geodata.footprints import read_footprints
from afterscene.geodata.grid import Grid
from afterscene.geodata.leftout import BROKEN, OUTSIDE
from afterscene.geodata.overview import ImageFile
from afterscene.geodata.samegrid import same_grid
from afterscene.geodata.scene import Scene, read_scene, write_scene
from afterscene.pages.damage_map import KINDS, write_map, write_style
from tests.detectors.toys import TINY, toy_pair

CRS = "EPSG:32610"
GRID = Affine(0.5, 0, 500_000, 0, -0.5, 4_250_000)
SIDE = 384


@pytest.fixture(scope="module")
def detector() -> Detector:
    pairs = [toy_pair(i) for i in range(4)]
    return fit(replace(TINY, steps=25), pairs, seed=0, validation=pairs[:1])


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> tuple[ImageFile, ImageFile, list[Building]]:
    """A toy town of 3 x 3 pairs as two GeoTIFFs, and its houses in pixels."""
    folder = tmp_path_factory.mktemp("scene")
    rows = [[toy_pair(10 * r + c) for c in range(3)] for r in range(3)]
    files = []
    for when in ("pre", "post"):
        pixels = np.concatenate(
            [np.concatenate([getattr(p, when).rgb() for p in row], axis=1) for row in rows]
        )
        made = Scene(
            pixels=np.ascontiguousarray(pixels.transpose(2, 0, 1)),
            valid=np.ones((SIDE, SIDE), bool),
            crs=CRS,
            transform=GRID,
        )
        files.append(folder / f"{when}.tif")
        write_scene(made, files[-1])
    target = np.concatenate([np.concatenate([p.target for p in row], axis=1) for row in rows])
    houses = []
    for r in range(0, SIDE - 16, 41):
        for c in range(0, SIDE - 16, 37):
            where = target[r : r + 16, c : c + 16]
            if where.any():
                box = shapely.box(c, r, c + 15, r + 15)
                houses.append(Building(polygon=box, level=None, uid=f"h{r}-{c}"))
    return ImageFile(files[0]), ImageFile(files[1]), houses


def geojson(houses: list[Building], path: Path, crs: str | None = None) -> Path:
    """In degrees, or in `crs` with the old member that says so."""
    to = pyproj.Transformer.from_crs(CRS, crs or "EPSG:4326", always_xy=True)

    def place(xy: np.ndarray) -> np.ndarray:
        x, y = to.transform(GRID.c + 0.5 * xy[:, 0], GRID.f - 0.5 * xy[:, 1])
        return np.stack([x, y], axis=1)

    features = [
        {
            "type": "Feature",
            "properties": {"uid": h.uid},
            "geometry": shapely.geometry.mapping(shapely.transform(h.polygon, place)),
        }
        for h in houses
    ]
    named = {"crs": {"type": "name", "properties": {"name": crs}}} if crs else {}
    path.write_text(json.dumps({"type": "FeatureCollection", **named, "features": features}))
    return path


def test_windows_give_what_the_whole_scene_gives(
    detector: Detector, scene: tuple, monkeypatch: pytest.MonkeyPatch
) -> None:
    pre, post, houses = scene
    for module in (detector_module, __import__("afterscene.detectors.assess", fromlist=["x"])):
        monkeypatch.setattr(module, "TILE", 160)
        monkeypatch.setattr(module, "OVERLAP", 64)
    found = assess(detector, pre, post, houses, (SIDE, SIDE))
    a, b = read_scene(pre.path), read_scene(post.path)
    whole = detector.predict(a, b, footprints=houses)
    building, levels = detector.probabilities(a.rgb(), b.rgb())
    owner = instances(houses, (SIDE, SIDE))
    for number, one in enumerate(found, 1):
        here = owner == number
        mean = levels[:, here].mean(axis=1)
        np.testing.assert_allclose(one.probabilities, mean / mean.sum(), atol=1e-5)
        assert one.located == pytest.approx(building[here].mean(), abs=1e-5)
        assert {int(one.level)} == set(whole.damage[here].tolist())


def test_footprints_in_degrees_or_metres_land_on_their_pixels(scene: tuple, tmp_path: Path) -> None:
    pre, post, houses = scene
    place = same_grid(pre.grid, post.grid)
    for crs in (None, "EPSG:32610", "EPSG:3857"):
        found = read_footprints(geojson(houses, tmp_path / "f.geojson", crs), place)
        assert [b.uid for b in found.buildings] == [h.uid for h in houses]
        for one, house in zip(found.buildings, houses, strict=True):
            assert np.abs(np.subtract(one.polygon.bounds, house.polygon.bounds)).max() < 0.01


def test_what_lies_elsewhere_is_counted_and_what_is_no_collection_refused(
    scene: tuple, tmp_path: Path
) -> None:
    pre, post, houses = scene
    place = same_grid(pre.grid, post.grid)
    away = Building(polygon=shapely.box(9000, 9000, 9020, 9020), level=None, uid="away")
    path = geojson([*houses, away], tmp_path / "f.geojson")
    text = json.loads(path.read_text())
    text["features"].append({"type": "Feature", "geometry": None, "properties": None})
    path.write_text(json.dumps(text))
    found = read_footprints(path, place)
    assert len(found.buildings) == len(houses)
    assert found.left_out.as_json() == {BROKEN: 1, OUTSIDE: 1}
    with pytest.raises(BadParameter, match="no place"):
        read_footprints(path, Grid(shape=(SIDE, SIDE)))
    path.write_text('{"type": "Point"}')
    with pytest.raises(BadRegions, match="neither"):
        read_footprints(path, place)


def test_the_layer_is_a_geopackage_in_the_imagerys_crs(
    detector: Detector, scene: tuple, tmp_path: Path
) -> None:
    pre, post, houses = scene
    found = assess(detector, pre, post, houses, (SIDE, SIDE))
    place = same_grid(pre.grid, post.grid)
    path = write_layer(found, place, tmp_path / "out.gpkg", source="toy")
    again = write_layer(found, place, tmp_path / "again.gpkg", source="toy")
    assert path.read_bytes() == again.read_bytes()
    with closing(sqlite3.connect(path)) as base:
        assert base.execute("PRAGMA application_id").fetchone() == (0x47504B47,)
        (bounds,) = base.execute("SELECT min_x, max_y, srs_id FROM gpkg_contents")
        assert bounds[2] == 32610 and GRID.c <= bounds[0] and bounds[1] <= GRID.f
        rows = base.execute("SELECT level, p_no_damage + p_minor_damage + p_major_damage + "
                            "p_destroyed, p_building FROM buildings").fetchall()  # fmt: skip
    assert len(rows) == len(houses)
    for level, total, located in rows:
        assert level in KINDS and total == pytest.approx(1, abs=1e-5) and 0 <= located <= 1
    assert sum(counts(found).values()) == len(houses)


def test_gdal_reads_the_layer(detector: Detector, scene: tuple, tmp_path: Path) -> None:
    pyogrio = pytest.importorskip("pyogrio", reason="needs the extra geo")
    pre, post, houses = scene
    found = assess(detector, pre, post, houses, (SIDE, SIDE))
    path = write_layer(found, same_grid(pre.grid, post.grid), tmp_path / "out.gpkg", source="toy")
    frame = pyogrio.read_dataframe(path)
    assert frame.crs == CRS and list(frame["uid"]) == [h.uid for h in houses]
    first = houses[0].polygon.bounds
    expected = (GRID.c + 0.5 * first[0], GRID.f - 0.5 * first[3])
    assert frame.geometry[0].bounds[:2] == pytest.approx(expected)


def test_our_own_layer_can_be_given_as_footprints(
    detector: Detector, scene: tuple, tmp_path: Path
) -> None:
    pre, post, houses = scene
    place = same_grid(pre.grid, post.grid)
    found = assess(detector, pre, post, houses, (SIDE, SIDE))
    path = write_layer(found, place, tmp_path / "out.gpkg", source="toy")
    again = read_footprints(path, place)
    for one, house in zip(again.buildings, houses, strict=True):
        assert np.abs(np.subtract(one.polygon.bounds, house.polygon.bounds)).max() < 0.01


def test_the_map_shows_every_building_and_loads_nothing(
    detector: Detector, scene: tuple, tmp_path: Path
) -> None:
    pre, post, houses = scene
    found = assess(detector, pre, post, houses, (SIDE, SIDE))
    place = same_grid(pre.grid, post.grid)
    page = write_map(found, place, pre, post, tmp_path / "m.html", source="<toy>").read_text()
    assert page.count("<path ") == len(houses) and page.count("data:image/jpeg;base64,") == 2
    assert "&lt;toy&gt;" in page and "<toy>" not in page
    for outside in ("http://", "https://", "<script", "<link", "url("):
        assert outside not in page
    style = write_style(tmp_path / "m.qml").read_text()
    assert all(f'value="{word}"' in style for word in KINDS)


def test_nothing_is_said_where_there_is_no_data(
    detector: Detector, scene: tuple, tmp_path: Path
) -> None:
    pre, post, houses = scene
    hole = read_scene(post.path)
    valid = hole.valid.copy()
    left, top, right, bottom = (int(v) for v in houses[0].polygon.bounds)
    valid[top : bottom + 1, left : right + 1] = False
    write_scene(hole.replace(valid=valid), tmp_path / "post.tif")
    found = assess(detector, pre, ImageFile(tmp_path / "post.tif"), houses, (SIDE, SIDE))
    assert found[0].level is None and found[1].level is not None
    assert counts(found)["not-assessed"] == 1


def test_images_on_two_grids_are_refused(scene: tuple, tmp_path: Path) -> None:
    pre, post, _ = scene
    made = read_scene(post.path)
    write_scene(
        made.replace(transform=Affine(0.5, 0, 500_001.5, 0, -0.5, 4_250_000)), tmp_path / "post.tif"
    )
    with pytest.raises(BadImage, match="gdalwarp"):
        same_grid(pre.grid, ImageFile(tmp_path / "post.tif").grid)
