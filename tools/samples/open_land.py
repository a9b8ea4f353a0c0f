"""Places with more land than houses: a farm, the edge of a forest, a hillside."""

import itertools

import cv2
import numpy as np
from houses import Wing, house_wings
from place import SIZE, Place
from plan import Plot, Street
from shapely.geometry import Polygon

from afterscene.geodata.drawn.canvas import FINE, fractal, sun_vector
from afterscene.geodata.drawn.palette import jitter


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
        self.canvas.tall(ring, 7.0)
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
