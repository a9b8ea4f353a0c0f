"""Water stands where the depth field says so, ash rises with load, nothing else changes."""

import dataclasses

import numpy as np
import pytest
from tests.generators import toy

from afterscene.depiction import Ash, Water
from afterscene.depiction.overlays import EAVES
from afterscene.geodata.damage import DamageLevel
from afterscene.hazards import HAZARDS

WATER = Water(colour=(112, 98, 74))


def flooded(depth: np.ndarray, *buildings, unit: str = "m"):
    return dataclasses.replace(
        toy.damage(*buildings, shape=depth.shape), intensity=depth, unit=unit
    )


def picture() -> np.ndarray:
    return toy.scene(seed=2).rgb()


def test_dry_ground_stays_to_the_bit_and_water_covers_the_rest():
    depth = np.zeros((64, 64), np.float32)
    depth[:, 40:] = 2.0
    opacity = WATER.opacity(flooded(depth))
    drawn, dry = WATER(picture(), flooded(depth), seed=1), opacity == 0
    assert dry[:, :36].all() and (opacity[:, 44:] > 0.9).all()
    assert np.array_equal(drawn[dry], picture()[dry])
    assert drawn[:, 44:].std() < 0.3 * picture()[:, 44:].std()


def test_roofs_stand_above_water_until_the_eaves():
    roof = toy.building(20, 20, DamageLevel.MAJOR, side=20)
    shallow = WATER.opacity(flooded(np.full((64, 64), 1.0, np.float32), roof))
    deep = np.full((64, 64), EAVES + 1, np.float32)
    assert shallow[25:35, 25:35].max() == 0 and shallow[5, 5] > 0.9
    assert WATER.opacity(flooded(deep, roof))[25:35, 25:35].min() > 0.9


def test_ash_veils_more_with_load():
    loads = (0.0, 0.02, 0.1, 1.0)
    veils = []
    for load in loads:
        fallen = flooded(np.full((64, 64), load, np.float32), unit="kPa")
        veils.append((Ash().opacity(fallen).mean(), -Ash()(picture(), fallen, 1).std()))
    assert veils == sorted(veils) and veils[0][0] == 0 and veils[-1][0] > 0.85


@pytest.mark.parametrize("painter", [WATER, Ash()])
def test_a_field_in_another_unit_draws_nothing(painter):
    gusts = flooded(np.full((64, 64), 60.0, np.float32), unit="m/s")
    assert np.array_equal(painter(picture(), gusts, seed=1), picture())


@pytest.mark.parametrize("name", ["wind", "tornado", "wildfire", "earthquake"])
def test_other_hazards_lay_nothing_over_the_scene(name):
    kind = HAZARDS[name]
    field = flooded(np.full((64, 64), 60.0, np.float32), unit=kind.unit)
    assert np.array_equal(kind.depiction.overlay(picture(), field, 1), picture())
