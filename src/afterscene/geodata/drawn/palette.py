"""The looks of a place: what its ground, roofs, roads and trees are coloured like, and its sun.

Colours are reflectances in 0..1, RGB. Four climates span what overhead pictures of small towns look
like; every town jitters its climate, so that two seeds rarely share their tones.
"""

from dataclasses import dataclass

import numpy as np

Colour = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class Palette:
    """Colours of one town. ``ground`` runs from bare soil over dry grass to lush grass."""

    ground: tuple[Colour, Colour, Colour, Colour]
    roofs: tuple[Colour, ...]
    trees: tuple[Colour, ...]
    asphalt: Colour
    dirt: Colour
    water: Colour
    lushness: float
    conifers: float
    cast: Colour
    haze: float
    sun_azimuth: float
    sun_elevation: float


_GREY_ROOFS: tuple[Colour, ...] = (
    *((0.34, 0.33, 0.33), (0.27, 0.27, 0.28), (0.43, 0.41, 0.39)),
    *((0.40, 0.34, 0.29), (0.33, 0.27, 0.23), (0.50, 0.46, 0.41)),
)
_METAL_ROOFS: tuple[Colour, ...] = (
    *((0.72, 0.74, 0.76), (0.60, 0.63, 0.66), (0.82, 0.82, 0.80), (0.47, 0.36, 0.31)),
)
_TILE_ROOFS: tuple[Colour, ...] = ((0.58, 0.37, 0.28), (0.52, 0.31, 0.24), (0.62, 0.45, 0.35))
_BLUE_GREEN_ROOFS: tuple[Colour, ...] = ((0.34, 0.43, 0.50), (0.35, 0.44, 0.38))

_CLIMATES: tuple[dict[str, tuple], ...] = (
    {  # humid and green
        "ground": ((0.52, 0.46, 0.37), (0.42, 0.41, 0.28), (0.31, 0.37, 0.21), (0.24, 0.33, 0.17)),
        "trees": ((0.17, 0.26, 0.13), (0.20, 0.29, 0.14), (0.14, 0.22, 0.12), (0.24, 0.31, 0.15)),
        "roofs": _GREY_ROOFS + _METAL_ROOFS,
        "scalars": (0.55, 0.2),
    },
    {  # dry summer
        "ground": ((0.55, 0.49, 0.39), (0.50, 0.46, 0.33), (0.41, 0.41, 0.27), (0.30, 0.36, 0.20)),
        "trees": ((0.18, 0.25, 0.13), (0.15, 0.21, 0.12), (0.24, 0.28, 0.16), (0.21, 0.27, 0.15)),
        "roofs": _GREY_ROOFS + _TILE_ROOFS,
        "scalars": (0.36, 0.25),
    },
    {  # tropical, tin roofs and bare earth
        "ground": ((0.50, 0.41, 0.32), (0.43, 0.40, 0.28), (0.30, 0.35, 0.19), (0.22, 0.30, 0.15)),
        "trees": ((0.16, 0.27, 0.12), (0.22, 0.31, 0.13), (0.13, 0.22, 0.10), (0.27, 0.33, 0.15)),
        "roofs": _METAL_ROOFS + _METAL_ROOFS + _TILE_ROOFS + _BLUE_GREEN_ROOFS,
        "scalars": (0.48, 0.05),
    },
    {  # cool suburb
        "ground": ((0.48, 0.43, 0.35), (0.40, 0.41, 0.28), (0.32, 0.39, 0.22), (0.27, 0.37, 0.19)),
        "trees": ((0.18, 0.26, 0.14), (0.13, 0.20, 0.13), (0.26, 0.28, 0.15), (0.22, 0.30, 0.15)),
        "roofs": _GREY_ROOFS + _GREY_ROOFS + _BLUE_GREEN_ROOFS,
        "scalars": (0.62, 0.45),
    },
)


def choose_palette(rng: np.random.Generator, number: int | None = None) -> Palette:
    """Return the jittered palette of a climate, chosen by ``rng`` where none is told."""
    climate = _CLIMATES[int(rng.integers(len(_CLIMATES))) if number is None else number]
    lushness, conifers = climate["scalars"]
    warm = rng.uniform(-0.035, 0.035)
    grey = rng.uniform(0.36, 0.5)
    soil = climate["ground"][0]
    return Palette(
        ground=climate["ground"],
        roofs=climate["roofs"],
        trees=climate["trees"],
        asphalt=(grey + 0.01, grey, grey - 0.015),
        dirt=(soil[0] + 0.08, soil[1] + 0.07, soil[2] + 0.06),
        water=((0.15, 0.21, 0.20), (0.24, 0.25, 0.19), (0.13, 0.19, 0.23))[int(rng.integers(3))],
        lushness=float(lushness + rng.uniform(-0.15, 0.15)),
        conifers=conifers,
        cast=(1.0 + warm, 1.0, 1.0 - warm),
        haze=float(rng.uniform(0.03, 0.10)),
        sun_azimuth=float(rng.uniform(110, 250)),
        sun_elevation=float(rng.uniform(38, 66)),
    )


def jitter(colour: Colour, amount: float, rng: np.random.Generator) -> np.ndarray:
    """Return ``colour`` brighter or darker and slightly off its hue, as (3,) float32."""
    shift = 1 + amount * rng.standard_normal() + 0.12 * amount * rng.standard_normal(3)
    return (np.array(colour) * np.clip(shift, 0.5, 1.6)).astype(np.float32)
