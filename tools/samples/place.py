"""One kind of place while it is being sketched: the canvas, what is taken, the footprints so far.

What is sea, wood, field or yard is decided first; streets end there, and houses stand on what is
left. A kind of place is a subclass that says what differs.
"""

from dataclasses import replace

import cv2
import numpy as np
import shapely
from houses import Wing, footprint, house_wings, paint_wing
from plan import Plot, Street, TownPlan, choose_style
from shapely.geometry import Polygon
from sheet import CONCRETE, Sheet, lay_water

from afterscene.geodata.drawn.canvas import FINE, fractal
from afterscene.geodata.drawn.nature import Forester, lay_ground
from afterscene.geodata.drawn.palette import choose_palette, jitter

SIZE = 512


class Place:
    """A drawn town whose ground is told, at two canvas pixels per image pixel."""

    climate = 3
    edits: dict = {}
    looks: dict = {}

    def __init__(self, seed: int) -> None:
        rng = self.rng = np.random.default_rng([seed, 0x5A])
        self.size = SIZE
        for _ in range(2):  # drawn twice, for so the samples in the package were made
            climate = None if _ == 0 else self.climate
            palette, style = choose_palette(rng, climate), choose_style(rng)
            style = style if _ == 0 else replace(style, **self.edits)
            self.plan = TownPlan(SIZE, style, rng)
        self.style = style
        self.palette = replace(palette, haze=0.04, **self.looks)
        self.canvas = Sheet(SIZE)
        self.forester = Forester(self.canvas, self.palette, rng)
        self.taken = np.zeros((SIZE, SIZE), np.uint8)  # by streets, water and houses
        self.paved = np.zeros((SIZE, SIZE), np.uint8)
        self.footprints: list[Polygon] = []

    # What differs from place to place.
    def water_mask(self) -> np.ndarray:
        return np.zeros((SIZE, SIZE), bool)

    def wild(self) -> np.ndarray:
        """Where no street and no house is."""
        return np.zeros((SIZE, SIZE), bool)

    def prepare(self) -> None:
        """Paint ground before the streets."""

    def finish(self) -> None:
        """Paint what lies over streets and houses."""

    def picture(self) -> np.ndarray:
        """(1024, 1024, 3) uint8, 0.25 m a pixel."""
        streets = self.streets()
        water, wild = self.water_mask(), self.wild()
        gone = wild | self.scraps(streets, wild)
        plots = [p for p in self.plots() if self._near(p)]
        lay_ground(self.canvas, self._lushness(plots), self.palette, self.rng)
        self.prepare()
        before = self.canvas.colour.copy(), self.canvas.rough.copy()
        self.pave(streets)
        gone = cv2.resize(gone.astype(np.uint8), None, fx=FINE, fy=FINE) > 0
        self.canvas.colour[gone], self.canvas.rough[gone] = before[0][gone], before[1][gone]
        lay_water(self.canvas, water, self.palette, self.rng)
        self.shore_up([s for s in streets if s.main])
        self._take(streets, water)
        self.taken[wild] = 1
        self.water = water
        for plot in plots:
            self._settle(plot)
        self._plant(plots, water)
        self.finish()
        return self.canvas.develop(self.palette, self.rng)

    def shore_up(self, streets: list[Street]) -> None:
        """Paint what belongs to the water: bridges, foam."""

    def scraps(self, streets: list[Street], wild: np.ndarray) -> np.ndarray:
        """Pieces of street that the wild cuts off from the others."""
        paved = np.zeros((SIZE, SIZE), np.uint8)
        for street in streets:
            points = np.rint(street.path).astype(np.int32)
            cv2.polylines(paved, [points], False, 1, thickness=round(street.width + 12))
        paved[wild] = 0
        count, marks, stats, _ = cv2.connectedComponentsWithStats(paved)
        small = [i for i in range(1, count) if stats[i, cv2.CC_STAT_AREA] < 9000]
        return np.isin(marks, small)

    def streets(self) -> list[Street]:
        return self.plan.streets()

    def plots(self) -> list[Plot]:
        return list(self.plan.plots())

    def pave(self, streets: list[Street]) -> None:
        """Verges, sidewalks and asphalt, without the hard kerbs that a network frays."""
        ground = np.array(self.palette.ground[1])
        for street in streets:
            if self.style.walks:
                self.canvas.line(street.path, street.width + 9, 0.55 * CONCRETE + 0.4 * ground)
                self.canvas.line(
                    street.path, street.width + 5, np.array(self.palette.ground[2]), rough=0.1
                )
            else:
                self.canvas.line(
                    street.path,
                    street.width + 3,
                    0.5 * ground + 0.4 * np.array(self.palette.dirt),
                    rough=0.12,
                )
        for street in streets:
            loose = self.style.dirt and not street.main
            tone = jitter(self.palette.dirt if loose else self.palette.asphalt, 0.04, self.rng)
            self.canvas.line(street.path, street.width, tone, rough=0.09 if loose else 0.04)
            if not loose:
                self.canvas.line(street.path, 0.3 * street.width, tone * 1.05, rough=0.05)
        self.cars(streets)

    def cars(self, streets: list[Street], every: float = 90.0) -> None:
        """Cars along the kerbs."""
        for street in streets:
            steps = np.diff(street.path, axis=0)
            for at, step in zip(street.path[1:], steps, strict=True):
                length = float(np.hypot(*step))
                if self.rng.random() > length / every or not (at.min() > 0 and at.max() < SIZE):
                    continue
                u = step / length
                v = np.array([-u[1], u[0]])
                spot = at + v * self.rng.choice([-0.32, 0.32]) * street.width
                self.box(
                    spot, u, v, (4.2, 1.8), float(self.rng.choice([0.12, 0.25, 0.5, 0.85])), 1.4
                )

    def box(
        self,
        spot: np.ndarray,
        u: np.ndarray,
        v: np.ndarray,
        half: tuple[float, float],
        tone: float,
        height: float,
    ) -> None:
        """A small thing with straight sides: a car, a skylight."""
        ring = np.array(
            [
                spot + a * half[0] * u + b * half[1] * v
                for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))
            ]
        )
        self.canvas.polygon(ring, np.array([tone, tone, tone]) * self.rng.uniform(0.88, 1.12, 3))
        if height:
            self.canvas.tall(ring, height)

    # Tools.
    def beyond(self, angle: float, at: float, wobble: float, scale: float = 160.0) -> np.ndarray:
        """(H, W) signed pixels past a wavy line ``at`` pixels from the middle, facing ``angle``."""
        rows, cols = np.mgrid[:SIZE, :SIZE].astype(np.float32) - SIZE / 2
        line = cols * np.cos(angle) + rows * np.sin(angle) - at
        return line + wobble * fractal((SIZE, SIZE), (scale, scale / 3), self.rng)

    def wood(self, where: np.ndarray, spacing: float, radius: tuple[float, float]) -> None:
        """Plant a closed wood: one crown for each ``spacing`` squared pixels."""
        rows, cols = np.nonzero(where)
        for i in self.rng.permutation(len(rows))[: int(len(rows) / spacing**2)]:
            r = float(self.rng.uniform(*radius))
            self.forester.plant(float(cols[i]), float(rows[i]), r)

    def tint(self, where: np.ndarray, colour: np.ndarray, amount: float = 1.0) -> None:
        """Mix a colour into the ground over a (512, 512) share."""
        share = cv2.resize(where.astype(np.float32), None, fx=FINE, fy=FINE)[..., None] * amount
        grain = 1 + 0.06 * fractal(self.canvas.height.shape, (60.0, 12.0), self.rng)[..., None]
        self.canvas.colour += share * (np.asarray(colour, np.float32) * grain - self.canvas.colour)

    # Houses, gardens, trees.
    def _near(self, plot: Plot) -> bool:
        low, high = plot.ring.min(axis=0), plot.ring.max(axis=0)
        return bool((high > -20).all() and (low < self.size + 20).all())

    def _lushness(self, plots: list[Plot]) -> np.ndarray:
        rng, size = self.rng, self.size
        lush = np.full((size, size), self.palette.lushness, np.float32)
        for plot in plots:
            green = self.palette.lushness + rng.normal(0, 0.16)
            if plot.use in ("wood", "field"):
                green += 0.1 if plot.use == "wood" else -0.05
            value = float(np.clip(green, 0.02, 0.98))
            cv2.fillPoly(lush, [np.rint(plot.ring).astype(np.int32)], value)
        soft = np.asarray(cv2.GaussianBlur(lush, (0, 0), 0.8))
        return soft + np.float32(0.09) * fractal((size, size), (150.0, 50.0), rng)

    def _take(self, streets: list[Street], water: np.ndarray) -> None:
        for street in streets:
            points = np.rint(street.path).astype(np.int32)
            wide = round(street.width + (12 if self.style.walks else 5))
            cv2.polylines(self.taken, [points], False, 1, thickness=wide)
        self.paved = self.taken.copy()
        grown = cv2.dilate(water.astype(np.uint8), np.ones((13, 13), np.uint8))
        self.taken[grown > 0] = 1

    def _settle(self, plot: Plot) -> None:
        """Put on a plot what its use asks for."""
        if plot.use == "homes" and self.rng.random() < self.style.built:
            self._home(plot)
        elif plot.use == "shops":
            self._shop(plot)

    def _home(self, plot: Plot) -> None:
        rng = self.rng
        room = plot.size[0] - 5, 0.55 * plot.size[1]
        size = min(rng.uniform(26, 39), room[0]), min(rng.uniform(19, 30), room[1])
        set_back = plot.size[1] / 2 - size[1] / 2 - rng.uniform(10, 17)
        along = np.array([np.cos(plot.angle), np.sin(plot.angle)])
        spare = (room[0] - size[0]) / 2
        centre = plot.middle + plot.to_street * set_back + along * rng.uniform(-spare, spare)
        wings = house_wings(centre, plot.angle + rng.normal(0, 0.02), size, rng)
        colour = jitter(self.palette.roofs[int(rng.integers(len(self.palette.roofs)))], 0.08, rng)
        if not self._fits(wings):
            wings = wings[:1]
        if not self._fits(wings):
            return
        self._drive(plot, centre, size, along)
        self._build(wings, colour)

    def _drive(
        self, plot: Plot, centre: np.ndarray, size: tuple[float, float], along: np.ndarray
    ) -> None:
        """Lay a drive from the street to one end of the house."""
        rng = self.rng
        side = rng.choice([-1.0, 1.0])
        start = centre + along * side * (size[0] / 2 - 4) + plot.to_street * (size[1] / 2 - 2)
        gap = float((plot.middle - start) @ plot.to_street) + plot.size[1] / 2 + 5
        loose = self.style.dirt or rng.random() < 0.25
        tone = jitter(self.palette.dirt, 0.05, rng) if loose else CONCRETE * rng.uniform(0.8, 1.05)
        end, half = start + plot.to_street * max(gap, 1.0), along * rng.uniform(2.7, 5)
        ring = np.array([start - half, start + half, end + 1.15 * half, end - 1.15 * half])
        self.canvas.polygon(ring, tone, rough=0.05)

    def _shop(self, plot: Plot) -> None:
        """Put a flat-roofed building on a big plot, its car park on the street side."""
        rng = self.rng
        length, depth = 0.8 * plot.size[0], 0.42 * plot.size[1]
        lot = plot.ring + (plot.middle - plot.ring) * 0.06
        covered = shapely.box(0, 0, self.size, self.size).intersects(Polygon(lot))
        hall = Wing(
            centre=tuple(float(c) for c in plot.middle - plot.to_street * 0.2 * plot.size[1]),  # type: ignore[arg-type]
            length=max(length, depth),
            width=min(length, depth),
            angle=plot.angle,
            roof="flat",
            eaves=float(rng.uniform(4.5, 9)),
        )
        if not covered or not self._fits([hall]):
            return
        front = lot if plot.to_street @ (lot[0] - plot.middle) > 0 else lot[[2, 3, 0, 1]]
        half = front.copy()
        half[2:] = 0.5 * front[2:] + 0.5 * front[[1, 0]]
        self.canvas.polygon(lot, CONCRETE * 0.85)
        self.canvas.polygon(half, jitter(self.palette.asphalt, 0.05, rng), rough=0.05)
        tone = rng.choice([0.42, 0.58, 0.70, 0.80])
        self._build([hall], jitter((tone, tone, tone * 0.98), 0.05, rng))

    def _fits(self, wings: list[Wing]) -> bool:
        """Return whether no street, water or other house lies within two pixels."""
        mask = np.zeros_like(self.taken)
        rings = [np.rint(w.ring(grow=2.0)).astype(np.int32) for w in wings]
        for ring in rings:
            cv2.fillPoly(mask, [ring], 1)
        low = np.min([r.min(axis=0) for r in rings], axis=0).clip(0, self.size)
        high = (np.max([r.max(axis=0) for r in rings], axis=0) + 1).clip(0, self.size)
        box = np.s_[low[1] : high[1], low[0] : high[0]]
        return bool(mask[box].any()) and not (mask[box] & self.taken[box]).any()

    def _build(self, wings: list[Wing], colour: np.ndarray) -> None:
        polygon = footprint(wings)
        if polygon is None:
            return
        cut = polygon.intersection(shapely.box(0, 0, self.size - 1, self.size - 1))
        for wing in wings:
            paint_wing(self.canvas, wing, colour, self.palette)
            cv2.fillPoly(self.taken, [np.rint(wing.ring(grow=1.0)).astype(np.int32)], 1)
        if isinstance(cut, Polygon) and cut.area >= 12:
            self.footprints.append(cut)

    def _plant(self, plots: list[Plot], water: np.ndarray) -> None:
        """Plant gardens, woods and the banks; never the middle of a street or a roof."""
        rng = self.rng
        for plot in plots:
            area = plot.size[0] * plot.size[1]
            per = {"homes": 1 / 1500, "shops": 1 / 5000, "wood": 1 / 140, "field": 1 / 4500}
            mean = area * per[plot.use] * (1 if plot.use == "wood" else self.style.tree_density)
            for _ in range(rng.poisson(mean)):
                a, b = rng.uniform(0.02, 0.98, 2)
                top = plot.ring[0] * (1 - a) + plot.ring[1] * a
                low = plot.ring[3] * (1 - a) + plot.ring[2] * a
                self._clump(top * (1 - b) + low * b)
        banks = cv2.dilate(water.astype(np.uint8), np.ones((25, 25), np.uint8)) - water
        ys, xs = np.nonzero(banks)
        for i in rng.integers(0, len(xs), len(xs) // 160) if len(xs) else ():
            self._tree(np.array([xs[i], ys[i]], float), rng.uniform(1.2, 3.2), near_water=True)

    def _clump(self, middle: np.ndarray) -> None:
        """Plant one to several trees close together, of one age."""
        rng = self.rng
        age = float(np.clip(rng.lognormal(0.85, 0.4), 0.9, 5.5))  # crown radius in m
        for _ in range(int(rng.geometric(0.5))):
            spot = middle + rng.normal(0, 2.2 * age, 2)
            self._tree(spot, float(np.clip(age * rng.lognormal(0, 0.25), 0.8, 6.0)))

    def _tree(self, spot: np.ndarray, radius: float, *, near_water: bool = False) -> None:
        x, y = np.rint(spot).astype(int)
        inside = 0 <= x < self.size and 0 <= y < self.size
        no_go = self.paved if near_water else self.taken
        if inside and no_go[y, x]:
            return
        self.forester.plant(float(spot[0]), float(spot[1]), radius)
