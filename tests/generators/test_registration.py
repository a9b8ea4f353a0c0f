"""Known movements are found and undone; without evidence nothing is moved; nothing is blurred."""

import cv2
import numpy as np
import pytest

from afterscene import samples
from afterscene.generators.registration import find_flow, register, warp

INNER = np.s_[30:-30, 30:-30]


def picture(seed: int = 0, blur: float = 3) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, 100 * blur, (256, 276, 3)).astype(np.float32)
    return np.clip(cv2.GaussianBlur(noise, (0, 0), blur) + 128, 0, 255).astype(np.uint8)


def moved(image: np.ndarray, rows: float, cols: float) -> np.ndarray:
    """The image moved down and right."""
    field = np.zeros((*image.shape[:2], 2), np.float32)
    field[..., 0], field[..., 1] = -cols, -rows
    return warp(image, field)


def miss(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one[INNER].astype(int) - other[INNER]).mean())


@pytest.mark.parametrize("rows,cols", [(0, 0), (3, -7), (-11, 12), (0.5, 2.5)])
def test_a_shift_is_found_under_another_tone(rows, cols):
    pre = picture()
    post = np.clip(moved(pre, rows, cols) * 0.6 + 30, 0, 255).astype(np.uint8)
    field = find_flow(pre, post)[INNER]
    assert np.abs(np.median(field, axis=(0, 1)) - (cols, rows)).max() < 0.3
    assert np.abs(field - (cols, rows)).mean() < 0.5


def test_parts_that_lean_apart_are_brought_together():
    pre = picture(5)
    post = pre.copy()
    post[:, :140] = moved(pre, 0, 4)[:, :140]
    post[:, 140:] = moved(pre, -3, 0)[:, 140:]
    back = register(pre, post)
    for area in (np.s_[40:-40, 40:110], np.s_[40:-40, 170:-40]):
        before = np.abs(post[area].astype(int) - pre[area]).mean()
        assert np.abs(back[area].astype(int) - pre[area]).mean() < 0.3 * before


def test_what_changed_moves_with_its_surroundings_and_stays_changed():
    pre = picture(6)
    post = moved(pre, 4, -6)
    rubble = picture(7)[:60, :60]
    post[104:164, 94:154] = rubble
    back = register(pre, post)
    assert np.abs(back[104:156, 104:156].astype(int) - rubble[4:56, 4:56]).mean() < 12
    post[104:164, 94:154] = moved(pre, 4, -6)[104:164, 94:154]
    assert miss(register(pre, post), pre) < 0.2 * miss(post, pre)


def test_registered_pixels_stay_sharp():
    pre = picture(3, blur=1)
    back = register(pre, moved(pre, 2.5, -3.5))
    fine = [
        np.abs(cv2.Laplacian(p.astype(np.float32), cv2.CV_32F)[INNER]).mean() for p in (pre, back)
    ]
    assert fine[1] > 0.85 * fine[0]


def test_without_a_match_nothing_is_moved():
    one, two = (samples.read_sample(name)[0].rgb() for name in ("suburb", "forest-edge"))
    assert register(one, two) is two
    assert not find_flow(one, np.zeros_like(one)).any()


def test_equal_and_tiny_pictures_keep_every_pixel():
    image = picture()
    assert np.array_equal(register(image, image), image)
    assert np.array_equal(register(image[:20, :20], image[2:22, :20]), image[2:22, :20])
