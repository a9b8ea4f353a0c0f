"""Water stands where the depth field says so, ash rises with load, nothing else changes."""

import dataclasses

import numpy as np

from afterscene.generators.physical import EAVES, draw_physics
from afterscene.geodata.damage import DamageLevel
from tests.generators import toy


def flooded(depth: np.ndarray, *buildings, hazard: str = "flood", unit: str = "m"):
    plain = toy.damage(*buildings, shape=depth.shape)
    return dataclasses.replace(plain, intensity=depth, hazard=hazard, unit=unit)


def picture() -> np.ndarray:
    return toy.scene(seed=2).rgb()


def test_dry_ground_stays_to_the_bit_and_water_covers_the_rest():
    depth = np.zeros((64, 64), np.float32)
    depth[:, 40:] = 2.0
    drawn, opacity = draw_physics(picture(), flooded(depth), seed=1)
    dry = opacity == 0
    assert dry[:, :36].all() and (opacity[:, 44:] > 0.9).all()
    assert np.array_equal(drawn[dry], picture()[dry])
    assert drawn[:, 44:].std() < 0.3 * picture()[:, 44:].std()


def test_roofs_stand_above_water_until_the_eaves():
    roof = toy.building(20, 20, DamageLevel.MAJOR, side=20)
    shallow = draw_physics(picture(), flooded(np.full((64, 64), 1.0, np.float32), roof), seed=1)[1]
    deep = np.full((64, 64), EAVES + 1, np.float32)
    assert shallow[25:35, 25:35].max() == 0 and shallow[5, 5] > 0.9
    assert draw_physics(picture(), flooded(deep, roof), seed=1)[1][25:35, 25:35].min() > 0.9


def test_ash_veils_more_with_load():
    loads = (0.0, 0.02, 0.1, 1.0)
    veils = []
    for load in loads:
        field = np.full((64, 64), load, np.float32)
        drawn, opacity = draw_physics(picture(), flooded(field, hazard="volcano", unit="kPa"), 1)
        veils.append((opacity.mean(), -drawn.std()))
    assert veils == sorted(veils) and veils[0][0] == 0 and veils[-1][0] > 0.85


def test_other_hazards_draw_nothing():
    wind = flooded(np.full((64, 64), 60.0, np.float32), hazard="wind", unit="m/s")
    drawn, opacity = draw_physics(picture(), wind, seed=1)
    assert np.array_equal(drawn, picture()) and not opacity.any()
