"""A plan is a value, and its laws hold."""

from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import pytest

from afterscene.errors import BadParameter, UnknownName
from afterscene.gbd import Plan, Source
from afterscene.gbd.plan import in_turn, item_seed
from afterscene.gbd.steering import steer

SOURCES = tuple(
    Source(id=f"town_{k:08d}", event="town", pre=Path(f"{k}.png"), label=Path(f"{k}.json"))
    for k in range(5)
)
PLAN = Plan(sources=SOURCES, hazard="wildfire", count=12, seed=3)


def test_the_first_items_do_not_depend_on_the_count():
    assert replace(PLAN, count=7).items() == PLAN.items()[:7]


def test_the_order_of_the_sources_changes_nothing():
    assert replace(PLAN, sources=SOURCES[::-1]).items() == PLAN.items()


def test_every_source_is_drawn_before_any_is_drawn_again():
    drawn = [item.source.id for item in PLAN.items()]
    assert len(set(drawn[:5])) == len(set(drawn[5:10])) == 5
    assert drawn[:5] != drawn[5:10], "each round has an order of its own"


def test_an_item_keeps_its_seed_whoever_its_neighbours_are():
    alone = replace(PLAN, sources=SOURCES[:1], count=1).items()[0]
    same = next(i for i in PLAN.items() if i.source == SOURCES[0] and i.draw == 0)
    assert (alone.seed, alone.severity) == (same.seed, same.severity)


def test_seeds_differ_between_items_and_between_plans():
    seeds = [item.seed for item in PLAN.items()]
    assert len(set(seeds)) == len(seeds)
    assert not set(seeds) & {item.seed for item in replace(PLAN, seed=4).items()}
    assert all(0 <= seed < 2**48 for seed in seeds)


def test_a_seed_is_the_same_in_every_process():
    assert item_seed(0, "wildfire/a/0") == 0xC55F1E7E52E


def test_severity_is_drawn_between_its_bounds_and_can_be_fixed():
    drawn = {item.severity for item in replace(PLAN, severity=(0.2, 0.4)).items()}
    assert len(drawn) > 5
    assert all(0.2 <= value <= 0.4 for value in drawn)
    assert {item.severity for item in replace(PLAN, severity=(0.5, 0.5)).items()} == {0.5}


def test_names_follow_the_xbd_rule_and_are_unique():
    names = [item.name for item in PLAN.items()]
    assert names[:2] == ["town-wildfire_00000000", "town-wildfire_00000001"]
    assert len(set(names)) == 12


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"hazard": "snow"}, UnknownName),
        ({"severity": (0.0, 1.5)}, BadParameter),
        ({"severity": (-0.1, 0.5)}, BadParameter),
        ({"severity": (float("nan"), 0.5)}, BadParameter),
        ({"severity": (0.9, 0.1)}, BadParameter),
        ({"count": 0}, BadParameter),
        ({"seed": -1}, BadParameter),
        ({"sources": ()}, BadParameter),
        ({"parameters": {"no_such_field": 1.0}}, BadParameter),
    ],
)
def test_what_a_plan_refuses(change, error):
    with pytest.raises(error) as caught:
        replace(PLAN, **change)
    assert "\n" not in str(caught.value)


def test_a_plan_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        PLAN.seed = 5


@pytest.mark.parametrize("hazards", [("wind",), ("wind", "flood", "tornado")])
def test_several_hazards_take_turns_and_use_the_sources_evenly(hazards):
    units = in_turn([replace(PLAN, hazard=name) for name in hazards])
    items = [item for item, _ in steer(units, 15, None)]
    assert [item.name[-8:] for item in items] == [f"{k:08d}" for k in range(15)]
    for start in (0, 5, 10):
        assert len({item.source.id for item in items[start : start + 5]}) == 5
    counts = [sum(item.hazard == name for item in items) for name in hazards]
    assert max(counts) - min(counts) <= 2
    assert len({item.seed for item in items}) == 15
