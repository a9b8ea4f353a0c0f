"""A planted leak is caught: the tile itself, and a neighbour within a kilometre."""

import json

import pytest

import toys
from afterscene import gbd
from afterscene.errors import LeakFound


def place(tree, stem, lng, lat):
    """Give a toy label degrees: 1e-5 a pixel, its corner at (lng, lat)."""
    path = tree / "labels" / f"{stem}_pre_disaster.json"
    label = json.loads(path.read_text())
    label["features"]["lng_lat"] = [
        {**entry, "wkt": toys.box_wkt(lng + a / 1e5, lat - b / 1e5, lng + c / 1e5, lat - d / 1e5)}
        for entry, (a, b, c, d) in zip(label["features"]["xy"], toys.BOXES, strict=True)
    ]
    path.write_text(json.dumps(label))


@pytest.fixture
def tree(tmp_path):
    tree = toys.toy_tree(tmp_path / "xbd", count=3)
    names = [f"toy-town_{k:08d}" for k in range(3)]
    splits = {"train": names[:2], "test": names[2:], "planted": names[1:]}
    (tree / "splits.json").write_text(json.dumps(splits))
    for k, name in enumerate(names):
        place(tree, name, 10.0 + 0.1 * k, 50.0)
    return tree


def plan(tree, tmp_path, split="train"):
    ask = gbd.Campaign(root=tree, split=split, test="test", hazards=("wind",), count=2, seed=0)
    return gbd.make_plan(ask, tmp_path / "plan.jsonl", shard_size=1).stored


def test_sources_far_from_the_evaluation_pass(tree, tmp_path):
    assert plan(tree, tmp_path).count == 2


def test_an_evaluation_tile_among_the_sources_is_caught(tree, tmp_path):
    with pytest.raises(LeakFound, match="toy-town_00000002 is an evaluation tile"):
        plan(tree, tmp_path, "planted")
    assert not (tmp_path / "plan.jsonl").exists()


@pytest.mark.parametrize(("degrees", "caught"), [(0.008, True), (0.010, False)])
def test_a_neighbour_within_a_kilometre_is_caught(tree, tmp_path, degrees, caught):
    """0.008 degrees of latitude are 890 m, 0.010 are 1,112 m."""
    place(tree, "toy-town_00000000", 10.2, 50.0 + degrees)
    if not caught:
        assert plan(tree, tmp_path).count == 2
        return
    with pytest.raises(LeakFound, match=r"toy-town_00000000 lies 0\.89 km"):
        plan(tree, tmp_path)
