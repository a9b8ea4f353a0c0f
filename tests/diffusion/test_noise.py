"""Noise is a function of (seed, step, draw, channel, row, column), standard normal and white."""

from typing import NamedTuple

import pytest
import torch

from afterscene.diffusion.noise import TileNoise, field, generated, noise_at
from afterscene.errors import BadParameter


class Window(NamedTuple):
    row: int
    col: int
    height: int
    width: int


SIDE = 512
BIG = Window(0, 0, SIDE, SIDE)
BOUND = 4.5 / SIDE  # 4.5 standard errors of a mean over one channel


def correlation(a, b):
    return (a * b).mean().abs()


def test_moments_of_a_normal():
    f = field(7, 0, BIG, 4)
    n = f.numel()
    assert f.mean().abs() < 4.5 / n**0.5
    assert (f.var() - 1).abs() < 4.5 * (2 / n) ** 0.5
    assert (f**3).mean().abs() < 4.5 * (15 / n) ** 0.5
    assert ((f**4).mean() - 3).abs() < 4.5 * (96 / n) ** 0.5
    assert ((f.abs() > 3).double().mean() - 0.0026998).abs() < 4.5 * (0.0027 / n) ** 0.5
    assert f.abs().max() < 6.8


@pytest.mark.parametrize("channel", [0, 1, 2])
def test_distribution_is_normal(channel):
    """Kolmogorov-Smirnov: the largest gap between the two distribution functions."""
    values = field(3, 2, BIG, 3)[channel].double().flatten().sort().values
    place = (torch.arange(len(values), dtype=torch.float64) + 0.5) / len(values)
    assert (torch.special.ndtr(values) - place).abs().max() < 2.0 / len(values) ** 0.5


@pytest.mark.parametrize("shift", [(0, 1), (1, 0), (1, 1), (1, -1), (0, 2), (64, 0), (0, 256)])
def test_white_in_space(shift):
    f = field(11, 0, BIG, 2)
    rolled = f.roll(shift, dims=(1, 2))
    assert correlation(f[0], rolled[0]) < BOUND
    assert correlation(f[0], rolled[1]) < BOUND
    assert correlation(f[0].abs() - 0.7979, rolled[0].abs() - 0.7979) < BOUND


def test_no_parallelogram_pattern():
    """Row and column hashes are added before the last mixing: nothing of that may remain."""
    f = field(5, 0, BIG, 1)[0].double()
    four = f[::2, ::2] * f[1::2, ::2] * f[::2, 1::2] * f[1::2, 1::2]
    assert four.mean().abs() < 4.5 / (SIDE / 2)
    spectrum = torch.linalg.svdvals(f) / SIDE**0.5
    assert 1.9 < spectrum[0] < 2.1


def test_flat_spectrum():
    power = torch.fft.rfft2(field(9, 0, BIG, 1)[0].double()).abs() ** 2 / SIDE**2
    bands = power[:, 1:257].reshape(16, 32, 16, 16).mean((1, 3))
    assert (bands - 1).abs().max() < 0.25


@pytest.mark.parametrize(
    "other",
    [dict(seed=2), dict(seed=-1), dict(seed=1 << 40), dict(step=1), dict(draw=1)],
    ids=str,
)
def test_names_draw_apart(other):
    one = field(1, 0, BIG, 3)
    two = field(other.pop("seed", 1), other.pop("step", 0), BIG, 3, **other)
    assert correlation(one, two) < BOUND
    assert not torch.equal(one, two)
    assert all(correlation(one[i], two[j]) < BOUND for i in range(3) for j in range(3))


def test_a_tile_is_a_part_of_the_field():
    whole = field(1, 4, Window(-8, -8, 96, 80), 3)
    tile = field(1, 4, Window(13, 21, 40, 33), 3)
    torch.testing.assert_close(whole[:, 21:61, 29:62], tile, rtol=0, atol=0)
    rows, cols = torch.tensor([13, 52, 20]), torch.tensor([30, 21])
    picked = noise_at(1, rows, cols, 2, step=4)
    torch.testing.assert_close(tile[:2][:, rows - 13][:, :, cols - 21], picked, rtol=0, atol=0)
    wide = field(1, 4, Window(13, 0, 1, 70_000), 1)
    torch.testing.assert_close(wide[:, :, 21:54], tile[:1, :1], rtol=0, atol=0)


def test_far_from_the_origin():
    far = field(1, 0, Window(1 << 40, -(1 << 33), 128, 128), 1)
    assert far.mean().abs() < 4.5 / 128 and (far.std() - 1).abs() < 0.03


def test_other_types_are_rounded():
    exact = field(1, 0, Window(0, 0, 8, 8), 3)
    for dtype in (torch.bfloat16, torch.float64):
        torch.testing.assert_close(field(1, 0, Window(0, 0, 8, 8), 3, dtype=dtype), exact.to(dtype))


def test_batches_of_tiles():
    windows = [Window(0, 0, 8, 8), Window(0, 8, 8, 8), Window(0, 0, 8, 8)]
    like = torch.zeros(3, 3, 8, 8)
    noise = TileNoise(seeds=5, windows=windows)(2, 1, like)
    assert torch.equal(noise[0], noise[2]) and not torch.equal(noise[0], noise[1])
    assert torch.equal(noise[1], field(5, 2, windows[1], 3, draw=1))
    apart = TileNoise(seeds=[5, 5, 6], windows=windows)(2, 1, like)
    assert torch.equal(apart[:2], noise[:2]) and not torch.equal(apart[0], apart[2])
    with pytest.raises(BadParameter, match="one window"):
        TileNoise(seeds=5, windows=windows)(0, 0, torch.zeros(3, 3, 4, 8))


def test_generated_follows_its_generator():
    like = torch.zeros(2, 3)
    one, two = (generated(torch.Generator().manual_seed(4)) for _ in range(2))
    first = one(0, 0, like)
    assert torch.equal(first, two(0, 0, like)) and not torch.equal(first, one(0, 0, like))


def test_seed_must_fit():
    with pytest.raises(BadParameter, match="64 bits"):
        field(1 << 64, 0, BIG, 1)
