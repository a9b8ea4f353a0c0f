"""Tsunami: a wave height at the shore that decays inland, depth in metres.

The water surface falls linearly from the run-up height H at the shore to nothing at the limit of
inundation on flat land, X = 0.06 H^(4/3) / n^2 (n Manning's roughness; Hills & Mader 1997, Ann. NY
Acad. Sci. 822, 381-394), and the land rises under it:

    depth(d) = max(0, H (1 - d / X(H)) - slope d - bumps),     H = severity * run-up height

It increases with H at each distance d. The shore is the edge of a water mask, or of the water
visible in the picture, or else a straight line.
"""

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from afterscene.depiction import Depiction, Evidence, blow, surge, sweep
from afterscene.geodata.damage import DamageLevel, DamageMap
from afterscene.hazards.base import Fields, Hazard, Realised
from afterscene.hazards.fragility import Fragility
from afterscene.hazards.ground import Ground, along_across, drawn
from afterscene.hazards.parameters import parameter, raster
from afterscene.hazards.passage import Passage
from afterscene.hazards.prior import PACIFIC, Prior
from afterscene.hazards.relief import checked_raster, distance_to, rising
from afterscene.hazards.spoken import Spoken

#: (film time, height): waves of a film, relative to the greatest.
WAVES = (
    *((0.0, 0.0), (0.06, 0.0), (0.24, 0.62), (0.36, 0.2), (0.56, 1.0), (0.6, 1.0)),
    *((0.74, 0.3), (0.82, 0.45), (0.95, 0.0), (1.0, 0.0)),
)


def inundation_limit(height: float, roughness: float) -> float:
    """Return the distance in m that a wave of ``height`` m reaches on flat land."""
    return float(0.06 * height ** (4 / 3) / roughness**2)


def surface(distance: np.ndarray, *, height: float, roughness: float) -> np.ndarray:
    """Return the water surface in m above the shore at ``distance`` m inland; may be below 0."""
    if height <= 0:
        return np.zeros(np.shape(distance))
    return np.asarray(height * (1 - distance / inundation_limit(height, roughness)))


@dataclass(frozen=True, kw_only=True)
class Tsunami(Hazard):
    """Inundation from the sea, depth in m.

    Destroyed: Koshimura et al. (2009, Coastal Eng. J. 51, 243-273; Banda Aceh, houses seen in
    IKONOS images) give a normal law with mean 2.985 m and deviation 1.117 m; here median 3.0 m and
    beta 0.37, a lognormal of the same mid-point and spread. Minor and major are rounded
    after the wooden-house curves of Suppasri et al. (2013, Nat. Hazards 66, 319-341): 0.4 m and
    1.6 m; read for order of magnitude, not copied from their table.
    """

    name: ClassVar[str] = "tsunami"
    unit: ClassVar[str] = "m"
    depiction: ClassVar[Depiction] = Depiction(
        overlay=sweep,
        during=surge,
        sketch=blow,
        smeared=True,
        learned_from=DamageLevel.MAJOR,
        drawn_as="wind",
    )
    fragility: ClassVar[Fragility] = Fragility(
        medians=(0.4, 1.6, 3.0),
        betas=(0.45, 0.40, 0.37),
        source="Koshimura et al. (2009), destroyed; Suppasri et al. (2013), minor, major, rounded",
    )
    noun: ClassVar[str] = "a tsunami"
    spoken: ClassVar[Spoken] = Spoken(
        nouns="tsunami, tsunamis, tsunami wave, tidal wave",
        nouns_zh="海啸",
    )
    prior: ClassVar[Prior] = Prior(
        boxes=(*PACIFIC, (80, 5, 98, 22, 0.5), (-10, 34, 36, 42, 0.4)),
        elsewhere=0.01,
        source="Pacific rim first, after NOAA/NCEI, Tsunami Data and Information; "
        "coast not checked",
    )
    events: ClassVar[tuple[str, ...]] = ("palu-tsunami", "sunda-tsunami")

    run_up_height: float = parameter(
        10.0, "m", "water height at the shore at severity 1", low=0, high=60
    )
    roughness: float = parameter(0.05, "s/m^(1/3)", "Manning's n", low=0.01, high=0.2)
    land_slope: float = parameter(0.005, "m/m", "rise of the land", low=0, high=1)
    bumps: float = parameter(0.4, "m", "standard deviation of the terrain", low=0, high=50)
    inland_bearing: float | None = parameter(
        None, "degree", "compass direction the wave runs to", low=0, high=360
    )
    shore_distance: float = parameter(
        20.0, "m", "from the shore to the nearest corner of the scene", low=0, high=1e5
    )
    relief: np.ndarray | None = field(
        default=None,
        compare=False,
        repr=False,
        metadata=raster("m", "heights above the sea, (H, W)"),
    )
    water: np.ndarray | None = field(
        default=None, compare=False, repr=False, metadata=raster("1", "sea, (H, W) bool")
    )

    @classmethod
    def law(cls, rng: np.random.Generator) -> Fields:
        """Draw the parameters of one event from published distributions.

        Run-up: the power law of heights at a place, cumulative exponent about 1 (Burroughs and
        Tebbens 2005, Pure Appl. Geophys. 162, 331-342), between 2 and 25 m (ours). Roughness:
        uniform between open fields (0.03) and dense houses (0.08), after the tables of Chow (1959).
        """
        low, high = 2.0, 25.0
        height = 1 / (1 / low - float(rng.uniform()) * (1 / low - 1 / high))
        return {"run_up_height": height, "roughness": float(rng.uniform(0.03, 0.08))}

    @classmethod
    def observed(cls, pre: Evidence, post: Evidence) -> np.ndarray:
        """Three metres of water where vegetation disappeared, and between such places."""
        return 3.0 * post.within(post.bared(pre, 0.15), 12.0).astype(np.float32)

    def intensity(self, ground: Ground, rng: np.random.Generator) -> tuple[np.ndarray, Realised]:
        bearing = drawn(self.inland_bearing, 0, 360, rng)
        rough = self.bumps * ground.noise(60.0, rng)
        distance, realised = self._inland(ground, bearing)
        if self.relief is not None:
            heights = checked_raster(self.relief, ground, "relief")
        else:
            heights = self.land_slope * distance + rough
        height = self.severity * self.run_up_height
        top = surface(distance, height=height, roughness=self.roughness)
        return np.maximum(top - heights, 0.0), {**realised, "height_at_shore_m": height}

    def passage(self, ground: Ground, rng: np.random.Generator, damage: DamageMap) -> Passage:
        """Three waves run up and draw back, the second one the farthest."""
        inland = damage.parameters.get("inland_bearing")
        bearing = None if inland is None else float(inland)
        return Passage(phases=(rising(damage.intensity),), tide=WAVES, bearing=bearing)

    def _inland(self, ground: Ground, bearing: float) -> tuple[np.ndarray, Realised]:
        sea = ground.water if self.water is None else self.water
        if sea is not None:
            return distance_to(sea, ground), {}
        cells = ground.lattice(64)
        along, _ = along_across(cells.x, cells.y, ground.centre, bearing)
        distance = cells.spread(along - ground.start(along, bearing) + self.shore_distance)
        return distance, {"inland_bearing": bearing}
