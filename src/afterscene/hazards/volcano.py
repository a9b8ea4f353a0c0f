"""Volcano: ash load on roofs and a flow that enters from one direction, both in kPa.

Ash: static load rho g h of a deposit that thins exponentially away from the vent (Pyle 1989, Bull.
Volcanol. 51, 1-15), with drifts. Flow: a winding tongue whose dynamic pressure falls off as a
Gaussian across and towards its front; severity lengthens, widens and strengthens it. The field is
the larger of the two, in kPa. South of Fuego in 2018 (xBD's event) the flow did the damage, at
Pinatubo in 1991 the ash did.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from afterscene.depiction import Ash, Depiction, Evidence, erupt
from afterscene.depiction.overlays import FLOW
from afterscene.geodata.damage import DamageMap
from afterscene.hazards.base import Fields, Hazard, Realised
from afterscene.hazards.fragility import Fragility
from afterscene.hazards.ground import Ground, along_across, crossing, drawn
from afterscene.hazards.laws import log_uniform
from afterscene.hazards.parameters import parameter
from afterscene.hazards.passage import Passage, Phase
from afterscene.hazards.prior import PACIFIC, Prior
from afterscene.hazards.spoken import Spoken

GRAVITY = 9.81e-3  # kPa per kg/m^2


def ash_load(thickness_mm: float | np.ndarray, density: float) -> float | np.ndarray:
    """Return the load in kPa of ``thickness_mm`` of ash with ``density`` in kg/m^3."""
    return thickness_mm * 1e-3 * density * GRAVITY


@dataclass(frozen=True, kw_only=True)
class Volcano(Hazard):
    """Ash load and pyroclastic flow pressure, kPa.

    Ash roofs: Spence, Kelman, Baxter, Zuccaro & Petrazzuoli (2005, Nat. Hazards Earth Syst. Sci. 5,
    477-494): median collapse loads of about 2.0 (weak), 3.0 (medium weak), 4.5 (medium strong) and
    7.0 kPa (strong roofs). Crosswalk, ours: minor 1.0 kPa (about 100 mm of dry ash, gutters and
    sheeting), major 3.0 kPa (medium weak roof falls in), destroyed 4.5 kPa (medium strong roof;
    also openings and masonry under flow pressure, where published values start at a few kPa:
    Spence et al. 2004, J. Volcanol. Geotherm. Res. 133, 321-343). Beta 0.30 is an assumption.
    """

    name: ClassVar[str] = "volcano"
    unit: ClassVar[str] = "kPa"
    depiction: ClassVar[Depiction] = Depiction(
        overlay=Ash(), uncover=Ash().uncover, during=erupt, sketch=Ash().bury, smeared=True
    )
    fragility: ClassVar[Fragility] = Fragility(
        medians=(1.0, 3.0, 4.5),
        betas=(0.30, 0.30, 0.30),
        source="Spence et al. (2005), tephra roof collapse loads, rounded",
    )
    noun: ClassVar[str] = "a volcanic eruption"
    spoken: ClassVar[Spoken] = Spoken(
        nouns="volcanic eruption, volcano, eruption, ash fall, ashfall, ash, "
        "volcanic ash, pyroclastic flow",
        done="under ash, covered in ash, covered by ash, buried in ash, buried by ash",
        nouns_zh="火山喷发, 火山爆发, 火山, 火山灰, 火山碎屑流",
        done_zh="被火山灰覆盖, 被火山灰掩埋",
    )
    reach_km: ClassVar[float] = 5.0
    prior: ClassVar[Prior] = Prior(
        boxes=(*PACIFIC, (29, -4, 42, 14, 0.5), (12, 36, 16, 42, 0.6), (-25, 63, -13, 67, 0.8)),
        elsewhere=0.0,
        source="arcs and rifts after Smithsonian Institution, Global Volcanism Program",
    )
    events: ClassVar[tuple[str, ...]] = ("guatemala-volcano", "lower-puna-volcano")

    ash_thickness: float = parameter(
        120.0, "mm", "deposit on the near side of the scene at severity 1", low=0, high=5000
    )
    ash_density: float = parameter(1000.0, "kg/m^3", "density of the deposit", low=200, high=2500)
    thinning_length: float = parameter(
        3.0, "km", "distance over which the deposit thins to 1/e", low=0.05, high=100
    )
    flow_pressure: float = parameter(
        25.0, "kPa", "dynamic pressure on the flow's axis at severity 1", low=0, high=300
    )
    flow_reach: float = parameter(
        450.0, "m", "distance that the flow reaches into the scene at severity 1", low=0, high=1e5
    )
    flow_width: float = parameter(
        90.0, "m", "half width of the flow at severity 1", low=1, high=1e5
    )
    bearing: float | None = parameter(
        None, "degree", "compass direction the flow runs to", low=0, high=360
    )

    @classmethod
    def law(cls, rng: np.random.Generator) -> Fields:
        """Draw the parameters of one event from published distributions.

        Deposit: thins exponentially (Pyle 1989, Bull. Volcanol. 51, 1-15); thickness at the scene
        is lognormal about 100 mm with deviation 0.8, thinning length lognormal about 3 km (ours).
        Density: 500 to 1,500 kg/m3, dry to wet (Spence et al. 2005, Nat. Hazards Earth Syst. Sci.
        5, 477-494). Flow: dynamic pressure log-uniform from 5 to 60 kPa, the range in which Spence
        et al. (2004, J. Volcanol. Geotherm. Res. 133, 321-343) see houses fail; reach log-uniform
        (ours).
        """
        return {
            "ash_thickness": float(np.clip(rng.lognormal(np.log(100.0), 0.8), 10, 1000)),
            "ash_density": float(rng.uniform(500, 1500)),
            "thinning_length": float(np.clip(rng.lognormal(np.log(3.0), 0.5), 0.5, 20)),
            "flow_pressure": log_uniform(rng, 5, 60),
            "flow_reach": log_uniform(rng, 200, 2000),
            "flow_width": log_uniform(rng, 40, 250),
        }

    @classmethod
    def observed(cls, pre: Evidence, post: Evidence) -> np.ndarray:
        """A flow of 10 kPa where vegetation became bare ground; fallen ash is not recognised."""
        return 10.0 * post.within(post.bared(pre, 0.3), 2.0).astype(np.float32)

    def intensity(self, ground: Ground, rng: np.random.Generator) -> tuple[np.ndarray, Realised]:
        bearing = drawn(self.bearing, 0, 360, rng)
        offset = rng.uniform(-0.3, 0.3) * min(ground.extent)
        phase = rng.uniform(0, 2 * np.pi)
        drifts = np.exp(0.25 * ground.noise(20.0, rng))
        edge = ground.noise(30.0, rng)
        cells = ground.lattice()
        along, across = along_across(cells.x, cells.y, ground.centre, bearing)
        along = along - ground.start(along, bearing)
        axis = offset + 0.25 * self.flow_width * np.sin(phase + 2 * np.pi * along / 300.0)
        thickness = (
            self.severity * self.ash_thickness * np.exp(-along / (self.thinning_length * 1e3))
        )
        ash = cells.spread(np.asarray(ash_load(thickness, self.ash_density))) * drifts
        ragged = np.exp(0.2 * edge)
        flow = self.flow(cells.spread(along) - 15.0 * edge, cells.spread(across - axis) / ragged)
        realised = {"bearing": bearing, "flow_offset_m": float(offset)}
        return np.maximum(ash, flow), realised

    def passage(self, ground: Ground, rng: np.random.Generator, damage: DamageMap) -> Passage:
        """Ash falls for most of the time; the flow runs over it in the second half."""
        bearing = float(damage.parameters.get("bearing", 0.0))
        along, field = crossing(ground, bearing), damage.intensity
        flowed = field > FLOW[0]
        thickness = self.severity * self.ash_thickness
        ash = float(ash_load(thickness, self.ash_density))
        share = np.where(flowed, np.minimum(1, ash / np.maximum(field, 1e-6)), 1)
        first, last = (along[flowed].min(), along[flowed].max()) if flowed.any() else (0.0, 1.0)
        way = np.clip((along - first) / max(float(last - first), 1e-6), 0, 1)
        falling = Phase(onset=0.04 + 0.08 * along, growth=0.8, share=share)
        running = Phase(onset=np.where(flowed, 0.42 + 0.3 * way, 2.0), growth=0.06)
        return Passage(phases=(falling, running), bearing=bearing)

    def flow(self, along: np.ndarray, across: np.ndarray) -> np.ndarray:
        """Return the dynamic pressure (kPa) ``along`` m into the scene, ``across`` m off the axis.

        ``severity P exp(-(across / w)^4) exp(-max(0, along - reach)^2 / w^2)``, w and reach in
        proportion to severity: flat-topped across, cut off at the front.
        """
        if self.severity == 0:
            return np.zeros(np.shape(along))
        width = self.severity * self.flow_width
        beyond = np.maximum(0.0, along - self.severity * self.flow_reach)
        shape = np.exp(-((across / width) ** 4) - (beyond / width) ** 2)
        return np.asarray(self.severity * self.flow_pressure * shape)
