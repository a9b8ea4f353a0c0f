"""Values that are no brightness: -9999 in one band, undeclared, beyond float32, white is zero."""

import warnings
from pathlib import Path

import numpy as np
import pytest
import rasterio

from afterscene.errors import BandsAssumed
from afterscene.geodata.decode import FILLS
from afterscene.geodata.overview import ImageFile
from afterscene.geodata.scene import read_scene
from afterscene.geodata.tiles import Window

RNG = np.random.default_rng(0)
BRIGHT = RNG.integers(200, 3000, (3, 40, 48))


def tif(path: Path, bands: np.ndarray, **profile) -> Path:
    count, height, width = bands.shape
    size = {"count": count, "height": height, "width": width, "dtype": bands.dtype.name}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with rasterio.open(path, "w", driver="GTiff", **size, **profile) as target:
            target.write(bands)
    return path


def holed(dtype: str, fill: float, bands=(0, 1, 2)) -> np.ndarray:
    """Bright ground with the upper left quarter filled, in some of the bands."""
    values = BRIGHT.astype(dtype)
    for band in bands:
        values[band, :20, :24] = fill
    return values


def check(path: Path) -> None:
    """The quarter is nodata, and the stretch is that of the ground alone, read in any way."""
    for found in (read_scene(path), ImageFile(path).small(48)):
        assert not found.valid[:20, :24].any()
        assert found.valid.sum() == 40 * 48 - 20 * 24
        limits = np.percentile(BRIGHT[:, found.valid], (2, 98), axis=1).T
        np.testing.assert_allclose(found.stretch(), limits, rtol=1e-6)
        picture = found.rgb()
        assert not picture[:20, :24].any()
        assert picture[found.valid].std() > 50
    part = read_scene(path, window=Window(10, 12, 20, 24))
    np.testing.assert_array_equal(part.valid, read_scene(path).valid[10:30, 12:36])


@pytest.mark.parametrize("declared", [True, False])
@pytest.mark.parametrize("bands", [(0, 1, 2), (0,), (1,), (2,), (0, 2)], ids=str)
@pytest.mark.parametrize("dtype", ["int16", "int32", "float32", "float64"])
def test_minus_9999_is_nodata_in_whichever_band_it_stands(tmp_path, dtype, bands, declared) -> None:
    more = {"nodata": -9999} if declared else {}
    check(tif(tmp_path / "a.tif", holed(dtype, -9999, bands), **more))


@pytest.mark.parametrize("fill", FILLS)
def test_fills_of_other_programs_are_known(tmp_path: Path, fill: float) -> None:
    kinds = ("float32", "float64") if abs(fill) > 1e9 else ("int32", "float32", "float64")
    kinds = ("int16", *kinds) if fill >= -32768 and fill < 0 else kinds
    for dtype in kinds:
        check(tif(tmp_path / f"{dtype}.tif", holed(dtype, fill)))


@pytest.mark.parametrize("fill", [1.8e307, -1e39, 1e300, np.nan, np.inf, -np.inf])
def test_what_float32_cannot_hold_is_nodata_and_not_infinity(tmp_path: Path, fill: float) -> None:
    path = tif(tmp_path / "a.tif", holed("float64", fill))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", BandsAssumed)
        check(path)
    assert np.isfinite(np.array(read_scene(path).stretch())).all()


def test_a_declared_value_below_zero_that_nobody_knows_counts_in_one_band(tmp_path: Path) -> None:
    check(tif(tmp_path / "a.tif", holed("int16", -77, (1,)), nodata=-77))


def test_a_file_of_nothing_but_nodata_is_read_as_such(tmp_path: Path) -> None:
    for dtype in ("int16", "float64"):
        path = tif(tmp_path / f"{dtype}.tif", np.full((3, 8, 8), -9999, dtype))
        found = read_scene(path)
        assert not found.valid.any() and not found.rgb().any()


def test_dark_ground_is_kept(tmp_path: Path) -> None:
    """A little below zero after the correction for haze; 0 in one band of declared 0; 65535."""
    dark = (BRIGHT - 300).astype(np.int16)
    found = read_scene(tif(tmp_path / "a.tif", dark))
    assert found.valid.all() and found.pixels.dtype == np.float32
    np.testing.assert_array_equal(found.pixels, dark)
    zero = holed("uint16", 0, (1,))
    assert read_scene(tif(tmp_path / "b.tif", zero, nodata=0)).valid.all()
    full = holed("uint16", 65535, (0,))
    assert read_scene(tif(tmp_path / "c.tif", full, nodata=65535)).valid.all()
    assert read_scene(tif(tmp_path / "d.tif", full)).valid.all()


def test_white_is_zero_is_turned_over(tmp_path: Path) -> None:
    grey = BRIGHT[:1].astype(np.uint16)
    path = tif(tmp_path / "a.tif", 65535 - grey, photometric="miniswhite")
    np.testing.assert_array_equal(read_scene(path).pixels, grey)
    bright = (BRIGHT[:1] // 16).astype(np.uint8)
    path = tif(tmp_path / "b.tif", 255 - bright, photometric="miniswhite")
    np.testing.assert_array_equal(read_scene(path).pixels, bright)
