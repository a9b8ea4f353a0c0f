"""Who judges is anybody that keeps the protocol; the shipped detector does."""

import numpy as np
import pytest
from tests.generators import toy

from afterscene import detectors
from afterscene.generators.choosing import Critic
from afterscene.geodata.damage import Building, DamageLevel, DamageMap
from afterscene.geodata.scene import Scene
from afterscene.judging.assessor import Assessor, AssessorJudge
from afterscene.judging.quality import Judge, fidelity

GREY = Scene.of_rgb(np.full((64, 64, 3), 90, np.uint8))
HOUSES = (toy.building(4, 20, DamageLevel.MINOR, 12), toy.building(44, 20, DamageLevel.MAJOR, 12))


class Sees:
    """Finds one level on every pixel."""

    def __init__(self, level):
        self.localization = np.ones((64, 64), np.uint8)
        self.damage = np.full((64, 64), level, np.uint8)

    def predict(self, pre, post, *, footprints=None):
        return self


@pytest.fixture(scope="module")
def shipped():
    return detectors.load_assessor()[0]


def test_the_shipped_detector_keeps_the_protocols(shipped):
    assert isinstance(shipped, Assessor) and isinstance(AssessorJudge(shipped), Judge)
    assert isinstance(shipped.building_levels, Critic)
    assert not isinstance(GREY, Assessor) and not isinstance(GREY, Judge)


def test_a_judge_counts_asked_levels_against_found_ones():
    still = np.zeros((64, 64), np.float32)
    asked = DamageMap(buildings=HOUSES, intensity=still, unit="", hazard="", parameters={})
    table = AssessorJudge(Sees(3))(GREY, GREY, asked)
    assert table[1, 2] == table[2, 2] == 1 and table.sum() == 2
    assert fidelity(table) == 0.5


def test_levels_of_buildings_are_probabilities_also_of_one_without_a_pixel(shipped):
    thin = Building(polygon=HOUSES[0].polygon.buffer(-5.9), level=DamageLevel.MINOR, uid="thin")
    levels = shipped.building_levels(GREY.rgb(), GREY.rgb(), [*HOUSES, thin])
    assert levels.shape == (3, 4) and np.isfinite(levels).all()
    assert np.allclose(levels.sum(axis=1), 1)
