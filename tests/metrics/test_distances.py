"""Distances against closed forms of Gaussians."""

import numpy as np
import pytest
import torch

from afterscene.errors import BadParameter
from afterscene.metrics.distances import (
    frechet_distance,
    kernel_distance,
    perceptual_distance,
    told_apart,
)


def exact(n: int, mean, cov, seed: int = 0) -> np.ndarray:
    """(n, d) with just this sample mean and unbiased sample covariance."""
    d = len(mean)
    x = np.random.default_rng(seed).normal(size=(n, d))
    x -= x.mean(axis=0)
    white = x @ np.linalg.inv(np.linalg.cholesky(np.cov(x.T).reshape(d, d))).T
    return white @ np.linalg.cholesky(np.array(cov)).T + np.array(mean)


def test_frechet_of_scaled_and_shifted_gaussians():
    d, scale, shift = 6, 1.7, 0.3
    one = exact(50, np.zeros(d), np.eye(d))
    two = exact(80, np.full(d, shift), scale**2 * np.eye(d), seed=1)
    assert frechet_distance(one, two) == pytest.approx(d * shift**2 + d * (scale - 1) ** 2)


def test_frechet_of_gaussians_whose_covariances_do_not_commute():
    first, second = np.array([[2.0, 0.8], [0.8, 1.0]]), np.array([[0.5, -0.3], [-0.3, 3.0]])
    # For 2 x 2 matrices with eigenvalues a, b: tr M^1/2 = (a + b + 2 (a b)^1/2)^1/2.
    product = first @ second
    cross = np.sqrt(np.trace(product) + 2 * np.sqrt(np.linalg.det(product)))
    expected = 5.0 + np.trace(first) + np.trace(second) - 2 * cross
    found = frechet_distance(exact(40, (0, 0), first), exact(60, (1, 2), second, seed=2))
    assert found == pytest.approx(expected)


def test_frechet_is_symmetric_zero_on_itself_and_fine_with_fewer_rows_than_columns():
    rng = np.random.default_rng(3)
    one, two = rng.normal(size=(7, 12)), rng.normal(size=(9, 12)) + 1
    assert frechet_distance(one, two) == pytest.approx(frechet_distance(two, one))
    assert frechet_distance(one, one) == pytest.approx(0, abs=1e-6)


def test_kernel_distance_of_two_gaussians_on_a_line():
    """E (xy + 1)^3 from the moments 1, m, 1 + m^2, m^3 + 3m of N(m, 1)."""
    m = 1.0
    both = 1 + 3 * m**2 + 3 * (1 + m**2) ** 2 + (m**3 + 3 * m) ** 2
    expected = 4 + both - 2 * (1 + 3 * (1 + m**2))
    rng = np.random.default_rng(4)
    draws = [
        kernel_distance(rng.normal(size=(200, 1)), rng.normal(m, 1, (150, 1))) for _ in range(500)
    ]
    error = np.std(draws) / np.sqrt(len(draws))
    assert abs(np.mean(draws) - expected) < 4 * error < 0.1 * expected


def test_kernel_distance_is_unbiased_for_few_pictures():
    rng = np.random.default_rng(5)
    draws = [kernel_distance(*rng.normal(size=(2, 5, 8))) for _ in range(800)]
    assert abs(np.mean(draws)) < 4 * np.std(draws) / np.sqrt(len(draws))


def test_kernel_distance_of_the_same_places_is_unbiased_and_zero_for_equal_pictures():
    rng = np.random.default_rng(6)
    draws = []
    for _ in range(800):
        place = rng.normal(size=(6, 8))  # shared by both sets, so that the rows are alike
        one, two = place + 0.3 * rng.normal(size=(2, 6, 8))
        draws.append(kernel_distance(one, two, paired=True))
    assert abs(np.mean(draws)) < 4 * np.std(draws) / np.sqrt(len(draws))
    assert kernel_distance(place, place, paired=True) == pytest.approx(0, abs=1e-12)
    assert kernel_distance(place, place) < 0  # the general estimate takes them for independent


def test_perceptual_distance_looks_at_directions_alone():
    a = torch.randn(3, 4, 5, 5, generator=torch.Generator().manual_seed(0))
    flat = [torch.zeros(1, 2, 3, 3), torch.zeros(1, 2, 3, 3)]
    flat[0][:, 0], flat[1][:, 1] = 2.0, 7.0
    assert perceptual_distance([a], [3 * a]) == pytest.approx(np.zeros(3), abs=1e-6)
    assert perceptual_distance([flat[0]], [flat[1]]) == pytest.approx([2.0])
    assert perceptual_distance([flat[0], a[:1]], [flat[1], a[:1]]) == pytest.approx([1.0])


@pytest.mark.parametrize("shapes", [((1, 4), (9, 4)), ((9, 4), (9, 5))])
def test_what_cannot_be_compared_is_refused(shapes):
    one, two = (np.zeros(shape) for shape in shapes)
    for distance in (frechet_distance, kernel_distance):
        with pytest.raises(BadParameter, match="cannot be compared"):
            distance(one, two)


def test_told_apart_is_half_for_one_kind_and_one_for_two():
    rng = np.random.default_rng(0)
    places = np.arange(60) // 3
    one, same, other = rng.normal(0, 1, (3, 60, 20))
    other[:, 0] += 6
    assert told_apart(one, other, places) > 0.97
    assert 0.3 < told_apart(one, same, places) < 0.7


def test_told_apart_learns_no_place_by_heart():
    """Every place has its own colour: on places that it did not see that tells nothing."""
    rng = np.random.default_rng(1)
    places = np.arange(60) // 6
    own = np.eye(10)[places] * 5 + rng.normal(0, 0.1, (60, 10))
    shift = np.where(places % 2, 1.0, -1.0)[:, None] * np.eye(10)[places]
    assert told_apart(own, own + shift + rng.normal(0, 0.1, own.shape), places) < 0.75
    assert np.isnan(told_apart(own, own, np.zeros(60)))
