"""The benchmark of textures tells grain from colour, and one building from its neighbour."""

import numpy as np
import pytest
from benchmarks.texture import SMALLEST, detail


def test_grain_is_brightness_and_coloured_grain_is_tint_of_its_own_building_alone():
    rng = np.random.default_rng(0)
    picture = np.full((60, 90, 3), 120.0)
    owner = np.zeros((60, 90), int)
    owner[10:50, 10:40], owner[10:50, 50:80], owner[0:2, 0:2] = 1, 2, 3
    grain = rng.normal(0, 10, (60, 90))
    picture[owner == 1] += grain[owner == 1][:, None]  # all channels alike
    picture[owner == 2] += np.stack([grain, -grain, 0 * grain], axis=2)[owner == 2]
    found = {n: (light, tint) for n, light, tint in detail(picture.astype(np.uint8), owner)}
    assert set(found) == {1, 2}  # the third has fewer than SMALLEST pixels
    assert SMALLEST > 4
    # What a Gaussian of 1.5 pixels leaves of white grain: nearly all of it.
    assert found[1][0] == pytest.approx(10 / 255, rel=0.1) and found[1][1] < 0.002
    assert found[2][1] == pytest.approx(20 / 255, rel=0.1) and found[2][0] < 0.004
