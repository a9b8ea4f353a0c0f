"""The formulas behind the hazards, against hand-worked or limiting values."""

import numpy as np
import pytest

from afterscene.errors import BadParameter
from afterscene.geodata.damage import DamageLevel
from afterscene.hazards import Fragility, make_hazard
from afterscene.hazards.earthquake import modified_mercalli, peak_acceleration
from afterscene.hazards.fragility import levels
from afterscene.hazards.ground import Ground, along_across, heading
from afterscene.hazards.tornado import rankine
from afterscene.hazards.tsunami import inundation_limit, surface
from afterscene.hazards.volcano import ash_load
from afterscene.hazards.wildfire import length_to_breadth, spread_rate, travel_time
from afterscene.hazards.wind import AIR_DENSITY, HurricaneWind, holland


def struck(hazard, scene, buildings=(), seed=1):
    return hazard(scene, buildings, np.random.default_rng(seed))


# fragility ------------------------------------------------------------------------------------

CURVE = Fragility(medians=(1.0, 2.0, 4.0), betas=(0.5, 0.4, 0.6), source="test")


def test_half_of_the_buildings_fail_at_the_median():
    assert CURVE.probabilities(2.0)[1] == pytest.approx(0.5)
    assert CURVE.probabilities(0.0) == (0.0, 0.0, 0.0)


def test_capacities_follow_the_lognormal_curves():
    g = np.random.default_rng(0).standard_normal(40_000)
    reached = levels(np.full(g.size, 2.4), CURVE.capacities(g))
    share = [(reached > k).mean() for k in (1, 2, 3)]
    np.testing.assert_allclose(share, CURVE.probabilities(2.4), atol=0.01)


# earthquake -----------------------------------------------------------------------------------


def test_attenuation_decays_with_distance_and_grows_with_magnitude():
    far = np.linspace(0, 150, 400)
    weak, strong = modified_mercalli(5.0, far), modified_mercalli(7.0, far)
    assert (np.diff(strong) < 0).all() and (np.diff(weak) < 0).all()
    assert (strong > weak).all()


def test_atkinson_wald_at_the_epicentre_of_a_magnitude_six():
    # 12.27 - 1.30 log 14 - 0.0007070 * 14 - 0.577 * 6 log 14, log 14 = 1.14613
    assert modified_mercalli(6.0, np.array(0.0)) == pytest.approx(6.802, abs=1e-3)


def test_worden_conversion_is_continuous_and_rises():
    mmi = np.linspace(1, 10, 1000)
    pga = peak_acceleration(mmi)
    assert (np.diff(pga) > 0).all()
    assert peak_acceleration(np.array(8.0)) == pytest.approx(10 ** (9.6 / 3.7) / 980.665)
    assert np.diff(np.log(pga)).max() < 0.05


def test_masonry_suffers_more_than_wood(scene, street):
    wood = struck(make_hazard("earthquake", 0.8, masonry_share=0.0), scene, street)
    brick = struck(make_hazard("earthquake", 0.8, masonry_share=1.0), scene, street)
    assert sum(b.level for b in brick.buildings) > sum(b.level for b in wood.buildings)


# wind -----------------------------------------------------------------------------------------


def test_holland_peaks_at_rmax_with_the_known_speed():
    r = np.arange(1e3, 200e3, 100.0)
    speed = holland(r, deficit=8000.0, rmax=30e3, b=1.6)
    assert r[speed.argmax()] == pytest.approx(30e3, abs=100)
    assert speed.max() == pytest.approx(np.sqrt(1.6 * 8000 / (AIR_DENSITY * np.e)), rel=1e-6)
    assert holland(np.array(0.0), deficit=8000.0, rmax=30e3, b=1.6) == pytest.approx(0.0, abs=1e-6)


def test_the_right_side_of_the_track_is_windier_in_the_north():
    north, south = HurricaneWind(severity=1.0), HurricaneWind(severity=1.0, latitude=-30.0)
    here = np.array([0.0]), np.array([25e3])
    there = np.array([0.0]), np.array([-25e3])
    assert north.swath(*here) > north.swath(*there)
    assert south.swath(*here) < south.swath(*there)


def test_gusts_fall_away_from_the_track():
    hazard = HurricaneWind(severity=1.0)
    across = np.array([20e3, 60e3, 120e3, 250e3])
    assert (np.diff(hazard.swath(np.zeros(4), across)) < 0).all()


# tornado --------------------------------------------------------------------------------------


def test_rankine_is_linear_inside_and_inverse_outside():
    speed = rankine(np.array([0.0, 20.0, 40.0, 80.0]), vmax=90.0, core=40.0)
    np.testing.assert_allclose(speed, [0.0, 45.0, 90.0, 45.0])


def test_the_tornado_strikes_along_its_path_only(scene):
    hazard = make_hazard("tornado", 1.0, path_bearing=90.0, path_offset=0.0, core_radius=15.0)
    rows = struck(hazard, scene).intensity.mean(axis=1)
    # The bend and the windier right rim move the worst row off the middle, 128.
    assert 68 < rows.argmax() < 188
    assert rows[0] < 0.5 * rows.max() and rows[-1] < 0.5 * rows.max()


# wildfire -------------------------------------------------------------------------------------


def test_the_ellipse_has_its_length_over_breadth():
    ratio, angle = 3.0, np.linspace(0, 2 * np.pi, 3601)
    rate = spread_rate(np.cos(angle), head=1.0, ratio=ratio)
    x, y = rate * np.cos(angle), rate * np.sin(angle)
    assert rate.max() == pytest.approx(1.0)
    assert np.ptp(x) / np.ptp(y) == pytest.approx(ratio, rel=1e-3)
    assert length_to_breadth(0.0) == pytest.approx(1.0)
    assert length_to_breadth(3.0) < length_to_breadth(5.0)


def test_travel_time_on_even_fuel_is_distance_over_rate():
    start = np.full((41, 41), np.inf)
    start[20, 20] = 0.0
    near = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if (i, j) != (0, 0)]
    time = travel_time(start, np.ones((41, 41)), (2.0, 2.0), dict.fromkeys(near, 4.0))
    assert time[20, 40] == pytest.approx(20 * 2 / 4.0)
    assert time[0, 0] == pytest.approx(20 * 2 * np.sqrt(2) / 4.0, rel=1e-5)
    wall = np.ones((41, 41))
    wall[:, 30] = 1e-3
    assert travel_time(start, wall, (2.0, 2.0), dict.fromkeys(near, 4.0))[20, 40] > 100


def test_fire_reaches_the_windward_side_first(scene):
    hazard = make_hazard("wildfire", 0.12, wind_bearing=90.0, spot_fires=0.0)
    heat = struck(hazard, scene).intensity
    assert heat[:, :30].mean() > 5 * heat[:, -30:].mean()


def test_dense_blocks_burn_hotter_than_lonely_houses(scene, street):
    hazard = make_hazard("wildfire", 1.0, spot_fires=0.0)
    lonely, dense = struck(hazard, scene, street[:1]), struck(hazard, scene, street)
    assert dense.intensity.mean() > 1.2 * lonely.intensity.mean()


def test_the_mix_of_a_big_fire_is_all_or_nothing(scene, street):
    counts = np.zeros(5)
    for seed in range(6):
        for b in struck(make_hazard("wildfire", 0.9), scene, street, seed).buildings:
            counts[b.level] += 1
    share = counts[1:] / counts.sum()
    assert share[3] > 0.5 and share[1] + share[2] < 0.15


# water ----------------------------------------------------------------------------------------


def test_flood_depth_is_level_minus_relief(scene):
    relief = np.linspace(10.0, 16.0, scene.shape[1])[None].repeat(scene.shape[0], 0)
    damage = struck(make_hazard("flood", 0.5, stage=8.0, relief=relief), scene)
    np.testing.assert_allclose(damage.intensity, np.clip(4.0 - (relief - 10.0), 0, None), atol=1e-5)
    assert damage.parameters["relief"] == "supplied"


def test_flood_deepens_towards_given_water(scene, street):
    water = np.zeros(scene.shape, bool)
    water[:, :10] = True
    damage = struck(make_hazard("flood", 1.0, stage=1.5, water=water, valley_slope=0.01), scene)
    assert damage.intensity[0, 0] == pytest.approx(1.5)
    # pixel 109 is 100 pixels, 50 m, from the last water pixel
    assert damage.intensity[100, 109] == pytest.approx(1.5 - 0.01 * 50, abs=0.01)


@pytest.mark.parametrize("name", ["flood", "tsunami"])
def test_rasters_that_do_not_fit_are_refused(name, scene):
    for bad in (np.zeros((3, 3)), np.full(scene.shape, np.nan)):
        with pytest.raises(BadParameter, match="relief"):
            struck(make_hazard(name, 0.5, relief=bad), scene)
    with pytest.raises(BadParameter, match="water"):
        struck(make_hazard(name, 0.5, water=np.zeros(scene.shape, bool)), scene)


def test_the_wave_sinks_inland_and_grows_with_height_everywhere():
    d = np.linspace(0, 400, 50)
    low, high = (surface(d, height=h, roughness=0.05) for h in (4.0, 8.0))
    assert low[0] == 4.0 and (np.diff(low) < 0).all() and (high > low).all()
    assert surface(inundation_limit(4.0, 0.05), height=4.0, roughness=0.05) == pytest.approx(0.0)


def test_tsunami_is_deepest_at_the_shore(scene):
    hazard = make_hazard("tsunami", 1.0, inland_bearing=90.0, bumps=0.0)
    depth = struck(hazard, scene).intensity.mean(axis=0)
    assert (np.diff(depth) <= 1e-6).all() and depth[0] > depth[-1]


# volcano --------------------------------------------------------------------------------------


def test_a_decimetre_of_dry_ash_weighs_about_one_kilopascal():
    assert ash_load(100.0, 1000.0) == pytest.approx(0.981)


def test_the_flow_destroys_near_its_axis_and_ash_alone_does_not(scene, street):
    ash = struck(make_hazard("volcano", 1.0, flow_pressure=0.0), scene, street)
    flow = struck(make_hazard("volcano", 1.0, flow_width=40.0), scene, street)
    assert all(b.level < DamageLevel.DESTROYED for b in ash.buildings)
    assert any(b.level == DamageLevel.DESTROYED for b in flow.buildings)
    assert (flow.intensity >= ash.intensity).all()


# ground ---------------------------------------------------------------------------------------


def test_bearings_point_as_a_compass_does():
    np.testing.assert_allclose([heading(0), heading(90)], [(0, -1), (1, 0)], atol=1e-12)
    along, across = along_across(np.array([3.0]), np.array([-5.0]), (0.0, 0.0), 0.0)
    assert (along[0], across[0]) == (pytest.approx(5.0), pytest.approx(3.0))


def test_the_gsd_of_a_scene_without_place_is_that_of_xbd(scene):
    ground = Ground(scene, ())
    assert ground.gsd == 0.5 and ground.extent == (128.0, 160.0)


@pytest.mark.parametrize("param", ["name", "severity", "fragility", "water"])
def test_what_is_no_number_to_set_is_refused_and_not_offered(param):
    with pytest.raises(BadParameter, match=f"no parameter '{param}'; choose from: stage, ") as told:
        make_hazard("flood", 0.5, **{param: 3.0})
    assert "noun" not in str(told.value)
