"""Houses that wind destroyed: a heap of pieces, the bare slab, or nothing but ground.

Pieces are angular, many in the colour of the old roof; small buildings often vanish completely.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from afterscene.depiction.painting import Painting, outline
from afterscene.geodata.damage import DamageLevel

DESTROYED = DamageLevel.DESTROYED
#: Colours of pieces besides that of the roof: drywall and sheet metal, insulation, wood.
PIECES = ((0.84, 0.82, 0.79), (0.70, 0.68, 0.65), (0.72, 0.61, 0.54), (0.60, 0.51, 0.43))
GAP, SLAB = (0.25, 0.23, 0.20), (0.60, 0.55, 0.48)
#: Buildings with fewer pixels often vanish completely.
SMALL = 260
#: What a destroyed building becomes; shares of the first two, for small and for other ones.
VANISHED, SLABBED, HEAPED = 0, 1, 2
FATES = ((0.50, 0.12), (0.22, 0.30))
#: For each: area of its pieces as a share of the footprint, and how far they lie, in pixels.
STREWN = (((0.05, 0.2), (3.0, 6.0)), ((0.15, 0.6), (2.0, 6.0)), ((0.2, 1.1), (1.0, 6.0)))
#: Share of the old roof that is gone under a heap; the rest lies there in pieces.
GONE = (0.45, 1.0)


def heap(
    painting: Painting, rng: np.random.Generator, hazed: Callable[[Sequence], np.ndarray]
) -> None:
    """Draw the remains of each destroyed house; ``hazed`` greys colours to match the scene."""
    whole, pieces = painting.picture.copy(), hazed(PIECES)
    fates = _fates(painting, rng)
    _clear(painting, fates, hazed)
    for i, (building, fate) in enumerate(zip(painting.damage.buildings, fates, strict=True)):
        if building.level == DESTROYED:
            rows, cols = np.nonzero(painting.index == i + 1)
            cover, spread = (rng.uniform(*span) for span in STREWN[fate])
            scatter(painting, rng, rows, cols, whole, pieces, cover=cover, spread=spread)


def _fates(painting: Painting, rng: np.random.Generator) -> np.ndarray:
    """``(buildings,)``: what each would be if it were destroyed: VANISHED, SLABBED or HEAPED."""
    sizes = np.bincount(painting.index.ravel(), minlength=len(painting.damage.buildings) + 1)[1:]
    shares = np.where((sizes < SMALL)[:, None], *np.array(FATES)[:, None])
    return (rng.random(len(sizes))[:, None] > shares.cumsum(axis=1)).sum(axis=1)


def _clear(painting: Painting, fates: np.ndarray, hazed: Callable[[Sequence], np.ndarray]) -> None:
    """Paint what the pieces of destroyed buildings lie on: ground, slab, or both in shade."""
    ground = _ground(painting)
    slab = hazed(SLAB) * (1 + 0.08 * painting.noise(3.0, 8.0))[..., None]
    gap = hazed(GAP) * (1.3 + 0.4 * painting.noise(2.0, 5.0))[..., None]
    fate = np.concatenate([[-1], fates])[painting.index]
    gone = np.append(1.0, painting.rng.uniform(*GONE, len(fates))).astype(np.float32)[
        painting.index
    ]
    for which, floor in ((VANISHED, ground), (SLABBED, slab), (HEAPED, 0.5 * (ground + gap))):
        place = cv2.GaussianBlur(
            painting.ragged(painting.at(DESTROYED) & (fate == which), 2.0), (0, 0), 0.7
        )
        painting.paint(floor, (gone if which == HEAPED else 0.95) * place)


def _ground(painting: Painting) -> np.ndarray:
    """``(H, W, 3)``: the ground around the footprints, continued below them."""
    free = (painting.index == 0).astype(np.float32)
    weight = cv2.GaussianBlur(free, (0, 0), 10.0)[..., None]
    around = cv2.GaussianBlur(painting.picture * free[..., None], (0, 0), 10.0)
    around = around / np.maximum(weight, 1e-3)
    return around * (1 + 0.08 * painting.noise(2.0, 5.0))[..., None]


def scatter(
    painting: Painting,
    rng: np.random.Generator,
    rows: np.ndarray,
    cols: np.ndarray,
    whole: np.ndarray,
    pieces: np.ndarray,
    *,
    cover: float,
    spread: float,
) -> None:
    """Paint angular pieces onto pixels ``(rows, cols)``, moved by about ``spread`` pixels.

    Their areas sum to ``cover`` times those pixels; half have a colour found there in ``whole``,
    half one of ``pieces`` ``(n, 3)``.
    """
    count = int(cover * len(rows) / 5)
    if not count:
        return
    pick = rng.integers(0, len(rows), count)
    x, y = cols[pick] + rng.normal(0, spread, count), rows[pick] + rng.normal(0, spread, count)
    own = rng.random(count) < 0.5
    other = pieces[rng.integers(0, len(pieces), count)]
    colour = np.where(own[:, None], whole[rows[pick], cols[pick]], other)
    colour = np.clip(colour * rng.normal(1.0, 0.12, (count, 1)), 0.05, 0.97).astype(np.float32)
    half = np.stack([rng.gamma(3.0, 0.6, count), rng.uniform(0.4, 1.1, count)], axis=1)
    angle = rng.uniform(0, np.pi, count)
    box = (
        slice(max(rows.min() - 24, 0), rows.max() + 25),
        slice(max(cols.min() - 24, 0), cols.max() + 25),
    )
    part = np.ascontiguousarray(painting.picture[box])
    soft = part.copy()
    corner = np.array([box[1].start, box[0].start])
    for place, size, turn, tone in zip(np.stack([x, y], 1), half, angle, colour, strict=True):
        piece = outline(place - corner, turn, size)
        cv2.fillConvexPoly(soft, piece + 8, [float(0.55 * v) for v in tone], shift=3)
        cv2.fillConvexPoly(soft, piece, [float(v) for v in tone], shift=3)
    changed = cv2.GaussianBlur((soft != part).any(axis=2).astype(np.float32), (0, 0), 0.5)
    part += changed[..., None] * (cv2.GaussianBlur(soft, (0, 0), 0.8) - part)
    painting.picture[box] = part
