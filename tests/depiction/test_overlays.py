"""Water stands where the depth says so and spares crowns and roofs; ash lies by its load."""

import numpy as np
import pytest
from tests.depiction import landscape
from tests.depiction.landscape import LAKE, WOOD, within

from afterscene.depiction import Ash, Water, sweep
from afterscene.depiction.evidence import Evidence
from afterscene.depiction.overlays import EAVES
from afterscene.geodata.damage import DamageLevel
from afterscene.hazards import HAZARDS

GRASS, ROOF = (slice(60, 140), slice(205, 250)), (slice(44, 60), slice(144, 166))


def alike(one: np.ndarray, two: np.ndarray, where: tuple[slice, slice]) -> float:
    """Correlation of brightness."""
    return float(np.corrcoef(*(p[where].mean(axis=2).ravel() for p in (one, two)))[0, 1])


@pytest.mark.parametrize("painter", [Water(), sweep, Ash()])
def test_where_the_field_is_nothing_the_picture_stays_to_the_bit(painter):
    before, field = landscape.picture(), np.zeros((256, 256), np.float32)
    field[:, 128:] = 3.0
    unit = "kPa" if isinstance(painter, Ash) else "m"
    after = painter(before, landscape.damage(field, unit), seed=1)
    assert np.array_equal(after[:140, :126], before[:140, :126])
    assert (after[GRASS] != before[GRASS]).any(axis=2).mean() > 0.9


@pytest.mark.parametrize("painter", [Water(), sweep, Ash()])
def test_a_field_in_another_unit_draws_nothing(painter):
    before = landscape.picture()
    assert np.array_equal(painter(before, landscape.damage(60.0, "m/s"), seed=1), before)


def test_flooded_woods_stay_woods_and_flooded_grass_is_gone():
    before = landscape.picture()
    after = Water()(before, landscape.damage(1.0, "m"), seed=1)
    assert alike(before, after, within(WOOD)) > 0.8
    assert abs(alike(before, after, GRASS)) < 0.3
    assert np.array_equal(after[ROOF], before[ROOF])


def test_deep_water_covers_crowns_and_passes_the_eaves():
    before = landscape.picture()
    after = Water()(before, landscape.damage(20.0, "m"), seed=1)
    assert abs(alike(before, after, within(WOOD))) < 0.3
    low = Water()(before, landscape.damage(EAVES - 0.2, "m"), seed=1)
    assert np.array_equal(low[ROOF], before[ROOF]) and (after[ROOF] != before[ROOF]).any()


def test_the_shore_is_crisp():
    slope = np.maximum(np.arange(256, dtype=np.float32)[None] - 216, 0) * 0.5 * 0.02
    made = landscape.damage(np.broadcast_to(slope, (256, 256)), "m")
    seen = Evidence.of(landscape.picture(), made)
    opacity = Water().opacity(made, seen, 1)[10:130]
    shore = [np.ptp(np.flatnonzero((row > 0.1) & (row < 0.9))) for row in opacity[:, 205:]]
    assert np.median(shore) < 20 and opacity[:, 250:].min() > 0.9


def test_mud_is_brown_and_clear_water_dark_and_a_lake_becomes_part_of_it():
    before = landscape.picture()
    clear, mud = (
        Water()(before, landscape.damage(1.0, "m", turbidity=t), seed=1) for t in (0.0, 1.0)
    )
    for place in (GRASS, within(LAKE)):
        r, g, b = mud[place].reshape(-1, 3).mean(axis=0)
        assert r > g > b and clear[place].mean() < 0.6 * mud[place].mean()


def test_a_wave_bares_the_ground_and_leaves_the_sea_where_it_was():
    before = landscape.picture()
    after = sweep(before, landscape.damage(4.0, "m"), seed=1)
    assert np.array_equal(after[within(LAKE, 12)], before[within(LAKE, 12)])
    r, g, b = after[GRASS].reshape(-1, 3).mean(axis=0)
    assert r > g > b and alike(before, after, GRASS) < 0.3


def test_ash_hides_more_with_its_load_and_crowns_keep_their_shape():
    before, loads = landscape.picture(), (0.0, 0.02, 0.1, 1.0)
    made = [landscape.damage(load, "kPa") for load in loads]
    hidden = [float(Ash().opacity(m, Evidence.of(before, m)).mean()) for m in made]
    assert hidden == sorted(hidden) and hidden[0] == 0 and hidden[-1] > 0.7
    after = Ash()(before, made[-1], seed=1)
    assert alike(before, after, within(WOOD)) > 0.8
    assert np.ptp(after[GRASS].reshape(-1, 3).mean(axis=0)) < 20


def test_a_flow_buries_ground_and_trees_alike():
    before = landscape.picture()
    after = Ash()(before, landscape.damage(20.0, "kPa", bearing=45.0), seed=1)
    assert abs(alike(before, after, within(WOOD))) < 0.3 and after[GRASS].mean() < 110


@pytest.mark.parametrize("painter", [Water(), sweep, Ash()])
def test_equal_seeds_paint_equal_pictures(painter):
    made = landscape.damage(1.0, "kPa" if isinstance(painter, Ash) else "m", DamageLevel.MAJOR)
    one, two = (painter(landscape.picture(), made, seed=3) for _ in range(2))
    assert np.array_equal(one, two)


@pytest.mark.parametrize("name", ["wind", "tornado", "wildfire", "earthquake"])
def test_other_hazards_lay_nothing_over_the_scene(name):
    kind, before = HAZARDS[name], landscape.picture()
    field = landscape.damage(60.0, kind.unit)
    assert np.array_equal(kind.depiction.overlay(before, field, 1), before)
