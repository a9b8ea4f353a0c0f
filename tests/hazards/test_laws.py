"""Drawn events lie in the ranges of the hazards, are a function of the seed, follow their laws."""

import numpy as np
import pytest

from afterscene.errors import UnknownName
from afterscene.hazards import HAZARDS, make_hazard

MANY = 4000


def sample(name, field):
    rng = np.random.default_rng(1)
    return np.array([HAZARDS[name].draw_event(rng)[field] for _ in range(MANY)])


def test_every_hazard_has_a_law_and_a_reach():
    for kind in HAZARDS.values():
        assert kind.law(np.random.default_rng(0)) and 1 <= kind.reach_km <= 100


@pytest.mark.parametrize("name", sorted(HAZARDS))
def test_a_drawn_event_is_one_that_the_hazard_takes_and_the_seeds_alone(name):
    for seed in range(200):
        fields = HAZARDS[name].draw_event(np.random.default_rng(seed))
        make_hazard(name, 1.0, **fields)
        assert fields == HAZARDS[name].draw_event(np.random.default_rng(seed))
    first, other = (HAZARDS[name].draw_event(np.random.default_rng(seed)) for seed in (0, 1))
    assert first != other


def test_magnitudes_fall_tenfold_a_unit_and_epicentres_fill_the_plane():
    magnitude = sample("earthquake", "magnitude")
    ratio = (magnitude >= 7).mean() / (magnitude >= 6).mean()
    exact = (10**-1 - 10**-2.2) / (1 - 10**-2.2)
    assert ratio == pytest.approx(exact, abs=0.015)
    distance = sample("earthquake", "epicentral_distance")
    assert (distance < 15).mean() == pytest.approx(0.25, abs=0.02)


def test_run_ups_follow_their_power_law_and_floods_their_return_periods():
    height = sample("tsunami", "run_up_height")
    assert (height > 4).mean() == pytest.approx((1 / 4 - 1 / 25) / (1 / 2 - 1 / 25), abs=0.025)
    stage = sample("flood", "stage")
    once_in_100 = 1.2 - 0.8 * np.log(-np.log1p(-0.01))
    assert (stage > once_in_100).mean() == pytest.approx(
        (0.01 - 1 / 500) / (0.05 - 1 / 500), abs=0.02
    )


def test_stronger_storms_are_smaller():
    rng = np.random.default_rng(2)
    storms = [HAZARDS["wind"].draw_event(rng) for _ in range(MANY)]
    strong = np.median([s["rmax"] for s in storms if s["pressure_deficit"] > 100])
    weak = np.median([s["rmax"] for s in storms if s["pressure_deficit"] < 50])
    assert strong < 0.8 * weak


def test_an_unknown_hazard_is_named():
    with pytest.raises(UnknownName, match=r"'snow'.*earthquake"):
        HAZARDS.find("snow")
