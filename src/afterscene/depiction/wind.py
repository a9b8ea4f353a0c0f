"""What wind breaks, drawn as a first sketch: bare decking, open roofs, heaps, stripped trees.

Minor is missing shingles, in strips or in one piece, with wood or felt below, or a tarpaulin; major
a larger piece, and a part of the roof that is gone, with rooms below. Of a destroyed building stays
a spread heap of angular pieces, many in the colour of its own roof, or its slab with some pieces,
or, of a small one, nothing but ground. Trees lose their leaves and the ground carries litter, near
undamaged houses too, so that change alone does not mean damage.

Shares and sizes were set by eye on post images of the splits ``train`` and ``val`` of xBD's
hurricane-michael pairs, and for major damage by what a detector that was trained on real pairs
calls it; brightness, colour and sharpness by what was measured there. On five tiles of ``val``,
*edit*, medians over buildings (90th percentiles; ``python -m benchmarks texture --xbd XBD
--tiles 5``): brightness finer than 1.5 pixels deviates on minor and major ones by 0.032 (0.052) and
0.044 (0.050), drawn by 0.033 (0.052) and 0.041 (0.052); red minus green by 0.005 (0.008) and 0.006
(0.007), drawn by 0.007 (0.010) and 0.007 (0.014). A detector that is taught with more
colour detail than real damage has takes that for the mark of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from afterscene.depiction.heaps import heap
from afterscene.depiction.painting import Painting, nearness
from afterscene.depiction.roofs import DECKS, bare, cover, tear
from afterscene.geodata.damage import DamageLevel, DamageMap

MINOR, MAJOR, DESTROYED = DamageLevel.MINOR, DamageLevel.MAJOR, DamageLevel.DESTROYED
#: What lies below shingles: decking, weathered boards, felt, tar; each building has one.
BELOW = ((0.74, 0.54, 0.44), (0.64, 0.55, 0.46), (0.42, 0.41, 0.39), (0.20, 0.19, 0.17))
HOW_OFTEN = (0.5, 0.2, 0.2, 0.1)
#: How opaque bare patches are, each building anew.
PAINT = (0.6, 1.0)
#: Share of the ground beside a damaged house that pieces cover, and how far they fly, in pixels.
DEBRIS = {MINOR: (0.012, 8.0), MAJOR: (0.05, 9.0), DESTROYED: (0.10, 12.0)}
#: How much colour the materials above keep, seen through haze beside the roofs of the scene; each
#: scene anew.
VIVID = (0.3, 1.2)
SCRAPS = ((0.80, 0.72, 0.64), (0.84, 0.84, 0.82), (0.45, 0.42, 0.38), (0.62, 0.50, 0.40))
#: Metres per second at which trees begin to lose leaves, and at which few are left.
LEAVES = (25.0, 60.0)
#: How far crowns come to look like open ground, of a colour as GROUND where none is seen: share of
#: red, green and blue near buildings (falling over so many pixels) and in the woods.
FAR, TOWN, WOODS, GROUND = 60.0, (0.52, 0.36, 0.36), (0.30, 0.05, 0.04), (0.43, 0.45, 0.36)
#: How much of that a scene takes, how much more near buildings with major damage, destroyed or not
#: classified, where the gusts were harder, and how much of the crowns' own structure stays.
THIN, HARDER, KEPT = (0.6, 1.2), 0.5, 0.5
#: New structure: size in pixels, deviation of brightness near buildings and in the woods.
ROUGH = ((8.0, 0.035, 0.024), (20.0, 0.03, 0.02))
#: Share of the ground that pieces cover, elsewhere and near those buildings.
LITTER = (0.006, 0.036)


def blow(picture: np.ndarray, damage: DamageMap, seed: int) -> np.ndarray:
    """``picture`` ``(H, W, 3)`` uint8 with torn roofs, heaps and debris; equal seeds, equal."""
    rng = np.random.default_rng((seed, 41))
    painting = Painting.of(picture, damage, rng)
    before, hazed = painting.picture.copy(), _haze(painting, rng.uniform(*VIVID))
    debris = sum(share * painting.around(level, reach) for level, (share, reach) in DEBRIS.items())
    painting.debris(debris * np.clip(0.7 + 0.6 * painting.noise(12.0, 5.0), 0, 2), hazed(SCRAPS))
    kinds = rng.choice(len(BELOW), len(damage.buildings) + 1, p=HOW_OFTEN)
    below = hazed(BELOW)[kinds][painting.index]
    boards = below * (1 + 0.09 * painting.noise(2.0, 6.0))[..., None]
    missing = bare(painting, rng, tear(painting, rng, hazed(DECKS)))
    painting.paint(
        boards, rng.uniform(*PAINT, len(kinds)).astype(np.float32)[painting.index] * missing
    )
    cover(painting, rng)
    heap(painting, rng, hazed)
    painting.sense(before)
    return painting.rgb()


def _haze(painting: Painting, vivid: float) -> Callable[[Sequence], np.ndarray]:
    """A function that greys colours ``(..., 3)`` and tints them as the roofs of the scene are."""
    roofs = painting.picture[painting.index > 0]
    mean = roofs.mean(axis=0) if len(roofs) else np.full(3, 0.5, np.float32)
    cast = mean - mean.mean()

    def hazed(colours: Sequence) -> np.ndarray:
        tones = np.array(colours, np.float32)
        grey = tones.mean(axis=-1, keepdims=True)
        return np.asarray(grey + vivid * (tones - grey) + cast, np.float32)

    return hazed


def strip(picture: np.ndarray, damage: DamageMap, seed: int) -> np.ndarray:
    """``picture`` ``(H, W, 3)`` uint8 after the gusts: crowns give way to ground, some litter.

    On 44 ``train`` pairs of hurricane-michael hardly a crown keeps its structure: brightness finer
    than 20 pixels correlates by 0.2 with that of before (open ground 0.4); near buildings crowns
    come half-way to the red and a third to the green and blue of open ground, in the woods a third
    and not at all. A field without a unit is not known: the gusts were full everywhere.
    """
    rng = np.random.default_rng((seed, 45))
    painting = Painting.of(picture, damage, rng)
    low, high = LEAVES
    gust = np.clip((damage.intensity - low) / (high - low), 0, 1) if damage.unit else 1.0
    heavy, near = (
        nearness(painting.level >= MAJOR, FAR),
        nearness(painting.index > 0, FAR),
    )
    thin = np.clip(rng.uniform(*THIN) + 0.2 * painting.noise(28.0, 12.0), 0, 1.2)
    thin = (thin + HARDER * heavy) * gust
    before, smooth = painting.picture, cv2.GaussianBlur(painting.picture, (0, 0), 6.0)
    crowns = np.clip(5 * painting.green() * np.maximum(painting.dark(), 0.3) - 1, 0, 1)
    share = np.array(WOODS) + near[..., None] * np.subtract(TOWN, WOODS)
    kept = (KEPT * (1 - 0.8 * heavy))[..., None]
    bare = smooth + kept * (before - smooth)
    bare = bare + thin[..., None] * share * (_open(painting, crowns) - smooth)
    for size, town, woods in ROUGH:
        rough = (woods + near * (town - woods)) * np.minimum(thin, 1) * painting.noise(size)
        bare = bare + rough[..., None]
    crowns = np.clip(2 * cv2.GaussianBlur(crowns, (0, 0), 1.5) - 0.5, 0, 1)
    painting.paint(bare, (painting.index == 0) * crowns * np.minimum(1.5 * thin, 1))
    litter = LITTER[0] + (LITTER[1] - LITTER[0]) * heavy
    painting.debris(litter * thin * np.clip(0.5 + painting.noise(14.0, 6.0), 0, 2), SCRAPS)
    return painting.rgb()


def _open(painting: Painting, crowns: np.ndarray) -> np.ndarray:
    """``(H, W, 3)``: the colour of the open ground around each place."""
    free = (painting.index == 0) & (painting.blue() < 0.5) & (painting.dark() < 0.5)
    free = free * (1 - np.minimum(3 * crowns, 1)).astype(np.float32)
    weight = cv2.GaussianBlur(free, (0, 0), 40.0)[..., None]
    around = cv2.GaussianBlur(painting.picture * free[..., None], (0, 0), 40.0)
    return (around + 0.02 * np.array(GROUND, np.float32)) / (weight + 0.02)
