"""A known shift is found and undone; without evidence nothing is moved."""

import cv2
import numpy as np
import pytest

from afterscene.generators.registration import estimate_shift, local_shifts, move, warp


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


def test_buildings_that_lean_apart_are_brought_together():
    pre = picture(5)
    post = pre.copy()
    post[:, :110] = move(pre, 0, 4)[:, :110]
    post[:, 110:] = move(pre, -3, 0)[:, 110:]
    boxes = np.array([[60, 30, 100, 70], [60, 150, 100, 190]], np.float32)
    centres, shifts = local_shifts(pre, post, boxes)
    assert shifts.tolist() == [[0, -4], [3, 0]]
    back = warp(post, centres, shifts, reach=25)
    for top, left, bottom, right in boxes.astype(int):
        area = np.s_[top + 5 : bottom - 5, left + 5 : right - 5]
        after = np.abs(back[area].astype(int) - pre[area]).mean()
        before = np.abs(post[area].astype(int) - pre[area]).mean()
        assert after < 0.4 * before


def test_warp_without_buildings_changes_nothing():
    nothing = np.zeros((0, 2), np.float32)
    assert np.array_equal(warp(picture(), nothing, nothing), picture())


def test_tiny_pictures_are_not_moved():
    assert estimate_shift(picture()[:20, :20], picture()[2:22, :20]) == (0, 0)
