"""Tornado: a Rankine vortex that travels across the scene.

Rankine (1882) vortex of core radius R: the tangential speed is Vmax r / R inside the core and
Vmax R / r outside. The vortex moves with forward speed U; every point keeps the worst gust of
the sum of both while the path passes:

    max over time | V(r) t + (V(r) / Vmax) U e |         (t tangent, e path direction)

The path is a gently bending line through the scene. Severity scales the vortex, core and forward
speed with it, so severity covers the EF scale (3-second gust: EF0 29, EF1 38, EF2 50, EF3 61, EF4
74, EF5 above 89 m/s).
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from afterscene.depiction import Depiction, blow, strip, whirl
from afterscene.geodata.damage import DamageMap
from afterscene.hazards.base import Fields, Hazard, Realised
from afterscene.hazards.fragility import Fragility
from afterscene.hazards.ground import Ground, along_across, crossing, drawn
from afterscene.hazards.laws import weibull_between
from afterscene.hazards.parameters import parameter
from afterscene.hazards.passage import Passage, Phase
from afterscene.hazards.prior import Prior
from afterscene.hazards.spoken import Spoken


def rankine(r: np.ndarray, *, vmax: float, core: float) -> np.ndarray:
    """Return the tangential speed in m/s at ``r`` metres from the axis (formula of the module)."""
    r = np.asarray(r, dtype=np.float64)
    return np.asarray(vmax * np.where(r < core, r / core, core / np.maximum(r, core)))


@dataclass(frozen=True, kw_only=True)
class Tornado(Hazard):
    """Peak 3-second gust of a tornado, m/s.

    Curves: McDonald & Mehta (2006, "A Recommendation for an Enhanced Fujita Scale", Texas Tech;
    one- and two-family residences FR12), expected speed of a degree of damage: 2 (roof cover
    < 20 %) 79 mph -> minor, 6 (large roof sections gone) 122 mph -> major, 9 (most walls collapsed)
    152 mph -> destroyed. The choice of degrees is our crosswalk; beta 0.12 takes the published
    lower and upper bounds (63-97, 104-142, 127-178 mph) as 5 % and 95 %, rounded.
    """

    name: ClassVar[str] = "tornado"
    unit: ClassVar[str] = "m/s"
    depiction: ClassVar[Depiction] = Depiction(
        ground=strip, sketch=blow, during=whirl, smeared=True, drawn_as="wind"
    )
    fragility: ClassVar[Fragility] = Fragility(
        medians=(35.3, 54.5, 68.0),
        betas=(0.13, 0.10, 0.10),
        source="McDonald & Mehta (2006), EF scale, FR12 degrees of damage 2, 6 and 9",
    )
    agreement: ClassVar[float] = 0.2
    noun: ClassVar[str] = "a tornado"
    spoken: ClassVar[Spoken] = Spoken(
        nouns="tornado, tornadoes, twister, whirlwind",
        nouns_zh="龙卷风, 龙卷",
    )
    prior: ClassVar[Prior] = Prior(
        boxes=(
            (-104, 28, -80, 48, 1.0),  # the Plains
            (86, 20, 94, 26, 0.6),  # Bangladesh
            (-65, -38, -48, -24, 0.5),  # Rio de la Plata
        ),
        elsewhere=0.05,
        source="Plains, Bangladesh, Rio de la Plata after Brooks et al. 2003 (Atmos. Res. 67-68)",
    )
    events: ClassVar[tuple[str, ...]] = ("joplin-tornado", "moore-tornado", "tuscaloosa-tornado")

    vmax: float = parameter(95.0, "m/s", "tangential speed at the core's rim", low=10, high=150)
    core_radius: float = parameter(45.0, "m", "radius of the core", low=5, high=1500)
    forward_speed: float = parameter(15.0, "m/s", "speed of the vortex", low=0, high=40)
    path_bearing: float | None = parameter(
        None, "degree", "compass direction of travel", low=0, high=360
    )
    path_offset: float | None = parameter(
        None, "m", "path's distance from the middle of the scene", low=-1e6, high=1e6
    )

    @classmethod
    def law(cls, rng: np.random.Generator) -> Fields:
        """Draw the parameters of one event from published distributions.

        Intensity: Weibull in wind speed, the family of Dotzek, Grieser and Brooks (2003, Atmos.
        Res. 67-68, 163-187); scale 45 m/s, shape 2 (a Rayleigh law) and the lower bound of 50 m/s
        (EF2) are ours. Width: Weibull, its mean grows with intensity, after Brooks (2004, Weather
        Forecast. 19, 310-319); the mean, half of 40 m at 50 m/s and more in proportion, is rounded
        by us.
        """
        vmax = weibull_between(rng, scale=45.0, shape=2.0, low=50.0, high=120.0)
        mean = 40.0 * vmax / 50.0
        core = float(np.clip(mean * rng.weibull(1.4) / 0.911, 15, 300))
        return {
            "vmax": vmax,
            "core_radius": core,
            "forward_speed": float(np.clip(rng.normal(15, 4), 3, 30)),
        }

    def intensity(self, ground: Ground, rng: np.random.Generator) -> tuple[np.ndarray, Realised]:
        bearing = drawn(self.path_bearing, 0, 360, rng)
        reach = 0.35 * min(ground.extent)
        offset = drawn(self.path_offset, -reach, reach, rng)
        bend, phase = rng.uniform(0.2, 0.8) * self.core_radius, rng.uniform(0, 2 * np.pi)
        cells = ground.lattice()
        along, across = along_across(cells.x, cells.y, ground.centre, bearing)
        length = ground.radius + 4 * self.core_radius
        worst = np.zeros(along.shape)
        step = max(self.core_radius / 4, np.hypot(*ground.size) / 200)
        far = 0.5 * step + 8 * self.core_radius  # a vortex farther off is weaker than a nearer one
        near = along.min() - far, along.max() + far
        stations = np.arange(-length, length, step)
        if ground.site is not None:
            stations = stations[(stations >= near[0]) & (stations <= near[1])]
        for s in stations:
            t = offset + bend * np.sin(phase + 2 * np.pi * s / 900.0)
            worst = np.maximum(worst, self._gust(along - s, across - t))
        gusts = np.exp(0.06 * ground.noise(15.0, rng))
        realised = {"path_bearing": bearing, "path_offset": offset}
        return self.severity * cells.spread(worst) * gusts, realised

    def passage(self, ground: Ground, rng: np.random.Generator, damage: DamageMap) -> Passage:
        """Each place when the vortex is abreast of it."""
        bearing = float(damage.parameters.get("path_bearing", 0.0))
        share = crossing(ground, bearing)
        onset = 0.1 + 0.72 * share
        return Passage(
            phases=(Phase(onset=onset, growth=0.06),),
            bearing=bearing,
            track=_track(share, damage.intensity),
        )

    def _gust(self, ahead: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Return |rotation + translation| around the axis; counter-clockwise seen from above."""
        r = np.hypot(ahead, right)
        spin = rankine(r, vmax=self.vmax, core=self.core_radius)
        safe = np.maximum(r, 1e-6)
        # To the right of the path a counter-clockwise vortex blows forward.
        forward = spin * right / safe + self.forward_speed * spin / self.vmax
        sideways = -spin * ahead / safe
        return np.asarray(np.hypot(forward, sideways))


def _track(share: np.ndarray, field: np.ndarray) -> tuple[tuple[float, float, float], ...]:
    """(time, column, row) of the strongest gusts abreast of each share of the way."""
    rows, columns = np.mgrid[0 : field.shape[0], 0 : field.shape[1]]
    weight = (field / max(float(field.max()), 1e-6)) ** 12
    found = []
    for way in np.linspace(0, 1, 25):
        near = weight * np.exp(-(((share - way) / 0.03) ** 2)) + 1e-12
        x, y = ((near * axis).sum() / near.sum() for axis in (columns, rows))
        found.append((0.13 + 0.72 * float(way), float(x), float(y)))
    return tuple(found)
