"""Houses after wind, as a first sketch: bare decking, open roofs, heaps.

Minor damage is missing shingles, in strips or in one piece, with wood or felt below, or a
tarpaulin; major damage is a larger piece, and a part of the roof that is gone, with rooms below. A
destroyed building becomes a heap of angular pieces, many in the colour of its roof, or its slab
with some pieces, or, if it is small, nothing but ground. What gusts do to trees: :mod:`.trees`.

Shares and sizes were set by eye on post images of the splits ``train`` and ``val`` of xBD's
hurricane-michael pairs, and for major damage so that a detector trained on real pairs recognises
it; brightness, colour and sharpness by measurement there. On five tiles of ``val``, *edit*, medians
over buildings (90th percentiles; ``python -m benchmarks texture --xbd XBD --tiles 5``): the
standard deviation of brightness finer than 1.5 pixels is 0.032 (0.052) on real buildings with minor
and 0.044 (0.050) with major damage, 0.033 (0.052) and 0.041 (0.052) on drawn ones; that of red
minus green is 0.005 (0.008) and 0.006 (0.007), on drawn ones 0.007 (0.010) and 0.007 (0.014). A
detector trained with more colour detail than real damage learns to look for that detail.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from afterscene.depiction.heaps import heap
from afterscene.depiction.painting import Painting
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
