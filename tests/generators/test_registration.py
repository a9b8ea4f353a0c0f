"""A known shift is found and undone; without evidence nothing is moved."""

import cv2
import numpy as np
import pytest

from afterscene.generators.registration import estimate_shift, move


def picture(seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(128, 300, (200, 220, 3)).astype(np.float32)
    return np.clip(cv2.GaussianBlur(noise, (0, 0), 3), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("rows,cols", [(0, 0), (3, -7), (-12, 12)])
def test_shift_is_found_under_another_tone(rows, cols):
    pre = picture()
    post = np.clip(move(pre, rows, cols) * 0.6 + 30, 0, 255).astype(np.uint8)
    assert estimate_shift(pre, post) == (-rows, -cols)
    inner = np.s_[30:-30, 30:-30]
    assert np.array_equal(move(move(pre, rows, cols), -rows, -cols)[inner], pre[inner])


def test_unrelated_pictures_are_not_moved():
    assert estimate_shift(picture(1), picture(2)) == (0, 0)


def test_tiny_pictures_are_not_moved():
    assert estimate_shift(picture()[:20, :20], picture()[2:22, :20]) == (0, 0)
