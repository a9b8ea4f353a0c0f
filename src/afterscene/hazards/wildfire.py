"""Wildfire: a front that spreads over the grid, embers ahead of it, and heat on each house.

Spread: from one cell to its neighbours with the elliptical rate of Huygens' principle (Richards
1990, Int. J. Numer. Methods Eng. 30, 1163-1179; Finney 1998, FARSITE),

    R(theta) = R_head (1 - e) / (1 - e cos theta),   e = sqrt(1 - 1 / LB^2)

theta measured from the wind, LB the ellipse's length over breadth (Anderson 1983, see
``length_to_breadth``). Arrival is the minimum travel time (Finney 2002, Can. J. For. Res. 32) over
a lattice with 16 directions; fuel (greenness of the picture, houses, chance) speeds it up or down.
The front enters with the wind, and embers light spot fires ahead of it.
Heat: radiant flux in kW/m^2 from vegetation and from burning neighbours (structure to structure),
full once the front has passed, decreasing ahead of it. Severity is how long the fire burns.
"""

from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np

from afterscene.depiction import Depiction, blaze, burn, scorch
from afterscene.geodata.damage import DamageMap
from afterscene.hazards.base import Fields, Hazard, Realised
from afterscene.hazards.fragility import Fragility
from afterscene.hazards.ground import Ground, Lattice, along_across, drawn, heading
from afterscene.hazards.laws import bounded_exponential, weibull_between
from afterscene.hazards.parameters import parameter
from afterscene.hazards.passage import Passage, Phase
from afterscene.hazards.prior import Prior
from afterscene.hazards.spoken import Spoken

#: Heat in kW/m2 below which nothing is seen to burn.
SMALL_FLUX = 4.0
_NEAR = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if (i, j) != (0, 0)]
_KNIGHT = [(i, j) for i in (-2, -1, 1, 2) for j in (-2, -1, 1, 2) if abs(i) != abs(j)]


def length_to_breadth(wind: float, *, limit: float = 4.0) -> float:
    """Return the ellipse's length over breadth for a midflame ``wind`` in m/s.

    Anderson (1983, USDA INT-305, as used by Finney 1998):
    0.936 exp(0.2566 U) + 0.461 exp(-0.1548 U) - 0.397; at most ``limit``, as embers widen fires.
    """
    ratio = 0.936 * np.exp(0.2566 * wind) + 0.461 * np.exp(-0.1548 * wind) - 0.397
    return float(np.clip(ratio, 1.0, limit))


def spread_rate(cosine: np.ndarray | float, *, head: float, ratio: float) -> np.ndarray | float:
    """Return the rate (unit of ``head``) at an angle with ``cosine`` from the wind."""
    e = np.sqrt(1 - 1 / ratio**2)
    return head * (1 - e) / (1 - e * cosine)


def travel_time(
    start: np.ndarray,
    fuel: np.ndarray,
    steps: tuple[float, float],
    rates: dict[tuple[int, int], float],
) -> np.ndarray:
    """Return arrival times after spreading from ``start`` (inf = not lit) over a lattice.

    ``fuel`` multiplies the rate; ``steps`` are the cell sizes (y, x) in m; ``rates`` m/min for each
    neighbour offset (row, column). Bellman-Ford over whole arrays until no time decreases any more.
    """
    slowness = 1 / fuel
    time = np.pad(start.astype(np.float32), 2, constant_values=np.inf)
    slow = np.pad(slowness.astype(np.float32), 2, mode="edge")
    inner = time[2:-2, 2:-2]
    h, w = start.shape
    costs = {}
    for (i, j), rate in rates.items():
        length = np.hypot(i * steps[0], j * steps[1])
        other = slow[2 - i : 2 - i + h, 2 - j : 2 - j + w]
        costs[i, j] = (length / rate * 0.5 * (slowness + other)).astype(np.float32)
    for _ in range(4 * (h + w)):
        before = inner.copy()
        for (i, j), cost in costs.items():
            np.minimum(inner, time[2 - i : 2 - i + h, 2 - j : 2 - j + w] + cost, out=inner)
        if np.array_equal(before, inner):
            break
    return inner.copy()


@dataclass(frozen=True, kw_only=True)
class Wildfire(Hazard):
    """Radiant heat on buildings in a fire at the wildland-urban interface, kW/m^2.

    Thresholds: 12.5 kW/m^2 is the usual limit for piloted ignition of wood and the first step of
    the bushfire attack levels of AS 3959 (12.5, 19, 29, 40); after ignition an unattended house
    burns down (Cohen 2000, J. Forestry 98(3), 15-21), so the medians of major (13.5) and destroyed
    (15) follow closely: few half-burnt houses, as in xBD's Santa Rosa (759 of 3492 destroyed, 9
    major). Beta 0.45 represents unknown defensible space; the medians of major and destroyed and
    beta are assumptions.
    """

    name: ClassVar[str] = "wildfire"
    unit: ClassVar[str] = "kW/m2"
    depiction: ClassVar[Depiction] = Depiction(ground=scorch, sketch=burn, during=blaze, close=True)
    fragility: ClassVar[Fragility] = Fragility(
        medians=(12.5, 13.5, 15.0),
        betas=(0.45, 0.45, 0.45),
        source="AS 3959 bushfire attack level 12.5 kW/m2 (piloted ignition); Cohen (2000)",
    )
    agreement: ClassVar[float] = 0.25
    noun: ClassVar[str] = "a wildfire"
    spoken: ClassVar[Spoken] = Spoken(
        nouns="wildfire, wildfires, fire, fires, wild fire, bushfire, bush fire, "
        "forest fire, blaze, flames",
        done="burnt, burned, burning, burns, burn, on fire, ablaze, in flames, "
        "catches fire, catch fire, scorched, charred, singed",
        nouns_zh="野火, 山火, 林火, 森林火灾, 火灾, 大火, 火",
        done_zh="被烧, 着火, 起火, 失火, 燃烧, 烧坏, 被烧坏, 烧",
        gone="burnt down, burned down, burns down, burn down, burnt to the ground, burned to the "
        "ground, burns to the ground, burn to the ground, gutted",
        gone_zh="烧毁, 烧光, 烧掉, 被烧毁",
    )
    prior: ClassVar[Prior] = Prior(
        boxes=(
            (-125, 30, -114, 50, 1.0),  # US West
            (-10, 34, 30, 45, 0.9),  # Mediterranean
            (-76, -42, -69, -30, 0.8),  # central Chile
            (17, -35, 30, -30, 0.6),  # Cape
            (113, -44, 154, -27, 0.9),  # southern Australia
            (-125, 48, -100, 60, 0.5),  # western Canada
        ),
        elsewhere=0.05,
        source="Mediterranean climates after Bowman et al. 2009 (Science 324)",
    )
    events: ClassVar[tuple[str, ...]] = (
        "pinery-bushfire",
        "portugal-wildfire",
        "santa-rosa-wildfire",
        "socal-fire",
        "woolsey-fire",
    )

    wind_speed: float = parameter(18.0, "m/s", "10 m wind speed", low=0, high=60)
    wind_bearing: float | None = parameter(
        None, "degree", "compass direction the wind blows to", low=0, high=360
    )
    rate_fraction: float = parameter(
        0.011, "1", "head rate of spread over wind speed among houses", low=1e-4, high=0.2
    )
    duration: float = parameter(60.0, "min", "time the fire burns at severity 1", low=0, high=1e5)
    spot_fires: float = parameter(
        4.0, "1/(500 m)^2", "mean number of ember ignitions", low=0, high=200
    )
    vegetation_heat: float = parameter(
        22.0, "kW/m2", "flux beside burning vegetation", low=0, high=150
    )
    structure_heat: float = parameter(
        26.0, "kW/m2", "flux added where half of the ground is burning houses", low=0, high=150
    )

    @classmethod
    def law(cls, rng: np.random.Generator) -> Fields:
        """Draw the parameters of one event from published distributions.

        Wind speed: Weibull with shape 2, the usual law of wind speeds (Justus et al. 1978, J.
        Appl. Meteorol. 17, 350-353); fires that reach towns come with strong wind: scale 11 and
        lower bound of 9 m/s are ours. Rate of spread over wind speed: lognormal about 0.011 with
        deviation 0.4; the rule of thumb in forest is 0.1 (Cruz and Alexander 2019, Ann. For. Sci.
        76, 44), among houses far less (ours). Duration: exponential tail above half an hour (ours).
        """
        return {
            "wind_speed": weibull_between(rng, scale=11.0, shape=2.0, low=9.0, high=35.0),
            "rate_fraction": float(np.clip(rng.lognormal(np.log(0.011), 0.4), 0.004, 0.05)),
            "duration": 30.0 + bounded_exponential(rng, 1 / 45.0, 210.0),
        }

    def intensity(self, ground: Ground, rng: np.random.Generator) -> tuple[np.ndarray, Realised]:
        spread = self._spread(ground, rng)
        cells, green, dense = spread.cells, spread.green, spread.dense
        lead = self.severity * self.duration - cells.spread(np.minimum(spread.arrival, 1e6))
        # The flux decreases over the distance that the front covers in about two minutes.
        reached = 1 / (1 + np.exp(-np.clip(lead / 0.8, -50, 50)))
        flux = self.vegetation_heat * (0.55 + 0.7 * green) + self.structure_heat * dense
        pockets = np.exp(0.3 * ground.noise(22.0, rng))
        return cells.spread(flux) * pockets * reached, {"wind_bearing": spread.bearing}

    def passage(self, ground: Ground, rng: np.random.Generator, damage: DamageMap) -> Passage:
        """By the travel time of the front; ground that burns only because it was asked to, last."""
        spread = self._spread(ground, rng)
        minutes = spread.cells.spread(np.minimum(spread.arrival, 1e6))
        burnt = minutes[damage.intensity > SMALL_FLUX]
        last = np.quantile(burnt, 0.995) if burnt.size else minutes.max()
        onset = 0.06 + 0.66 * np.clip(minutes / max(float(last), 1e-3), 0, 1)
        return Passage(phases=(Phase(onset=onset, growth=0.1),), bearing=spread.bearing)

    def _spread(self, ground: Ground, rng: np.random.Generator) -> "_Spread":
        bearing = drawn(self.wind_bearing, 0, 360, rng)
        cells = ground.lattice()
        green, dense = greenness(ground, cells), density(ground, cells)
        chance = np.exp(0.5 * shrink(ground.noise(35.0, rng), cells))
        fuel = (0.55 + 0.6 * green + 0.5 * dense) * chance
        arrival = self.arrival(ground, cells, fuel, bearing, rng)
        return _Spread(bearing=bearing, cells=cells, green=green, dense=dense, arrival=arrival)

    def arrival(
        self,
        ground: Ground,
        cells: Lattice,
        fuel: np.ndarray,
        bearing: float,
        rng: np.random.Generator,
    ) -> np.ndarray:
        """Return minutes until the fire reaches each cell, counted from when the front enters.

        Within an event the front is that of the event; which embers ignite is drawn per tile.
        """
        head = 60 * max(self.rate_fraction * self.wind_speed, 0.01)
        steps = cells.steps
        origin = (0.0, 0.0) if ground.site is None else ground.centre
        along, _ = along_across(cells.x, cells.y, origin, bearing)
        coming = (along - ground.start(along, bearing)) / head
        start = np.full(coming.shape, np.inf)
        for edge in (np.s_[0, :], np.s_[-1, :], np.s_[:, 0], np.s_[:, -1]):
            start[edge] = coming[edge]
        if ground.site is not None:
            tile = [int(np.floor(c)) % 2**32 for c in ground.corner]
            rng = np.random.default_rng([int(rng.integers(2**63)), *tile])
        area = steps[0] * steps[1] * coming.size
        for _ in range(min(int(rng.poisson(self.spot_fires * area / 500.0**2)), 1000)):
            cell = int(rng.integers(0, coming.shape[0])), int(rng.integers(0, coming.shape[1]))
            start[cell] = min(start[cell], coming[cell] * rng.uniform(0.3, 0.9))
        rates = self.rates(steps, bearing, head)
        return travel_time(start, fuel, steps, rates)

    def rates(
        self, steps: tuple[float, float], bearing: float, head: float
    ) -> dict[tuple[int, int], float]:
        """Return the rate of spread (m/min) towards each of the 16 neighbours."""
        ratio = length_to_breadth(0.4 * self.wind_speed)  # midflame wind
        ux, uy = heading(bearing)
        out = {}
        for i, j in _NEAR + _KNIGHT:
            dy, dx = i * steps[0], j * steps[1]
            cosine = (dx * ux + dy * uy) / np.hypot(dx, dy)
            out[i, j] = float(spread_rate(cosine, head=head, ratio=ratio))
        return out


@dataclass(frozen=True, kw_only=True)
class _Spread:
    """A fire over its lattice: what burns there, and the minutes until the front arrives."""

    bearing: float
    cells: Lattice
    green: np.ndarray
    dense: np.ndarray
    arrival: np.ndarray


def shrink(raster: np.ndarray, cells: Lattice) -> np.ndarray:
    """Average an (H, W) raster over the lattice's cells."""
    height, width = cells.x.shape
    small = cv2.resize(raster, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(small).reshape((raster.shape[2:] and (height, width, -1)) or (height, width))


def greenness(ground: Ground, cells: Lattice) -> np.ndarray:
    """Return 0..1 per cell: how much green there is (excess green (2g - r - b) / (r + g + b))."""
    rgb = shrink(ground.scene.rgb(), cells).astype(np.float32)
    excess = (2 * rgb[..., 1] - rgb[..., 0] - rgb[..., 2]) / np.maximum(rgb.sum(axis=2), 1.0)
    return np.asarray(np.clip(excess / 0.15, 0, 1))


def density(ground: Ground, cells: Lattice) -> np.ndarray:
    """Return 0..1 per cell: built-up share within about 25 m; half built-up and more gives 1."""
    cover = shrink(ground.cover(), cells)
    sigma = 12.0 / cells.steps[0]
    near = cv2.GaussianBlur(cover, (0, 0), max(sigma, 0.1), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(np.clip(2 * near, 0, 1))
