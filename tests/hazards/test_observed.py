"""What a real pair shows of the field: water that rose, ground that was bared."""

import numpy as np
from tests.depiction import landscape

from afterscene.depiction import Evidence, Water, sweep
from afterscene.hazards import HAZARDS


def seen(picture: np.ndarray) -> Evidence:
    return Evidence.of(picture, landscape.damage(0, "m"))


def test_drawn_water_is_found_again_and_a_dry_pair_shows_none_but_its_lake():
    before = landscape.picture()
    field = np.zeros((256, 256), np.float32)
    field[:, 200:] = 1.0
    calm = landscape.damage(field, "m", waves=0.006)
    after = Water(turbid=0.2)(before, calm, seed=1)
    found = HAZARDS["flood"].observed(seen(before), seen(after))
    assert found[20:230, 212:250].mean() > 0.9 and found[:140, 120:185].mean() < 0.02
    assert HAZARDS["flood"].observed(seen(before), seen(before))[:140].max() == 0


def test_bared_ground_is_found_again():
    before = landscape.picture()
    field = np.zeros((256, 256), np.float32)
    field[:, 128:] = 4.0
    after = sweep(before, landscape.damage(field, "m"), seed=1)
    found = HAZARDS["tsunami"].observed(seen(before), seen(after))
    assert (found[60:140, 205:250] > 0).mean() > 0.8 and found[:, :100].max() == 0


def test_wind_shows_no_field():
    before = seen(landscape.picture())
    assert HAZARDS["wind"].observed(before, before) is None
