"""What an image shows of the ground: tree crowns, water, and the direction of shadows.

Read from colour and texture, at scales in metres on the ground. Water is smooth: its brightness
varies by 0.002 to 0.004 (standard deviation at scales of 0.6 to 2.5 m), that of lawns and fields by
0.007 to 0.010, that of crowns by 0.009 to 0.019; these are medians of hand-marked places in `train`
pre images of xBD's hurricane-florence, midwest-flooding and palu-tsunami. Crowns are darker than
grass, rough and green. The limits hold for satellite images of about 0.5 m with leaves on the
trees. On aerial images of 0.3 m with bare trees (UC Merced) hardly any crown is found (``python -m
benchmarks evidence``: share of crowns in woods 0.04, golf courses 0.02; share of water in harbours
0.21, dense housing 0.00), and flood water then covers the woods.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from afterscene.geodata.damage import DamageMap, instances

#: Metres: band of scales in which roughness is measured; length over which it is averaged.
BAND, AVERAGED = (0.6, 2.5), 1.5
#: Roughness (standard deviation of brightness in the band): upper limit of a water pixel, upper
#: limit of the median of a water body, and the range over which land becomes crowns.
STILL, CALM, ROUGH = 0.0045, 0.0025, (0.0055, 0.0085)
#: Median roughness of rough land in an image for which these limits apply unscaled.
USUAL = 0.011
#: Crowns: range of the brightness limit above the darkest ground, within which the image's own
#: division of dark and bright green decides; softness of that limit; range of green excess.
DARK, SOFT, GREEN = (0.085, 0.15), 0.03, (0.02, 0.06)
#: Green excess below which nothing grows on the ground.
BARREN = 0.045
#: Green excess above which something grew on the ground.
GROWN = 0.07
#: Metres: radius in which a wood is recognised; half the width of the smallest crown.
WOOD, CROWN = 2.5, 1.75
#: Smallest water body in square metres, and how far its shore is searched in metres.
POND, SHORE = 250.0, 7.0
#: Share of grass in a calm place that is none of water; brightness from which grass is recognised.
MEADOW, LIT = 0.5, 0.13
#: Metres over which the hue of glinting water is averaged.
GLINT = 2.0
#: Brightness of the brightest water; range of sensor grain in which water can be recognised.
BRIGHT, GRAIN = 0.50, (0.0015, 0.04)
#: Length of a house's shadow in metres, and number of directions that are tried.
SHADOW, DIRECTIONS = 3.0, 16


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What ``picture`` ``(H, W, 3)``, floats 0 to 1, shows. All results are ``(H, W)``.

    roofs: ``(H, W)`` bool, buildings, which are neither crown nor water. gsd: metres per pixel.
    """

    picture: np.ndarray
    roofs: np.ndarray
    gsd: float = 0.5

    @classmethod
    def of(cls, picture: np.ndarray, damage: DamageMap) -> Evidence:
        """The evidence in ``picture`` ``(H, W, 3)`` uint8 with the buildings of ``damage``."""
        roofs = instances(damage.buildings, picture.shape[:2]) > 0
        gsd = float(damage.parameters.get("gsd", 0.5))
        return cls(picture=picture.astype(np.float32) / 255, roofs=roofs, gsd=gsd)

    def blurred(self, values: np.ndarray, metres: float) -> np.ndarray:
        """``values`` blurred by a Gaussian of that standard deviation in metres."""
        return np.asarray(cv2.GaussianBlur(values, (0, 0), max(metres / self.gsd, 0.3)))

    @cached_property
    def light(self) -> np.ndarray:
        """Brightness, 0 to 1."""
        return np.asarray(self.picture.mean(axis=2), np.float32)

    @cached_property
    def darkest(self) -> float:
        """Brightness of the darkest ground, which measures the haze over the whole image."""
        free = self.light[~self.roofs & (self.light > 0)]  # black is margin without data
        return float(np.quantile(free, 0.01)) if free.size else 0.0

    @cached_property
    def rough(self) -> np.ndarray:
        """Standard deviation of brightness in :data:`BAND`, without the share of pixel noise.

        White noise contributes to the band in proportion to its pixel-to-pixel part; the ratio is
        that of the energies of the two filters.
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
        """Sensor grain: pixel-to-pixel deviation of brightness where the ground is smoothest."""
        return float(
            np.sqrt(np.quantile(cv2.GaussianBlur(_fine(self.light) ** 2, (0, 0), 4.0), 0.1))
        )

    @cached_property
    def green(self) -> np.ndarray:
        """Green excess: green above red and blue, as a share of all light."""
        red, green, blue = self.blurred(self.picture, 0.5).transpose(2, 0, 1)
        return np.asarray((green - (red + blue) / 2) / np.maximum(red + green + blue, 0.05))

    @cached_property
    def water(self) -> np.ndarray:
        """Bool: open water, from ponds to the sea; nothing in images without sensor grain."""
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
            calmest = float(np.median((self.rough / limit)[core])) < CALM
            if calmest and self.light[core].any() and float(self.grass[core].mean()) < MEADOW:
                found |= self._whole(core)
        return found & ~self.roofs

    @cached_property
    def grass(self) -> np.ndarray:
        """Bool: lit, green and redder than blue: lawns and meadows, smooth as water at times."""
        red, _, blue = self.blurred(self.picture, 1.5).transpose(2, 0, 1)
        return (self.green > GROWN) & (red > blue) & (self.light > LIT)

    @cached_property
    def glinting(self) -> np.ndarray:
        """Bool: water, and rough water beside it, in which waves reflect the sun.

        It has the hue of the calm water, and is as bright or brighter.
        """
        if not self.water.any():
            return self.water
        smooth = self.blurred(self.picture, GLINT)
        hue = smooth / np.maximum(smooth.sum(axis=2, keepdims=True), 0.05)
        near = np.abs(hue - hue[self.water].mean(axis=0))
        spread = np.maximum(hue[self.water].std(axis=0), 0.006)
        light = smooth.mean(axis=2) - float(np.median(smooth[self.water]))
        alike = (near < 3 * spread).all(axis=2) & (light > -0.06) & (light < 0.3)
        alike &= ~self.grass & ~self.roofs & (self.light > 0)
        alike = cv2.morphologyEx(alike.astype(np.uint8), cv2.MORPH_OPEN, self._disc(2 * GLINT))
        _, index = cv2.connectedComponents(((alike > 0) | self.water).astype(np.uint8))
        return np.isin(index, np.unique(index[self.water]))

    @property
    def _contrast(self) -> float:
        """Roughness of the land relative to a usual image, 1 to 3; water scales with it."""
        land = self.rough[(self.rough > STILL) & ~self.roofs]
        return float(np.clip(np.median(land) / USUAL, 1, 3)) if land.size else 1.0

    @property
    def _duskier(self) -> np.ndarray:
        """Bool: darker than half of the rough land, which excludes dry fields."""
        land = self.light[(self.rough > STILL) & ~self.roofs]
        return self.blurred(self.light, 1.0) < (float(np.median(land)) if land.size else 1.0)

    def _whole(self, core: np.ndarray) -> np.ndarray:
        """Extend calm places to their shore, by colour and by a few metres at most."""
        mean = self.picture[core].mean(axis=0)
        spread = np.maximum(self.picture[core].std(axis=0), 0.012)
        away = np.abs(self.blurred(self.picture, 0.4) - mean) / spread
        near = cv2.distanceTransform((~core).astype(np.uint8), cv2.DIST_L2, 3) * self.gsd < SHORE
        return core | (near & (away.max(axis=2) < 3.0))

    @cached_property
    def canopy(self) -> np.ndarray:
        """0 to 1, float32: tree crowns."""
        fine = self.blurred(self.light, 0.4)
        limit = self.darkest + self._division()
        dark = 1 - rise(fine, limit - SOFT, limit + SOFT)
        leaves = rise(self.green, *GREEN) * ~self.treeless
        seen = np.asarray(dark * leaves * rise(self.rough, *ROUGH), np.float32)
        # In a wood, sunlit sides of crowns count as trees however bright they are.
        among = rise(self.blurred(seen, WOOD), 0.35, 0.6)
        sunlit = among * leaves * (1 - rise(fine, limit + 2 * SOFT, limit + 4 * SOFT))
        return self._wide(np.maximum(seen, sunlit.astype(np.float32)))

    def _wide(self, crowns: np.ndarray) -> np.ndarray:
        """Remove what is narrower than a crown: shadows of walls, shores, hedges."""
        core = cv2.morphologyEx((crowns > 0.5).astype(np.uint8), cv2.MORPH_OPEN, self._disc(CROWN))
        return crowns * cv2.GaussianBlur(
            cv2.dilate(core, self._disc(0.8)).astype(np.float32), (0, 0), 0.6
        )

    def _disc(self, radius: float) -> np.ndarray:
        side = 2 * max(round(radius / self.gsd), 1) + 1
        return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))

    @cached_property
    def treeless(self) -> np.ndarray:
        """Bool: water and roofs, which are never trees."""
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
        """Bool: ground without vegetation, some metres wide; neither water nor roof."""
        plain = (self.blurred(self.green, 1.0) < BARREN) & ~self.treeless
        return cv2.morphologyEx(plain.astype(np.uint8), cv2.MORPH_OPEN, self._disc(2.5)) > 0

    def bared(self, before: Evidence, covered: float) -> np.ndarray:
        """Bool: bare ground that was green ``before``, where such ground is common.

        ``covered``: its smallest share of the ground within about 10 m.
        """
        lost = self.bare & (before.green > GROWN)
        return lost & (self.share(lost, 10.0) > covered)

    @cached_property
    def sun(self) -> tuple[float, float]:
        """Unit vector (x, y) of the shadows: the direction in which it is darkest beside roofs."""
        angles = np.arange(DIRECTIONS) * 2 * np.pi / DIRECTIONS
        found = [self._beside(np.cos(a), np.sin(a)) for a in angles]
        best = float(angles[int(np.argmin(found))])
        return float(np.cos(best)), float(np.sin(best))

    def share(self, what: np.ndarray, metres: float) -> np.ndarray:
        """Share of the ground around each pixel that ``what`` ``(H, W)`` bool covers, 0 to 1."""
        return self.blurred(what.astype(np.float32), metres)

    def within(self, what: np.ndarray, metres: float) -> np.ndarray:
        """Bool: within that distance of ``what`` ``(H, W)`` bool."""
        away = cv2.distanceTransform((~what).astype(np.uint8), cv2.DIST_L2, 3)
        return np.asarray(away * self.gsd <= metres) & bool(what.any())

    def _beside(self, x: float, y: float) -> float:
        cast = self.cast(self.roofs, SHADOW, (x, y))
        return float(self.light[cast].mean()) if cast.any() else 1.0

    def cast(
        self, what: np.ndarray, metres: float, towards: tuple[float, float] | None = None
    ) -> np.ndarray:
        """Bool: the shadow that ``what`` ``(H, W)`` bool casts beside itself."""
        x, y = self.sun if towards is None else towards
        shadow, source = np.zeros(what.shape, bool), what.astype(np.uint8)
        for step in range(1, max(round(metres / self.gsd), 1) + 1):
            move = np.array([[1, 0, x * step], [0, 1, y * step]], np.float32)
            moved = cv2.warpAffine(source, move, what.shape[::-1], flags=cv2.INTER_NEAREST)
            shadow |= moved > 0
        return shadow & ~what


def _fine(values: np.ndarray) -> np.ndarray:
    """The pixel-to-pixel part."""
    return np.asarray(values - cv2.GaussianBlur(values, (0, 0), 1.2))


def rise(x: np.ndarray, low: float, high: float) -> np.ndarray:
    """0 below ``low``, 1 above ``high``, smooth between."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t))
