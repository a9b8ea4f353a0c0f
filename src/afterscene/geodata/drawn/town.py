"""A drawn town from above, with exact footprints, from nothing but a seed."""

import cv2
import numpy as np
import shapely
from shapely.geometry import Polygon

from afterscene.errors import BadParameter
from afterscene.geodata.damage import Building
from afterscene.geodata.drawn.canvas import Canvas, fractal
from afterscene.geodata.drawn.houses import Wing, footprint, house_wings, paint_wing
from afterscene.geodata.drawn.nature import Forester, lay_ground, lay_water
from afterscene.geodata.drawn.palette import Palette, choose_palette, jitter
from afterscene.geodata.drawn.plan import Plot, Street, TownPlan, choose_style
from afterscene.geodata.drawn.streets import CONCRETE, pave
from afterscene.geodata.scene import Scene

SMALLEST, LARGEST = 16, 4096


def draw_town(seed: int, size: int = 512) -> tuple[Scene, list[Building]]:
    """Return a drawn town of ``size`` x ``size`` pixels at 0.5 m, and its footprints.

    The same seed gives the same picture and footprints. Polygons are in pixel coordinates, cut at
    the picture's edge, level None, uid ``drawn-{seed}-{number}``. ``source`` is ``drawn:{seed}``.
    Raises ``BadParameter`` for a size outside 16..4096 or a negative seed.
    """
    if not SMALLEST <= size <= LARGEST:
        raise BadParameter(f"town size {size} px: give {SMALLEST} to {LARGEST}")
    if seed < 0:
        raise BadParameter(f"town seed {seed}: give an integer from 0 on")
    town, pixels = _built_up(seed, size)
    buildings = [
        Building(polygon=polygon, level=None, uid=f"drawn-{seed}-{i:04d}")
        for i, polygon in enumerate(town.footprints)
    ]
    return Scene.of_rgb(pixels, f"drawn:{seed}"), buildings


def _built_up(seed: int, size: int) -> tuple["Town", np.ndarray]:
    """Draw until there is a house for each 64 m x 64 m on average (rarely more than once)."""
    for attempt in range(6):
        town = Town(size, np.random.default_rng([seed, attempt, 0x70A1]))
        pixels = town.picture()
        if len(town.footprints) >= (size / 128) ** 2 or size < 128:
            break
    return town, pixels


class Town:
    """One town while it is being drawn: the canvas, what is taken, the footprints so far."""

    def __init__(self, size: int, rng: np.random.Generator) -> None:
        self.size, self.rng = size, rng
        self.palette: Palette = choose_palette(rng)
        self.style = choose_style(rng)
        self.plan = TownPlan(size, self.style, rng)
        self.canvas = Canvas(size)
        self.forester = Forester(self.canvas, self.palette, rng)
        self.taken = np.zeros((size, size), np.uint8)  # by streets, water and houses
        self.paved = np.zeros((size, size), np.uint8)
        self.footprints: list[Polygon] = []

    def picture(self) -> np.ndarray:
        """Draw everything, back to front, and return (size, size, 3) uint8."""
        streets, plots = self.plan.streets(), [p for p in self.plan.plots() if self._near(p)]
        water = self._water()
        lay_ground(self.canvas, self._lushness(plots), self.palette, self.rng)
        lay_water(self.canvas, water, self.palette, self.rng)
        pave(self.canvas, streets, self.style, self.palette, self.rng)
        self._take(streets, water)
        for plot in plots:
            self._settle(plot)
        self._plant(plots, water)
        return self.canvas.develop(self.palette, self.rng)

    def _near(self, plot: Plot) -> bool:
        low, high = plot.ring.min(axis=0), plot.ring.max(axis=0)
        return bool((high > -20).all() and (low < self.size + 20).all())

    def _water(self) -> np.ndarray:
        """Return a (size, size) mask: a river, a pond or nothing."""
        rng, size = self.rng, self.size
        mask = np.zeros((size, size), np.uint8)
        kind = rng.choice(3, p=[0.28, 0.22, 0.5])
        if kind == 0:
            t = np.linspace(-0.8, 0.8, 80) * size
            wave, swing = rng.uniform(200, 420), rng.uniform(12, 45)
            off = rng.uniform(-0.35, 0.35) * size
            bend = swing * np.sin(2 * np.pi * t / wave + rng.uniform(0, 6.3))
            bearing = rng.uniform(0, np.pi)
            c, s = np.cos(bearing), np.sin(bearing)
            path = np.stack([c * t - s * (off + bend), s * t + c * (off + bend)], 1) + size / 2
            points = np.rint(path).astype(np.int32)
            cv2.polylines(mask, [points], False, 1, thickness=int(rng.uniform(18, 52)))
        elif kind == 1:
            angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
            radii = rng.uniform(22, 55) * (1 + 0.25 * np.sin(2 * angle + rng.uniform(0, 6.3)))
            ring = np.stack([np.cos(angle), np.sin(angle)], 1) * radii[:, None]
            ring = ring + rng.uniform(0.15, 0.85, 2) * size
            cv2.fillPoly(mask, [np.rint(ring).astype(np.int32)], 1)
        return mask > 0

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
