"""What a picture says of its ground: crowns of trees, water, and where its shadows fall.

Read from colour and from texture, in sizes that are metres on the ground. Water is smooth: between
a metre and 2.5 metres its brightness deviates by 0.002 to 0.004, lawns and fields by 0.007 to
0.010, crowns by 0.009 to 0.019 (medians on hand-marked places of `train` pre images of xBD's
hurricane-florence, midwest-flooding and palu-tsunami). Crowns are darker than grass, rough, and
green. They are satellite images of half a metre with leaves on; on aerial images of 0.3 m with
bare trees (UC Merced) hardly a crown is found (``python -m benchmarks evidence``: woods 0.04,
golf courses 0.02, harbours 0.21 water, dense houses 0.00), and water then covers the woods.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from afterscene.geodata.damage import DamageMap, instances

#: Metres: edges of the band in which roughness is read, and over which it is averaged.
BAND, AVERAGED = (0.6, 2.5), 1.5
#: Deviation of brightness in that band: most of a pixel of water, and of the median of a whole
#: water; from here to there that of crowns.
STILL, CALM, ROUGH = 0.0045, 0.0025, (0.0055, 0.0085)
#: Median deviation of the rough land in a picture to which these limits apply as they stand.
USUAL = 0.011
#: How much brighter than the darkest ground crowns may be, at least and at most; the picture's own
#: division of dark and bright green decides between. Half its width. Green excess of leaves.
DARK, SOFT, GREEN = (0.085, 0.15), 0.03, (0.02, 0.06)
#: Green excess of ground on which nothing grows.
BARREN = 0.045
#: Green excess of ground on which something grew.
GROWN = 0.07
#: Metres: around a pixel in which a wood shows, half the width of the smallest crown.
WOOD, CROWN = 2.5, 1.75
#: Square metres of the smallest water that is trusted, and metres that its shore is looked for.
POND, SHORE = 250.0, 7.0
#: Brightest water; least and most grain of a picture in which it may be told from its texture.
BRIGHT, GRAIN = 0.50, (0.0015, 0.04)
#: Metres that a shadow of a house is long, and in how many directions it is looked for.
SHADOW, DIRECTIONS = 3.0, 16


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What is seen in ``picture`` ``(H, W, 3)`` floats 0 to 1.

    roofs: ``(H, W)`` bool, where buildings stand: neither crown nor water. gsd: metres a pixel.
    All fields are ``(H, W)``.
    """

    picture: np.ndarray
    roofs: np.ndarray
    gsd: float = 0.5

    @classmethod
    def of(cls, picture: np.ndarray, damage: DamageMap) -> Evidence:
        """What ``picture`` ``(H, W, 3)`` uint8 shows beside the buildings of ``damage``."""
        roofs = instances(damage.buildings, picture.shape[:2]) > 0
        gsd = float(damage.parameters.get("gsd", 0.5))
        return cls(picture=picture.astype(np.float32) / 255, roofs=roofs, gsd=gsd)

    def blurred(self, values: np.ndarray, metres: float) -> np.ndarray:
        """``values`` under a Gaussian of so many metres (standard deviation)."""
        return np.asarray(cv2.GaussianBlur(values, (0, 0), max(metres / self.gsd, 0.3)))

    @cached_property
    def light(self) -> np.ndarray:
        """Brightness, 0 to 1."""
        return np.asarray(self.picture.mean(axis=2), np.float32)

    @cached_property
    def darkest(self) -> float:
        """Brightness of the darkest ground: haze lies on everything alike."""
        free = self.light[~self.roofs & (self.light > 0)]  # black is a margin without data
        return float(np.quantile(free, 0.01)) if free.size else 0.0

    @cached_property
    def rough(self) -> np.ndarray:
        """Deviation of brightness in :data:`BAND`, without what noise of single pixels puts there.

        White noise reaches the band in proportion to what it has from pixel to pixel: that of the
        two filters' own energies.
        """
        point = np.zeros((65, 65), np.float32)
        point[32, 32] = 1
        leak = float((self._band(point) ** 2).sum() / (_fine(point) ** 2).sum())
        band = self.blurred(self._band(self.light) ** 2, AVERAGED)
        noise = leak * self.blurred(_fine(self.light) ** 2, AVERAGED)
        return np.asarray(np.sqrt(np.maximum(band - noise, 0)))

    def _band(self, values: np.ndarray) -> np.ndarray:
        return self.blurred(values, BAND[0]) - self.blurred(values, BAND[1])

    @cached_property
    def grain(self) -> float:
        """Deviation of brightness from pixel to pixel where the ground is smoothest."""
        return float(
            np.sqrt(np.quantile(cv2.GaussianBlur(_fine(self.light) ** 2, (0, 0), 4.0), 0.1))
        )

    @cached_property
    def green(self) -> np.ndarray:
        """How far green exceeds red and blue, as a share of all light."""
        red, green, blue = self.blurred(self.picture, 0.5).transpose(2, 0, 1)
        return np.asarray((green - (red + blue) / 2) / np.maximum(red + green + blue, 0.05))

    @cached_property
    def water(self) -> np.ndarray:
        """Bool: open water, ponds as well as sea; none where no sensor left its grain."""
        if not GRAIN[0] < self.grain < GRAIN[1]:
            return np.zeros(self.light.shape, bool)
        limit = np.where(self._duskier, self._contrast, 1.0)
        calm = (self.rough < STILL * limit) & (self.light < BRIGHT) & ~self.roofs
        calm = cv2.morphologyEx(calm.astype(np.uint8), cv2.MORPH_OPEN, self._disc(1.0))
        count, index, stats, _ = cv2.connectedComponentsWithStats(calm, connectivity=4)
        found = np.zeros(self.light.shape, bool)
        for i in range(1, count):
            if stats[i, cv2.CC_STAT_AREA] * self.gsd**2 < POND:
                continue
            core = index == i
            if float(np.median((self.rough / limit)[core])) < CALM:
                found |= self._whole(core)
        return found & ~self.roofs

    @property
    def _contrast(self) -> float:
        """How much rougher the land is than in a usual picture, 1 to 3: its water is so as well."""
        land = self.rough[(self.rough > STILL) & ~self.roofs]
        return float(np.clip(np.median(land) / USUAL, 1, 3)) if land.size else 1.0

    @property
    def _duskier(self) -> np.ndarray:
        """Bool: darker than half of the rough land, as dry fields are not."""
        land = self.light[(self.rough > STILL) & ~self.roofs]
        return self.blurred(self.light, 1.0) < (float(np.median(land)) if land.size else 1.0)

    def _whole(self, core: np.ndarray) -> np.ndarray:
        """A calm place out to its shore: as far as its colour goes, a few metres at most."""
        mean = self.picture[core].mean(axis=0)
        spread = np.maximum(self.picture[core].std(axis=0), 0.012)
        away = np.abs(self.blurred(self.picture, 0.4) - mean) / spread
        near = cv2.distanceTransform((~core).astype(np.uint8), cv2.DIST_L2, 3) * self.gsd < SHORE
        return core | (near & (away.max(axis=2) < 3.0))

    @cached_property
    def canopy(self) -> np.ndarray:
        """0 to 1: crowns of trees; float32."""
        fine = self.blurred(self.light, 0.4)
        limit = self.darkest + self._division()
        dark = 1 - rise(fine, limit - SOFT, limit + SOFT)
        leaves = rise(self.green, *GREEN) * ~self.treeless
        seen = np.asarray(dark * leaves * rise(self.rough, *ROUGH), np.float32)
        # In a wood the sunlit sides of crowns are trees as well, however bright.
        among = rise(self.blurred(seen, WOOD), 0.35, 0.6)
        sunlit = among * leaves * (1 - rise(fine, limit + 2 * SOFT, limit + 4 * SOFT))
        return self._wide(np.maximum(seen, sunlit.astype(np.float32)))

    def _wide(self, crowns: np.ndarray) -> np.ndarray:
        """Without what is narrower than a crown: shadows of walls, shores and hedges."""
        core = cv2.morphologyEx((crowns > 0.5).astype(np.uint8), cv2.MORPH_OPEN, self._disc(CROWN))
        return crowns * cv2.GaussianBlur(
            cv2.dilate(core, self._disc(0.8)).astype(np.float32), (0, 0), 0.6
        )

    def _disc(self, radius: float) -> np.ndarray:
        side = 2 * max(round(radius / self.gsd), 1) + 1
        return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))

    @cached_property
    def treeless(self) -> np.ndarray:
        """Bool: water and roofs, where no tree stands."""
        return self.water | self.roofs

    def _division(self) -> float:
        """Brightness above the darkest ground that divides crowns from grass (Otsu 1979)."""
        above = self.light[~self.treeless & (self.green > GREEN[1])] - self.darkest
        if above.size < 100:
            return DARK[1]
        values = np.clip(above * 255, 0, 255).astype(np.uint8)[:, None]
        limit, _ = cv2.threshold(values, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
        return float(np.clip(limit / 255, *DARK))

    @cached_property
    def bare(self) -> np.ndarray:
        """Bool: ground without leaves, some metres wide; neither water nor roof."""
        plain = (self.blurred(self.green, 1.0) < BARREN) & ~self.treeless
        return cv2.morphologyEx(plain.astype(np.uint8), cv2.MORPH_OPEN, self._disc(2.5)) > 0

    def bared(self, before: Evidence, covered: float) -> np.ndarray:
        """Bool: bare ground that was green ``before``, and of which around it lies so much more.

        ``covered``: least share of the ground within some 10 m.
        """
        lost = self.bare & (before.green > GROWN)
        return lost & (self.share(lost, 10.0) > covered)

    @cached_property
    def sun(self) -> tuple[float, float]:
        """Unit vector (x, y) in which shadows fall: where beside roofs it is darkest."""
        angles = np.arange(DIRECTIONS) * 2 * np.pi / DIRECTIONS
        found = [self._beside(np.cos(a), np.sin(a)) for a in angles]
        best = float(angles[int(np.argmin(found))])
        return float(np.cos(best)), float(np.sin(best))

    def share(self, what: np.ndarray, metres: float) -> np.ndarray:
        """How much of the ground around each pixel ``what`` ``(H, W)`` bool covers, 0 to 1."""
        return self.blurred(what.astype(np.float32), metres)

    def within(self, what: np.ndarray, metres: float) -> np.ndarray:
        """Bool: at most so far from ``what`` ``(H, W)`` bool."""
        away = cv2.distanceTransform((~what).astype(np.uint8), cv2.DIST_L2, 3)
        return np.asarray(away * self.gsd <= metres) & bool(what.any())

    def _beside(self, x: float, y: float) -> float:
        cast = self.cast(self.roofs, SHADOW, (x, y))
        return float(self.light[cast].mean()) if cast.any() else 1.0

    def cast(
        self, what: np.ndarray, metres: float, towards: tuple[float, float] | None = None
    ) -> np.ndarray:
        """Bool: where the shadow of ``what`` ``(H, W)`` bool falls beside it."""
        x, y = self.sun if towards is None else towards
        shadow, source = np.zeros(what.shape, bool), what.astype(np.uint8)
        for step in range(1, max(round(metres / self.gsd), 1) + 1):
            move = np.array([[1, 0, x * step], [0, 1, y * step]], np.float32)
            moved = cv2.warpAffine(source, move, what.shape[::-1], flags=cv2.INTER_NEAREST)
            shadow |= moved > 0
        return shadow & ~what


def _fine(values: np.ndarray) -> np.ndarray:
    """What differs from pixel to pixel."""
    return np.asarray(values - cv2.GaussianBlur(values, (0, 0), 1.2))


def rise(x: np.ndarray, low: float, high: float) -> np.ndarray:
    """0 below ``low``, 1 above ``high``, smooth between."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t))
