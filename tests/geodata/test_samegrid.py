"""Two files of a pair lie on one grid by what their georeferences mean, not by how it is spelt."""

from pathlib import Path

import pyproj
import pytest
from affine import Affine

from afterscene.errors import BadImage, OddPair
from afterscene.geodata.grid import Grid
from afterscene.geodata.samegrid import same_grid

UTM = "EPSG:32616"
PLACE = Affine(0.5, 0, 650_000, 0, -0.5, 3_350_000)


def grid(
    crs: str | None = UTM,
    transform: Affine | None = PLACE,
    shape: tuple[int, int] = (800, 1200),
    name: str = "post.tif",
) -> Grid:
    return Grid(shape=shape, crs=crs, transform=transform, image=Path(name))


PRE = grid(name="pre.tif")
SPELLINGS = {
    "WKT of GDAL": pyproj.CRS(UTM).to_wkt("WKT1_GDAL"),
    "WKT of Esri": pyproj.CRS(UTM).to_wkt("WKT1_ESRI"),
    "WKT 2": pyproj.CRS(UTM).to_wkt("WKT2_2019"),
    "PROJ": "+proj=utm +zone=16 +datum=WGS84 +units=m +no_defs",
    "the projection itself": "+proj=tmerc +lon_0=-87 +k=0.9996 +x_0=500000 +datum=WGS84 +units=m",
    "with a height": "EPSG:32616+5773",
    "with a shift of nothing": "+proj=utm +zone=16 +ellps=WGS84 +towgs84=0,0,0 +units=m",
    "without a datum": "+proj=utm +zone=16 +ellps=WGS84 +units=m",
}


@pytest.mark.parametrize("crs", SPELLINGS.values(), ids=SPELLINGS)
def test_one_system_written_otherwise_is_one_grid(crs: str) -> None:
    assert same_grid(PRE, grid(crs)) is PRE
    same_grid(grid(crs), PRE)


def test_degrees_are_one_system_in_either_order_of_the_axes() -> None:
    degrees = Affine(5e-6, 0, -85.4, 0, -4.5e-6, 30.2)
    for crs in ("OGC:CRS84", "EPSG:4979", "+proj=longlat +datum=WGS84 +no_defs"):
        same_grid(grid("EPSG:4326", degrees), grid(crs, degrees))


@pytest.mark.parametrize(
    ("crs", "says"),
    [("EPSG:32617", "zone 17N"), ("EPSG:26916", "NAD83"), ("EPSG:4326", "WGS 84")],
)
def test_another_system_is_refused_with_both(crs: str, says: str) -> None:
    with pytest.raises(BadImage, match=r"pre.tif and post.tif.*EPSG:32616 \(WGS 84 / UTM") as told:
        same_grid(PRE, grid(crs))
    assert says in str(told.value).partition("against")[2]
    assert "gdalwarp -t_srs EPSG:32616 -te 650000 3349600 650600 3350000 -ts 1200 800" in str(
        told.value
    )


def test_zones_without_a_datum_are_told_apart() -> None:
    with pytest.raises(BadImage, match="against"):
        same_grid(PRE, grid("+proj=utm +zone=17 +ellps=WGS84 +units=m"))


@pytest.mark.parametrize(
    ("transform", "apart"),
    [
        (PLACE @ Affine.translation(0.5, 0), "0.5 pixels apart"),
        (PLACE @ Affine.translation(0, -3), "3 pixels apart"),
        (PLACE @ Affine.scale(1.001, 1), "1.2 pixels apart"),  # 0 in one corner, 1200 columns on
        (Affine(0.6, 0, 650_000, 0, -0.6, 3_350_000), "288 pixels apart"),
        (PLACE @ Affine.rotation(1), "pixels apart"),
        (Affine(0.5, 0, 750_000, 0, -0.5, 3_350_000), "200,000 pixels apart"),
    ],
)
def test_a_corner_a_quarter_pixel_away_is_refused_with_both(transform: Affine, apart: str) -> None:
    with pytest.raises(BadImage, match=apart) as told:
        same_grid(PRE, grid(transform=transform))
    assert "(650000, 3350000), 0.5 x -0.5 against" in str(told.value)


def test_what_rounding_moves_is_one_grid() -> None:
    same_grid(PRE, grid(transform=PLACE @ Affine.translation(0.2, 0.1)))
    same_grid(PRE, grid(transform=PLACE @ Affine.scale(1 + 1e-7, 1 - 1e-7)))


def test_sizes_are_told_with_their_pixels() -> None:
    with pytest.raises(
        BadImage, match=r"1200 x 800 pixels of 0\.5 m against 600 x 400 pixels of 1 "
    ):
        same_grid(PRE, grid(transform=PLACE @ Affine.scale(2), shape=(400, 600)))
    with pytest.raises(BadImage, match=r"30 x 20 pixels against 20 x 30 pixels\. Bring post.png"):
        same_grid(grid(None, None, (20, 30), "pre.png"), grid(None, None, (30, 20), "post.png"))


def test_a_place_that_one_file_alone_has_is_the_pair_s() -> None:
    bare = grid(None, None)
    for pair in ((PRE, bare), (bare, PRE)):
        with pytest.warns(OddPair, match=r"post\.tif has no place .* ground as pre\.tif"):
            assert same_grid(*pair) is PRE


def test_local_systems_are_compared_too() -> None:
    local = 'LOCAL_CS["site",UNIT["metre",1]]'
    same_grid(grid(local), grid(local))
    with pytest.raises(BadImage, match="site"):
        same_grid(grid(local), PRE)
