"""Weights are the product of three factors, and sampling follows them."""

from collections import Counter

import numpy as np
import pytest
import shapely

from afterscene.errors import BadParameter, UnknownName
from afterscene.gbd.vulnerable import caveats, choose_places, count_buildings, weigh
from afterscene.hazards import HAZARDS
from afterscene.regions import Footprint, Layer, Place

TOWNS = tuple(
    Place(name=f"t{k}", lng=-95 + k, lat=35.0, population=1000 * (k + 1)) for k in range(4)
)


def layer(values):
    return Layer(hazard="wind", unit="m/s", source="test", at=lambda places: np.array(values))


def test_a_weight_is_hazard_times_exposure_times_fragility():
    found = weigh(TOWNS, ["wind"], layers=[layer([0.0, 30.0, 50.0, 70.0])])
    assert [c.place.name for c in found] == ["t1", "t2", "t3"], "nothing where nothing strikes"
    for candidate, speed in zip(found, (30.0, 50.0, 70.0), strict=True):
        major = HAZARDS["wind"].fragility.probabilities(speed)[1]
        assert candidate.weight == pytest.approx(candidate.place.population / 4 * major)


def test_footprints_count_within_reach_alone():
    near = Footprint(outline=shapely.box(-95, 35.05, -94.999, 35.051), source="x")
    far = Footprint(outline=shapely.box(-95, 35.5, -94.999, 35.501), source="x")
    assert count_buildings(TOWNS, [near, near, far]).tolist() == [2, 0, 0, 0]


def test_places_are_drawn_in_proportion_to_their_weight_and_apart():
    found = weigh(TOWNS, ["tornado"])
    first = Counter(choose_places(found, 1, seed=s)[0].place.name for s in range(600))
    shares = [first[f"t{k}"] / 600 for k in range(4)]
    assert np.allclose(shares, [0.1, 0.2, 0.3, 0.4], atol=0.07)
    assert len(choose_places(found, 4, seed=0)) == 4
    assert len(choose_places(found, 4, seed=0, apart_km=150)) < 4
    assert choose_places(found, 3, seed=5) == choose_places(found, 3, seed=5)


def test_hazards_take_turns():
    chosen = choose_places(weigh(TOWNS, ["tornado", "flood"]), 4, seed=1)
    assert [c.hazard for c in chosen] == ["tornado", "flood"] * 2


def test_what_there_is_to_know_is_said():
    words = " ".join(caveats(weigh(TOWNS, ["flood"])))
    assert "never labels" in words and "prior" in words and "4 people" in words
    counted = weigh(TOWNS, ["wind"], layers=[layer([50.0] * 4)], buildings=np.ones(4))
    assert "prior" not in " ".join(caveats(counted))
    with pytest.raises(UnknownName, match="snow"):
        weigh(TOWNS, ["snow"])
    with pytest.raises(BadParameter, match="no place"):
        choose_places([], 1, seed=0)
