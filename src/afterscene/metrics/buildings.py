"""Counts of whole buildings by true and by predicted level.

A building is found if half of its pixels are; its level is that of most of the pixels found.
Buildings whose level is not one of the four are left out.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from afterscene.geodata.damage import Building, instances


def match_buildings(
    rasters: Sequence[np.ndarray], levels: np.ndarray, said: np.ndarray
) -> np.ndarray:
    """(5, 5) buildings by true level (row) and predicted level (column; 0: not found).

    Row 0 counts predicted components that touch no building of any kind. ``rasters`` hold the
    numbers of buildings as :func:`afterscene.geodata.damage.layers` draws them, ``levels`` those of
    the numbers (0: none), ``said`` (H, W) the prediction, 0 to 4.
    """
    result = _said_of_each(rasters, levels, said)
    count, parts = cv2.connectedComponents((said > 0).astype(np.uint8), connectivity=4)
    alone = np.setdiff1d(np.arange(1, count), np.unique(parts[rasters[0] > 0]))
    numbers, first = np.unique(parts, return_index=True)
    np.add.at(result[0], said.ravel()[first[np.isin(numbers, alone)]], 1)
    return result


def asked_and_found(
    buildings: Sequence[Building], localization: np.ndarray, damage: np.ndarray
) -> np.ndarray:
    """(4, 4) buildings by requested level (row) and level found, for given footprints."""
    said = np.where(localization > 0, damage, 0)
    levels = np.array([0, *(int(building.level or 0) for building in buildings)])
    return _said_of_each([instances(buildings, said.shape)], levels, said)[1:, 1:]


def _said_of_each(
    rasters: Sequence[np.ndarray], levels: np.ndarray, said: np.ndarray
) -> np.ndarray:
    votes = np.zeros((len(levels), 5), np.int64)
    for raster in rasters:
        key = raster.ravel().astype(np.int64) * 5 + said.ravel()
        votes += np.bincount(key, minlength=votes.size).reshape(-1, 5)
    found = 2 * votes[:, 1:].sum(axis=1) >= votes.sum(axis=1)
    answer = np.where(found, votes[:, 1:].argmax(axis=1) + 1, 0)
    judged = (levels >= 1) & (levels <= 4) & (votes.sum(axis=1) > 0)
    result = np.zeros((5, 5), np.int64)
    np.add.at(result, (levels[judged], answer[judged]), 1)
    return result
