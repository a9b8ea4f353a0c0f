"""Windows cover each pixel; feathered windows sum to one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from afterscene.errors import BadParameter
from afterscene.geodata.tiles import Window, feather, tiles


@st.composite
def layouts(draw: st.DrawFn) -> tuple[tuple[int, int], int, int]:
    size = draw(st.integers(1, 40))
    shape = draw(st.integers(1, 80)), draw(st.integers(1, 80))
    return shape, size, draw(st.integers(0, size - 1))


@settings(max_examples=100, deadline=None)
@given(layouts())
def test_each_pixel_is_covered_from_inside(layout: tuple[tuple[int, int], int, int]) -> None:
    shape, size, overlap = layout
    covered = np.zeros(shape, int)
    windows = tiles(shape, size=size, overlap=overlap)
    for window in windows:
        assert window.row >= 0 <= window.col
        assert window.row + window.height <= shape[0]
        assert window.col + window.width <= shape[1]
        assert (window.height, window.width) == (min(size, shape[0]), min(size, shape[1]))
        covered[window.slices] += 1
    assert covered.min() >= 1
    assert len(set(windows)) == len(windows)
    assert windows == sorted(windows, key=lambda w: (w.row, w.col))


@settings(max_examples=100, deadline=None)
@given(layouts())
def test_neighbours_share_the_overlap_and_no_window_is_in_vain(
    layout: tuple[tuple[int, int], int, int],
) -> None:
    (height, _), size, overlap = layout
    starts = [w.row for w in tiles((height, 1), size=size, overlap=overlap)]
    steps = np.diff(starts)
    assert (steps <= size - overlap).all()
    needed = 1 if height <= size else 1 + -(-(height - size) // (size - overlap))
    assert len(starts) == needed


@settings(max_examples=100, deadline=None)
@given(layouts())
def test_normalised_weights_sum_to_one(layout: tuple[tuple[int, int], int, int]) -> None:
    shape, size, overlap = layout
    total = np.zeros(shape, np.float64)
    picture = np.random.default_rng(0).normal(size=shape)
    blended = np.zeros(shape, np.float64)
    for window in tiles(shape, size=size, overlap=overlap):
        weight = feather((window.height, window.width), overlap)
        assert weight.shape == (window.height, window.width)
        assert weight.dtype == np.float32
        assert weight.min() > 0
        assert weight.max() <= 1
        total[window.slices] += weight
        blended[window.slices] += weight * picture[window.slices]
    np.testing.assert_allclose(blended / total, picture, rtol=0, atol=1e-6)


def test_exact_neighbours_sum_to_one_without_a_division() -> None:
    total = np.zeros((64, 64), np.float32)
    for window in tiles((64, 64), size=16, overlap=8):
        total[window.slices] += feather(16, 8)
    np.testing.assert_allclose(total[8:-8, 8:-8], 1, atol=1e-6)


def test_feather_is_the_ramp_of_its_docstring() -> None:
    np.testing.assert_allclose(feather((5, 6), 2)[2] * 4, [1, 3, 4, 4, 3, 1])
    np.testing.assert_array_equal(feather(3, 0), np.ones((3, 3), np.float32))
    np.testing.assert_array_equal(feather((4, 2), 3), feather((2, 4), 3).T)


def test_last_windows_are_shifted_inside() -> None:
    assert tiles((10, 4), size=4, overlap=1) == [Window(r, 0, 4, 4) for r in (0, 3, 6)]
    assert tiles((9, 3), size=4, overlap=0) == [Window(r, 0, 4, 3) for r in (0, 4, 5)]
    assert tiles((2, 3), size=512, overlap=64) == [Window(0, 0, 2, 3)]
    picture = np.arange(40).reshape(10, 4)
    assert picture[Window(3, 1, 2, 3).slices].tolist() == [[13, 14, 15], [17, 18, 19]]


@pytest.mark.parametrize(
    ("shape", "size", "overlap"),
    [((0, 4), 4, 0), ((4, 0), 4, 0), ((4, 4), 4, 4), ((4, 4), 4, -1), ((4, 4), 0, 0)],
)
def test_impossible_layouts_are_refused(shape: tuple[int, int], size: int, overlap: int) -> None:
    with pytest.raises(BadParameter):
        tiles(shape, size=size, overlap=overlap)


@pytest.mark.parametrize(("size", "overlap"), [(0, 0), (4, -1), ((4, 0), 1)])
def test_impossible_weights_are_refused(size: int, overlap: int) -> None:
    with pytest.raises(BadParameter):
        feather(size, overlap)
