"""Earthquake: epicentre and attenuation to peak ground acceleration, with a site term.

Intensity prediction equation of Atkinson & Wald (2007, Seismol. Res. Lett. 78, "Did You Feel It?
intensity data", California coefficients), M moment magnitude, D epicentral distance in km:

    MMI = 12.27 + 2.270 (M-6) + 0.1304 (M-6)^2 - 1.30 log R - 0.0007070 R + 1.95 B - 0.577 M log R
    R = sqrt(D^2 + 14^2), B = max(0, log(R / 30))            (log to base 10)

Macroseismic intensity becomes PGA through Worden et al. (2012, BSSA 102, 204-221):
MMI = 1.78 + 1.55 log PGA below 4.22, -1.60 + 3.70 log PGA above (PGA in cm/s^2).
Over one tile of half a kilometre the attenuation is almost constant; what differs is the soil (a
lognormal site term, smooth over ``site_length``) and how each building is constructed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from afterscene.depiction import Depiction, shake, smother
from afterscene.geodata.damage import Building, DamageMap
from afterscene.hazards.base import Fields, Hazard, Realised
from afterscene.hazards.fragility import Fragility, lot
from afterscene.hazards.ground import Ground, crossing, drawn, heading
from afterscene.hazards.laws import bounded_exponential
from afterscene.hazards.parameters import parameter
from afterscene.hazards.passage import Passage, Phase
from afterscene.hazards.prior import PACIFIC, Box, Prior
from afterscene.hazards.spoken import Spoken

STANDARD_GRAVITY = 980.665  # cm/s^2
SMALLEST_MAGNITUDE = 3.0

WOOD = Fragility(
    medians=(0.34, 0.61, 0.95),
    betas=(0.64, 0.64, 0.64),
    source="FEMA (2022), Hazus 6.1 Earthquake Technical Manual, Table 5-39, W1 low code",
)
MASONRY = Fragility(
    medians=(0.17, 0.26, 0.37),
    betas=(0.64, 0.64, 0.64),
    source="FEMA (2022), Hazus 6.1 Earthquake Technical Manual, Table 5-40, URML pre-code",
)

ALPIDE: tuple[Box, ...] = (
    (-10, 34, 30, 46, 0.6),  # Mediterranean
    (26, 34, 63, 43, 0.9),  # Anatolia, Caucasus, Iran
    (63, 27, 98, 42, 0.9),  # Hindu Kush, Himalaya
    (98, 22, 106, 36, 0.8),  # Yunnan, Sichuan
)


def modified_mercalli(magnitude: float, distance_km: np.ndarray) -> np.ndarray:
    """Return MMI (degrees) at an epicentral distance in km; the formula of the module."""
    r = np.sqrt(np.square(distance_km) + 14.0**2)
    far = np.maximum(0.0, np.log10(r / 30.0))
    m = magnitude - 6.0
    near = 12.27 + 2.270 * m + 0.1304 * m**2 - 1.30 * np.log10(r) - 0.0007070 * r
    return np.asarray(near + 1.95 * far - 0.577 * magnitude * np.log10(r))


def peak_acceleration(mmi: np.ndarray) -> np.ndarray:
    """Return PGA in g for an intensity in MMI (Worden et al. 2012, Table 2)."""
    log_pga = np.where(mmi <= 4.22, (mmi - 1.78) / 1.55, (mmi + 1.60) / 3.70)
    return np.asarray(10.0**log_pga / STANDARD_GRAVITY)


@dataclass(frozen=True, kw_only=True)
class Earthquake(Hazard):
    """Shaking from an epicentre, PGA in g.

    Severity scales the magnitude from 3 (felt, harmless) to ``magnitude``.
    Curves: HAZUS equivalent-PGA medians, wood frame (W1, low code) and unreinforced masonry
    (URML, pre-code), beta 0.64. Crosswalk, ours and lossy: moderate -> minor, extensive -> major,
    complete -> destroyed; HAZUS "slight" (hairline cracks) cannot be seen from above and stays
    no-damage. HAZUS "complete" means unsafe, not always collapsed, so there are rather too many
    destroyed buildings.
    """

    name: ClassVar[str] = "earthquake"
    unit: ClassVar[str] = "g"
    depiction: ClassVar[Depiction] = Depiction(sketch=shake, during=smother, drawn_as="wind")
    fragility: ClassVar[Fragility] = WOOD
    noun: ClassVar[str] = "an earthquake"
    spoken: ClassVar[Spoken] = Spoken(
        nouns="earthquake, quake, tremor, seismic shock, shaking, ground shaking",
        done="shaken, shakes, shake",
        nouns_zh="地震, 强震",
        done_zh="震坏, 被震坏",
        gone_zh="震塌, 震毁, 震倒",
    )
    reach_km: ClassVar[float] = 20.0
    prior: ClassVar[Prior] = Prior(
        boxes=(*PACIFIC, *ALPIDE),
        elsewhere=0.03,
        source="circum-Pacific and Alpide belts after USGS, Where do earthquakes occur? (FAQ)",
    )
    events: ClassVar[tuple[str, ...]] = ("mexico-earthquake",)

    magnitude: float = parameter(7.5, "Mw", "moment magnitude at severity 1", low=3, high=9)
    epicentral_distance: float = parameter(
        8.0, "km", "from the epicentre to the middle of the scene", low=0, high=150
    )
    bearing: float | None = parameter(
        None, "degree", "compass direction towards the epicentre", low=0, high=360
    )
    site_deviation: float = parameter(
        0.25, "ln(g)", "standard deviation of the site term", low=0, high=1
    )
    site_length: float = parameter(120.0, "m", "correlation length of the soil", low=5, high=1e5)
    masonry_share: float = parameter(
        0.4, "1", "share of unreinforced masonry; the rest is wood frame", low=0, high=1
    )

    @classmethod
    def law(cls, rng: np.random.Generator) -> Fields:
        """Draw the parameters of one event from published distributions.

        Magnitude: the law of Gutenberg and Richter (1944, Bull. Seismol. Soc. Am. 34, 185-188)
        with b = 1, bounded as by Cornell and Vanmarcke (1969) to Mw 6 to 8.2 (ours). Distance:
        epicentres uniform over the plane, so the density grows with r, up to 30 km (ours). Focal
        depth is not drawn.
        """
        magnitude = 6.0 + bounded_exponential(rng, np.log(10.0), 2.2)
        return {"magnitude": magnitude, "epicentral_distance": 30.0 * float(np.sqrt(rng.uniform()))}

    def intensity(self, ground: Ground, rng: np.random.Generator) -> tuple[np.ndarray, Realised]:
        bearing = drawn(self.bearing, 0, 360, rng)
        ux, uy = heading(bearing)
        x0 = ground.centre[0] + ux * self.epicentral_distance * 1e3
        y0 = ground.centre[1] + uy * self.epicentral_distance * 1e3
        cells = ground.lattice()
        distance_km = np.hypot(cells.x - x0, cells.y - y0) / 1e3
        moment = SMALLEST_MAGNITUDE + self.severity * (self.magnitude - SMALLEST_MAGNITUDE)
        pga = cells.spread(peak_acceleration(modified_mercalli(moment, distance_km)))
        site = np.exp(self.site_deviation * ground.noise(self.site_length, rng))
        realised = {"bearing": bearing, "epicentre_x_m": x0, "epicentre_y_m": y0}
        return pga * site, {**realised, "realised_magnitude": moment}

    def passage(self, ground: Ground, rng: np.random.Generator, damage: DamageMap) -> Passage:
        """Strong motion builds up, a little later farther from the epicentre."""
        bearing = float(damage.parameters.get("bearing", 0.0))
        onset = 0.06 + 0.06 * crossing(ground, bearing + 180)
        return Passage(phases=(Phase(onset=onset, growth=0.5),), bearing=bearing)

    def capacities(self, g: np.ndarray, buildings: Sequence[Building], seed: int) -> np.ndarray:
        masonry = np.array([lot(b, seed, "masonry") < self.masonry_share for b in buildings])
        wood, brick = WOOD.capacities(g), MASONRY.capacities(g)
        return np.where(masonry.reshape(-1, 1), brick, wood)
