"""Orders: every pixel once, the declared spacing kept, the schedule as said; strategies at work."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from afterscene.errors import BadParameter
from afterscene.school.autoregression import (
    STRATEGIES,
    Blocks,
    Confidence,
    Order,
    Random,
    Raster,
    RemovalModel,
    Spaced,
    minimum_distance,
)
from afterscene.school.autoregression.orders import Strategy, _throw, schedule


@settings(max_examples=60, deadline=None)
@given(
    height=st.integers(3, 17),
    width=st.integers(3, 17),
    spacing=st.floats(1.0, 3.0),
    extra=st.integers(0, 40),
    power=st.floats(1.0, 4.0),
    seed=st.integers(0, 2**32),
)
def test_spacing_never_falls_below_what_is_declared(height, width, spacing, extra, power, seed):
    steps = int(np.ceil(spacing)) ** 2 + extra
    strategy = Spaced(steps=steps, spacing=spacing, power=power)
    order = strategy.draw((height, width), np.random.default_rng(seed))
    assert order.spacing == spacing
    assert minimum_distance(order) >= spacing
    assert order.counts.sum() == height * width
    assert order.steps <= steps


@pytest.mark.parametrize(("steps", "spacing"), [(64, 2.0), (32, 3.0), (256, 4.0), (16, 2.5)])
def test_a_real_size_takes_exactly_the_steps_and_grows(steps, spacing):
    order = Spaced(steps=steps, spacing=spacing).draw((32, 32), np.random.default_rng(1))
    assert order.steps == steps
    assert order.counts[0] <= max(1, 1024 // steps**2 * 4)
    assert minimum_distance(order) >= spacing
    quarter = steps // 4
    assert order.counts[-quarter:].sum() > 4 * order.counts[:quarter].sum()


@pytest.mark.parametrize(("gap", "taken"), [(3, 1), (4, 2)])
def test_spacing_holds_where_little_is_left(gap, taken):
    ranks = np.zeros((20, 20), dtype=np.int64)
    ranks[5, 5] = ranks[5, 5 + gap] = -1
    _throw(ranks, 1, 2, 3.2, np.random.default_rng(0))
    assert (ranks == 1).sum() == taken


def test_early_steps_are_spread_wider_than_declared():
    order = Spaced(steps=64, spacing=2.0).draw((32, 32), np.random.default_rng(2))
    first = next(step for step, count in enumerate(order.counts) if count >= 4)
    places = np.argwhere(order.ranks == first)
    gaps = np.linalg.norm(places[:, None] - places[None], axis=2)
    assert gaps[gaps > 0].min() > 6.0


@settings(max_examples=100, deadline=None)
@given(total=st.integers(1, 500), share=st.floats(0.0, 1.0), power=st.floats(0.5, 5.0))
def test_schedule(total, share, power):
    steps = max(1, int(total * share))
    counts = schedule(total, steps, power)
    assert len(counts) == steps
    assert counts.min() >= 1
    assert counts.sum() == total


def test_schedule_shapes():
    assert schedule(100, 10, 1.0).tolist() == [10] * 10
    assert schedule(100, 10, 2.0).tolist() == [1, 3, 5, 7, 9, 11, 13, 15, 17, 19]
    with pytest.raises(BadParameter, match=r"1\.\.9"):
        schedule(9, 10, 1.0)


def test_plain_orders():
    rng = np.random.default_rng(0)
    assert Raster().draw((2, 3), rng).ranks.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert Blocks(side=2).draw((4, 4), rng).ranks.tolist() == [
        [0, 0, 1, 1],
        [0, 0, 1, 1],
        [2, 2, 3, 3],
        [2, 2, 3, 3],
    ]
    assert minimum_distance(Raster().draw((3, 3), rng)) == np.inf
    assert minimum_distance(Blocks(side=2).draw((4, 4), rng)) == 1.0
    drawn = Random(steps=8).draw((8, 8), rng)
    assert drawn.steps == 8
    assert not np.array_equal(drawn.ranks, Random(steps=8).draw((8, 8), rng).ranks)
    assert minimum_distance(drawn) == 1.0  # nothing keeps random ones apart


def test_same_seed_same_order():
    draws = [Spaced().draw((12, 12), np.random.default_rng(9)).ranks for _ in range(2)]
    assert np.array_equal(*draws)


def test_bad_parameters():
    with pytest.raises(BadParameter, match="at least 9 steps"):
        Spaced(steps=8, spacing=3.0)
    with pytest.raises(BadParameter, match="spacing"):
        Spaced(spacing=0.5)
    with pytest.raises(BadParameter, match="side"):
        Blocks(side=0)
    with pytest.raises(BadParameter, match="empty step"):
        Order(ranks=np.array([[0, 2]]))


class Pointwise(torch.nn.Module):
    """A backbone that tells the head what is known around: the mean of the known pixels."""

    def forward(self, picture, t, *, label=None):
        mask = picture[:, -1:]
        mean = picture.sum(dim=(2, 3), keepdim=True) / mask.sum(dim=(2, 3), keepdim=True).clamp(1)
        return mean.expand_as(picture)


class Copy(torch.nn.Module):
    """A head that knows the truth of a toy: all pixels are equal, 0 or 1 with even chance."""

    def draw(self, features, u, temperature=1.0):
        known = features[:, 1] > 0
        value = torch.where(known, (features[:, 0] > 0).long(), (u[:, 0] > 0.5).long())
        chance = torch.where(known, 1.0, 0.5)
        return value[:, None], chance.log()


def perfect(strategy):
    model = RemovalModel(Pointwise(), strategy, features=2, channels=1, levels=2)
    model.head = Copy()
    model.register_parameter("place", torch.nn.Parameter(torch.zeros(1)))
    return model


def one_colour(samples):
    return (samples.flatten(1).float().std(dim=1) == 0).float().mean().item()


def test_blocks_fail_where_single_pixels_succeed_even_with_a_perfect_network():
    size = (6, 6)
    assert one_colour(perfect(Raster()).sample(200, size, seed=0)) == 1.0
    assert one_colour(perfect(Spaced(steps=12)).sample(200, size, seed=0)) == 1.0
    assert one_colour(perfect(Blocks(side=3)).sample(200, size, seed=0)) < 0.02


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_strategy_draws_every_pixel_once(name):
    model = perfect(STRATEGIES[name]())
    states = list(model.walk(3, (8, 8), seed=4))
    assert states[-1][1].all()
    for (x, known), (later, more) in pairwise(states):
        assert (more & ~known).any()
        assert not (known & ~more).any()
        kept = known[:, None].expand_as(x)
        assert torch.equal(x[kept], later[kept])


class Halves(torch.nn.Module):
    """A backbone without eyes: features are the pixel's column."""

    def forward(self, picture, t, *, label=None):
        columns = torch.linspace(-1, 1, picture.shape[-1])
        return columns.expand(picture.shape[0], 1, picture.shape[-2], -1)


class SureOnTheLeft(torch.nn.Module):
    def draw(self, features, u, temperature=1.0):
        return torch.ones(len(features), 1, dtype=torch.int64), -features[:, 0]


def test_confidence_takes_the_surest_first():
    strategy = Confidence(steps=4, power=1.0, noise=0.0)
    model = RemovalModel(Halves(), strategy, features=1, channels=1, levels=2)
    model.head = SureOnTheLeft()
    model.register_parameter("place", torch.nn.Parameter(torch.zeros(1)))
    for step, (_, known) in enumerate(model.walk(2, (4, 4), seed=0)):
        expected = torch.zeros(2, 4, 4, dtype=torch.bool)
        expected[:, :, : step + 1] = True
        assert torch.equal(known, expected)
    noisy = Confidence(steps=4, power=1.0, noise=50.0)
    first = next(iter(model.walk(2, (4, 4), seed=0, strategy=noisy)))[1]
    assert not torch.equal(first[0], first[1])


def test_a_new_strategy_is_one_class():
    class Columns(Strategy):
        def draw(self, size, rng):
            return Order(ranks=np.broadcast_to(np.arange(size[1]), size).copy())

    known = [state[1].sum().item() for state in perfect(Columns()).walk(1, (3, 5), seed=0)]
    assert known == [3, 6, 9, 12, 15]
