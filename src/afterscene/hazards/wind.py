"""Hurricane wind: a track and a radial profile to peak gusts.

Gradient wind of Holland (1980, Mon. Weather Rev. 108, 1212-1218), r distance from the eye:

    V(r) = sqrt( (B dp / rho) s exp(-s) + (r f / 2)^2 ) - r f / 2,      s = (Rmax / r)^B

It peaks at Rmax (exactly where f = 0) with sqrt(B dp / (rho e)). The surface wind is a fixed share
of it, the 3-second gust a fixed multiple of that. The storm moves along a straight track; the right
side (northern hemisphere) gains half the forward speed, the left side loses it; every point keeps
its worst gust. Severity scales the pressure deficit, so gusts grow with its square root; turbulence
adds streaks.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from afterscene.depiction import Depiction, blow, gust, strip
from afterscene.geodata.damage import DamageMap
from afterscene.hazards.base import Fields, Hazard, Realised
from afterscene.hazards.fragility import Fragility
from afterscene.hazards.ground import Ground, along_across, crossing, drawn, heading
from afterscene.hazards.laws import weibull_between
from afterscene.hazards.parameters import parameter
from afterscene.hazards.passage import Passage, Phase
from afterscene.hazards.prior import Prior
from afterscene.hazards.spoken import Spoken

AIR_DENSITY = 1.15  # kg/m^3, Holland (1980)
EARTH_ROTATION = 7.2921e-5  # rad/s


def holland(
    r: np.ndarray, *, deficit: float, rmax: float, b: float, latitude: float = 0.0
) -> np.ndarray:
    """Return the gradient wind in m/s at ``r`` metres from the eye.

    ``deficit`` pressure deficit in Pa, ``rmax`` radius of maximum wind in m, ``b`` Holland's B,
    ``latitude`` in degrees (0 drops the Coriolis term).
    """
    r = np.maximum(np.asarray(r, dtype=np.float64), 1.0)
    s = (rmax / r) ** b
    rotation = r * EARTH_ROTATION * np.sin(np.deg2rad(abs(latitude)))  # r f / 2
    return np.asarray(np.sqrt(b * deficit / AIR_DENSITY * s * np.exp(-s) + rotation**2) - rotation)


@dataclass(frozen=True, kw_only=True)
class HurricaneWind(Hazard):
    """Peak 3-second gust of a passing hurricane, m/s.

    Curves: approximation. Vickery et al. (2006, Nat. Hazards Rev. 7, 94-103) and the HAZUS-MH
    hurricane manual publish them as plots per wall, roof and terrain type; the medians here (minor
    54, major 70, destroyed 83 m/s, beta 0.20) are round numbers within the family for
    one-storey wood frame in suburban terrain. Crosswalk: damage states 1 and 2 (roof cover, few
    sheathing panels) -> minor, 3 (severe) -> major, 4 (destruction: roof or walls gone) ->
    destroyed.
    """

    name: ClassVar[str] = "wind"
    unit: ClassVar[str] = "m/s"
    depiction: ClassVar[Depiction] = Depiction(ground=strip, sketch=blow, during=gust, smeared=True)
    fragility: ClassVar[Fragility] = Fragility(
        medians=(54.0, 70.0, 83.0),
        betas=(0.20, 0.20, 0.20),
        source="rounded after Vickery et al. (2006) / HAZUS-MH hurricane model, wood frame",
    )
    noun: ClassVar[str] = "a hurricane"
    spoken: ClassVar[Spoken] = Spoken(
        nouns="hurricane, hurricane wind, hurricane winds, typhoon, cyclone, windstorm, "
        "storm, wind, winds, gusts, gale",
        done="blown over, wind-damaged",
        nouns_zh="飓风, 台风, 热带气旋, 大风, 狂风, 强风, 阵风",
        done_zh="被风吹坏, 被大风吹坏, 吹坏",
    )
    reach_km: ClassVar[float] = 20.0
    prior: ClassVar[Prior] = Prior(
        boxes=(
            (-100, 10, -55, 45, 1.0),  # North Atlantic, Caribbean, Gulf
            (-118, 14, -98, 32, 0.7),  # Pacific Mexico
            (105, 8, 146, 42, 1.0),  # western North Pacific
            (66, 6, 100, 26, 0.8),  # Bay of Bengal, Arabian Sea
            (32, -28, 60, -10, 0.7),  # Madagascar, Mozambique
            (112, -30, 180, -10, 0.7),  # Australia, South Pacific
        ),
        elsewhere=0.0,
        source="tropical cyclone basins after Knapp et al. 2010 (IBTrACS)",
    )
    events: ClassVar[tuple[str, ...]] = ("hurricane-matthew", "hurricane-michael")

    pressure_deficit: float = parameter(
        100.0, "hPa", "ambient minus central pressure", low=5, high=150
    )
    rmax: float = parameter(20.0, "km", "radius of maximum wind", low=5, high=150)
    holland_b: float = parameter(1.5, "1", "peakedness B", low=0.5, high=2.5)
    latitude: float = parameter(30.0, "degree", "for the Coriolis term", low=-60, high=60)
    forward_speed: float = parameter(6.0, "m/s", "speed of the storm", low=0, high=30)
    track_bearing: float | None = parameter(
        None, "degree", "compass direction the storm moves to", low=0, high=360
    )
    track_offset: float | None = parameter(
        None, "km", "scene's distance to the right of the track", low=-300, high=300
    )
    surface_factor: float = parameter(
        0.83, "1", "surface wind over gradient wind", low=0.3, high=1.0
    )
    gust_factor: float = parameter(1.28, "1", "3-second gust over sustained wind", low=1, high=2)
    turbulence: float = parameter(
        0.07, "1", "relative deviation of the gust between streaks", low=0, high=0.5
    )

    @classmethod
    def law(cls, rng: np.random.Generator) -> Fields:
        """Draw the parameters of one event from published distributions.

        Radius of maximum wind given the pressure deficit dp and latitude psi: lognormal, Vickery
        and Wadhera (2008, J. Appl. Meteorol. Climatol. 47, 2497-2517), all hurricanes, ln Rmax =
        3.015 - 6.291e-5 dp^2 + 0.0337 psi, deviation 0.448 (dp to 87 hPa), 1.137 - 0.00792 dp (to
        120), else 0.186. Holland's B by Powell et al. (2005, J. Wind Eng. Ind. Aerodyn. 93,
        651-674): 1.881 - 0.00557 Rmax - 0.01295 psi, deviation 0.286. The deficit is Weibull
        (family of Vickery and Twisdale 1995, J. Struct. Eng. 121, 1691-1699); its scale of 60 hPa,
        shape 2 and lower bound of 40 hPa, the latitudes and the forward speed (lognormal about 5.5
        m/s) are ours.
        """
        deficit = weibull_between(rng, scale=60.0, shape=2.0, low=40.0, high=130.0)
        latitude = float(rng.uniform(15, 35))
        spread = 0.448 if deficit <= 87 else 1.137 - 0.00792 * deficit if deficit <= 120 else 0.186
        middle = 3.015 - 6.291e-5 * deficit**2 + 0.0337 * latitude
        rmax = float(np.clip(np.exp(rng.normal(middle, spread)), 8, 100))
        b = float(
            np.clip(1.881 - 0.00557 * rmax - 0.01295 * latitude + rng.normal(0, 0.286), 0.7, 2.2)
        )
        speed = float(np.clip(rng.lognormal(np.log(5.5), 0.4), 1, 20))
        return {
            "pressure_deficit": deficit,
            "latitude": latitude,
            "rmax": rmax,
            "holland_b": b,
            "forward_speed": speed,
        }

    def intensity(self, ground: Ground, rng: np.random.Generator) -> tuple[np.ndarray, Realised]:
        bearing = drawn(self.track_bearing, 0, 360, rng)
        offset = drawn(self.track_offset, 0.8 * self.rmax, 1.4 * self.rmax, rng)
        right_x, right_y = heading(bearing + 90)
        # The scene lies `offset` to the right, so the track passes the same distance to its left.
        passing = (
            ground.centre[0] - right_x * offset * 1e3,
            ground.centre[1] - right_y * offset * 1e3,
        )
        cells = ground.lattice(64)
        gust = cells.spread(self.swath(*along_across(cells.x, cells.y, passing, bearing)))
        streaks = np.exp(self.turbulence * ground.noise(40.0, rng))
        realised = {"track_bearing": bearing, "track_offset": offset}
        return gust * streaks, realised

    def passage(self, ground: Ground, rng: np.random.Generator, damage: DamageMap) -> Passage:
        """Gusts grow as the eye comes near; how much later on the far side is exaggerated."""
        bearing = float(damage.parameters.get("track_bearing", 0.0))
        onset = 0.05 + 0.15 * crossing(ground, bearing)
        return Passage(phases=(Phase(onset=onset, growth=0.6),), bearing=bearing)

    def swath(self, along: np.ndarray, across: np.ndarray) -> np.ndarray:
        """Return the worst gust (m/s) while the eye moves along the track.

        ``along``, ``across``: metres from the point of closest approach, along the track and to its
        right.
        """
        rmax, deficit = self.rmax * 1e3, self.pressure_deficit * 100
        strongest = np.sqrt(self.holland_b * deficit / (AIR_DENSITY * np.e))
        side = np.sign(across) * (1 if self.latitude >= 0 else -1)
        worst = np.zeros(np.shape(across))
        for eye in np.linspace(-3, 3, 61) * rmax:
            r = np.hypot(along - eye, across)
            wind = holland(
                r,
                deficit=self.severity * deficit,
                rmax=rmax,
                b=self.holland_b,
                latitude=self.latitude,
            )
            # |across| / r is the cosine between the point's wind and the track; the effect of the
            # forward speed decreases with the wind, so that it vanishes far away.
            push = 0.5 * self.forward_speed * side * np.abs(across) / np.maximum(r, 1.0)
            worst = np.maximum(worst, wind * (1 + push / strongest))
        return np.asarray(worst * self.surface_factor * self.gust_factor)
