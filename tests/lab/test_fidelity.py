"""Label fidelity on toy places: floor, ceiling, and what is counted."""

from dataclasses import replace
from functools import reduce
from operator import add

import numpy as np
import pytest

from afterscene.geodata.pair import read_pair
from afterscene.geodata.xbd import XbdTree
from afterscene.lab.fidelity import (
    Recovered,
    asked_buildings,
    counted_levels,
    gap_figures,
    recover,
)
from afterscene.metrics.confusion import Confusion
from tests.lab import places

#: Counts of pixels that were found to be of major damage: (target, building, said, level).
MAJOR_FOUND = np.broadcast_to(np.arange(5) == 3, (6, 2, 2, 5))
WORDS = ("no-damage", "minor-damage", "major-damage", "destroyed")
EVENTS = ("a", "a", "b", "b")


def gap_of(*sets, **more):
    return gap_figures(*sets, events=EVENTS, **more)


@pytest.fixture(scope="module")
def test_places(tmp_path_factory):
    tree = places.paired_tree(tmp_path_factory.mktemp("xbd"))
    return [read_pair(pair) for pair in XbdTree(tree).pairs("test")]


@pytest.fixture(scope="module")
def found(test_places):
    judge = places.ReadingJudge()
    floor = [recover(judge, place, place.pre) for place in test_places]
    ceiling = [recover(judge, place, place.post) for place in test_places]
    return floor, ceiling


def test_a_perfect_assessor_recovers_every_level_of_the_real_post(found):
    for tile in found[1]:
        assert tile.pixels.result().damage_f1_by_level == dict.fromkeys(WORDS, 1.0)
        assert np.trace(tile.buildings) == tile.buildings.sum() == 25


def test_the_pre_image_as_post_shows_no_damage(found):
    for tile in found[0]:
        f1 = tile.pixels.result().damage_f1_by_level
        assert [f1[word] for word in WORDS[1:]] == [0, 0, 0] and 0 < f1["no-damage"] < 1
        assert tile.buildings[:, 1:].sum() == 0


def test_gap_is_zero_at_the_floor_and_one_at_the_ceiling(found):
    floor, ceiling = found
    at_floor = gap_of(floor, floor, ceiling, WORDS)
    at_ceiling = gap_of(ceiling, floor, ceiling, WORDS)
    assert at_floor["gap_closed"] == 0 and at_floor["interval"] == [0, 0]
    assert at_ceiling["gap_closed"] == 1 and at_ceiling["interval"] == [1, 1]
    assert (at_floor["gap_closed_plain"], at_ceiling["gap_closed_plain"]) == (0, 1)
    assert at_ceiling["by_level"] == dict.fromkeys(WORDS, 1.0)


def test_a_mixture_lies_between_and_inside_its_interval(found):
    floor, ceiling = found
    half = [ceiling[0], floor[1], ceiling[2], floor[3]]
    gap = gap_of(half, floor, ceiling, WORDS, seed=1)
    low, high = gap["interval"]
    assert 0 <= low < gap["gap_closed"] < high <= 1
    assert gap_of(half, floor, ceiling, WORDS, seed=1) == gap
    assert gap_of(half, floor, ceiling, ())["gap_closed"] is None


def test_gap_is_unknown_where_the_ceiling_is_no_higher(found):
    floor, ceiling = found
    gap = gap_of(ceiling, floor, floor, WORDS)
    assert gap["gap_closed"] is None and gap["interval"] is None
    assert set(gap["by_level"].values()) == {None}


def test_a_level_that_is_never_found_takes_the_harmonic_mean_alone_to_nothing(found):
    floor, ceiling = found
    blind = [
        Recovered(
            pixels=Confusion(counts=np.where(MAJOR_FOUND, 0, tile.pixels.counts)),
            buildings=tile.buildings,
        )
        for tile in ceiling
    ]
    gap = gap_of(blind, floor, ceiling, WORDS)
    assert gap["gap_closed"] < 1e-4 and gap["gap_closed_plain"] > 0.6
    assert gap["by_level"]["major-damage"] == 0


def test_worse_than_the_floor_is_below_zero(found):
    floor, ceiling = found
    assert gap_of(floor, [*floor[:2], *ceiling[2:]], ceiling, WORDS)["gap_closed"] < 0


def test_the_gap_is_of_the_official_f1():
    """On random answers, with unknown buildings, localisation errors and all."""
    rng = np.random.default_rng(0)
    target = rng.choice([0, 1, 2, 3, 4, 255], (4, 60, 60))
    tiles = [
        Recovered(
            pixels=Confusion().add(rng.integers(0, 2, t.shape), rng.integers(0, 5, t.shape), t),
            buildings=np.zeros((4, 4)),
        )
        for t in target
    ]
    both = list(zip(tiles, target, strict=True))
    none = [replace(tile, pixels=Confusion().add(t > 0, 0 * t, t)) for tile, t in both]
    right = [replace(tile, pixels=Confusion().add(t > 0, t % 255, t)) for tile, t in both]
    f1 = reduce(add, (tile.pixels for tile in tiles)).result().damage_f1_by_level
    gap = gap_of(tiles, none, right, WORDS)
    assert gap["by_level"] == pytest.approx(f1, abs=1e-4)


def test_tiles_are_drawn_within_their_event(found):
    """Each event has one tile: every draw is the whole set."""
    floor, ceiling = found
    half = [*ceiling[:2], *floor[2:]]
    gap = gap_figures(half, floor, ceiling, WORDS, events=tuple("abcd"))
    assert gap["interval"] == [gap["gap_closed"]] * 2


def test_levels_with_few_buildings_are_not_counted():
    asked = {"no-damage": 300, "minor-damage": 20, "major-damage": 19, "destroyed": 0}
    assert counted_levels(asked) == ("no-damage", "minor-damage")


def test_unclassified_buildings_are_counted_apart_and_never_judged(tmp_path):
    places.write_pair(tmp_path, "hurricane-michael_00000001", 0, levels=(1, 4, 255))
    place = read_pair(XbdTree(tmp_path).pairs()[0])
    tile = recover(places.ReadingJudge(), place, place.pre)
    asked = asked_buildings([place.buildings])
    assert asked["un-classified"] == 8 and tile.buildings.sum() == 25 - 8
    assert tile.pixels.result().damage_f1_by_level["no-damage"] == pytest.approx(
        2 * 9 / (2 * 9 + 8), abs=0.01
    )
