"""How a crop is drawn: which level, where, which way up, and alike on every device."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from afterscene.geodata.damage import IGNORE
from afterscene.training.crops import WAYS, corner, cut, turned
from afterscene.training.devicecrops import Album, DeviceSpots
from afterscene.training.spots import Spots
from tests.generators import toy

PAIRS = [toy.pair(seed) for seed in range(3)]
CPU = torch.device("cpu")


def test_weights_choose_levels_and_places_lie_near_their_buildings() -> None:
    spots = Spots.of(PAIRS)
    assert spots.counts == tuple(
        sum(int((pair.levels == level).sum()) for pair in PAIRS) for level in (1, 2, 3, 4)
    )
    rng = np.random.default_rng(0)
    chances = spots.chances((0, 5, 0, 1, 0))  # no building is of the second level
    assert chances.tolist() == [0, 0, 0, 1, 0]
    for _ in range(50):
        number, middle = spots.draw(rng, chances, 6.0)
        pair = PAIRS[number]
        apart = np.abs(pair.centres[pair.levels == 4] - middle).max(axis=1)
        assert apart.min() <= 6


def test_without_buildings_crops_lie_anywhere() -> None:
    spots = Spots.of([replace(PAIRS[0], buildings=())])
    assert spots.chances((1, 1, 1, 1, 0)).tolist() == [0, 0, 0, 0, 1]
    rng = np.random.default_rng(0)
    middles = np.stack([spots.draw(rng, np.eye(5)[4], 6.0)[1] for _ in range(200)])
    assert middles.min() < 20 and middles.max() > 140


def test_a_device_draws_by_the_same_rules() -> None:
    """Shares of levels, and middles within reach and inside."""
    spots, weights = Spots.of(PAIRS), (0.6, 0.0, 0.0, 0.3, 0.1)
    drawn = DeviceSpots(spots, weights, CPU)
    picture, middle = drawn.draw(torch.Generator().manual_seed(0), 4000, 0.0)
    rng = np.random.default_rng(0)
    singly = [spots.draw(rng, spots.chances(weights), 0.0) for _ in range(4000)]
    shares = []
    for found in (
        zip(picture.tolist(), middle.numpy(), strict=True),
        ((n, np.clip(m, 16, 144).round()) for n, m in singly),
    ):
        levels = [_level_at(number, place) for number, place in found]
        shares.append([levels.count(level) / 4000 for level in (1, 4)])
    assert np.allclose(*shares, atol=0.04)
    assert shares[0] == pytest.approx([0.6, 0.3], abs=0.05)


def _level_at(number: int, place: np.ndarray) -> int:
    row, col = np.clip(place, 0, 159).astype(int)
    return int(PAIRS[number].target[row, col])


def test_a_window_is_moved_inside_and_a_small_picture_repeats_its_border() -> None:
    assert corner(np.array([2.0, 158.0]), 32, (160, 160)) == (0, 128)
    picture = np.arange(20 * 30 * 3, dtype=np.uint8).reshape(20, 30, 3)
    row, col = corner(np.array([10.0, 10.0]), 32, (20, 30))
    part = cut(picture, row, col, 32)
    assert (part[:20, :30] == picture).all() and (part[25] == part[19]).all()
    levels = cut(np.ones((20, 30), np.uint8), row, col, 32)
    assert set(np.unique(levels)) == {1, IGNORE} and levels.sum() == 600 + (1024 - 600) * IGNORE


def test_resampling_invents_no_level() -> None:
    levels = np.random.default_rng(0).choice(np.array([0, 4], np.uint8), size=(40, 40))
    assert set(np.unique(cut(levels, 0, 0, 40, 27))) == {0, 4}
    pixels = cut(np.repeat(levels[..., None], 3, axis=2) * np.uint8(60), 0, 0, 40, 27)
    assert pixels.shape == (27, 27, 3) and len(np.unique(pixels)) > 2


def test_the_eight_ways_are_the_symmetries_of_the_square() -> None:
    square = np.arange(9).reshape(3, 3)
    seen = {tuple(turned(square, way).ravel()) for way in range(WAYS)}
    assert len(seen) == WAYS
    grown = {tuple(np.rot90(turned(square, way)).ravel()) for way in range(WAYS)}
    assert grown == seen and tuple(square.T.ravel()) in seen


def album(*shapes: tuple[int, int]) -> tuple[list[np.ndarray], Album, DeviceSpots]:
    """Random pictures with a channel of levels."""
    rng = np.random.default_rng(0)
    stack = [rng.integers(0, 255, (*shape, 4)).astype(np.uint8) for shape in shapes]
    shown = [toy.pair_of(s[..., :3], s[..., :3], ()) for s in stack]
    spots = DeviceSpots(Spots.of(shown), (0, 0, 0, 0, 1), CPU)
    return stack, Album(stack, shapes, CPU, nearest=3), spots


def test_gathering_whole_pixels_is_cutting() -> None:
    """Every crop of a device, not turned freely, is one of the eight ways of a cut; of any size."""
    stack, pictures, drawn = album((50, 50), (40, 70), (64, 30))
    generator = torch.Generator().manual_seed(3)
    picture, middle = drawn.draw(generator, 18, 4.0)
    windows = drawn.windows(generator, 16, picture, middle, turned=0.0)
    assert (windows.step == 1).all() and set(picture.tolist()) == {0, 1, 2}
    for number, at, value in zip(picture.tolist(), middle, pictures.gather(windows), strict=True):
        part = cut(stack[number], *corner(at.numpy(), 16, stack[number].shape[:2]), 16)
        assert any(np.array_equal(turned(part, way), value.numpy()) for way in range(WAYS))


@pytest.mark.parametrize("side", [20, 32, 48])
def test_resampled_crops_show_what_the_processor_shows(side: int) -> None:
    """A device averages or interpolates like a cut of as many pixels; levels stay levels."""
    stack, _, drawn = album((64, 64), (56, 80))
    smooth = [cv2.GaussianBlur(s, (0, 0), 3) for s in stack]
    pictures = Album(smooth, [s.shape[:2] for s in smooth], CPU, nearest=3)
    generator = torch.Generator().manual_seed(3)
    picture, middle = drawn.draw(generator, 8, 4.0)
    step = torch.full((8,), side / 16)
    windows = drawn.windows(generator, 16, picture, middle, turned=0.0, step=step)
    values = pictures.gather(windows).numpy()
    for number, at, value in zip(picture.tolist(), windows.places.numpy(), values, strict=True):
        row, col = at.reshape(2, -1).mean(axis=1) + 0.5 - side / 2
        part = cut(smooth[number][..., :3], round(row), round(col), side, 16)
        apart = [np.abs(turned(part, w) - value[..., :3]).mean() for w in range(WAYS)]
        assert min(apart) < 6
        assert np.isin(value[..., 3], smooth[number][..., 3]).all()
