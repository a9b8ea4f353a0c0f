"""Places full of houses: a suburb, a dense city, an industrial estate."""

from dataclasses import replace

import cv2
import numpy as np
from houses import Wing
from place import SIZE, Place
from plan import Plot
from shapely.geometry import Polygon
from sheet import CONCRETE

from afterscene.geodata.drawn.canvas import FINE, fractal
from afterscene.geodata.drawn.palette import jitter


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
                self.canvas.tall(ring, 9.0)
                self.footprints.append(Polygon(ring))
