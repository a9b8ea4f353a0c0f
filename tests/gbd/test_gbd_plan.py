"""A plan is a value, and its laws hold."""

import json
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import pytest

from afterscene.errors import BadParameter, UnknownName
from afterscene.gbd import PlanConfig, Source, draw_plan, read_plan
from afterscene.gbd.plan import item_seed

SOURCES = tuple(
    Source(id=f"town_{k:08d}", event="town", pre=Path(f"{k}.png"), label=Path(f"{k}.json"))
    for k in range(5)
)
CONFIG = PlanConfig(hazards=("wildfire",), count=12, seed=3)


def items(sources=SOURCES, **changes):
    return list(draw_plan(sources, replace(CONFIG, **changes)).items)


def test_the_first_items_do_not_depend_on_the_count():
    assert items(count=7) == items()[:7]


def test_the_order_of_the_sources_changes_nothing():
    assert items(SOURCES[::-1]) == items()


def test_every_source_is_drawn_before_any_is_drawn_again():
    drawn = [item.source.id for item in items()]
    assert len(set(drawn[:5])) == len(set(drawn[5:10])) == 5
    assert drawn[:5] != drawn[5:10], "each round has an order of its own"


def test_an_item_keeps_its_seed_whoever_its_neighbours_are():
    alone = items(SOURCES[:1], count=1)[0]
    same = next(i for i in items() if i.source == SOURCES[0] and i.draw == 0)
    assert (alone.seed, alone.severity) == (same.seed, same.severity)


def test_seeds_differ_between_items_and_between_plans():
    seeds = [item.seed for item in items()]
    assert len(set(seeds)) == len(seeds)
    assert not set(seeds) & {item.seed for item in items(seed=4)}
    assert all(0 <= seed < 2**48 for seed in seeds)


def test_a_seed_is_the_same_in_every_process():
    assert item_seed(0, "wildfire/a/0") == 0xC55F1E7E52E


def test_severity_is_drawn_between_its_bounds_and_can_be_fixed():
    drawn = {item.severity for item in items(severity=(0.2, 0.4))}
    assert len(drawn) > 5
    assert all(0.2 <= value <= 0.4 for value in drawn)
    assert {item.severity for item in items(severity=(0.5, 0.5))} == {0.5}


def test_names_follow_the_xbd_rule_and_are_unique():
    names = [item.name for item in items()]
    assert names[:2] == ["town-wildfire_00000000", "town-wildfire_00000001"]
    assert len(set(names)) == 12


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"hazards": ("snow",)}, UnknownName),
        ({"hazards": ()}, BadParameter),
        ({"hazards": ("wind", "wind")}, BadParameter),
        ({"severity": (0.0, 1.5)}, BadParameter),
        ({"severity": (-0.1, 0.5)}, BadParameter),
        ({"severity": (float("nan"), 0.5)}, BadParameter),
        ({"severity": (0.9, 0.1)}, BadParameter),
        ({"count": 0}, BadParameter),
        ({"seed": -1}, BadParameter),
        ({"parameters": {"no_such_field": 1.0}}, BadParameter),
    ],
)
def test_what_a_plan_refuses(change, error):
    with pytest.raises(error) as caught:
        replace(CONFIG, **change)
    assert "\n" not in str(caught.value)


def test_a_plan_without_a_source_is_refused():
    with pytest.raises(BadParameter, match="no pre image"):
        items(())


def test_a_plan_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        CONFIG.seed = 5


@pytest.mark.parametrize("hazards", [("wind",), ("wind", "flood", "tornado")])
def test_several_hazards_take_turns_and_use_the_sources_evenly(hazards):
    drawn = items(hazards=hazards, count=15)
    assert [item.name[-8:] for item in drawn] == [f"{k:08d}" for k in range(15)]
    for start in (0, 5, 10):
        assert len({item.source.id for item in drawn[start : start + 5]}) == 5
    counts = [sum(item.hazard == name for item in drawn) for name in hazards]
    assert max(counts) - min(counts) <= 2
    assert len({item.seed for item in drawn}) == 15


WRITTEN = {
    "name": "town-earthquake_00000007",
    "source": "town_00000001",
    "event": "town",
    "pre": "images/town_00000001_pre_disaster.png",
    "label": "labels/town_00000001_pre_disaster.json",
    "sha256": ["a8a7", "d57e"],
    "draw": 2,
    "hazard": "earthquake",
    "severity": 0.5933,
    "seed": 103469288285010,
    "parameters": {"magnitude": 6.745},
    "region": "Town, US",
    "occurrence": {
        "name": "town_00000000+1/2",
        "seed": 172157565113155,
        "site": {"x": 0.0, "y": 3.5, "height": 57.0, "width": 4345.5, "gsd": 0.89},
    },
}


def test_a_plan_file_means_what_it_meant_when_it_was_written(tmp_path):
    """The lines of format 1, as they lie on people's disks."""
    settings = {"hazard": ["earthquake", "wind"], "seed": 9, "sources": "c9e7", "shard_size": 16}
    head = {"format": "afterscene gbd plan 1", "root": "/data/xbd", "count": 1, "shard_size": 16}
    path = tmp_path / "plan.jsonl"
    text = json.dumps({**head, "settings": settings}).ljust(16384)
    path.write_text(f"{text}\n{json.dumps([WRITTEN])}\n")
    plan = read_plan(path)
    (item,) = plan.items
    assert (plan.settings, plan.count, plan.shard_size) == (settings, 1, 16)
    assert item.source.pre == Path("/data/xbd/images/town_00000001_pre_disaster.png")
    assert (item.source.sha256, item.source.region) == (("a8a7", "d57e"), "Town, US")
    assert (item.name, item.draw, item.hazard) == ("town-earthquake_00000007", 2, "earthquake")
    assert (item.seed, item.field_seed, item.severity) == (103469288285010, 172157565113155, 0.5933)
    assert item.parameters == {"magnitude": 6.745} and item.site.width == 4345.5
    assert read_plan(path, tmp_path, only=item.name).settings["tile"] == item.name
