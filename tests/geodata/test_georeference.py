"""New labels get degrees: from the scene, else from the label of the same tile."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import shapely
from affine import Affine
from shapely.geometry import MultiPolygon, Polygon, box

from afterscene.errors import BadParameter
from afterscene.geodata import (
    Building,
    DamageLevel,
    Scene,
    XbdLabel,
    XbdTree,
    fit_lnglat,
    make_label,
    read_label,
    write_label,
)

METADATA = {"width": 64, "height": 64, "img_name": "a_00000001_post_disaster.png"}
TRUE = Affine(4.5e-6, -4.3e-8, -90.808769, -4.2e-8, -4.4e-6, 14.368846)


def degrees(xy: np.ndarray) -> np.ndarray:
    a, b, c, d, e, f = TRUE[:6]
    return np.stack([a * xy[:, 0] + b * xy[:, 1] + c, d * xy[:, 0] + e * xy[:, 1] + f], axis=1)


def house(x: float, y: float, uid: str, *, placed: bool = True) -> Building:
    outline = box(x, y, x + 9, y + 7)
    lnglat = shapely.transform(outline, degrees) if placed else None
    return Building(polygon=outline, level=DamageLevel.MAJOR, uid=uid, lnglat=lnglat)


def test_the_affine_is_found_again() -> None:
    fit = fit_lnglat([house(3, 4, "a"), house(40, 9, "b", placed=False), house(800, 700, "c")])
    assert fit is not None
    np.testing.assert_allclose(fit.affine[:6], TRUE[:6], rtol=1e-6, atol=1e-9)
    assert fit.residual < 1e-6


def test_a_wrong_outline_shows_in_the_residual(tmp_path: Path) -> None:
    shifted = house(3, 4, "a")
    shifted = dataclasses.replace(shifted, polygon=shapely.affinity.translate(shifted.polygon, 8))
    fit = fit_lnglat([shifted, house(500, 10, "b"), house(10, 500, "c"), house(400, 400, "d")])
    assert fit is not None
    assert fit.residual > 1
    far = dataclasses.replace(shifted, polygon=shapely.affinity.translate(shifted.polygon, 80))
    houses = (far, house(500, 10, "b"), house(10, 500, "c"), house(400, 400, "d"))
    label = XbdLabel(buildings=houses, metadata={"gsd": 1})
    write_label(label, tmp_path / "a.json")
    note = "1 x label whose xy and lng_lat disagree by more than 2 pixels"
    assert note in read_label(tmp_path / "a.json").notes


def test_too_little_to_fit_is_none() -> None:
    assert fit_lnglat([]) is None
    assert fit_lnglat([house(3, 4, "a", placed=False)]) is None
    line = Polygon([(0, 0), (1, 1), (2, 2)])
    flat = Building(polygon=line, level=None, uid="a", lnglat=shapely.transform(line, degrees))
    assert fit_lnglat([flat]) is None
    other = dataclasses.replace(house(1, 1, "a"), lnglat=Polygon([(0, 0), (1, 0), (0, 1)]))
    assert fit_lnglat([other]) is None
    point = dataclasses.replace(house(1, 1, "a"), lnglat=box(5, 5, 5, 5))
    assert fit_lnglat([point]) is None


def test_degrees_come_from_the_label_of_the_same_tile(tmp_path: Path) -> None:
    like = XbdLabel(buildings=(house(3, 4, "a"), house(30, 40, "b")), metadata=METADATA)
    label = make_label([house(20, 20, "new", placed=False)], metadata=METADATA, like=like)
    expected = house(20, 20, "new").lnglat
    assert label.buildings[0].lnglat is not None
    assert shapely.hausdorff_distance(label.buildings[0].lnglat, expected) < 1e-9
    write_label(label, tmp_path / "a_post.json")
    assert read_label(tmp_path / "a_post.json").buildings == label.buildings


def test_degrees_come_from_the_scene_first() -> None:
    place = Affine(9e-6, 0, -85.0, 0, -9e-6, 30.0)
    scene = Scene(
        pixels=np.zeros((3, 64, 64), np.uint8),
        valid=np.ones((64, 64), bool),
        crs="EPSG:4326",
        transform=place,
    )
    like = XbdLabel(buildings=(house(3, 4, "a"),), metadata=METADATA)
    two = MultiPolygon([box(0, 0, 10, 10), box(20, 0, 30, 10)])
    new = Building(polygon=two, level=None, uid="x")
    label = make_label([new, house(1, 1, "kept")], metadata=METADATA, like=like, scene=scene)
    assert label.buildings[0].lnglat is not None
    np.testing.assert_allclose(
        label.buildings[0].lnglat.bounds, (-85, 30 - 9e-5, -85 + 27e-5, 30), atol=1e-12
    )
    assert label.buildings[1].lnglat == house(1, 1, "kept").lnglat


def test_without_a_place_there_are_no_degrees_and_the_label_still_comes_back(
    tmp_path: Path,
) -> None:
    scene = Scene(pixels=np.zeros((3, 64, 64), np.uint8), valid=np.ones((64, 64), bool))
    label = make_label([house(1, 1, "a", placed=False)], metadata=METADATA, scene=scene)
    assert label.buildings[0].lnglat is None
    write_label(label, tmp_path / "a_post.json")
    assert read_label(tmp_path / "a_post.json").buildings == label.buildings
    with pytest.raises(BadParameter, match="a label needs metadata"):
        make_label([], metadata={})


@pytest.mark.data
def test_the_affine_fits_official_labels_to_a_fiftieth_of_a_pixel(shared_data: Path) -> None:
    residuals = []
    for pair in XbdTree(shared_data / "xbd").pairs("val"):
        fit = fit_lnglat(read_label(pair.post_label or "").buildings)
        residuals += [fit.residual] if fit else []
    assert len(residuals) > 15
    assert max(residuals) < 0.03


@pytest.mark.data
def test_new_damage_on_a_pre_label_keeps_its_characters(shared_data: Path, tmp_path: Path) -> None:
    """What ``gbd build`` does: the outlines of the pre label, with levels."""
    pair = XbdTree(shared_data / "xbd").pairs("val")[3]
    pre = read_label(pair.pre_label or "")
    assert pre.buildings
    hit = [dataclasses.replace(b, level=DamageLevel.DESTROYED) for b in pre.buildings]
    write_label(make_label(hit, metadata=pre.metadata, like=pre), tmp_path / "a_post_.json")
    post = read_label(tmp_path / "a_post_.json")
    assert post.buildings == tuple(hit)
    assert post.texts == pre.texts
    assert post.metadata == pre.metadata
