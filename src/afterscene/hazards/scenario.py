"""What the next event is like: hazard parameters drawn from published distributions.

``draw(hazard, rng)`` gives the fields of one event; whoever renders its tiles passes them to
:func:`afterscene.hazards.make_hazard`. Every law is cut to events that matter (those that damage
buildings near by) and to the ranges of the hazard's own fields. The laws are published; where a
constant is ours, the function says so. They describe events somewhere, not the climate of a place.
Coefficients were written down from knowledge of the papers, not checked against their pages.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from afterscene.errors import UnknownName
from afterscene.hazards import HAZARDS

Fields = dict[str, float | str]


def earthquake(rng: np.random.Generator) -> Fields:
    """Magnitude: the law of Gutenberg and Richter (1944, Bull. Seismol. Soc. Am. 34, 185-188) with
    b = 1, bounded as by Cornell and Vanmarcke (1969) to Mw 6 to 8.2 (ours). Distance: epicentres
    uniform over the plane, so the density grows with r, up to 30 km (ours). Focal depth is not
    drawn.
    """
    magnitude = 6.0 + _bounded_exponential(rng, np.log(10.0), 2.2)
    return {"magnitude": magnitude, "epicentral_distance": 30.0 * float(np.sqrt(rng.uniform()))}


def wind(rng: np.random.Generator) -> Fields:
    """Radius of maximum wind given the pressure deficit dp and latitude psi: lognormal, Vickery and
    Wadhera (2008, J. Appl. Meteorol. Climatol. 47, 2497-2517), all hurricanes,
    ln Rmax = 3.015 - 6.291e-5 dp^2 + 0.0337 psi, deviation 0.448 (dp to 87 hPa),
    1.137 - 0.00792 dp (to 120), else 0.186. Holland's B by Powell et al. (2005, J. Wind Eng. Ind.
    Aerodyn. 93, 651-674): 1.881 - 0.00557 Rmax - 0.01295 psi, deviation 0.286. The
    deficit is Weibull (family of Vickery and Twisdale 1995, J. Struct. Eng. 121, 1691-1699); its
    scale of 60 hPa, shape 2 and lower bound of 40 hPa, the latitudes and the forward speed
    (lognormal about 5.5 m/s) are ours.
    """
    deficit = _weibull_above(rng, scale=60.0, shape=2.0, low=40.0, high=130.0)
    latitude = float(rng.uniform(15, 35))
    spread = 0.448 if deficit <= 87 else 1.137 - 0.00792 * deficit if deficit <= 120 else 0.186
    middle = 3.015 - 6.291e-5 * deficit**2 + 0.0337 * latitude
    rmax = float(np.clip(np.exp(rng.normal(middle, spread)), 8, 100))
    b = float(np.clip(1.881 - 0.00557 * rmax - 0.01295 * latitude + rng.normal(0, 0.286), 0.7, 2.2))
    speed = float(np.clip(rng.lognormal(np.log(5.5), 0.4), 1, 20))
    return {
        "pressure_deficit": deficit,
        "latitude": latitude,
        "rmax": rmax,
        "holland_b": b,
        "forward_speed": speed,
    }


def tornado(rng: np.random.Generator) -> Fields:
    """Intensity: Weibull in wind speed, the family of Dotzek, Grieser and Brooks (2003, Atmos. Res.
    67-68, 163-187); scale 45 m/s, shape 2 (a Rayleigh law) and the lower bound of 50 m/s (EF2) are
    ours. Width: Weibull, its mean grows with intensity, after Brooks (2004, Weather Forecast. 19,
    310-319); the mean, half of 40 m at 50 m/s and more in proportion, is rounded by us.
    """
    vmax = _weibull_above(rng, scale=45.0, shape=2.0, low=50.0, high=120.0)
    mean = 40.0 * vmax / 50.0
    core = float(np.clip(mean * rng.weibull(1.4) / 0.911, 15, 300))
    return {
        "vmax": vmax,
        "core_radius": core,
        "forward_speed": float(np.clip(rng.normal(15, 4), 3, 30)),
    }


def wildfire(rng: np.random.Generator) -> Fields:
    """Wind speed: Weibull with shape 2, the usual law of wind speeds (Justus et al. 1978, J. Appl.
    Meteorol. 17, 350-353); fires that reach towns come with strong wind: scale 11 and lower bound
    of 9 m/s are ours. Rate of spread over wind speed: lognormal about 0.011 with deviation 0.4; the
    rule of thumb in forest is 0.1 (Cruz and Alexander 2019, Ann. For. Sci. 76, 44), among houses
    far less (ours). Duration: exponential tail above half an hour (ours).
    """
    return {
        "wind_speed": _weibull_above(rng, scale=11.0, shape=2.0, low=9.0, high=35.0),
        "rate_fraction": float(np.clip(rng.lognormal(np.log(0.011), 0.4), 0.004, 0.05)),
        "duration": 30.0 + _bounded_exponential(rng, 1 / 45.0, 210.0),
    }


def flood(rng: np.random.Generator) -> Fields:
    """Stage: Gumbel's law of yearly floods (Gumbel 1941, Ann. Math. Stat. 12, 163-190), seen at
    return periods of 20 to 500 years, uniform in yearly chance. Location 1.2 m and scale 0.8 m
    above the lowest ground (3.6 m in 20 years, 6.2 m in 500) are ours. Slope of the land: lognormal
    about 0.012 (ours).
    """
    chance = rng.uniform(1 / 500, 1 / 20)
    stage = 1.2 - 0.8 * float(np.log(-np.log1p(-chance)))
    return {
        "stage": stage,
        "valley_slope": float(np.clip(rng.lognormal(np.log(0.012), 0.5), 0.003, 0.05)),
    }


def tsunami(rng: np.random.Generator) -> Fields:
    """Run-up: the power law of heights at a place, cumulative exponent about 1 (Burroughs and
    Tebbens 2005, Pure Appl. Geophys. 162, 331-342), between 2 and 25 m (ours). Roughness: uniform
    between open fields (0.03) and dense houses (0.08), after the tables of Chow (1959).
    """
    low, high = 2.0, 25.0
    height = 1 / (1 / low - float(rng.uniform()) * (1 / low - 1 / high))
    return {"run_up_height": height, "roughness": float(rng.uniform(0.03, 0.08))}


def volcano(rng: np.random.Generator) -> Fields:
    """Deposit: thins exponentially (Pyle 1989, Bull. Volcanol. 51, 1-15); thickness near by is
    lognormal about 100 mm with deviation 0.8, thinning length lognormal about 3 km (both ours).
    Density: 500 to 1,500 kg/m3, dry to wet (Spence et al. 2005, Nat. Hazards Earth Syst. Sci. 5,
    477-494). Flow: dynamic pressure log-uniform from 5 to 60 kPa, the range in which Spence et al.
    (2004, J. Volcanol. Geotherm. Res. 133, 321-343) see houses fail; reach log-uniform (ours).
    """
    return {
        "ash_thickness": float(np.clip(rng.lognormal(np.log(100.0), 0.8), 10, 1000)),
        "ash_density": float(rng.uniform(500, 1500)),
        "thinning_length": float(np.clip(rng.lognormal(np.log(3.0), 0.5), 0.5, 20)),
        "flow_pressure": _log_uniform(rng, 5, 60),
        "flow_reach": _log_uniform(rng, 200, 2000),
        "flow_width": _log_uniform(rng, 40, 250),
    }


def _bounded_exponential(rng: np.random.Generator, rate: float, most: float) -> float:
    """Exponential with that rate, cut at ``most`` (inverse of its distribution)."""
    return float(-np.log1p(-rng.uniform() * -np.expm1(-rate * most)) / rate)


def _weibull_above(
    rng: np.random.Generator, *, scale: float, shape: float, low: float, high: float
) -> float:
    """Weibull between two bounds (inverse of its distribution)."""
    first, last = (np.exp(-((x / scale) ** shape)) for x in (low, high))
    return float(scale * (-np.log(first - rng.uniform() * (first - last))) ** (1 / shape))


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(low * (high / low) ** rng.uniform())


SCENARIOS: Mapping[str, Callable[[np.random.Generator], Fields]] = MappingProxyType(
    {
        "earthquake": earthquake,
        "wind": wind,
        "tornado": tornado,
        "wildfire": wildfire,
        "flood": flood,
        "tsunami": tsunami,
        "volcano": volcano,
    }
)

REACH_KM: Mapping[str, float] = MappingProxyType(
    {
        "earthquake": 20.0,
        "wind": 20.0,
        "tornado": 3.0,
        "wildfire": 3.0,
        "flood": 3.0,
        "tsunami": 3.0,
        "volcano": 5.0,
    }
)
"""How large an event is at most, km: within it one field makes sense, beyond it another valley,
shore or slope begins. Ours.
"""


def draw(hazard: str, rng: np.random.Generator) -> Fields:
    """The fields of one event, rounded to four significant digits so that a plan says them whole.

    A hazard of one's own without a law here draws nothing and keeps its defaults.

    Raises:
        UnknownName: there is no such hazard.
    """
    if hazard not in HAZARDS:
        raise UnknownName(f"hazard {hazard!r} is not known; choose one of: {', '.join(HAZARDS)}")
    law = SCENARIOS.get(hazard)
    fields = law(rng) if law else {}
    return {k: float(f"{v:.4g}") if isinstance(v, float) else v for k, v in fields.items()}
