"""Eight kinds of place, each a sketch of half a kilometre across and its exact footprints.

A place is a town of :mod:`town` with its own plan, palette and ground: what is sea, wood, field or
yard is decided first, streets end there, houses stand on what is left.
"""

import itertools
from dataclasses import replace

import cv2
import numpy as np
from shapely.geometry import Polygon

from afterscene.geodata.drawn.canvas import FINE, fractal, sun_vector
from afterscene.geodata.drawn.houses import Wing, house_wings
from afterscene.geodata.drawn.nature import lay_ground, lay_water
from afterscene.geodata.drawn.palette import choose_palette, jitter
from afterscene.geodata.drawn.plan import Plot, Street, TownPlan, choose_style
from afterscene.geodata.drawn.streets import CONCRETE
from afterscene.geodata.drawn.town import Town

SIZE = 512


class Place(Town):
    """A drawn town whose ground is told, at two canvas pixels per image pixel."""

    climate = 3
    edits: dict = {}
    looks: dict = {}

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng([seed, 0x5A])
        super().__init__(SIZE, rng)
        self.palette = replace(choose_palette(rng, self.climate), haze=0.04, **self.looks)
        self.style = replace(choose_style(rng), **self.edits)
        self.plan = TownPlan(SIZE, self.style, rng)
        self.forester.palette = self.palette

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
        return self.develop()

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

    def develop(self) -> np.ndarray:
        """Light the sheet at the canvas' own resolution."""
        side, size = self.canvas.size, self.canvas.height.shape[0]
        self.canvas.size = size
        out = self.canvas.develop(self.palette, self.rng)
        self.canvas.size = side
        return out

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
            cv2.fillPoly(
                self.canvas.height, [np.rint((ring + 0.5) * FINE).astype(np.int32)], height
            )

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


class Suburb(Place):
    climate = 3
    edits = dict(
        bend=(26, 30),
        wave=(520, 640),
        plot=(40, 58),
        street=16,
        main=22,
        walks=True,
        dirt=False,
        built=0.98,
        tree_density=5.0,
        uses=(0.97, 0.0, 0.03, 0.0),
        angle=0.35,
    )

    def finish(self) -> None:
        """A few pools behind the houses."""
        for _ in range(60):
            x, y = self.rng.uniform(10, SIZE - 10, 2)
            box = self.taken[int(y) - 7 : int(y) + 8, int(x) - 7 : int(x) + 8]
            near = self.taken[int(max(0, y - 26)) : int(y) + 26, int(max(0, x - 26)) : int(x) + 26]
            if box.any() or not near.any() or self.rng.random() > 0.25:
                continue
            t, spot = np.linspace(0, 2 * np.pi, 16), np.array([x, y])
            a, b, turn = self.rng.uniform(4, 6), self.rng.uniform(2.5, 3.5), self.rng.uniform(0, 3)
            ring = np.stack([a * np.cos(t), b * np.sin(t)], 1)
            c, s = np.cos(turn), np.sin(turn)
            ring = ring @ np.array([[c, s], [-s, c]])
            self.canvas.polygon(ring * 1.35 + spot, CONCRETE * 1.1)
            self.canvas.polygon(ring + spot, np.array([0.30, 0.55, 0.60]))


class DenseCity(Place):
    climate = 1
    edits = dict(
        bend=(5, 6),
        wave=(700, 640),
        plot=(30, 52),
        street=12,
        main=20,
        walks=True,
        dirt=False,
        built=1.0,
        tree_density=0.7,
        uses=(0.96, 0.0, 0.04, 0.0),
        angle=0.5,
        block=170,
    )

    def prepare(self) -> None:
        """Courts are paved for the most part."""
        share = np.clip(0.62 + 0.3 * fractal((SIZE, SIZE), (60.0, 25.0), self.rng), 0, 0.95)
        self.tint(share, CONCRETE * 0.78)

    def _home(self, plot: Plot) -> None:
        """A house from wall to wall on the street, sometimes a wing into the court."""
        rng = self.rng
        if rng.random() < 0.03:
            return
        depth = rng.uniform(0.45, 0.8) * plot.size[1]
        along = np.array([np.cos(plot.angle), np.sin(plot.angle)])
        middle = plot.middle + plot.to_street * (plot.size[1] / 2 - depth / 2 - 4)
        flat = rng.random() < 0.7
        eaves = float(rng.choice([7, 10, 13, 16]) + rng.uniform(-1, 1))
        length, width = plot.size[0] - rng.choice([0.6, 0.6, 4]), depth
        tilted = width > length
        main = Wing(
            centre=tuple(middle),
            length=max(length, width),
            width=min(length, width),
            angle=plot.angle + (np.pi / 2 if tilted else 0),
            roof="flat" if flat else "gable",
            eaves=eaves,
            pitch=0.35,
        )
        wings = [main]
        if rng.random() < 0.35:
            back = rng.uniform(0.12, 0.2) * plot.size[1]
            side = rng.choice([-1, 1])
            spot = middle - plot.to_street * (depth / 2 + back / 2 - 1) + along * side * length / 4
            wings.append(
                Wing(
                    centre=tuple(spot),
                    length=max(length / 2 - 1, back),
                    width=min(length / 2 - 1, back),
                    angle=plot.angle + (np.pi / 2 if back > length / 2 - 1 else 0),
                    roof="flat",
                    eaves=eaves - 3,
                )
            )
        if not self._fits(
            [replace(w, length=max(w.length - 9, 2), width=max(w.width - 9, 1)) for w in wings]
        ):
            return
        tones = (
            (0.62, 0.60, 0.57),
            (0.46, 0.45, 0.44),
            (0.36, 0.36, 0.37),
            (0.70, 0.68, 0.64),
            (0.52, 0.47, 0.42),
        )
        tiles = ((0.50, 0.30, 0.23), (0.56, 0.36, 0.27), (0.40, 0.29, 0.25))
        pick = tones if flat else tiles
        self._build(wings, jitter(pick[int(rng.integers(len(pick)))], 0.07, rng))
        if flat:
            self._machines(main, along)

    def _machines(self, wing: Wing, along: np.ndarray) -> None:
        """Small things on a flat roof."""
        rng = self.rng
        across = np.array([-along[1], along[0]])
        u, v = wing.axes
        for _ in range(int(rng.integers(1, 5))):
            spot = (
                np.array(wing.centre)
                + u * rng.uniform(-0.35, 0.35) * wing.length
                + v * rng.uniform(-0.35, 0.35) * wing.width
            )
            a, b = rng.uniform(1, 3, 2)
            ring = np.array(
                [
                    spot + i * a * along + j * b * across
                    for i, j in ((-1, -1), (1, -1), (1, 1), (-1, 1))
                ]
            )
            tone = float(rng.choice([0.3, 0.75, 0.8]))
            self.canvas.polygon(ring, np.array([tone, tone, tone]))
            pts = np.rint((ring + 0.5) * FINE - 0.5).astype(np.int32)
            cv2.fillPoly(self.canvas.height, [pts], wing.eaves + 1.8)


class Coast(Place):
    climate = 2
    edits = dict(
        bend=(8, 10),
        wave=(700, 760),
        plot=(40, 54),
        street=13,
        main=18,
        walks=False,
        dirt=False,
        built=0.9,
        tree_density=1.0,
        uses=(0.92, 0.02, 0.04, 0.02),
        angle=0.2,
        block=260,
    )
    looks = dict(water=(0.12, 0.24, 0.30))
    shore = (0.25, 60.0, 9.0)

    def water_mask(self) -> np.ndarray:
        self.line = self.beyond(*self.shore)
        return self.line > 34

    def wild(self) -> np.ndarray:
        return self.line > -8

    def prepare(self) -> None:
        sand = np.array([0.74, 0.67, 0.53])
        self.tint(np.clip((self.line + 10) / 14, 0, 1), sand, 0.95)

    def _tree(self, spot: np.ndarray, radius: float, *, near_water: bool = False) -> None:
        x, y = np.rint(spot).astype(int).clip(0, SIZE - 1)
        if self.line[y, x] < 0:
            super()._tree(spot, radius, near_water=near_water)

    def shore_up(self, streets: list[Street]) -> None:
        """Foam and shallows."""
        share = np.exp(-np.clip(self.line - 34, 0, None) / 40) * (self.line > 34)
        self.tint(share, np.array([0.34, 0.50, 0.48]), 0.75)
        wet = np.clip(1 - np.abs(self.line - 33) / 5, 0, 1)
        self.tint(wet, np.array([0.52, 0.46, 0.36]), 0.7)
        for at, width, amount in ((38, 1.7, 0.9), (52, 1.3, 0.55), (70, 1.2, 0.4)):
            wave = at + 3 * fractal((SIZE, SIZE), (60.0, 18.0), self.rng)
            foam = np.clip(1.3 - np.abs(self.line - wave) / width, 0, 1)
            broken = np.clip(0.6 + 0.7 * fractal((SIZE, SIZE), (26.0, 8.0), self.rng), 0, 1)
            self.tint(np.clip(foam * broken, 0, 1), np.array([0.88, 0.90, 0.90]), amount)

    def finish(self) -> None:
        self.wood((self.line > -16) & (self.line < -3), 22, (1.2, 2.4))


class River(Place):
    climate = 0
    edits = dict(
        bend=(14, 12),
        wave=(620, 700),
        plot=(42, 58),
        street=15,
        main=20,
        walks=True,
        dirt=False,
        built=0.92,
        tree_density=1.3,
        uses=(0.86, 0.05, 0.05, 0.04),
        angle=1.1,
    )
    looks = dict(water=(0.26, 0.27, 0.20))
    course = (0.45, 42.0)

    def water_mask(self) -> np.ndarray:
        bearing, half = self.course
        rows, cols = np.mgrid[:SIZE, :SIZE].astype(np.float32) - SIZE / 2
        t = cols * np.cos(bearing) + rows * np.sin(bearing)
        n = -cols * np.sin(bearing) + rows * np.cos(bearing)
        n = (
            n
            - 46 * np.sin(2 * np.pi * t / 520 + 0.8)
            + 5 * fractal((SIZE, SIZE), (120.0, 40.0), self.rng)
        )
        self.bank = np.abs(n) - half - 6 * np.sin(2 * np.pi * t / 340)
        return self.bank < 0

    def wild(self) -> np.ndarray:
        return self.bank < 16

    def prepare(self) -> None:
        self.tint(np.clip(1 - np.abs(self.bank - 4) / 7, 0, 1), np.array([0.50, 0.45, 0.34]), 0.7)

    def shore_up(self, streets: list[Street]) -> None:
        """Carry main streets over the water."""
        on = cv2.resize((self.bank < 18).astype(np.uint8), None, fx=FINE, fy=FINE) > 0
        before = self.canvas.colour.copy()
        for street in streets:
            self.canvas.line(street.path, street.width + 4, CONCRETE * 1.05)
            self.canvas.line(street.path, street.width, np.array(self.palette.asphalt) * 0.95)
        self.canvas.colour[~on] = before[~on]

    def finish(self) -> None:
        self.wood((self.bank > 4) & (self.bank < 15) & (self.paved == 0), 9.5, (1.5, 3.4))


class ForestEdge(Place):
    climate = 3
    edits = dict(
        bend=(30, 26),
        wave=(460, 560),
        plot=(58, 78),
        street=11,
        main=14,
        walks=False,
        dirt=False,
        built=0.85,
        tree_density=3.2,
        uses=(0.88, 0.0, 0.12, 0.0),
        angle=2.2,
    )
    looks = dict(conifers=0.75)
    edge = (2.5, 20.0, 22.0)

    def wild(self) -> np.ndarray:
        self.line = self.beyond(*self.edge)
        return self.line > 0

    def finish(self) -> None:
        self.tint(np.clip(self.line / 10, 0, 1), np.array([0.20, 0.22, 0.14]), 0.8)
        self.canvas.height[
            cv2.resize((self.line > 0).astype(np.uint8), None, fx=FINE, fy=FINE) > 0
        ] = 0
        self.wood(self.line > 2, 5.6, (1.6, 3.6))


class Hillside(Place):
    climate = 1
    edits = dict(
        bend=(58, 46),
        wave=(430, 520),
        plot=(48, 70),
        street=13,
        main=15,
        walks=False,
        dirt=False,
        built=0.85,
        tree_density=1.8,
        uses=(0.84, 0.0, 0.08, 0.08),
        angle=0.9,
    )
    slope = (-0.9, 130.0, 40.0)

    def wild(self) -> np.ndarray:
        self.line = self.beyond(*self.slope, scale=120.0)
        return self.line > 0

    def prepare(self) -> None:
        """Light the slopes of ridges that run down from one corner."""
        up = np.clip((self.line + 420) / 560, 0, 1.4) ** 1.5
        ridges = fractal((SIZE, SIZE), (170.0, 80.0, 36.0), self.rng, fall=0.55)
        land = cv2.GaussianBlur(20 * up * (1.6 + ridges), (0, 0), 7)  # metres
        gy, gx = np.gradient(land, 0.5)
        gx, gy = 0.55 * gx, 0.55 * gy
        sun = sun_vector(self.palette)
        lit = (sun[2] - gx * sun[0] - gy * sun[1]) / np.sqrt(1 + gx**2 + gy**2) / sun[2]
        self.lit = cv2.resize(np.clip(lit, 0.35, 1.5).astype(np.float32), None, fx=FINE, fy=FINE)

    def finish(self) -> None:
        gully = fractal((SIZE, SIZE), (60.0, 24.0), self.rng) + np.clip(self.line / 300, -1, 0.2)
        self.wood((self.line > 4) & (gully > 0.5), 7.5, (1.2, 2.8))
        self.canvas.colour *= self.lit[..., None] ** 0.9


class Farm(Place):
    climate = 0
    edits = dict(
        bend=(4, 4),
        angle=0.25,
        tree_density=0.6,
        walks=False,
        dirt=True,
        street=8,
        main=12,
        uses=(1.0, 0, 0, 0),
    )

    def streets(self) -> list[Street]:
        turn = self.style.angle
        c, s = np.cos(turn), np.sin(turn)
        t = np.linspace(-500, 500, 120)
        sway = 5 * np.sin(t / 90)

        def path(u: np.ndarray, v: np.ndarray) -> np.ndarray:
            return np.stack([256 + c * u - s * v, 256 + s * u + c * v], 1)

        self.path = path
        self.road, self.lane = 38.0, -70.0
        return [
            Street(path=path(self.lane + sway, t), width=7, main=False),
            Street(path=path(t, self.road + sway), width=13, main=True),
        ]

    def plots(self) -> list[Plot]:
        return []

    def prepare(self) -> None:
        rng = self.rng
        tones = (
            (0.36, 0.40, 0.20),
            (0.62, 0.55, 0.36),
            (0.44, 0.36, 0.27),
            (0.27, 0.35, 0.17),
            (0.52, 0.48, 0.30),
            (0.33, 0.39, 0.22),
            (0.50, 0.42, 0.32),
        )
        self.edges = []
        last = -1
        for v0, v1 in ((-420, -190), (-190, 30), (46, 210), (210, 420)):
            cuts, u = [-430.0], -430.0
            while u < 430:
                u += rng.uniform(90, 190)
                cuts.append(u)
            for u0, u1 in itertools.pairwise(cuts):
                pick = int(rng.integers(len(tones)))
                pick = (pick + 1) % len(tones) if pick == last else pick
                last = pick
                self._field((u0 + 2, u1 - 2), (v0 + 2, v1 - 2), jitter(tones[pick], 0.08, rng))
                self.edges.append(((u1, v0), (u1, v1)))
            self.edges.append(((-430, v1), (430, v1)))

    def _field(self, us, vs, tone) -> None:
        rng, at = self.rng, self.path
        ring = at(np.array([us[0], us[1], us[1], us[0]]), np.array([vs[0], vs[0], vs[1], vs[1]]))
        mask = np.zeros((SIZE * FINE, SIZE * FINE), np.uint8)
        cv2.fillPoly(mask, [np.rint(ring * FINE).astype(np.int32)], 1)
        if not mask.any():
            return
        shape = mask.shape
        rows, cols = np.mgrid[: shape[0], : shape[1]].astype(np.float32) / FINE
        turn = self.style.angle + (np.pi / 2 if rng.random() < 0.5 else 0)
        across = -cols * np.sin(turn) + rows * np.cos(turn)
        wave = np.sin(2 * np.pi * across / rng.uniform(4, 7)) * rng.uniform(0.02, 0.06)
        tram = (np.abs((across % 40) - 20) < 1.1) * -0.10
        blot = 0.07 * fractal(shape, (140.0, 40.0), rng)
        paint = np.asarray(tone, np.float32) * (1 + wave + tram + blot)[..., None]
        on = mask > 0
        self.canvas.colour[on] = paint[on]
        self.canvas.rough[on] = 0.10

    def _yard(self, u: float, v: float, turn: float) -> None:
        """A farmstead: a house, barns, round bins, trees around."""
        rng = self.rng
        middle = self.path(np.array([u]), np.array([v]))[0]
        t = np.linspace(0, 2 * np.pi, 40)
        blob = (
            np.stack([np.cos(t) * 62, np.sin(t) * 48], 1) * (1 + 0.08 * np.sin(3 * t + u))[:, None]
        )
        self.canvas.polygon(blob + middle, np.array(self.palette.ground[2]) * 1.05, rough=0.12)
        self.canvas.polygon(blob * 0.62 + middle + [6, -4], np.array(self.palette.dirt), rough=0.1)
        a = self.style.angle + turn
        flip = rng.choice([-1, 1])
        ax, ay = np.array([np.cos(a), np.sin(a)]), np.array([-np.sin(a), np.cos(a)])
        house = house_wings(middle - 40 * ax + flip * 14 * ay, a, (32, 22), rng)
        self._build(house, jitter(self.palette.roofs[int(rng.integers(3))], 0.06, rng))
        barns = [
            (du, flip * dv, length * rng.uniform(0.75, 1.2), width * rng.uniform(0.85, 1.15))
            for du, dv, length, width in (
                (18, -24, 62, 26),
                (28, 20, 48, 24),
                (-16, -30, 24, 15),
                (0, 30, 20, 12),
            )
        ]
        for i, (du, dv, length, width) in enumerate(barns):
            if i == 3 and rng.random() < 0.4:
                continue
            spot = middle + du * ax + dv * ay
            tone = ((0.66, 0.68, 0.70), (0.45, 0.24, 0.20), (0.55, 0.55, 0.54), (0.72, 0.72, 0.70))[
                i
            ]
            wing = Wing(
                centre=tuple(spot),
                length=length,
                width=width,
                angle=a + (np.pi / 2 if i == 1 else 0),
                roof="gable",
                eaves=5.0,
                pitch=0.35,
            )
            self._build([wing], jitter(tone, 0.06, rng))
        for k in range(int(rng.integers(0, 4))):
            self._bin(middle + 54 * ax + flip * (-26 + 13 * k) * ay, 5.0)
        for _ in range(46):
            angle, far = rng.uniform(0, 6.3), rng.uniform(0.85, 1.12)
            spot = middle + far * np.array([62 * np.cos(angle), 48 * np.sin(angle)])
            self._tree(spot, rng.uniform(1.4, 3.6))

    def _bin(self, centre: np.ndarray, radius: float) -> None:
        t = np.linspace(0, 2 * np.pi, 25)[:-1]
        ring = np.stack([np.cos(t), np.sin(t)], 1) * radius + centre
        self.canvas.polygon(ring, np.array([0.72, 0.73, 0.74]))
        points = np.rint((ring + 0.5) * FINE).astype(np.int32)
        cv2.fillPoly(self.canvas.height, [points], 7.0)
        self.canvas.polygon((ring - centre) * 0.25 + centre, np.array([0.5, 0.5, 0.5]))
        if centre.min() > 8 and centre.max() < SIZE - 8:
            self.footprints.append(Polygon(ring))

    def finish(self) -> None:
        rng = self.rng
        for u, v, turn in ((-150, 106, 0.1), (92, -30, 3.0), (175, 112, 1.65)):
            self._yard(u, v, turn)
        for (u0, v0), (u1, v1) in self.edges:
            if rng.random() < 0.5:
                continue
            for s in np.arange(0, 1, 0.012):
                if rng.random() < 0.55:
                    spot = self.path(
                        np.array([u0 + s * (u1 - u0)]), np.array([v0 + s * (v1 - v0)])
                    )[0]
                    self._tree(spot + rng.normal(0, 1.5, 2), rng.uniform(1.0, 2.8))


class Industry(Place):
    climate = 0
    edits = dict(
        bend=(2, 3),
        plot=(60, 98),
        street=18,
        main=24,
        walks=False,
        dirt=False,
        built=0.94,
        tree_density=0.5,
        uses=(0.5, 0.42, 0.02, 0.06),
        angle=0.3,
        block=330,
    )

    def _home(self, plot: Plot) -> None:
        rng = self.rng
        lot = plot.ring + (plot.middle - plot.ring) * 0.05
        tone = (
            jitter(self.palette.asphalt, 0.06, rng)
            if rng.random() < 0.6
            else jitter((0.56, 0.54, 0.50), 0.05, rng)
        )
        self.canvas.polygon(lot, tone, rough=0.06)
        along = np.array([np.cos(plot.angle), np.sin(plot.angle)])
        across = np.array([-along[1], along[0]])
        w, d = plot.size
        if rng.random() < 0.12:
            self._tanks(plot, along, across)
            return
        length, depth = rng.uniform(0.66, 0.9) * w, rng.uniform(0.4, 0.62) * d
        middle = plot.middle - plot.to_street * (d / 2 - depth / 2 - 0.07 * d)
        turned = depth > length
        hall = Wing(
            centre=tuple(middle),
            length=max(length, depth),
            width=min(length, depth),
            angle=plot.angle + (np.pi / 2 if turned else 0),
            roof="gable" if rng.random() < 0.35 else "flat",
            eaves=float(rng.uniform(6, 11)),
            pitch=0.12,
        )
        if not self._fits([hall]):
            return
        tones = (
            (0.80, 0.80, 0.79),
            (0.66, 0.67, 0.68),
            (0.52, 0.53, 0.54),
            (0.40, 0.46, 0.52),
            (0.58, 0.44, 0.38),
            (0.74, 0.72, 0.66),
        )
        self._build([hall], jitter(tones[int(rng.integers(len(tones)))], 0.04, rng))
        u, v = hall.axes
        for k in np.arange(-0.42, 0.43, 0.14):  # rows of skylights
            if hall.roof == "flat" and rng.random() < 0.75:
                for j in (-0.25, 0.25):
                    self.box(
                        np.array(hall.centre) + u * k * hall.length + v * j * hall.width,
                        u,
                        v,
                        (1.0, 2.6),
                        rng.choice([0.35, 0.86]),
                        0,
                    )
        front = plot.middle + plot.to_street * 0.22 * d
        for i in range(int(w // 6)):
            for row in (-1, 1):
                if rng.random() < 0.5:
                    spot = front + along * (i * 6 - w / 2 + 5) + plot.to_street * row * 7
                    self.box(
                        spot, along, across, (1.7, 4.2), rng.choice([0.2, 0.35, 0.6, 0.9]), 1.5
                    )

    _shop = _home

    def _tanks(self, plot: Plot, along, across) -> None:
        for i in (-1, 1):
            for j in (-1, 1):
                centre = (
                    plot.middle + along * i * plot.size[0] * 0.24 + across * j * plot.size[1] * 0.22
                )
                radius = min(plot.size) * 0.17
                t = np.linspace(0, 2 * np.pi, 25)[:-1]
                ring = np.stack([np.cos(t), np.sin(t)], 1) * radius + centre
                if (
                    not (ring.min() > 8 and ring.max() < SIZE - 8)
                    or self.taken[
                        np.rint(ring).astype(int)[:, 1], np.rint(ring).astype(int)[:, 0]
                    ].any()
                ):
                    continue
                self.canvas.polygon(ring, np.array([0.82, 0.82, 0.80]))
                cv2.fillPoly(
                    self.canvas.height, [np.rint((ring + 0.5) * FINE).astype(np.int32)], 9.0
                )
                self.footprints.append(Polygon(ring))


PLACES: dict[str, type[Place]] = {
    "suburb": Suburb,
    "dense-city": DenseCity,
    "coast": Coast,
    "river": River,
    "forest-edge": ForestEdge,
    "farm": Farm,
    "industry": Industry,
    "hillside": Hillside,
}
