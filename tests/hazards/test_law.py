"""The law of every registered hazard: severity, seeds, units, shapes, and how to add one."""

import itertools
import time
from dataclasses import fields, replace

import numpy as np
import pytest
from shapely.geometry import box
from tests.hail import Hail

from afterscene.errors import BadParameter, UnknownName
from afterscene.geodata.damage import Building, DamageLevel
from afterscene.geodata.scene import Scene
from afterscene.hazards import HAZARDS, Hazard, fields_of, make_hazard

NAMES = tuple(HAZARDS)
UNITS = {
    "earthquake": "g",
    "wind": "m/s",
    "tornado": "m/s",
    "wildfire": "kW/m2",
    "flood": "m",
    "tsunami": "m",
    "volcano": "kPa",
}


def make(height, width, step=32):
    pixels = np.random.default_rng(0).integers(60, 140, (3, height, width), dtype=np.uint8)
    houses = [
        Building(polygon=box(x, y, x + 18, y + 14), level=None, uid=f"house-{y}-{x}")
        for y in range(4, height - 14, step)
        for x in range(4, width - 18, step)
    ]
    return Scene(pixels=pixels, valid=np.ones((height, width), bool)), houses


def strike(hazard, scene, buildings, seed=3):
    return hazard(scene, buildings, np.random.default_rng(seed))


def levels(damage):
    return [int(b.level) for b in damage.buildings]


def test_the_names_are_the_promised_ones_and_cannot_be_changed():
    assert {*UNITS} <= {*HAZARDS}
    with pytest.raises(TypeError):
        HAZARDS["snow"] = Hazard


@pytest.mark.parametrize("name", NAMES)
def test_severity_zero_damages_nothing(name, scene, street):
    damage = strike(make_hazard(name, 0.0), scene, street)
    assert set(levels(damage)) == {DamageLevel.NO_DAMAGE}
    assert not damage.intensity.any()


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("name", NAMES)
def test_damage_and_intensity_never_fall_when_severity_rises(name, seed, scene, street):
    struck = [
        strike(make_hazard(name, s), scene, street, seed)
        for s in (0.0, 0.02, 0.1, 0.25, 0.4, 0.55, 0.7, 0.85, 1.0)
    ]
    for weak, strong in itertools.pairwise(struck):
        assert (strong.intensity >= weak.intensity - 1e-5 * weak.intensity.max()).all()
        assert all(a <= b for a, b in zip(levels(weak), levels(strong), strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_full_severity_damages_something_over_a_few_seeds(name, scene, street):
    hazard = make_hazard(name, 1.0)
    assert max(max(levels(strike(hazard, scene, street, seed))) for seed in range(4)) >= 3


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_repeats_and_another_differs(name, scene, street):
    hazard = make_hazard(name, 0.7)
    first, again = strike(hazard, scene, street), strike(hazard, scene, street)
    other = strike(hazard, scene, street, seed=4)
    np.testing.assert_array_equal(first.intensity, again.intensity)
    assert levels(first) == levels(again)
    assert dict(first.parameters) == dict(again.parameters)
    assert not np.array_equal(first.intensity, other.intensity)


@pytest.mark.parametrize("name", NAMES)
def test_the_map_keeps_buildings_and_says_how_it_was_made(name, scene, street):
    damage = strike(make_hazard(name, 0.6), scene, street)
    assert damage.hazard == name
    assert damage.unit == UNITS.get(name, HAZARDS[name].unit)
    assert damage.intensity.shape == scene.shape
    assert np.isfinite(damage.intensity).all() and damage.intensity.min() >= 0
    assert [b.uid for b in damage.buildings] == [b.uid for b in street]
    assert all(b.polygon.equals(s.polygon) for b, s in zip(damage.buildings, street, strict=True))
    assert damage.parameters["severity"] == 0.6
    assert all(isinstance(v, float | str) for v in damage.parameters.values())


@pytest.mark.parametrize("name", NAMES)
def test_what_was_drawn_can_be_given_back(name, scene, street):
    hazard = make_hazard(name, 0.6)
    first = strike(hazard, scene, street)
    known = {f.field: first.parameters[f.field] for f in fields_of(name) if f.default is None}
    again = strike(make_hazard(name, 0.6, **known), scene, street)
    np.testing.assert_allclose(again.intensity, first.intensity, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_order_and_earlier_levels_do_not_matter(name, scene, street):
    hazard = make_hazard(name, 0.7)
    first = {b.uid: b.level for b in strike(hazard, scene, street).buildings}
    shuffled = [replace(b, level=DamageLevel.DESTROYED) for b in reversed(street)]
    assert {b.uid: b.level for b in strike(hazard, scene, shuffled).buildings} == first


@pytest.mark.parametrize("name", NAMES)
def test_tiny_and_empty_scenes(name):
    nothing = strike(make_hazard(name, 1.0), make(1, 1)[0], [])
    assert nothing.buildings == () and nothing.intensity.shape == (1, 1)
    far = Building(polygon=box(1e8, -1e8, 1e8 + 5, -1e8 + 5), level=None, uid="far")
    odd = strike(make_hazard(name, 1.0), make(3, 200)[0], [far])
    assert odd.buildings[0].level in set(DamageLevel) - {DamageLevel.UNCLASSIFIED}


@pytest.mark.parametrize("name", NAMES)
def test_a_full_tile_takes_less_than_two_seconds(name):
    scene, street = make(1024, 1024)
    begin = time.process_time()
    strike(make_hazard(name, 0.8), scene, street)
    assert time.process_time() - begin < 2.0


@pytest.mark.parametrize("name", ["earthquake", "wind", "wildfire"])
def test_neighbours_agree_more_than_strangers(name):
    scene, street = make(512, 512, step=24)
    near, far = [], []
    for seed in range(6):
        level = np.array(levels(strike(make_hazard(name, 0.6), scene, street, seed)))
        side = round(len(street) ** 0.5)
        grid = level.reshape(side, side)
        near.append(np.abs(np.diff(grid, axis=1)).mean())
        far.append(np.abs(grid[:, : side // 2] - grid[:, -(side // 2) :]).mean())
    assert np.mean(near) < np.mean(far)


def test_every_field_has_a_unit_and_a_sentence():
    for name in NAMES:
        rows = fields_of(name)
        assert rows[0].field == "severity"
        assert all(row.unit and row.doc for row in rows)
        for row, field in zip(rows, fields(HAZARDS[name]), strict=False):
            assert row.field == field.name


def test_errors_name_the_value_and_the_choices():
    with pytest.raises(UnknownName, match=r"'snow'.*earthquake"):
        make_hazard("snow", 0.5)
    with pytest.raises(UnknownName, match="'snow'"):
        fields_of("snow")
    with pytest.raises(BadParameter, match=r"'depth'.*stage"):
        make_hazard("flood", 0.5, depth=3.0)
    for severity in (-0.1, 1.1, float("nan"), float("inf"), "strong", True):
        with pytest.raises(BadParameter, match="severity"):
            make_hazard("flood", severity)
    with pytest.raises(BadParameter, match=r"rmax.*km"):
        make_hazard("wind", 0.5, rmax=1.0)


def test_a_hazard_defined_elsewhere_works(scene, street):
    damage = strike(Hail(severity=0.5), scene, street)
    assert damage.hazard == "hail" and damage.unit == "mm"
    assert damage.parameters["cloud"] == "cumulonimbus"
    assert {DamageLevel.NO_DAMAGE, DamageLevel.MINOR} <= {b.level for b in damage.buildings}
    assert set(levels(strike(Hail(severity=0.0), scene, street))) == {1}
