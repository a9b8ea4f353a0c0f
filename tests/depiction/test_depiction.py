"""The law of painters, whatever they paint: same shape, same seed same picture, input untouched."""

from dataclasses import replace

import numpy as np
import pytest
from tests.generators import toy

from afterscene.depiction import Depiction, Painter
from afterscene.geodata.damage import DamageLevel
from afterscene.hazards import HAZARDS, depiction_of

PAINTERS = [
    pytest.param(name, painter, id=f"{name}-{part}")
    for name, kind in HAZARDS.items()
    for part in ("overlay", "ground", "sketch")
    if (painter := getattr(kind.depiction, part)) is not None
]


@pytest.mark.parametrize(("name", "painter"), PAINTERS)
def test_a_painter_returns_a_new_picture_of_the_same_scene(name, painter):
    picture = toy.scene(48, 80).rgb()
    given = picture.copy()
    struck = toy.damage(
        toy.building(4, 4, DamageLevel.MAJOR, 20),
        toy.building(44, 10, DamageLevel.DESTROYED, 20),
        shape=picture.shape[:2],
    )
    field = np.full(picture.shape[:2], 2.0, np.float32)
    struck = replace(struck, intensity=field, hazard=name, unit=HAZARDS[name].unit)
    first, again = painter(picture, struck, 5), painter(picture, struck, 5)
    assert isinstance(painter, Painter)
    assert first.shape == picture.shape and first.dtype == np.uint8 and first is not picture
    assert np.array_equal(first, again) and np.array_equal(picture, given)


@pytest.mark.parametrize("shape", [(1, 1), (3, 60)])
@pytest.mark.parametrize(("name", "painter"), PAINTERS)
def test_any_size_and_no_building(name, painter, shape):
    nothing = replace(toy.damage(shape=shape), hazard=name, unit=HAZARDS[name].unit)
    assert painter(toy.scene(*shape).rgb(), nothing, 0).shape == (*shape, 3)


def test_a_hazard_that_is_not_registered_is_the_networks_alone():
    assert depiction_of("locusts") == Depiction()
    assert Depiction().sketch is None and Depiction().learned_from == DamageLevel.MINOR
