"""Trees after gusts: leaves gone, the ground between them showing, some debris between houses.

Measured on 2,366 patches of 24 m of woods in 60 `train` pairs of xBD's hurricane-michael, post
images in the tone of their pre images: without leaves a wood is lighter and less green (red x 1.28,
green x 1.13, blue x 1.11 beyond 60 m from the next building), as rough as before at every size, but
with another pattern: brightness finer than 20 pixels has a correlation of 0.2 with that before, and
varies a little more across one direction than along it. Stands differ from each other by as much
as the mean change. New structure is drawn at half of the measured strength, without trunks, and
crowns between houses grow no lighter than woods: with more (x 1.5, as measured there) crops around
houses of `val` were farther from real ones (Fréchet distance 627 instead of 581).
"""

from __future__ import annotations

import cv2
import numpy as np

from afterscene.depiction.evidence import Evidence, rise
from afterscene.depiction.noise import combed_noise, smooth_noise
from afterscene.depiction.painting import WOOD, Painting, nearness
from afterscene.geodata.damage import DamageLevel, DamageMap

#: Gusts (m/s) at which trees begin to lose leaves, and at which few leaves are left.
LEAVES = (25.0, 60.0)
#: How much of that a scene gets; how its stands differ (pixels, deviation); how much more near
#: buildings with major damage, destroyed or not classified, where gusts were stronger.
THIN, STANDS, HARDER = (0.5, 1.4), ((90, 0.3), (35, 0.15)), 0.4
#: Growth of red, green and blue in woods and between houses; pixels over which one becomes other.
WOODS, TOWN, FAR = (0.33, 0.12, 0.13), (0.36, 0.16, 0.17), 60.0
#: How much more or less red a scene's growth is: red over green is 0.86 to 0.95 in real posts.
BROWN = (-0.06, 0.08)
#: Pixels over which a crown's colour is averaged, and how much of its own structure is lost.
CROWN, LOST = 6.0, 0.95
#: New structure: pixels along the wind and across it, deviation of brightness in woods.
ROUGH = (
    ((1.7, 1.3), 0.012),
    ((4.0, 2.8), 0.012),
    ((8.0, 6.0), 0.0115),
    ((16.0, 12.5), 0.0105),
    ((36.0, 28.0), 0.008),
)
#: Share of the ground covered by debris near any house, and near those buildings.
LITTER = (0.016, 0.06)
SCRAPS = (*WOOD, (0.84, 0.84, 0.82))


def strip(picture: np.ndarray, damage: DamageMap, seed: int) -> np.ndarray:
    """``picture`` ``(H, W, 3)`` uint8 after the gusts of ``damage`` in m/s; houses stay.

    Debris lies near undamaged houses, too, so that change alone does not mean damage. Without a
    unit the field is unknown, and gusts count as strong everywhere.
    """
    rng = np.random.default_rng((seed, 45))
    painting, seen = Painting.of(picture, damage, rng), Evidence.of(picture, damage)
    gust = rise(damage.intensity, *LEAVES) if damage.unit else np.ones(painting.shape)
    heavy = nearness(painting.level >= DamageLevel.MAJOR, FAR)
    near = nearness(painting.index > 0, FAR)
    stands = sum(smooth_noise(painting.shape, size, rng) * weight for size, weight in STANDS)
    thin = np.clip(rng.uniform(*THIN) + stands + HARDER * heavy, 0, 1.6) * gust
    crowns = np.clip(2 * cv2.GaussianBlur(seen.canopy, (0, 0), 1.0) - 0.3, 0, 1) * ~seen.treeless
    bearing = _bearing(damage, rng)
    painting.paint(_bare(painting, thin, near, bearing), crowns * (thin > 0))
    litter = (LITTER[0] + (LITTER[1] - LITTER[0]) * heavy) * near * ~seen.water
    painting.debris(litter * thin * np.clip(0.5 + painting.noise(14.0, 6.0), 0, 2), SCRAPS)
    return painting.rgb()


def _bearing(damage: DamageMap, rng: np.random.Generator) -> float:
    """Compass bearing of the strongest gusts: that of the track, or any."""
    known = damage.parameters.get("track_bearing", damage.parameters.get("bearing"))
    return float(rng.uniform(0, 360) if known is None else known)


def _bare(painting: Painting, thin: np.ndarray, near: np.ndarray, bearing: float) -> np.ndarray:
    """``(H, W, 3)``: woods without leaves, thinned by ``thin`` ``(H, W)``, 0 to 1.6."""
    smooth = cv2.GaussianBlur(painting.picture, (0, 0), CROWN)
    gain = np.array(WOODS) + near[..., None] * np.subtract(TOWN, WOODS)
    gain[..., 0] += painting.rng.uniform(*BROWN)
    full = np.minimum(1.7 * thin, 1)  # a pattern is lost before all leaves are
    fresh = sum(
        deviation * combed_noise(painting.shape, bearing, sizes, painting.rng)
        for sizes, deviation in ROUGH
    )
    fresh = fresh * full
    kept = (1 - LOST * full)[..., None] * (painting.picture - smooth)
    bare = smooth * (1 + thin[..., None] * gain) + kept
    return np.asarray(bare + fresh[..., None] * np.array((1.08, 1.0, 0.92)), np.float32)
