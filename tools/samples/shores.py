"""Places on the water: a coast and a river."""

import cv2
import numpy as np
from place import SIZE, Place
from plan import Street
from sheet import CONCRETE

from afterscene.geodata.drawn.canvas import FINE, fractal


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
