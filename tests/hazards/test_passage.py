"""How events pass: nothing before, all after, never less; and in the order that physics says."""

from itertools import pairwise

import numpy as np
import pytest

from afterscene import samples
from afterscene.hazards import HAZARDS, make_hazard
from afterscene.hazards.ground import Ground, along_across
from afterscene.hazards.passage import Passage, Phase
from hail import Hail

SHAPE = (4, 5)


def passage_of(hazard, sample="coast", seed=2):
    scene, buildings = samples.read_sample(sample)
    damage = hazard(scene, buildings, np.random.default_rng(seed))
    ground, rng = Ground(scene, buildings), np.random.default_rng(seed)
    rng.integers(2**63)
    return hazard.passage(ground, rng, damage), damage, ground


@pytest.mark.parametrize("hazard", [*(make_hazard(n, 0.8) for n in HAZARDS), Hail(severity=0.8)])
def test_progress_goes_from_none_to_all_and_never_back(hazard):
    passage, damage, _ = passage_of(hazard)
    shape = damage.intensity.shape
    found = [passage.progress(t, shape) for t in np.linspace(0, 1, 13)]
    assert not found[0].any()
    assert (found[-1] == 1).all()
    assert all((b >= a).all() for a, b in pairwise(found))
    # What the field reaches is reached before the last frame, or the film would jump.
    hit = damage.intensity > 0.1 * damage.intensity.max()
    late = passage.progress(0.97, shape)[hit]
    assert (late > 0.9).mean() > 0.95


def test_fire_comes_with_the_wind():
    fire = make_hazard("wildfire", 0.9, wind_bearing=90.0, spot_fires=0.0)
    passage, _, _ = passage_of(fire, "forest-edge")
    onset = passage.arrival((512, 512))
    assert onset[:, :80].mean() < onset[:, 200:300].mean() < onset[:, -80:].mean()
    assert passage.bearing == 90.0


def test_water_comes_to_the_deepest_ground_first():
    passage, damage, _ = passage_of(make_hazard("flood", 0.7), "river")
    depth = damage.intensity
    for t in (0.3, 0.6):
        wet = passage.progress(t, depth.shape) > 0
        assert depth[wet].min() >= depth[~wet].max() - 1e-3
        assert 0 < wet.mean() < 1


def test_a_tsunami_draws_back_but_what_it_reached_stays_reached():
    passage, _, _ = passage_of(make_hazard("tsunami", 0.7))
    heights = [passage.height(t) for t in np.linspace(0, 1, 50)]
    assert min(np.diff(heights)) < 0
    assert (heights[0], heights[-1], passage.clock(0.7)) == (0, 0, 1)


def test_a_tornado_strikes_where_its_centre_is():
    tornado = make_hazard("tornado", 1.0, path_bearing=60.0)
    passage, damage, _ = passage_of(tornado, "farm")
    first, last = passage.centre(0.15), passage.centre(0.8)
    (along, _) = along_across(*(np.subtract(last, first)), (0, 0), 60.0)
    assert along > 100
    column, row = map(round, passage.centre(0.5))
    assert damage.intensity[row, column] > 0.8 * damage.intensity.max()


def test_stages_bring_shares():
    ash = Phase(onset=0.0, growth=0.5, share=0.25)
    flow = Phase(onset=0.5, growth=0.25)
    passage = Passage(phases=(ash, flow))
    assert passage.progress(0.25, SHAPE)[0, 0] == 0.125
    assert passage.progress(0.5, SHAPE)[0, 0] == 0.25
    assert passage.progress(0.75, SHAPE)[0, 0] == 1
    assert passage.before_last() == 0.25
