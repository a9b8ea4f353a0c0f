"""The figures beside the official score, against answers that can be counted by hand."""

from dataclasses import replace

import numpy as np
import pytest

from afterscene.detectors.evaluation import (
    DetectorScores,
    Tile,
    calibration,
    confidence_bins,
    object_figures,
)
from afterscene.metrics.buildings import match_buildings
from afterscene.metrics.confusion import Confusion


def test_a_building_has_the_level_of_most_of_its_found_pixels() -> None:
    numbers = np.zeros((20, 40), np.int32)
    numbers[2:12, 2:12], numbers[2:12, 20:30] = 1, 2
    said = np.zeros(numbers.shape, np.uint8)
    said[2:12, 2:9], said[2:12, 9:12] = 4, 1  # 70 and 30 of 100 pixels
    said[2:12, 20:24] = 3  # 40 of 100: not found
    said[15:18, 33:36] = 2  # no building there
    table = match_buildings([numbers], np.array([0, 4, 3]), said)
    assert table[4, 4] == 1 and table[3, 0] == 1 and table[0, 2] == 1 and table.sum() == 3
    figures = object_figures(table)
    assert figures["f1"]["destroyed"] == 1 and figures["f1"]["major-damage"] == 0
    assert (figures["found"], figures["buildings"], figures["invented"]) == (1, 2, 1)


def test_unclassified_buildings_are_neither_right_nor_wrong() -> None:
    numbers = np.ones((4, 4), np.int32)
    assert match_buildings([numbers], np.array([0, 255]), np.full((4, 4), 2, np.uint8)).sum() == 0


def test_calibration_error_is_the_gap_between_confidence_and_accuracy() -> None:
    """Sure with 0.8, right in half of the pixels: the gap is 0.3; un-classified pixels are out."""
    joint = np.full((4, 1, 200), 0.2 / 3 * 0.5, np.float32)
    joint[0] = 0.8 * 0.5
    target = np.repeat([1, 2, 255], [90, 90, 20])[None]
    found = calibration(confidence_bins(joint, target))
    assert found["ece"] == pytest.approx(0.3, abs=1e-6)
    assert sum(row["pixels"] for row in found["bins"]) == 180


def _tile(event: str, right: float) -> Tile:
    rng = np.random.default_rng(int(100 * right))
    target = rng.integers(1, 5, (64, 64))
    said = np.where(rng.random(target.shape) < right, target, rng.integers(1, 5, target.shape))
    counts = Confusion().add(target > 0, said, target).counts
    zero = np.zeros((5, 5), int)
    return Tile(event=event, counts=counts, objects=zero, bins=np.zeros((3, 10)))


def test_intervals_hold_the_score_and_shrink_to_it_for_equal_tiles() -> None:
    made = DetectorScores(tiles=tuple(_tile("a", r) for r in (0.3, 0.5, 0.7, 0.9)))
    values = made.as_json()
    low, high = values["intervals"]["score"]
    assert low < values["score"] < high and high - low > 0.1
    same = replace(made, tiles=(_tile("a", 0.5),) * 4).as_json()
    assert same["intervals"]["score"] == pytest.approx([same["score"]] * 2)
    one_each = replace(made, tiles=(_tile("a", 0.3), _tile("b", 0.9))).as_json()
    assert one_each["intervals"]["score"] == pytest.approx([one_each["score"]] * 2)
