"""Woods that stand correlate with themselves; a change is recognised where it fell."""

import numpy as np

from afterscene.depiction import Evidence
from afterscene.lab.woods import Woods, woods_figures
from tests.depiction import landscape

FIELD = np.ones((256, 256), np.float32)


def seen() -> Evidence:
    return Evidence.of(landscape.picture(), landscape.damage(0, "m"))


def test_woods_that_stand_are_kept_and_painted_ones_are_not():
    before = landscape.picture()
    flat = np.random.default_rng(1).normal(90, 3, before.shape).astype(np.uint8)
    assert Woods.of(seen(), FIELD, before, before).kept > 0.99
    assert abs(Woods.of(seen(), FIELD, flat, before).kept) < 0.3
    dry = Woods.of(seen(), 0 * FIELD, before, before)
    assert dry.kept is None and dry.blocks[0] == 0


def test_a_change_counts_where_the_real_one_fell():
    before = landscape.picture()
    real, there, elsewhere = (before.astype(int) for _ in range(3))
    real[:60], there[:60], elsewhere[60:120] = (
        real[:60] + 30,
        there[:60] + 20,
        elsewhere[60:120] + 20,
    )
    real, there, elsewhere = (p.clip(0, 255).astype(np.uint8) for p in (real, there, elsewhere))
    assert Woods.of(seen(), FIELD, there, real).change > 0.9
    assert Woods.of(seen(), FIELD, elsewhere, real).change < -0.5


def test_tiles_weigh_by_their_blocks():
    tiles = [
        Woods(kept=1.0, change=None, blocks=(30, 0)),
        Woods(kept=0.0, change=0.5, blocks=(10, 40)),
    ]
    found = woods_figures(tiles)
    assert found["kept"] == {"correlation": 0.75, "tiles": 2}
    assert found["change"] == {"correlation": 0.5, "tiles": 1}
    assert woods_figures([])["kept"] == {"correlation": None, "tiles": 0}
