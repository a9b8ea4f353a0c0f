"""What goes in comes out: pixels, mask, CRS, transform, time and tags; and how a model sees it."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyproj
import pytest
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from afterscene.errors import BadImage, BadParameter, MissingFile, OutputConflict
from afterscene.geodata import Scene, Window, read_scene, read_tags, write_scene

UTM = "EPSG:32616"
PLACE = Affine(0.5, 0.0, 621_000.5, 0.0, -0.5, 3_340_000.25)
TIME = datetime(2018, 10, 13, 16, 29, 7, tzinfo=UTC)
MARK = {"AFTERSCENE_SYNTHETIC": "true"}


def scene(bands: int = 3, dtype: str = "uint8", size: tuple[int, int] = (20, 30)) -> Scene:
    rng = np.random.default_rng(5)
    pixels = rng.normal(100, 30, (bands, *size)) if dtype == "float32" else None
    if pixels is None:
        pixels = rng.integers(0, np.iinfo(dtype).max, (bands, *size), endpoint=True)
    return Scene(pixels=pixels.astype(dtype), valid=np.ones(size, bool))


def placed(**kwargs: object) -> Scene:
    return scene(**kwargs).replace(crs=UTM, transform=PLACE, time=TIME)  # type: ignore[arg-type]


def with_gap(of: Scene) -> Scene:
    valid = of.valid.copy()
    valid[3:7, 2:9] = False
    return of.replace(valid=valid)


def same_crs(one: str | None, two: str | None) -> bool:
    return one is two is None or pyproj.CRS(one) == pyproj.CRS(two)


@pytest.mark.parametrize("gap", [False, True])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("bands", [1, 3, 4])
def test_geotiff_keeps_everything(tmp_path: Path, bands: int, dtype: str, gap: bool) -> None:
    before = placed(bands=bands, dtype=dtype)
    before = with_gap(before) if gap else before
    write_scene(before, tmp_path / "a.tif", tags=MARK)
    after = read_scene(tmp_path / "a.tif")
    assert after.pixels.dtype == before.pixels.dtype
    np.testing.assert_array_equal(after.pixels, before.pixels)
    np.testing.assert_array_equal(after.valid, before.valid)
    assert same_crs(after.crs, UTM)
    assert (after.transform, after.time, after.source) == (PLACE, TIME, "a.tif")
    assert read_tags(tmp_path / "a.tif")["AFTERSCENE_SYNTHETIC"] == "true"
    assert [p.name for p in tmp_path.iterdir()] == ["a.tif"]


@pytest.mark.parametrize("gap", [False, True])
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("bands", [1, 3])
def test_png_keeps_everything(tmp_path: Path, bands: int, dtype: str, gap: bool) -> None:
    before = placed(bands=bands, dtype=dtype)
    before = with_gap(before) if gap else before
    write_scene(before, str(tmp_path / "a.PNG"), tags=MARK)
    after = read_scene(str(tmp_path / "a.PNG"))
    assert after.pixels.dtype == before.pixels.dtype
    np.testing.assert_array_equal(after.pixels, before.pixels)
    np.testing.assert_array_equal(after.valid, before.valid)
    assert (after.crs, after.transform, after.time) == (UTM, PLACE, TIME)
    assert read_tags(tmp_path / "a.PNG")["AFTERSCENE_SYNTHETIC"] == "true"
    assert [p.name for p in tmp_path.iterdir()] == ["a.PNG"]


def test_a_scene_without_place_and_time_has_none_afterwards(tmp_path: Path) -> None:
    for name in ("a.png", "a.tif", "a.jpg"):
        write_scene(scene(), tmp_path / name)
        after = read_scene(tmp_path / name)
        assert (after.crs, after.transform, after.time) == (None, None, None)


@pytest.mark.parametrize("bands", [1, 3])
def test_jpeg_is_close_and_tagged(tmp_path: Path, bands: int) -> None:
    smooth = np.add.outer(np.arange(64), np.arange(64)).astype(np.uint8)
    before = Scene(pixels=np.stack([smooth] * bands), valid=np.ones((64, 64), bool), time=TIME)
    write_scene(before, tmp_path / "a.jpeg", tags=MARK)
    after = read_scene(tmp_path / "a.jpeg")
    assert np.abs(after.pixels.astype(int) - before.pixels).max() <= 6
    assert after.bands == bands
    assert after.time == TIME
    assert read_tags(tmp_path / "a.jpeg")["AFTERSCENE_SYNTHETIC"] == "true"


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.jpg"])
def test_tags_keep_their_letters_and_bytes_are_repeatable(tmp_path: Path, name: str) -> None:
    tags = {**MARK, "PROMPT": "Überschwemmung, 洪水 & <b>\nline", "EMPTY": "", "N": "1"}
    write_scene(scene(), tmp_path / name, tags=tags)
    first = (tmp_path / name).read_bytes()
    found = read_tags(tmp_path / name)
    assert {k: found.get(k, "") for k in tags} == tags
    write_scene(scene(), tmp_path / name, tags=tags)
    assert (tmp_path / name).read_bytes() == first


@settings(max_examples=40, deadline=None)
@given(
    arrays.arrays(np.uint16, arrays.array_shapes(min_dims=2, max_dims=2, max_side=20)), st.data()
)
def test_any_small_array_survives(
    tmp_path_factory, values: np.ndarray, data: st.DataObject
) -> None:
    valid = data.draw(arrays.arrays(bool, values.shape))
    numbers = st.floats(-1e7, 1e7).filter(lambda v: abs(v) > 1e-3)
    place = Affine(*(data.draw(numbers) for _ in range(6)))
    before = Scene(pixels=values[None], valid=valid, transform=place, crs=UTM)
    for name in ("a.tif", "a.png"):
        path = tmp_path_factory.getbasetemp() / name
        write_scene(before, path)
        after = read_scene(path)
        np.testing.assert_array_equal(after.pixels, before.pixels)
        np.testing.assert_array_equal(after.valid, valid)
        np.testing.assert_allclose(after.transform[:6], place[:6], rtol=1e-12)


@pytest.mark.parametrize(
    ("name", "of", "words"),
    [
        ("a.bmp", scene(), r"suffix '\.bmp' is not one of \.png"),
        ("a", scene(), "suffix ''"),
        ("a.png", scene(bands=4), r"PNG cannot hold 4 bands of uint8; write a \.tif"),
        ("a.png", scene(dtype="float32"), "PNG cannot hold 3 bands of float32"),
        ("a.jpg", scene(dtype="uint16"), "JPEG cannot hold 3 bands of uint16"),
        ("a.jpg", with_gap(scene()), "JPEG cannot hold nodata"),
    ],
)
def test_what_a_format_cannot_hold_is_refused(
    tmp_path: Path, name: str, of: Scene, words: str
) -> None:
    with pytest.raises(BadParameter, match=words):
        write_scene(of, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.jpg"])
def test_an_unwritable_place_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(OutputConflict, match="cannot be written"):
        write_scene(scene(), tmp_path / "missing" / name)


def test_a_crs_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    nowhere = placed().replace(crs="EPSG:1")
    with pytest.raises(BadParameter, match="CRS 'EPSG:1' is not known"):
        write_scene(nowhere, tmp_path / "a.tif")
    with pytest.raises(BadParameter, match="CRS 'EPSG:1' is not known"):
        nowhere.lnglat(np.zeros((1, 2)))
    assert list(tmp_path.iterdir()) == []


def test_a_window_is_the_crop_of_the_whole(tmp_path: Path) -> None:
    whole = with_gap(placed())
    write_scene(whole, tmp_path / "a.tif")
    window = Window(2, 5, 9, 12)
    part, crop = read_scene(tmp_path / "a.tif", window=window), whole.crop(window)
    np.testing.assert_array_equal(part.pixels, crop.pixels)
    np.testing.assert_array_equal(part.valid, crop.valid)
    assert part.transform == crop.transform == Affine(0.5, 0, 621_003.0, 0, -0.5, 3_339_999.25)
    corner = crop.lnglat(np.array([[0.0, 0.0]]))
    np.testing.assert_allclose(corner, whole.lnglat(np.array([[5.0, 2.0]])), atol=1e-12)
    for outside in (Window(15, 0, 9, 9), Window(-1, 0, 3, 3), Window(0, 0, 0, 3)):
        with pytest.raises(BadImage, match=r"a\.tif: Window.* does not lie inside"):
            read_scene(tmp_path / "a.tif", window=outside)
        with pytest.raises(BadParameter, match="does not lie inside"):
            whole.crop(outside)


def test_a_window_of_a_png_works_too(tmp_path: Path) -> None:
    write_scene(with_gap(scene()), tmp_path / "a.png")
    part = read_scene(tmp_path / "a.png", window=Window(2, 1, 5, 6))
    np.testing.assert_array_equal(part.pixels, scene().pixels[:, 2:7, 1:7])
    np.testing.assert_array_equal(part.valid, with_gap(scene()).valid[2:7, 1:7])
    with pytest.raises(BadImage, match=r"a\.png: Window.* does not lie inside"):
        read_scene(tmp_path / "a.png", window=Window(19, 0, 2, 2))


def test_no_file_is_a_missing_file(tmp_path: Path) -> None:
    for path in (tmp_path / "no.png", tmp_path / "no.tif", Path("/vsicurl/http://localhost/a.tif")):
        with pytest.raises(MissingFile, match="is not a file; check the path"):
            read_scene(path)
        with pytest.raises(MissingFile):
            read_tags(path)
    (tmp_path / "d.tif").mkdir()
    with pytest.raises(MissingFile, match="is not a file"):
        read_scene(tmp_path / "d.tif")


@pytest.mark.parametrize(
    ("crs", "transform", "metres"),
    [
        (UTM, Affine(0.5, 0, 5e5, 0, -0.5, 3.3e6), 0.5),
        (UTM, Affine(0.3, 0.4, 5e5, 0.4, -0.3, 3.3e6), 0.5),
        ("EPSG:3857", Affine(1, 0, 0, 0, -1, 8_399_737.9), 0.5),  # 60 degrees north
        ("EPSG:2225", Affine(1, 0, 6.5e6, 0, -1, 2e6), 0.3048),  # US survey feet
        ("EPSG:4326", Affine(9e-6, 0, 0, 0, -9e-6, 0), 0.998),
        (None, Affine(0.5, 0, 0, 0, -0.5, 0), None),
        (UTM, None, None),
    ],
)
def test_gsd_is_in_metres(crs: str | None, transform: Affine | None, metres: float | None) -> None:
    found = scene().replace(crs=crs, transform=transform).gsd
    assert found == (None if metres is None else pytest.approx(metres, rel=2e-3))


def test_without_a_place_there_are_no_degrees() -> None:
    with pytest.raises(BadParameter, match="no CRS and transform"):
        scene().lnglat(np.zeros((1, 2)))
    lng, lat = placed().lnglat(np.array([[0.0, 0.0]]))[0]
    back = pyproj.Transformer.from_crs("EPSG:4326", UTM, always_xy=True).transform(lng, lat)
    np.testing.assert_allclose(back, (621_000.5, 3_340_000.25), atol=1e-3)


def test_rgb_of_bytes_is_the_bytes() -> None:
    colour, grey, infrared = scene(), scene(bands=1), scene(bands=4)
    np.testing.assert_array_equal(colour.rgb(), np.moveaxis(colour.pixels, 0, 2))
    np.testing.assert_array_equal(grey.rgb(), np.stack([grey.pixels[0]] * 3, 2))
    np.testing.assert_array_equal(infrared.rgb(), np.moveaxis(infrared.pixels[:3], 0, 2))
    assert colour.stretch() == ((0.0, 255.0),) * 3
    np.testing.assert_array_equal(colour.rgb(stretch=colour.stretch()), colour.rgb())


def test_rgb_of_other_types_is_stretched_from_percentiles_of_valid_pixels() -> None:
    ramp = np.linspace(200, 2200, 101 * 4).astype(np.uint16).reshape(1, 4, 101)
    valid = np.ones((4, 101), bool)
    of = Scene(pixels=ramp, valid=valid)
    (low, high), *_ = of.stretch()
    assert (low, high) == pytest.approx((240, 2160), abs=1)
    expected = np.rint(255 * np.clip((ramp[0] - low) / (high - low), 0, 1))
    np.testing.assert_array_equal(of.rgb()[..., 0], expected)
    valid = valid.copy()
    valid[0] = False
    wild = np.where(valid, ramp, 65_535).astype(np.uint16)
    assert Scene(pixels=wild, valid=valid).stretch()[0][1] < 2200
    shifted = Scene(pixels=ramp.astype(np.float32) + 500, valid=np.ones((4, 101), bool))
    np.testing.assert_array_equal(shifted.rgb(), of.rgb())
    assert (shifted.rgb(stretch=of.stretch()) >= of.rgb()).all()


def test_rgb_of_nodata_is_black_and_of_nothing_is_black() -> None:
    for dtype in ("uint8", "uint16", "float32"):
        gap = with_gap(scene(dtype=dtype))
        assert not gap.rgb()[~gap.valid].any()
        assert gap.rgb()[gap.valid].mean() > 50
        assert not gap.replace(valid=np.zeros((20, 30), bool)).rgb().any()
    holes = scene(dtype="float32")
    values = holes.pixels.copy()
    values[:, 0] = np.nan
    valid = np.isfinite(values).all(0)
    assert holes.replace(pixels=values, valid=valid).rgb()[1:].any()
    flat = scene(dtype="uint16").replace(pixels=np.full((3, 20, 30), 7, np.uint16))
    assert not flat.rgb().any()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"pixels": np.zeros((2, 20, 30), np.uint8)}, r"pixels have shape \(2, 20, 30\)"),
        ({"pixels": np.zeros((20, 30), np.uint8)}, "pixels have shape"),
        ({"pixels": np.zeros((3, 0, 30), np.uint8)}, "pixels have shape"),
        ({"pixels": np.zeros((3, 20, 30))}, "pixels are float64; give uint8"),
        ({"valid": np.ones((20, 31), bool)}, r"valid is bool of shape \(20, 31\)"),
        ({"valid": np.ones((20, 30), np.uint8)}, "valid is uint8"),
    ],
)
def test_a_scene_is_checked(changes: dict[str, np.ndarray], words: str) -> None:
    with pytest.raises(BadParameter, match=words):
        scene().replace(source="x", **changes)
