"""Distances between two sets of image features, and between two images of one place.

*Fréchet*: both sets are treated as Gaussians (Heusel et al. 2017, arXiv 1706.08500),

    |m1 - m2|^2 + tr(C1 + C2 - 2 (C1^1/2 C2 C1^1/2)^1/2).

It is biased upwards for few images, the more so the fewer there are: compare it only between sets
of the same size. *Kernel*: the unbiased estimate of the squared maximum mean discrepancy under
(x . y / d + 1)^3 (Binkowski et al. 2018, arXiv 1801.01401), correct on average for any number of
images, so it may come out slightly below 0. If the rows of both sets belong to the same places,
they are not independent, and the pairs of one place are left out (Gretton et al. 2012, lemma 6).
*Told apart*: how well a linear classifier separates the two sets at places that it was not trained
on. *Perceptual*: like LPIPS (Zhang et al. 2018, arXiv 1801.03924) but without its learned weights,
so its values are not comparable with LPIPS.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from afterscene.errors import BadParameter


def frechet_distance(one: np.ndarray, two: np.ndarray) -> float:
    """Squared Fréchet distance of the Gaussians fitted to (n, d) and (m, d). Raises BadParameter.

    Covariances are the unbiased ones (n - 1), so each set needs two rows.
    """
    _check(one, two)
    mean = one.mean(axis=0, dtype=np.float64) - two.mean(axis=0, dtype=np.float64)
    first, second = (np.atleast_2d(np.cov(x.astype(np.float64).T)) for x in (one, two))
    root = _root(first)
    inner = np.linalg.eigvalsh(root @ second @ root)
    cross = np.sqrt(np.maximum(inner, 0)).sum()
    distance = mean @ mean + np.trace(first) + np.trace(second) - 2 * cross
    return float(max(distance, 0.0))


def kernel_distance(one: np.ndarray, two: np.ndarray, *, paired: bool = False) -> float:
    """Unbiased squared MMD of (n, d) and (m, d), cubic kernel as above. Raises BadParameter.

    `paired`: row i of both shows the same place (n = m); equal sets then have distance 0.
    """
    _check(one, two)
    x, y = one.astype(np.float64), two.astype(np.float64)
    within = [_mean_off_diagonal(_cubic(z, z)) for z in (x, y)]
    across = _cubic(x, y)
    return float(sum(within) - 2 * (_mean_off_diagonal(across) if paired else across.mean()))


def perceptual_distance(one: Sequence[Tensor], two: Sequence[Tensor]) -> np.ndarray:
    """(N,) distances of N pairs of images from their feature maps (N, C_k, H_k, W_k).

    At each position both feature vectors are scaled to length 1 and their squared distance is
    computed (0: equal, 2: unrelated); mean over positions, then over the maps.
    """
    parts = []
    for a, b in zip(one, two, strict=True):
        a, b = (z / z.norm(dim=1, keepdim=True).clamp_min(1e-8) for z in (a, b))
        parts.append((a - b).square().sum(dim=1).mean(dim=(1, 2)))
    return torch.stack(parts).mean(dim=0).numpy()


def told_apart(one: np.ndarray, two: np.ndarray, places: np.ndarray, folds: int = 5) -> float:
    """Area under the curve of a linear classifier that tells (n, d) from (n, d): 0.5 cannot, 1 can.

    Row i of both shows place ``places[i]`` (n,); the classifier (ridge regression on features of
    unit deviation, strength d) is fitted on some places and asked of the others, ``folds`` times.
    NaN with fewer than two places.
    """
    _check(one, two)
    known = np.unique(places)
    if len(known) < 2:
        return float("nan")
    rows, truth = np.concatenate([one, two]).astype(np.float64), np.repeat((0.0, 1.0), len(one))
    fold = np.tile(np.searchsorted(known, places) % min(folds, len(known)), 2)
    scores = np.zeros(len(rows))
    for k in np.unique(fold):
        taught = fold != k
        mean, spread = rows[taught].mean(axis=0), rows[taught].std(axis=0) + 1e-6
        x = (rows - mean) / spread
        square = x[taught].T @ x[taught] + x.shape[1] * np.eye(x.shape[1])
        weight = np.linalg.solve(square, x[taught].T @ (truth[taught] - truth[taught].mean()))
        scores[~taught] = x[~taught] @ weight
    return float(np.mean([_area(scores[fold == k], truth[fold == k] > 0) for k in np.unique(fold)]))


def _area(scores: np.ndarray, truth: np.ndarray) -> float:
    """How often a true row scores above a false one; ties count half."""
    above = scores[truth][:, None] - scores[~truth][None]
    return float(((above > 0) + 0.5 * (above == 0)).mean())


def _check(one: np.ndarray, two: np.ndarray) -> None:
    if min(len(one), len(two)) < 2 or one.shape[1:] != two.shape[1:]:
        raise BadParameter(
            f"features of shape {one.shape} and {two.shape} cannot be compared; give at least two "
            "rows each, of one length"
        )


def _root(matrix: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T


def _cubic(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return (x @ y.T / x.shape[1] + 1) ** 3


def _mean_off_diagonal(square: np.ndarray) -> float:
    n = len(square)
    return float((square.sum() - np.trace(square)) / (n * (n - 1)))
