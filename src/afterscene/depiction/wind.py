"""Wind damage as a first sketch: bare decking, open roofs, heaps, stripped trees.

Minor damage is missing shingles, in strips or in one piece, with wood or felt below, or a
tarpaulin; major damage is a larger piece, and a part of the roof that is gone, with rooms below. A
destroyed building becomes a heap of angular pieces, many in the colour of its roof, or its slab
with some pieces, or, if it is small, nothing but ground. Trees lose their leaves and debris lies on
the ground, near undamaged houses too, so that change alone does not mean damage.

Shares and sizes were set by eye on post images of the splits ``train`` and ``val`` of xBD's
hurricane-michael pairs, and for major damage so that a detector trained on real pairs recognises
it; brightness, colour and sharpness by measurement there. On five tiles of ``val``, *edit*, medians
over buildings (90th percentiles; ``python -m benchmarks texture --xbd XBD --tiles 5``): the
standard deviation of brightness finer than 1.5 pixels is 0.032 (0.052) on real buildings with minor
and 0.044 (0.050) with major damage, 0.033 (0.052) and 0.041 (0.052) on drawn ones; that of red
minus green is 0.005 (0.008) and 0.006 (0.007), on drawn ones 0.007 (0.010) and 0.007 (0.014). A
detector trained with more colour detail than real damage has learns to look for that detail.
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
#: Below the shingles: decking, weathered boards, felt, tar; one of these per building.
BELOW = ((0.74, 0.54, 0.44), (0.64, 0.55, 0.46), (0.42, 0.41, 0.39), (0.20, 0.19, 0.17))
HOW_OFTEN = (0.5, 0.2, 0.2, 0.1)
#: How opaque bare patches are, drawn for each building.
PAINT = (0.6, 1.0)
#: Share of the ground beside a damaged house covered by debris, and how far it flies, in pixels.
DEBRIS = {MINOR: (0.012, 8.0), MAJOR: (0.05, 9.0), DESTROYED: (0.10, 12.0)}
#: How much colour the materials above keep when seen through haze, like the roofs of the scene;
#: drawn for each scene.
VIVID = (0.3, 1.2)
SCRAPS = ((0.80, 0.72, 0.64), (0.84, 0.84, 0.82), (0.45, 0.42, 0.38), (0.62, 0.50, 0.40))
#: Wind speeds (m/s) at which trees begin to lose leaves, and at which few leaves are left.
LEAVES = (25.0, 60.0)
#: How far crowns take the colour of open ground (GROUND if none is visible): share of red, green
#: and blue near buildings (decreasing over so many pixels) and in the woods.
FAR, TOWN, WOODS, GROUND = 60.0, (0.52, 0.36, 0.36), (0.30, 0.05, 0.04), (0.43, 0.45, 0.36)
#: How much of that a scene gets, how much more near buildings with major damage, destroyed or not
#: classified, where gusts were stronger, and how much of the crowns' own structure remains.
THIN, HARDER, KEPT = (0.6, 1.2), 0.5, 0.5
#: New structure: size in pixels, standard deviation of brightness near buildings and in the woods.
ROUGH = ((8.0, 0.035, 0.024), (20.0, 0.03, 0.02))
#: Share of the ground covered by debris, elsewhere and near those buildings.
LITTER = (0.006, 0.036)


def blow(picture: np.ndarray, damage: DamageMap, seed: int) -> np.ndarray:
    """``picture`` ``(H, W, 3)`` uint8 with torn roofs, heaps and debris; fixed by the seed."""
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
    """A function that greys colours ``(..., 3)`` and tints them like the roofs of the scene."""
    roofs = painting.picture[painting.index > 0]
    mean = roofs.mean(axis=0) if len(roofs) else np.full(3, 0.5, np.float32)
    cast = mean - mean.mean()

    def hazed(colours: Sequence) -> np.ndarray:
        tones = np.array(colours, np.float32)
        grey = tones.mean(axis=-1, keepdims=True)
        return np.asarray(grey + vivid * (tones - grey) + cast, np.float32)

    return hazed


def strip(picture: np.ndarray, damage: DamageMap, seed: int) -> np.ndarray:
    """``picture`` ``(H, W, 3)`` uint8 after the gusts: bare trees show the ground, some debris.

    On 44 ``train`` pairs of hurricane-michael hardly any crown keeps its structure: brightness
    finer than 20 pixels has a correlation of 0.2 with that before (open ground 0.4). Near buildings
    crowns move half of the way to open ground in red and a third in green and blue; in the woods, a
    third in red and not at all in the others. Without a unit the field is unknown, and gusts count
    as strong everywhere.
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
    """``(H, W, 3)``: the colour of the open ground around each pixel."""
    free = (painting.index == 0) & (painting.blue() < 0.5) & (painting.dark() < 0.5)
    free = free * (1 - np.minimum(3 * crowns, 1)).astype(np.float32)
    weight = cv2.GaussianBlur(free, (0, 0), 40.0)[..., None]
    around = cv2.GaussianBlur(painting.picture * free[..., None], (0, 0), 40.0)
    return (around + 0.02 * np.array(GROUND, np.float32)) / (weight + 0.02)
