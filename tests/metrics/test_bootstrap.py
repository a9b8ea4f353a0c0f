"""One bootstrap: tiles within their event, seeds first, the same draws for all that is compared."""

import numpy as np
import pytest

from afterscene.errors import BadParameter
from afterscene.metrics.bootstrap import resample
from afterscene.metrics.confusion import Confusion
from afterscene.metrics.xview2 import judged_score, shown

EVENTS = ["a"] * 4 + ["b"] * 4


def test_tiles_are_drawn_within_their_event_and_seeds_first() -> None:
    events = ["b", "a", "a", "b", "b", "c"]
    draws = resample(np.ones((6, 4)), events, seeds=3, replicates=400)
    assert draws.seeds.shape == (400, 3) and draws.tiles.shape == (400, 3, 6)
    for event in "abc":
        mine = [name == event for name in events]
        assert (draws.tiles[..., mine].sum(axis=-1) == sum(mine)).all()
    assert set(np.unique(draws.seeds)) == {0, 1, 2}
    assert np.bincount(draws.seeds.ravel()) / 1200 == pytest.approx(1 / 3, abs=0.05)
    assert draws.tiles[..., :5].mean() == pytest.approx(1)
    assert (draws.tiles[:, 0] != draws.tiles[:, 1]).any()  # each drawn seed has its own tiles


def test_a_drawn_seed_brings_its_own_counts() -> None:
    counts = np.stack([np.full((4, 1), 1), np.full((4, 1), 10)])
    draws = resample(np.ones((4, 1)), ["a"] * 4, seeds=2, replicates=50)
    assert np.array_equal(draws.sums(counts)[..., 0], np.where(draws.seeds == 0, 4, 40))


def test_the_interval_holds_the_difference_and_sees_a_sure_one() -> None:
    """Arm 2 is right everywhere, arm 1 errs on a random third: the interval excludes 0."""
    rng = np.random.default_rng(0)
    counts = np.zeros((3, 2, 8, 6, 2, 2, 5), dtype=np.int64)
    for seed in range(2):
        for tile in range(8):
            target = rng.integers(0, 5, size=(50, 50))
            wrong = np.where(rng.random((50, 50)) < 0.33, rng.integers(1, 5, size=(50, 50)), target)
            for arm, said in enumerate((wrong, target, wrong)):
                counts[arm, seed, tile] = Confusion().add(target > 0, said, target).counts
    draws = resample(shown(counts[0, 0]), EVENTS, seeds=2, replicates=200)
    first, right, same = (draws.spread(judged_score, arm) for arm in counts)
    (gain,), (none,) = (right - first).intervals(), (same - first).intervals()
    assert gain.low <= gain.mean <= gain.high
    assert gain.excludes_zero and gain.mean > 0.05
    assert none.mean == none.low == none.high == 0
    assert not none.excludes_zero


def test_a_lost_level_is_drawn_again_and_counted() -> None:
    """One tile of six has the destroyed level: a draw without it would be another experiment."""
    counts = np.zeros((1, 6, 6, 2, 2, 5), dtype=np.int64)
    for tile in range(6):
        target = np.full((8, 8), 1 + tile % 3)
        if tile == 0:
            target[:4] = 4
        counts[0, tile] = Confusion().add(target > 0, target, target).counts
    draws = resample(shown(counts[0]), ["a"] * 6, replicates=200)
    assert draws.redrawn > 0.2
    assert (draws.tiles[..., 0] > 0).all()
    (span,) = draws.spread(judged_score, counts).intervals()
    assert span.low > 0.99
    assert resample(shown(counts[0])[:, :1], ["a"] * 6, replicates=200).redrawn < draws.redrawn


def test_the_same_seed_draws_the_same() -> None:
    one, two, other = (resample(np.ones((8, 1)), EVENTS, seed=seed) for seed in (0, 0, 1))
    assert np.array_equal(one.tiles, two.tiles) and not np.array_equal(one.tiles, other.tiles)


def test_what_cannot_be_drawn_is_refused() -> None:
    for bad in ({"events": ["a"]}, {"replicates": 0}, {"seeds": 0}):
        with pytest.raises(BadParameter, match="give one event per tile"):
            resample(np.ones((8, 4)), **{"events": EVENTS, **bad})
