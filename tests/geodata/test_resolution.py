"""Metres per pixel by the place, not by what metadata call gsd; what is too coarse is said."""

import dataclasses
import warnings
from pathlib import Path

import numpy as np
import pytest
import shapely
from affine import Affine

from afterscene.errors import BadImage, OddPixelSize
from afterscene.geodata.damage import Building
from afterscene.geodata.grid import Grid
from afterscene.geodata.resolution import check_pixels, metres_per_pixel
from afterscene.geodata.scene import Scene
from afterscene.hazards.ground import Ground

HOUSE = 12.0  # metres
CENTRE = {
    "EPSG:32616": (500_000, 3_340_000),
    "EPSG:3857": (-9_700_000, 3_530_000),  # a metre of Mercator is 0.86 m here
    "EPSG:4326": (-87.0, 30.2),
}


def grid(metres: float, crs: str | None = "EPSG:32616", side: int = 400) -> Grid:
    """An image of square pixels (in metres of UTM) around one place."""
    if crs is None:
        return Grid(shape=(side, side), image=Path("a.png"))
    x, y = CENTRE[crs]
    step = metres if crs != "EPSG:4326" else metres / 111_000
    transform = Affine(step, 0, x, 0, -step, y)
    return Grid(shape=(side, side), crs=crs, transform=transform, image=Path("a.tif"))


def houses(pixels: float, degrees: Grid | None = None) -> list[Building]:
    found = []
    for k in range(6):
        outline = shapely.box(50 * k, 30 * k, 50 * k + pixels, 30 * k + pixels)
        there = None if degrees is None else shapely.transform(outline, degrees.to_degrees())
        found.append(Building(polygon=outline, level=None, uid=f"b{k}", lnglat=there))
    return found


def test_the_place_decides_whatever_its_system() -> None:
    assert metres_per_pixel(grid(0.5), []) == pytest.approx(0.5, rel=1e-3)
    assert metres_per_pixel(grid(0.5, "EPSG:3857"), []) == pytest.approx(0.431, abs=2e-3)
    assert metres_per_pixel(grid(0.5, "EPSG:4326"), []) == pytest.approx(0.466, abs=3e-3)
    feet = dataclasses.replace(grid(1), crs="EPSG:2274")  # Tennessee in feet
    feet = dataclasses.replace(feet, transform=Affine(1, 0, 1_900_000, 0, -1, 600_000))
    assert metres_per_pixel(feet, []) == pytest.approx(0.3048, rel=1e-3)


def test_a_label_places_an_image_that_has_no_place() -> None:
    known = houses(20, degrees=grid(0.45))
    assert metres_per_pixel(grid(1, None), known) == pytest.approx(0.45, rel=1e-3)
    assert metres_per_pixel(grid(1, None), houses(20)) is None
    # An image that has a place is not asked twice.
    assert metres_per_pixel(grid(1.0), known) == pytest.approx(1.0, rel=1e-3)
    # Two lists that tell of different places tell no size.
    odd = [
        dataclasses.replace(b, polygon=shapely.affinity.translate(b.polygon, 9 * (-1) ** k, 7 * k))
        for k, b in enumerate(known)
    ]
    assert metres_per_pixel(grid(1, None), odd) is None


def test_a_scene_is_drawn_at_its_own_size() -> None:
    scene = Scene.of_rgb(np.zeros((64, 64, 3), np.uint8))
    assert Ground(scene, houses(20, degrees=grid(0.45))).gsd == pytest.approx(0.45, rel=1e-3)
    assert Ground(scene, houses(20)).gsd == 0.5


@pytest.mark.parametrize("metres", [0.31, 0.5, 1.0, 1.49])
def test_of_usual_pixels_nothing_is_said(metres: float) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", OddPixelSize)
        check_pixels(grid(metres), houses(HOUSE / metres))
        check_pixels(grid(1, None), houses(HOUSE / metres, degrees=grid(metres)))
        check_pixels(grid(1, None), houses(HOUSE / metres))
        check_pixels(grid(metres), [])


SAID = {
    "coarse": (3.0, "EPSG:32616", "3 m wide.*gdalwarp -t_srs EPSG:32616 -tr 0.5 0.5 -r cubic a.ti"),
    "fine": (0.1, "EPSG:32616", "0.1 m wide.*-tr 0.5 0.5 -r average a.tif new.tif"),
    "degrees": (3.0, "EPSG:4326", "2.79 m wide.*-t_srs EPSG:32616 -tr"),
}


@pytest.mark.parametrize("case", SAID)
def test_odd_pixels_are_said_with_their_size_and_the_command(case: str) -> None:
    metres, crs, words = SAID[case]
    with pytest.warns(OddPixelSize, match=words):
        check_pixels(grid(metres, crs), houses(HOUSE / metres))


def test_odd_pixels_of_a_plain_image_are_said_by_its_label() -> None:
    with pytest.warns(OddPixelSize, match=r"3 m wide.*gdal_translate -outsize 600% 600% -r cubic"):
        check_pixels(grid(1, None), houses(HOUSE / 3, degrees=grid(3.0)))


def test_houses_of_less_than_nine_pixels_are_refused() -> None:
    with pytest.raises(BadImage, match=r"6 footprints covers 1\.4 pixels of 10 m, .*FINER\.tif"):
        check_pixels(grid(10.0), houses(HOUSE / 10))
    with pytest.raises(BadImage, match=r"covers 8\.4 pixels, fewer than the 9"):
        check_pixels(grid(1, None), houses(2.9))
    with pytest.raises(BadImage, match="check that the footprints are buildings"):
        check_pixels(grid(0.5), houses(2.9))
    check_pixels(grid(1, None), houses(3))


def test_half_of_the_footprints_decides_not_a_shed() -> None:
    check_pixels(grid(1.0), [*houses(8), *houses(1)[:5]])
    with pytest.raises(BadImage, match="median of its 11 footprints"):
        check_pixels(grid(1.0), [*houses(8)[:5], *houses(1)])
