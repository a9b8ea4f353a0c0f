"""SSIM, PSNR, change and seams on pictures whose answer is known."""

import numpy as np
import pytest

from afterscene.metrics.similarity import (
    change,
    luminance,
    psnr,
    seam_score,
    squared_error,
    ssim_map,
)


def noise(seed: int = 0, side: int = 96) -> np.ndarray:
    return np.random.default_rng(seed).integers(30, 220, (side, side, 3)).astype(np.uint8)


def test_ssim_is_one_for_equal_and_near_zero_for_unrelated_pictures():
    assert ssim_map(noise(), noise()) == pytest.approx(np.ones((96, 96)), abs=1e-5)
    assert abs(ssim_map(noise(), noise(1)).mean()) < 0.05


def test_ssim_of_flat_pictures_is_the_luminance_term():
    dark, light = (np.full((32, 32, 3), v, np.uint8) for v in (60, 120))
    c1 = (0.01 * 255) ** 2
    expected = (2 * 60 * 120 + c1) / (60**2 + 120**2 + c1)
    assert ssim_map(dark, light) == pytest.approx(np.full((32, 32), expected), rel=1e-3)


def test_psnr_of_a_difference_of_one():
    one = noise()
    assert psnr(float(squared_error(one, one + 1).mean())) == pytest.approx(48.1308, abs=1e-3)
    assert psnr(0.0) is None


def test_change_is_counted_where_asked():
    one, two = noise(), noise()
    two[3, 4, 1] += 9
    two[50, 50] += 2
    where = np.ones((96, 96), bool)
    assert change(one, two, where) == (9, 2, 96 * 96)
    where[3, 4] = False
    assert change(one, two, where) == (2, 1, 96 * 96 - 1)
    assert change(one, two, where & False) == (0, 0, 0)


def test_a_seam_raises_the_score_and_its_absence_leaves_it_at_one():
    plain = noise(side=256)
    assert seam_score(plain, [128], [128]) == pytest.approx(1, abs=0.25)
    stepped = np.clip(plain.astype(int) // 4 + 60, 0, 255).astype(np.uint8)
    before = seam_score(stepped, [128], [])
    stepped[128:] += 60
    assert seam_score(stepped, [128], []) > 3 * before
    assert seam_score(stepped, [], [128]) == pytest.approx(1, abs=0.25)
    assert seam_score(stepped, [100], []) < 0.8 * before  # the step is among the lines nearby


def test_a_seam_is_looked_for_only_where_asked():
    picture = noise(side=128) // 4
    picture[64:, :64] += 100
    left, right = np.zeros((2, 128, 128), bool)
    left[:, :64], right[:, 66:] = True, True
    assert seam_score(picture, [64], [], left) > 3
    assert seam_score(picture, [64], [], right) == pytest.approx(1, abs=0.4)
    assert seam_score(picture, [], []) is None
    assert seam_score(picture, [64], [], left & False) is None


def test_luminance_weighs_green_most():
    colours = np.eye(3, dtype=np.uint8)[None] * 100
    assert luminance(colours)[0].argmax() == 1
    assert luminance(np.full((1, 1, 3), 100, np.uint8)) == pytest.approx(100, abs=1e-3)
