"""Tiles of one event share its field: neighbours agree at their border."""

from itertools import pairwise

import numpy as np
import pytest
from shapely.geometry import box

from afterscene.errors import BadParameter
from afterscene.geodata.damage import Building
from afterscene.geodata.scene import Scene
from afterscene.hazards import HAZARDS, make_hazard
from afterscene.hazards.site import Site

SIDE, GSD = 128, 2.0
#: Fields that the event alone decides; a wildfire also asks each tile's own fuel and embers.
SHARED = sorted(set(HAZARDS) - {"wildfire"})


def site(column, row=0):
    return Site(x=column * SIDE * GSD, y=row * SIDE * GSD, height=1024, width=1024, gsd=GSD)


def strike(name, where, seed=5, severity=0.8):
    green = np.full((3, SIDE, SIDE), 90, np.uint8)
    scene = Scene(pixels=green, valid=np.ones((SIDE, SIDE), bool))
    hazard = make_hazard(name, severity)
    return hazard(scene, (), np.random.default_rng(seed), where).intensity


def jump(left, right):
    """Median step across the border, as a share of the typical intensity."""
    size = max(float(np.abs(left).mean()), float(np.abs(right).mean()), 1e-6)
    return float(np.median(np.abs(left[:, -1] - right[:, 0]))) / size


@pytest.mark.parametrize("name", SHARED)
@pytest.mark.parametrize("row", [1, 2])
def test_neighbours_agree_at_their_border(name, row):
    steps = []
    for column in range(3):
        left, right = strike(name, site(column, row)), strike(name, site(column + 1, row))
        if max(left.max(), right.max()) > 0:
            steps.append(jump(left, right))
    assert not steps or max(steps) < 0.12, steps


def test_tiles_apart_from_an_event_do_not_agree():
    """What the test above would show if the field were each tile's own."""
    steps = [jump(strike("earthquake", None, 1), strike("earthquake", None, 2))]
    assert max(steps) > 0.12


@pytest.mark.parametrize("name", sorted(HAZARDS))
def test_a_tile_of_an_event_depends_on_its_place_and_the_events_seed_alone(name):
    assert np.array_equal(strike(name, site(1, 1)), strike(name, site(1, 1)))
    fields = [strike(name, site(c, r)) for c in range(4) for r in range(4)]
    assert any(field.max() > 0 for field in fields)
    assert any(not np.array_equal(fields[0], field) for field in fields[1:])


@pytest.mark.parametrize("name", sorted(HAZARDS))
def test_in_an_event_too_the_field_never_falls_when_severity_rises(name):
    fields = [strike(name, site(1, 2), severity=s) for s in (0.0, 0.3, 0.6, 1.0)]
    assert fields[0].max() == 0
    for low, high in pairwise(fields):
        assert (high >= low - 1e-4).all()


def test_neighbouring_houses_share_what_makes_houses_alike():
    """The common part of the capacities crosses the border too: same event, same weakness."""
    scene = Scene(pixels=np.full((3, SIDE, SIDE), 90, np.uint8), valid=np.ones((SIDE, SIDE), bool))
    last = [Building(polygon=box(120, y, 126, y + 6), level=None, uid=f"a{y}") for y in (8, 40, 90)]
    first = [Building(polygon=box(1, y, 7, y + 6), level=None, uid=f"a{y}") for y in (8, 40, 90)]
    hazard = make_hazard("earthquake", 0.75)
    rng = np.random.default_rng
    left = hazard(scene, last, rng(3), site(0, 1)).buildings
    right = hazard(scene, first, rng(3), site(1, 1)).buildings
    assert [b.level for b in left] == [b.level for b in right]


@pytest.mark.parametrize("change", [{"gsd": 0}, {"width": -1}, {"x": float("nan")}])
def test_a_site_that_makes_no_sense_is_refused(change):
    values = {"x": 0.0, "y": 0.0, "height": 1.0, "width": 1.0, "gsd": 0.5} | change
    with pytest.raises(BadParameter, match="metres"):
        Site(**values)
