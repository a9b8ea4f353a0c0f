"""The light on a drawn layout."""

import numpy as np

from afterscene.geodata.drawn.canvas import METRE, shadows, sun_vector
from afterscene.geodata.drawn.palette import choose_palette


def test_a_shadow_falls_away_from_the_sun_as_long_as_the_height_says():
    palette = choose_palette(np.random.default_rng(1))
    height = np.zeros((200, 200), np.float32)
    height[98:103, 98:103] = 5.0
    rows, cols = np.nonzero(shadows(height, palette))
    away = -sun_vector(palette)[:2] / np.hypot(*sun_vector(palette)[:2])
    along = (cols - 100) * away[0] + (rows - 100) * away[1]
    length = 5.0 / np.tan(np.deg2rad(palette.sun_elevation)) * METRE
    assert along.min() > -4 and abs(along.max() - length) < 6
