"""The damage of given buildings in scenes of any size, one window at a time.

Windows overlap and their predictions are blended, as in :meth:`Detector.predict`, but only sums
over buildings are kept: the memory needed is that of one window, however large the scene. Windows
without a building are skipped. The level of a building is decided from the mean of its pixels'
probabilities, with the detector's own biases.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import shapely

from afterscene.detectors.detector import OVERLAP, TILE, Detector
from afterscene.geodata.damage import Building, DamageLevel, layers
from afterscene.geodata.overview import ImageFile
from afterscene.geodata.scene import Stretch
from afterscene.geodata.seen import LEAST
from afterscene.geodata.tiles import Window, feather, tiles

_SMALLEST = 1e-6
#: Number of windows from which the limits of 16-bit and float images are computed.
_LOOKED_AT = 9


@dataclass(frozen=True, kw_only=True)
class Assessed:
    """A building and its damage: `level` is None if pre or post has too little data there.

    probabilities: those of the four levels, given that there is a building; located: the mean
    probability on its pixels that there is a building at all.
    """

    building: Building
    level: DamageLevel | None
    probabilities: tuple[float, ...]
    located: float


def assess(
    detector: Detector,
    pre: ImageFile,
    post: ImageFile,
    footprints: Sequence[Building],
    shape: tuple[int, int],
    *,
    flips: bool = False,
    advance: Callable[[int], None] = lambda _: None,
) -> list[Assessed]:
    """Level and probabilities of each footprint (in pixels of the common grid of `shape`).

    Raises MissingFile, BadImage, NotFinite.
    """
    windows = tiles(shape, size=TILE, overlap=OVERLAP)
    limits = [_stretch(image, windows) for image in (pre, post)]
    boxes = shapely.bounds([b.polygon for b in footprints]) if footprints else np.zeros((0, 4))
    head = detector.objects
    width = detector.network.features_width if head is not None else 0
    sums, areas = np.zeros((1 + 5 + 2 * width, len(footprints))), np.zeros(len(footprints))
    fade = _Fade(windows, shape)
    for window in windows:
        inside = _touching(boxes, window)
        if len(inside):
            moved = [footprints[i].moved(-window.col, -window.row) for i in inside]
            owners = tuple(layers(moved, (window.height, window.width)))
            before, after = (image.read(window) for image in (pre, post))
            pictures = (
                s.rgb(stretch=limit) for s, limit in zip((before, after), limits, strict=True)
            )
            planes = detector.planes(*pictures, flips=flips, features=head is not None)
            whole = fade(window)
            weight = whole * (before.seen & after.seen)
            maps = chain([np.ones_like(weight)], planes, (f * f for f in planes[5:]))
            for owner in owners:
                area = np.bincount(owner.ravel(), whole.ravel(), minlength=len(inside) + 1)
                areas[inside] += area[1:]
            for row, plane in enumerate(maps):
                for owner in owners:
                    found = np.bincount(
                        owner.ravel(), (weight * plane).ravel(), minlength=len(inside) + 1
                    )
                    sums[row, inside] += found[1:]
        advance(1)
    rows = zip(footprints, sums.T, areas, strict=True)
    return [_decided(detector, building, row, area) for building, row, area in rows]


def _decided(detector: Detector, building: Building, sums: np.ndarray, area: float) -> Assessed:
    if sums[0] <= 0 or sums[0] < LEAST * area:
        return Assessed(building=building, level=None, probabilities=(), located=0.0)
    located, levels = sums[1] / sums[0], sums[2:6] / sums[0]
    bias = np.array(detector.decision.level_bias)
    if detector.objects is not None:
        levels, bias = detector.objects.levels(sums[None])[0], 0 * bias
    biased = np.log(np.maximum(levels, _SMALLEST)) + bias
    return Assessed(
        building=building,
        level=DamageLevel(int(biased.argmax()) + 1),
        probabilities=tuple(float(p) for p in levels / max(levels.sum(), _SMALLEST)),
        located=float(located),
    )


class _Fade:
    """Blending weights that sum to 1 over all windows at every pixel."""

    def __init__(self, windows: Sequence[Window], shape: tuple[int, int]) -> None:
        self.totals = tuple(np.zeros(n, np.float32) for n in shape)
        rows = {(w.row, w.height) for w in windows}
        cols = {(w.col, w.width) for w in windows}
        for total, spans in zip(self.totals, (rows, cols), strict=True):
            for start, length in spans:
                total[start : start + length] += feather((length, 1), OVERLAP)[:, 0]

    def __call__(self, window: Window) -> np.ndarray:
        rows, cols = window.slices
        along = [
            feather((length, 1), OVERLAP)[:, 0] / total[part]
            for length, total, part in zip(
                (window.height, window.width), self.totals, (rows, cols), strict=True
            )
        ]
        return np.outer(*along)


def _touching(boxes: np.ndarray, window: Window) -> np.ndarray:
    left, top, right, bottom = boxes.T
    return np.flatnonzero(
        (right >= window.col)
        & (left <= window.col + window.width)
        & (bottom >= window.row)
        & (top <= window.row + window.height)
    )


def _stretch(image: ImageFile, windows: Sequence[Window]) -> Stretch | None:
    """One pair of limits for the whole file; None for 8 bits, which stay unchanged.

    The median of the limits of windows that are spread over the scene.
    """
    some = windows[:: max(1, len(windows) // _LOOKED_AT)]
    if image.read(Window(0, 0, 1, 1)).pixels.dtype == np.uint8:
        return None
    scenes = (image.read(window) for window in some)
    found = [scene.stretch() for scene in scenes if scene.valid.any()]
    if not found:
        return ((0.0, 1.0),)
    limits = np.median(np.array(found), axis=0)
    return tuple((float(low), float(high)) for low, high in limits)
