"""The shares of a table of asked and seen levels, and what one level for all would score."""

import math

import numpy as np
import pytest

from afterscene.geodata.damage import LEVEL_WORDS
from afterscene.lab.learned import Learned
from afterscene.lab.opinion import share_damaged, share_same


def test_shares_count_buildings_on_the_diagonal_and_on_the_right_side_of_damage():
    table = np.zeros((4, 4), int)
    table[0, 0], table[0, 3], table[2, 1], table[3, 3], table[1, 0] = 4, 1, 2, 2, 1
    assert share_same(table) == pytest.approx(0.6)
    assert share_damaged(table) == pytest.approx(0.8)
    assert math.isnan(share_same(np.zeros((4, 4)))) and math.isnan(share_damaged(np.zeros((4, 4))))


def test_one_level_for_all_scores_on_that_level_alone():
    """Six of eight destroyed: precision 0.75, recall 1, and nothing for the other level there."""
    rows = {word: {"none": 0, "destroyed": 0} for word in ("none", *LEVEL_WORDS)}
    rows["none"]["destroyed"] = 9  # invented buildings are no buildings
    rows["destroyed"] = {"none": 1, "destroyed": 5}
    rows["no-damage"] = {"none": 2, "destroyed": 0}
    scores = {"objects": {"confusion": rows}}
    learned = Learned(detector=None, pairs=1, held=(), scores=scores)
    assert learned.one_level == pytest.approx(2 * 0.75 / 1.75 / 2)
