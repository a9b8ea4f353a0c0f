"""Red is red: bands come in the order that a file states, read and written, and it is said else."""

import warnings
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.enums import ColorInterp as C

from afterscene.errors import BadImage, BandsAssumed
from afterscene.geodata.overview import ImageFile
from afterscene.geodata.scene import read_scene, write_scene
from afterscene.geodata.tiles import Window

NAMES = (
    "coastal",
    "blue",
    "green i",
    "green",
    "yellow",
    "red",
    "red edge",
    "nir",
    "nir 2",
    "alpha",
)
#: What each band holds everywhere, so that a band is known by its value.
VALUE = {name: 20 + 10 * k for k, name in enumerate(NAMES)}
PLANET_4 = ("blue", "green", "red", "nir")
PLANET_8 = ("coastal", "blue", "green i", "green", "yellow", "red", "red edge", "nir")
WORLDVIEW = ("coastal", "blue", "green", "yellow", "red", "red edge", "nir", "nir 2")
SENTINEL = ("blue", "green", "red", "red edge", "nir")
RGBN = ("red", "green", "blue", "nir")


def tif(path: Path, holds, *, says=None, kinds=None, waves=None, dtype="uint16", **profile) -> Path:
    """A picture whose bands hold ``VALUE``; descriptions, colour interpretation, wavelengths."""
    bands = np.stack([np.full((20, 24), VALUE[name], dtype) for name in holds])
    size = {"count": len(bands), "height": 20, "width": 24, "dtype": dtype}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with rasterio.open(path, "w", driver="GTiff", **size, **profile) as target:
            if kinds:
                target.colorinterp = kinds
            if says:
                target.descriptions = says
            for number, length in enumerate(waves or (), 1):
                target.update_tags(number, ns="IMAGERY", CENTRAL_WAVELENGTH_UM=length)
            target.write(bands)
    return path


def held(path: Path) -> list[int]:
    """The value of each band that is read; the same in windows and in the small picture."""
    whole = read_scene(path)
    values = whole.pixels[:, 0, 0].tolist()
    part = read_scene(path, window=Window(3, 3, 5, 5))
    small = ImageFile(path).small(8)
    assert part.pixels[:, 0, 0].tolist() == small.pixels[:, 0, 0].tolist() == values
    assert whole.valid.all()
    return values


def wanted(*names: str) -> list[int]:
    return [VALUE[name] for name in names]


STATED = {
    "planet, colour interpretation": (PLANET_4, {"kinds": (C.blue, C.green, C.red, C.undefined)}),
    "planet, near infrared too": (PLANET_4, {"kinds": (C.blue, C.green, C.red, C.nir)}),
    "planet, descriptions": (PLANET_4, {"says": ("blue", "green", "red", "nir")}),
    "planet, capitals": (PLANET_4, {"says": ("Blue", "Green", "Red", "Near-Infrared")}),
    "planet 8": (
        PLANET_8,
        {
            "says": (
                *("coastal_blue", "blue", "green_i", "green", "yellow"),
                *("red", "rededge", "nir"),
            )
        },
    ),
    "planet 8, words": (
        PLANET_8,
        {
            "says": (
                *("Coastal Blue", "Blue", "Green I", "Green II", "Yellow"),
                *("Red", "Red Edge", "Near Infrared"),
            )
        },
    ),
    "maxar ms": (
        WORLDVIEW,
        {
            "says": (
                *("BAND_C", "BAND_B", "BAND_G", "BAND_Y", "BAND_R"),
                *("BAND_RE", "BAND_N", "BAND_N2"),
            )
        },
    ),
    "maxar vnir": (PLANET_4, {"says": ("BAND_B", "BAND_G", "BAND_R", "BAND_N")}),
    "maxar ard": (
        WORLDVIEW,
        {"says": ("Coastal", "Blue", "Green", "Yellow", "Red", "RedEdge", "NIR1", "NIR2")},
    ),
    "letters": (PLANET_4, {"says": ("B", "G", "R", "N")}),
    "sentinel": (PLANET_4, {"says": ("B02", "B03", "B04", "B08")}),
    "sentinel, plain numbers": (PLANET_4, {"says": ("B2", "B3", "B4", "B8")}),
    "sentinel, from the driver": (
        PLANET_4,
        {
            "says": tuple(
                f"{code}, central wavelength {nm} nm"
                for code, nm in (("B2", 490), ("B3", 560), ("B4", 665), ("B8", 842))
            )
        },
    ),
    "sentinel, narrow infrared first": (
        ("blue", "green", "red", "red edge", "nir 2", "nir"),
        {"says": ("B02", "B03", "B04", "B05", "B8A", "B08")},
    ),
    "landsat": (PLANET_4[:3], {"says": ("SR_B2", "SR_B3", "SR_B4")}),
    "pleiades": (RGBN, {"says": ("B2", "B1", "B0", "B3")}),
    "wavelengths": (PLANET_4, {"waves": ("0.490", "0.565", "0.665", "0.865")}),
    "wavelengths in words": (
        PLANET_4,
        {"says": ("485.0 Nanometers", "560.0 Nanometers", "660.0 Nanometers", "830.0 Nanometers")},
    ),
    "five of rapideye": (
        ("blue", "green", "red", "red edge", "nir"),
        {"says": ("blue", "green", "red", "red_edge", "nir")},
    ),
    "three turned over": (("blue", "green", "red"), {"kinds": (C.blue, C.green, C.red)}),
    "three turned over, described": (
        ("blue", "green", "red"),
        {"says": ("Blue", "Green", "Red"), "dtype": "uint8"},  # GDAL adds: red, green, blue
    ),
    "green first": (("green", "red", "blue"), {"says": ("green", "red", "blue")}),
    "as usual": (RGBN, {"kinds": (C.red, C.green, C.blue, C.undefined)}),
    "as usual, described": (RGBN, {"says": ("red", "green", "blue", "nir")}),
    "float": (PLANET_4, {"says": ("blue", "green", "red", "nir"), "dtype": "float32"}),
    "signed": (PLANET_4, {"says": ("blue", "green", "red", "nir"), "dtype": "int16"}),
}


@pytest.mark.parametrize("case", STATED)
def test_the_order_is_what_the_file_states(tmp_path: Path, case: str) -> None:
    holds, how = STATED[case]
    path = tif(tmp_path / "a.tif", holds, **how)
    infrared = ("nir",) if "nir" in holds else ()
    with warnings.catch_warnings():
        warnings.simplefilter("error", BandsAssumed)
        assert held(path) == wanted("red", "green", "blue", *infrared)


def test_infrared_in_eight_bits_is_no_alpha(tmp_path: Path) -> None:
    """GDAL calls the fourth band of four bytes alpha; the description knows better."""
    path = tif(tmp_path / "a.tif", PLANET_4, says=PLANET_4, dtype="uint8")
    with rasterio.open(path) as source:
        assert source.colorinterp[3] == C.alpha
    assert held(path) == wanted("red", "green", "blue", "nir")
    nodata = tif(tmp_path / "b.tif", PLANET_4, says=PLANET_4, dtype="uint8", nodata=0)
    with rasterio.open(nodata, "r+") as target:
        target.write(np.zeros((4, 20, 4), np.uint8), window=((0, 20), (0, 4)))
    found = read_scene(nodata)
    assert not found.valid[:, :4].any() and found.valid[:, 4:].all()


def test_alpha_stays_alpha_beside_a_stated_order(tmp_path: Path) -> None:
    kinds = (C.blue, C.green, C.red, C.alpha)
    path = tif(tmp_path / "a.tif", ("blue", "green", "red", "alpha"), kinds=kinds, dtype="uint8")
    with rasterio.open(path, "r+") as target:
        target.write(np.zeros((20, 24), np.uint8), 4, window=((0, 20), (0, 24)))
    found = read_scene(path)
    assert found.pixels[:, 0, 0].tolist() == wanted("red", "green", "blue")
    assert not found.valid.any()


SILENT = {
    "three": (("red", "green", "blue"), {}, ("red", "green", "blue"), "3 bands; .* 1, 2, 3"),
    "four": (RGBN, {}, RGBN, "4 bands; .* 1, 2, 3"),
    "numbers only": (RGBN, {"says": ("B1", "B2", "B3", "B4")}, RGBN, "4 bands; .* 1, 2, 3"),
    "band 1": (RGBN, {"says": ("Band 1", "Band 2", "Band 3", "Band 4")}, RGBN, "1, 2, 3"),
    "eight": (WORLDVIEW, {}, RGBN, "8 bands; .*WorldView's, with red, green, blue = 5, 3, 2"),
}


@pytest.mark.parametrize("case", SILENT)
def test_where_a_file_says_nothing_it_is_said(tmp_path: Path, case: str) -> None:
    holds, how, found, words = SILENT[case]
    path = tif(tmp_path / "a.tif", holds, **how)
    with pytest.warns(BandsAssumed, match=f"^{path}: does not say the order of its .*{words}"):
        assert held(path) == wanted(*found)


def test_of_plain_files_nothing_is_said(tmp_path: Path) -> None:
    from PIL import Image

    rgb = tif(tmp_path / "a.tif", RGBN[:3], dtype="uint8")
    grey = tif(tmp_path / "b.tif", RGBN[:1])
    Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(tmp_path / "c.png")
    with warnings.catch_warnings():
        warnings.simplefilter("error", BandsAssumed)
        for path in (rgb, grey, tmp_path / "c.png"):
            read_scene(path)


@pytest.mark.parametrize(
    ("holds", "how", "words"),
    [
        (("nir", "red", "green"), {"says": ("NIR", "Red", "Green")}, "are NIR, Red, Green, not"),
        (
            ("nir", "red", "green"),
            {"says": ("nir", "red", "green"), "dtype": "uint8"},  # GDAL adds: red, green, blue
            "are nir, red, green, not",
        ),
        (("nir", "red", "green"), {"kinds": (C.nir, C.red, C.green)}, "are nir, red, green, not"),
        (SENTINEL, {}, "has 5 bands and does not say"),
        (NAMES[:6], {"says": ("a", "b", "c", "d", "e", "f")}, "has 6 bands and does not say"),
    ],
)
def test_bands_that_are_not_colours_are_refused(tmp_path, holds, how, words) -> None:
    path = tif(tmp_path / "a.tif", holds, **how)
    with pytest.raises(BadImage, match=words) as caught:
        read_scene(path)
    assert "a.tif" in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_what_is_written_states_its_order_and_comes_back(tmp_path: Path, dtype: str) -> None:
    scene = read_scene(tif(tmp_path / "a.tif", PLANET_4, says=PLANET_4, dtype=dtype))
    write_scene(scene, tmp_path / "out.tif")
    with rasterio.open(tmp_path / "out.tif") as source:
        assert source.colorinterp[:3] == (C.red, C.green, C.blue)
        assert source.colorinterp[3] != C.alpha
        assert source.descriptions[3] == "nir"
        assert source.read()[:, 0, 0].tolist() == wanted(*RGBN)
    with warnings.catch_warnings():
        warnings.simplefilter("error", BandsAssumed)
        assert held(tmp_path / "out.tif") == wanted(*RGBN)
    write_scene(scene.replace(pixels=scene.pixels[:3]), tmp_path / "three.tif")
    with rasterio.open(tmp_path / "three.tif") as source:
        assert source.colorinterp == (C.red, C.green, C.blue)


def test_the_aftermath_of_a_blue_green_red_picture_has_its_colours(afterscene, tmp_path) -> None:
    """What `synthesize` and `gbd plan` write: red roofs stay red."""
    import toys

    pre = toys.write_pre(tmp_path, "town_00000001")
    label = tmp_path / "labels" / f"{pre.stem}.json"
    red = np.zeros((4, toys.SIDE, toys.SIDE), np.uint8)
    red[:] = np.array([10, 20, 200, 90])[:, None, None]  # blue, green, red, infrared
    size = {"count": 4, "height": toys.SIDE, "width": toys.SIDE, "dtype": "uint8"}
    path = tmp_path / "town_00000001_pre_disaster.tif"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with rasterio.open(path, "w", driver="GTiff", **size) as target:
            target.descriptions = PLANET_4
            target.write(red)
    made = afterscene(
        *("synthesize", path, "--labels", label, "--hazard", "wind", "--severity", 0),
        *("--out", tmp_path / "out", "--quiet"),
    )
    assert made.code == 0, made.stderr
    for name in ("town_00000001_post_disaster.tif", "town_00000001_post_disaster.png"):
        post = read_scene(tmp_path / "out" / name)
        assert post.pixels[:, 0, 0].tolist() == [200, 20, 10]
        assert post.valid.all()
