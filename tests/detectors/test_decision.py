"""Votes, biases and thresholds, against answers that can be read off."""

import numpy as np
import pytest
import shapely

from afterscene.detectors.calibration import (
    best_bias,
    best_threshold,
    harmonic_f1,
    level_weights,
)
from afterscene.detectors.decision import Decision, decide
from afterscene.errors import BadParameter
from afterscene.geodata.damage import Building, instances


def _levels(winner: np.ndarray, p: float = 0.7) -> np.ndarray:
    levels = np.full((4, *winner.shape), (1 - p) / 3, dtype=np.float32)
    np.put_along_axis(levels, winner[None] - 1, p, axis=0)
    return levels


def test_a_component_gets_the_level_of_its_majority() -> None:
    building = np.zeros((12, 20), dtype=np.float32)
    building[2:8, 2:8] = building[2:8, 12:18] = 0.9
    winner = np.ones((12, 20), dtype=np.int64)
    winner[2:8, 2:6] = 4  # two thirds of the left house
    winner[2:8, 12:14] = 3  # one third of the right house
    mask, damage = decide(building, _levels(winner), Decision(vote=True))
    assert np.array_equal(mask == 1, building > 0)
    assert set(damage[2:8, 2:8].ravel()) == {4}
    assert set(damage[2:8, 12:18].ravel()) == {1}
    _, single = decide(building, _levels(winner), Decision(vote=False))
    assert np.array_equal(single, winner)


def test_footprints_replace_the_localisation() -> None:
    building = np.zeros((20, 20), dtype=np.float32)
    winner = np.full((20, 20), 2, dtype=np.int64)
    house = Building(polygon=shapely.box(3, 4, 9, 11), level=None, uid="a")
    mask, damage = decide(building, _levels(winner), Decision(), [house])
    assert mask[4:12, 3:10].all() and mask.sum() == 8 * 7
    assert (damage[mask > 0] == 2).all()


def test_footprints_that_share_a_wall_get_a_level_each() -> None:
    houses = [Building(polygon=shapely.box(x, 2, x + 7, 9), level=None, uid=f"{x}") for x in (2, 9)]
    owner = instances(houses, (12, 20))
    winner = np.where(owner == 1, 4, 2)
    _, damage = decide(np.zeros((12, 20), np.float32), _levels(winner), Decision(), houses)
    assert {*damage[owner == 1]} == {4} and {*damage[owner == 2]} == {2}


def test_bias_lets_a_rare_level_win() -> None:
    building = np.ones((4, 4), dtype=np.float32)
    levels = np.zeros((4, 4, 4), dtype=np.float32)
    levels[0], levels[2] = 0.6, 0.4
    assert (decide(building, levels, Decision())[1] == 1).all()
    assert (decide(building, levels, Decision(level_bias=(0, 0, 1, 0)))[1] == 3).all()


def test_calibration_finds_the_bias_that_was_put_in() -> None:
    """Scores that are right up to a constant on one level become right again."""
    rng = np.random.default_rng(0)
    target = rng.choice([1, 2, 3, 4], p=[0.7, 0.1, 0.1, 0.1], size=4000)
    scores = rng.normal(0, 0.3, size=(4000, 4))
    scores[np.arange(4000), target - 1] += 2
    found = np.ones(4000, dtype=bool)
    clean = harmonic_f1(scores, target, found)
    scores[:, 2] -= 2.5
    bias, score = best_bias(scores, target, found)
    assert clean > 0.99 and harmonic_f1(scores, target, found) < 0.5
    assert score > 0.98
    assert 1.5 <= bias[2] - bias[0] <= 3.0


def test_calibration_follows_the_expected_mix() -> None:
    """Half of the pixels are minor; where none is expected, doubtful ones are called undamaged."""
    rng = np.random.default_rng(0)
    target = rng.choice([1, 2, 4], 3000, p=[0.4, 0.5, 0.1]).astype(np.int64)
    sure = np.where(target == 4, 3.0, 0.6)
    scores = rng.normal(0, 0.5, (3000, 4))
    scores[np.arange(3000), target - 1] += sure
    found = np.ones(3000, bool)
    mix = (0.7, 0.0, 0.0, 0.3)
    weights = level_weights(target, mix)
    assert np.bincount(target, minlength=5)[1:5] / 3000 @ weights == pytest.approx(1.0)
    plain, _ = best_bias(scores, target, found)
    moved, figure = best_bias(scores, target, found, weights)
    assert moved[1] < plain[1] - 1
    before, after = ((scores + bias).argmax(axis=1) == 0 for bias in (plain, moved))
    assert after[target == 1].mean() > before[target == 1].mean() + 0.05 and figure > 0.8


def test_harmonic_f1_is_that_of_the_official_score() -> None:
    from afterscene.metrics.confusion import Confusion

    rng = np.random.default_rng(1)
    target = rng.integers(1, 5, size=(30, 30))
    scores = rng.normal(size=(900, 4))
    found = rng.random(900) > 0.3
    damage = (scores.argmax(axis=1) + 1).reshape(30, 30)
    official = Confusion().add(found.reshape(30, 30), damage, target).result()
    ours = harmonic_f1(scores, target.ravel(), found)
    assert abs(official.damage_f1 - ours) < 1e-12


def test_best_threshold_separates() -> None:
    histogram = np.zeros((2, 200))
    histogram[0, :60] = 10
    histogram[1, 80:] = 10
    threshold, f1 = best_threshold(histogram)
    assert 0.3 <= threshold <= 0.4 and f1 == 1.0


@pytest.mark.parametrize("field", [{"threshold": 1.0}, {"level_bias": (0, 0, float("nan"), 0)}])
def test_bad_decisions_are_refused(field: dict) -> None:
    with pytest.raises(BadParameter):
        Decision(**field)
