"""Copy-paste touches only what is asked; donors and averages come from other tiles."""

import numpy as np
import pytest
from shapely.affinity import rotate
from shapely.geometry import box

from afterscene.errors import BadParameter
from afterscene.geodata.damage import Building, DamageLevel, instances
from afterscene.geodata.pair import read_pair
from afterscene.geodata.scene import read_scene
from afterscene.geodata.xbd import XbdTree
from afterscene.lab.baselines import (
    MARGIN,
    Donor,
    Rectangle,
    TrainingPosts,
    choose,
    copy_paste,
    harvest,
)
from tests.lab import places

LEVEL = DamageLevel.DESTROYED


def house(left, top, level=LEVEL, side=20, turn=0.0):
    outline = rotate(box(left, top, left + side, top + side * 0.6), turn)
    return Building(polygon=outline, level=level, uid=f"{left}-{top}")


def donor(value=250, level=4, hazard="wind", long=20.0, short=12.0):
    pixels = np.full((60, 60, 3), value, np.uint8)
    seen = Rectangle(centre=(30.0, 30.0), long=long, short=short, angle=0.3)
    return Donor(pixels=pixels, footprint=seen, level=level, hazard=hazard)


def ground(side=96, seed=0):
    return np.random.default_rng(seed).integers(40, 140, (side, side, 3)).astype(np.uint8)


def test_only_asked_buildings_change():
    kinds = [DamageLevel.NO_DAMAGE, DamageLevel.UNCLASSIFIED, LEVEL, None]
    houses = [house(8 + 22 * k, 30, level) for k, level in enumerate(kinds)]
    houses.append(house(52, 44, DamageLevel.NO_DAMAGE))  # touches the asked one's margin
    pre = ground()
    post = copy_paste(pre, houses, "wind", [donor()], np.random.default_rng(0))
    owner = instances(houses, (96, 96))
    changed = (pre != post).any(axis=2)
    assert changed[owner == 3].all() and (post[owner == 3] >= 200).all()
    assert not changed[(owner > 0) & (owner != 3)].any()
    rows, cols = np.nonzero(changed)
    assert cols.min() >= 52 - MARGIN and cols.max() <= 72 + MARGIN
    assert rows.min() >= 30 - MARGIN and rows.max() <= 42 + MARGIN


def test_without_a_donor_of_the_level_nothing_changes():
    pre = ground()
    post = copy_paste(pre, [house(30, 30)], "wind", [donor(level=2)], np.random.default_rng(0))
    assert np.array_equal(post, pre)


def test_a_building_half_outside_is_pasted_on_its_visible_part():
    pre = ground()
    asked = [house(-10, 30), house(500, 500)]
    post = copy_paste(pre, asked, "wind", [donor()], np.random.default_rng(0))
    assert (post[32:40, 0:8] > 200).all() and np.array_equal(post[:, 20:], pre[:, 20:])


def test_the_donor_is_of_the_hazard_and_near_in_size():
    rng = np.random.default_rng(0)
    wanted = house(30, 30)
    fire, near = donor(hazard="wildfire"), donor()
    far = [donor(long=90.0, short=50.0) for _ in range(3)]
    few = [donor(long=21.0 + k) for k in range(5)]
    assert choose([fire, near], wanted, "wind", rng) is near
    assert choose([fire], wanted, "wind", rng) is fire
    drawn = [choose([*far, *few], wanted, "wind", rng).footprint.long for _ in range(40)]
    assert max(drawn) < 30 and len(set(drawn)) > 1
    assert choose([donor(level=3)], wanted, "wind", rng) is None


def test_the_donor_is_turned_with_the_building():
    """A donor whose left half is dark: after pasting, the dark half follows the long side."""
    pixels = np.full((60, 60, 3), 240, np.uint8)
    pixels[:, :30] = 10
    flat = Rectangle(centre=(30.0, 30.0), long=30.0, short=15.0, angle=0.0)
    given = Donor(pixels=pixels, footprint=flat, level=4, hazard="wind")
    upright = Building(polygon=box(40, 30, 55, 60), level=LEVEL, uid="a")
    post = copy_paste(ground(), [upright], "wind", [given], np.random.default_rng(0))
    top, bottom = post[33:42, 43:53].mean(), post[48:57, 43:53].mean()
    assert abs(top - bottom) > 200


@pytest.mark.parametrize("turn", [0, 30, 90, 145])
def test_footprint_of_a_turned_house(turn):
    seen = Rectangle.of(house(30, 30, turn=turn).polygon)
    assert (seen.long, seen.short) == pytest.approx((20, 12), abs=1e-3)
    assert np.rad2deg(seen.angle) % 180 == pytest.approx(turn % 180, abs=1e-3)
    assert seen.centre == pytest.approx((40, 36), abs=1e-3)


def test_harvest_keeps_evaluated_tiles_out_and_takes_the_mean(tmp_path):
    for number, seed in ((1, 1), (2, 2), (3, 3)):
        places.write_pair(tmp_path, f"hurricane-michael_{number:08d}", seed)
    places.write_pair(tmp_path, "santa-rosa-wildfire_00000009", 3)  # the third under another name
    pairs = XbdTree(tmp_path).pairs()
    found = harvest(map(read_pair, pairs), held_out=[pairs[2].fingerprint])
    assert found.left_out == ("hurricane-michael_00000003", "santa-rosa-wildfire_00000009")
    posts = [read_scene(p.post).rgb().astype(float) for p in pairs[:2]]
    mean = found.average("hurricane-michael", (places.SIDE, places.SIDE))
    assert np.abs(mean - np.mean(posts, axis=0)).max() <= 0.5
    assert np.array_equal(found.average("unheard-of", mean.shape[:2]), found.averages[""])
    assert found.average("hurricane-michael", (80, 80)).shape == (80, 80, 3)
    assert {d.level for d in found.donors} == {2, 3, 4}
    assert {d.hazard for d in found.donors} == {"wind"} and found.pairs == 2


def test_an_average_of_nothing_is_refused():
    with pytest.raises(BadParameter, match="split train"):
        TrainingPosts().average("any", (4, 4))
