"""The plan of a town: streets, blocks and plots on a bent sheet of squared paper.

Streets are lines u = const and v = const; one smooth map bends and turns them into the picture
(none: a grid town; much: winding lanes), and plots take the local direction of their street, so
that houses stay true rectangles. Units are image pixels (0.5 m).
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

Use = Literal["homes", "shops", "wood", "field"]


@dataclass(frozen=True, kw_only=True)
class Style:
    """How a town is laid out; lengths in image pixels."""

    angle: float
    bend: tuple[float, float]  # amplitude of the bending along u and v
    wave: tuple[float, float]
    phase: tuple[float, float]
    plot: tuple[float, float]  # width along the street, depth
    block: float  # length of a block along u
    street: float  # width of the asphalt
    main: float  # width of a main street
    walks: bool
    dirt: bool
    built: float  # share of plots with a house
    tree_density: float
    uses: tuple[float, float, float, float]  # shares of homes, shops, wood, field


def choose_style(rng: np.random.Generator) -> Style:
    """Return a grid town, a suburb of winding streets, or a village."""
    kind = ("grid", "winding", "village")[int(rng.choice(3, p=[0.35, 0.4, 0.25]))]
    village = kind == "village"
    swing = {"grid": 4.0, "winding": 34.0, "village": 26.0}[kind]
    return Style(
        angle=float(rng.uniform(0, 2 * np.pi)),
        bend=(float(rng.uniform(0.4, 1) * swing), float(rng.uniform(0.4, 1) * swing)),
        wave=(float(rng.uniform(420, 800)), float(rng.uniform(420, 800))),
        phase=(float(rng.uniform(0, 6.3)), float(rng.uniform(0, 6.3))),
        plot=(
            float(rng.uniform(48, 74) if village else rng.uniform(34, 48)),
            float(rng.uniform(66, 92) if village else rng.uniform(50, 64)),
        ),
        block=float(rng.uniform(240, 420)),
        street=float(rng.uniform(10, 12) if village else rng.uniform(15, 19)),
        main=float(rng.uniform(20, 30)),
        walks=kind != "village" and bool(rng.random() < 0.8),
        dirt=village and bool(rng.random() < 0.5),
        built=float(rng.uniform(0.6, 0.85) if village else rng.uniform(0.82, 0.97)),
        tree_density=float(rng.uniform(0.5, 2.0)),
        uses=(0.66, 0.06, 0.16, 0.12) if village else (0.81, 0.10, 0.05, 0.04),
    )


@dataclass(frozen=True, kw_only=True)
class Street:
    """A centre line (n, 2) in image pixels."""

    path: np.ndarray
    width: float
    main: bool


@dataclass(frozen=True, kw_only=True)
class Plot:
    """A piece of land on a street: corners (4, 2), middle, direction of the street.

    ``to_street`` is the unit vector from the middle to the street; ``size`` is (width, depth).
    """

    ring: np.ndarray
    middle: np.ndarray
    angle: float
    to_street: np.ndarray
    size: tuple[float, float]
    use: Use


class TownPlan:
    """Streets and plots that cover a picture of ``size`` pixels and a margin around it."""

    def __init__(self, size: int, style: Style, rng: np.random.Generator) -> None:
        self.size, self.style = size, style
        reach = 0.75 * size + 60
        pitch = 2 * style.plot[1] + style.street + 8
        first_v = -reach - rng.uniform(0, pitch)
        self._v = np.arange(first_v, reach + pitch, pitch)
        steps = style.block * rng.uniform(0.75, 1.25, int(2.5 * reach / style.block) + 3)
        self._u = -reach - rng.uniform(0, style.block) + np.cumsum(steps) - steps[0]
        near = np.abs(self._v) < 0.35 * size
        self._main_v = rng.choice(self._v[near]) if near.any() and rng.random() < 0.75 else None
        self._rng = rng

    def place(self, u: np.ndarray | float, v: np.ndarray | float) -> np.ndarray:
        """Return image coordinates (..., 2) of squared-paper coordinates."""
        s = self.style
        bent_u = u + s.bend[0] * np.sin(2 * np.pi * np.asarray(v) / s.wave[0] + s.phase[0])
        bent_v = v + s.bend[1] * np.sin(2 * np.pi * np.asarray(u) / s.wave[1] + s.phase[1])
        c, n, half = np.cos(s.angle), np.sin(s.angle), self.size / 2
        return np.stack([half + c * bent_u - n * bent_v, half + n * bent_u + c * bent_v], axis=-1)

    def streets(self) -> list[Street]:
        """Return all streets, side streets first."""
        reach = np.arange(self._u[0], self._u[-1] + 1, 6.0)
        across = np.arange(self._v[0], self._v[-1] + 1, 6.0)
        out = [
            Street(path=self.place(np.full_like(across, u), across), width=self.width(), main=False)
            for u in self._u
        ]
        for v in self._v:
            main = v == self._main_v
            path = self.place(reach, np.full_like(reach, v))
            out.append(Street(path=path, width=self.width(main=main), main=main))
        return sorted(out, key=lambda street: street.main)

    def width(self, *, main: bool = False) -> float:
        """Return the width of a street in pixels."""
        return self.style.main if main else self.style.street

    def plots(self) -> Iterator[Plot]:
        """Yield the plots of all blocks."""
        for v0, v1 in zip(self._v, self._v[1:], strict=False):
            for u0, u1 in zip(self._u, self._u[1:], strict=False):
                yield from self._block((u0, u1), (v0, v1))

    def _block(self, us: tuple[float, float], vs: tuple[float, float]) -> Iterator[Plot]:
        names: tuple[Use, ...] = ("homes", "shops", "wood", "field")
        use = names[int(self._rng.choice(4, p=self.style.uses))]
        verge = self.style.street / 2 + (5 if self.style.walks else 2)
        u0, u1 = us[0] + verge, us[1] - verge
        tops = [v + self.width(main=v == self._main_v) / 2 for v in vs]
        v0, v1 = tops[0] + 4, 2 * vs[1] - tops[1] - 4
        width = self.style.plot[0] * (3.2 if use == "shops" else 1.0)
        count = max(1, round((u1 - u0) / width))
        cuts = np.linspace(u0, u1, count + 1)
        cuts[1:-1] += self._rng.uniform(-0.12, 0.12, count - 1) * width
        middle = (v0 + v1) / 2
        for a, b in itertools.pairwise(cuts):
            yield self._plot((a, b), (v0, middle), -1, use)
            yield self._plot((a, b), (middle, v1), 1, use)

    def _plot(self, us: tuple[float, float], vs: tuple[float, float], side: int, use: Use) -> Plot:
        u, v = sum(us) / 2, sum(vs) / 2
        ahead = self.place(u + 1, v) - self.place(u - 1, v)
        angle = float(np.arctan2(ahead[1], ahead[0]))
        corners = [(us[0], vs[0]), (us[1], vs[0]), (us[1], vs[1]), (us[0], vs[1])]
        return Plot(
            ring=np.array([self.place(*corner) for corner in corners]),
            middle=self.place(u, v),
            angle=angle,
            to_street=side * np.array([-np.sin(angle), np.cos(angle)]),
            size=(us[1] - us[0], vs[1] - vs[0]),
            use=use,
        )
