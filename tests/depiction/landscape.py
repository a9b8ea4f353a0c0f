"""A made landscape with what evidence is read from: grass, a wood, a lake, a road, two houses."""

from __future__ import annotations

import cv2
import numpy as np
import shapely

from afterscene.geodata.damage import Building, DamageLevel, DamageMap

SIDE = 256
WOOD, LAKE, ROAD = (slice(0, 120), slice(0, 120)), (slice(150, 250), slice(10, 120)), 190


def noise(rng: np.random.Generator, size: float) -> np.ndarray:
    """(SIDE, SIDE) noise of unit deviation with features of so many pixels."""
    field = cv2.GaussianBlur(rng.normal(0, 1, (SIDE, SIDE)).astype(np.float32), (0, 0), size)
    return field / field.std()


def picture(seed: int = 0, grain: float = 0.008) -> np.ndarray:
    """(SIDE, SIDE, 3) uint8."""
    rng = np.random.default_rng(seed)
    ground = np.empty((SIDE, SIDE, 3), np.float32)
    ground[:] = np.array((92, 106, 66)) / 255
    ground += (0.016 * noise(rng, 2.0) + 0.02 * noise(rng, 9.0))[..., None]
    trees = np.array((40, 62, 36)) / 255 + (0.035 * noise(rng, 2.2))[..., None]
    ground[WOOD] = trees[WOOD]
    ground[LAKE] = np.array((36, 52, 55)) / 255
    ground[:, ROAD : ROAD + 12] = (
        np.array((120, 118, 112)) / 255 + 0.01 * noise(rng, 3.0)[:, :12, None]
    )
    for row in (40, 160):
        ground[row : row + 24, 140:170] = np.array((140, 120, 110)) / 255
    ground += grain * rng.normal(0, 1, (SIDE, SIDE, 1))
    return np.clip(ground * 255, 0, 255).round().astype(np.uint8)


def damage(
    field: np.ndarray | float,
    unit: str,
    level: DamageLevel = DamageLevel.NO_DAMAGE,
    **parameters: float,
) -> DamageMap:
    """The two houses, of that level, under a field or one value everywhere."""
    houses = tuple(
        Building(polygon=shapely.box(140, row, 170, row + 24), level=level, uid=str(row))
        for row in (40, 160)
    )
    intensity = np.broadcast_to(np.float32(field), (SIDE, SIDE)).copy()
    return DamageMap(
        buildings=houses, intensity=intensity, unit=unit, hazard="made", parameters=parameters
    )


def within(where: tuple[slice, slice], margin: int = 8) -> tuple[slice, slice]:
    """The same place without its border."""
    rows, cols = (slice(s.start + margin, s.stop - margin) for s in where)
    return rows, cols
