"""A small street of houses on bare ground, shared by the tests of the hazards."""

import numpy as np
import pytest
from shapely.geometry import box

from afterscene.geodata.damage import Building
from afterscene.geodata.scene import Scene


@pytest.fixture
def scene() -> Scene:
    pixels = np.random.default_rng(0).integers(60, 140, (3, 256, 320), dtype=np.uint8)
    return Scene(pixels=pixels, valid=np.ones((256, 320), bool))


@pytest.fixture
def street() -> list[Building]:
    return [
        Building(polygon=box(x, y, x + 18, y + 14), level=None, uid=f"house-{y}-{x}")
        for y in range(4, 242, 32)
        for x in range(4, 302, 32)
    ]
