"""Flood: one water level over relief, depth in metres.

    depth(x, y) = max(0, level - relief(x, y)),     level = severity * stage

with relief in metres above the lowest ground ("bathtub", hydrostatic; no flow, no momentum).
Relief is an elevation raster, or rises from a water mask, or from the water visible in the picture,
or is a valley drawn from the seed.
"""

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from afterscene.depiction import Depiction, Evidence, Water, swell
from afterscene.depiction.surface import Surface
from afterscene.geodata.damage import DamageMap
from afterscene.hazards.base import Fields, Hazard, Realised
from afterscene.hazards.fragility import Fragility
from afterscene.hazards.ground import Ground, drawn
from afterscene.hazards.parameters import parameter, raster
from afterscene.hazards.passage import Passage
from afterscene.hazards.prior import Prior
from afterscene.hazards.relief import checked_raster, distance_to, rising, valley
from afterscene.hazards.spoken import Spoken

#: Metres from open water in which woods are taken to stand in it as well.
GAP = 12.0


@dataclass(frozen=True, kw_only=True)
class Flood(Hazard):
    """Standing river or storm water, depth in m.

    Thresholds: residential depth-damage curve of Huizinga, de Moel & Szewczyk (2017, JRC105688,
    Europe: 0.25 at 0.5 m, 0.40 at 1 m, 0.50 at 1.5 m, 0.85 at 4 m). Crosswalk, ours: the median
    building is minor from 0.25 m (about 12 % of its value), major from 1.0 m (40 %), destroyed
    from 4.0 m (85 %); beta 0.45 stands for unknown floor heights and is an assumption.
    """

    name: ClassVar[str] = "flood"
    unit: ClassVar[str] = "m"
    depiction: ClassVar[Depiction] = Depiction(
        overlay=Water(),
        uncover=Water().uncover,
        during=swell,
        learned_from=None,  # real roofs keep their look at every level (docs: explanation/hazards)
    )
    fragility: ClassVar[Fragility] = Fragility(
        medians=(0.25, 1.0, 4.0),
        betas=(0.45, 0.45, 0.45),
        source="Huizinga, de Moel & Szewczyk (2017), JRC105688, residential depth-damage, Europe",
    )
    noun: ClassVar[str] = "a flood"
    spoken: ClassVar[Spoken] = Spoken(
        nouns="flood, floods, flooding, inundation, flood water, floodwater, floodwaters, "
        "high water",
        done="flooded, inundated, under water, underwater, submerged, swamped, "
        "waterlogged, flood the, inundate, inundates, submerge, submerges",
        nouns_zh="洪水, 水灾, 洪灾, 洪涝",
        done_zh="被淹, 受淹, 被水淹, 被淹没, 淹没, 浸水, 进水, 淹水, 泡水, 被水淹没, 淹",
    )
    prior: ClassVar[Prior] = Prior(
        boxes=((66, 5, 125, 35, 1.0), (-90, 25, -75, 42, 0.7), (-5, 43, 30, 55, 0.6)),
        elsewhere=0.4,
        source="river floods occur on every inhabited continent; Asia first after UNDRR 2020",
    )
    events: ClassVar[tuple[str, ...]] = (
        "hurricane-florence",
        "hurricane-harvey",
        "midwest-flooding",
        "nepal-flooding",
    )

    stage: float = parameter(
        5.0, "m", "water level above the lowest ground at severity 1", low=0, high=30
    )
    valley_bearing: float | None = parameter(
        None, "degree", "compass direction of the river", low=0, high=360
    )
    valley_slope: float = parameter(0.012, "m/m", "rise of the land from the river", low=0, high=1)
    bumps: float = parameter(0.6, "m", "standard deviation of the terrain", low=0, high=50)
    turbidity: float | None = parameter(
        None, "1", "0: dark, clear water; 1: muddy water; default: drawn", low=0, high=1
    )
    relief: np.ndarray | None = field(
        default=None,
        compare=False,
        repr=False,
        metadata=raster("m", "heights of the ground, (H, W)"),
    )
    water: np.ndarray | None = field(
        default=None,
        compare=False,
        repr=False,
        metadata=raster("1", "permanent water, (H, W) bool"),
    )

    @classmethod
    def law(cls, rng: np.random.Generator) -> Fields:
        """Draw the parameters of one event from published distributions.

        Stage: Gumbel's law of annual floods (Gumbel 1941, Ann. Math. Stat. 12, 163-190), for
        return periods of 20 to 500 years, uniform in annual probability. Location 1.2 m and scale
        0.8 m above the lowest ground (3.6 m in 20 years, 6.2 m in 500) are ours. Slope of the land:
        lognormal about 0.012 (ours).
        """
        chance = rng.uniform(1 / 500, 1 / 20)
        stage = 1.2 - 0.8 * float(np.log(-np.log1p(-chance)))
        return {
            "stage": stage,
            "valley_slope": float(np.clip(rng.lognormal(np.log(0.012), 0.5), 0.003, 0.05)),
        }

    @classmethod
    def observed(cls, pre: Evidence, post: Evidence) -> np.ndarray:
        """One metre of water where the post image shows water, between such places, and in woods.

        Water among trees is seen in pieces: gaps of at most twice :data:`GAP` are taken for it.
        """
        water = post.glinting
        near = post.within(water, GAP)
        between = near & ~post.within(~near, GAP)
        return (water | between | (near & (pre.canopy > 0.5))).astype(np.float32)

    @classmethod
    def told(cls, post: Evidence, field: np.ndarray) -> Fields:
        """``turbidity``, ``tone`` and ``waves`` of the water that is seen."""
        water = post.glinting & (field > 0)
        return Surface.seen(post, water).told if water.any() else {}

    def intensity(self, ground: Ground, rng: np.random.Generator) -> tuple[np.ndarray, Realised]:
        heights, realised = self.heights(ground, rng)
        level = self.severity * self.stage
        mud = drawn(self.turbidity, 0, 1, rng)
        told = {**realised, "level_m": level, "turbidity": mud}
        return np.maximum(level - heights, 0.0), told

    def passage(self, ground: Ground, rng: np.random.Generator, damage: DamageMap) -> Passage:
        """Water comes over the lowest ground first; it spreads and rises at an even pace."""
        depth = damage.intensity
        shares = np.linspace(0, 1, 13)
        if not (depth > 0).any():
            return Passage()
        spread = 1 - np.quantile(depth[depth > 0], 1 - shares) / depth.max()
        tide = tuple(zip(0.05 + 0.87 * shares, 0.5 * (spread + shares), strict=True))
        return Passage(phases=(rising(depth),), tide=((0.0, 0.0), *tide, (1.0, 1.0)))

    def heights(self, ground: Ground, rng: np.random.Generator) -> tuple[np.ndarray, Realised]:
        """Return (H, W) metres above the lowest ground and what was drawn."""
        bearing = drawn(self.valley_bearing, 0, 360, rng)
        offset = rng.uniform(-0.3, 0.3) * min(ground.extent)
        made = valley(
            ground,
            bearing=bearing,
            offset=offset,
            slope=self.valley_slope,
            bumps=self.bumps,
            rng=rng,
        )
        if self.relief is not None:
            given = checked_raster(self.relief, ground, "relief")
            return given - given.min(), {}
        if self.water is not None:
            return self.valley_slope * distance_to(self.water, ground), {}
        if ground.water is not None:
            rough = self.bumps * ground.noise(80.0, rng)
            rise = self.valley_slope * distance_to(ground.water, ground)
            return np.where(ground.water, 0.0, np.maximum(rise + rough, 0.0)), {}
        return made, {"valley_bearing": bearing, "valley_offset_m": float(offset)}
