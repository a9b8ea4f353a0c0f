"""A planted leak is caught: the tile itself, and a neighbour within a kilometre."""

import json

import numpy as np
import pytest
from PIL import Image

import toys
from afterscene import gbd
from afterscene.errors import BadParameter, LeakFound


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


def test_leaks_are_left_out_and_listed_where_that_was_asked_for(tree, tmp_path):
    place(tree, "toy-town_00000000", 10.2, 50.008)
    ask = {"root": tree, "hazards": ("wind",), "count": 2, "seed": 0, "test": "test"}
    campaign = gbd.Campaign(**ask, skip_leaks=True)  # all three tiles are sources
    planned = gbd.make_plan(campaign, tmp_path / "plan.jsonl", shard_size=2)
    assert {i.source.id for s in planned.stored.shards() for i in s.items} == {"toy-town_00000001"}
    named, near = planned.leaks
    assert named.startswith("source toy-town_00000002 is an evaluation tile")
    assert near.startswith("source toy-town_00000000 lies 0.89 km")
    assert planned.as_json()["leaks"] == [named, near]
    alone = gbd.Campaign(**{**ask, "split": "test"}, skip_leaks=True)
    with pytest.raises(LeakFound, match="all 1 sources would leak"):
        gbd.make_plan(alone, tmp_path / "none.jsonl", shard_size=2)


LOOKS = {
    "renamed": lambda picture: picture,
    "saved again, darker": lambda picture: (picture * 0.8).astype(np.uint8),
    "turned": lambda picture: np.rot90(picture),
    "mirrored": lambda picture: picture[:, ::-1],
}


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_copy_under_another_name_and_at_another_place_is_caught(tree, tmp_path, look, elsewhere):
    rng = np.random.default_rng(3)
    grown = [np.kron(rng.integers(0, 255, (8, 8)), np.ones((8, 8))) for _ in range(3)]
    for k, grey in enumerate(grown):
        picture = np.repeat(grey[..., None], 3, axis=2).astype(np.uint8)
        Image.fromarray(picture).save(tree / "images" / f"toy-town_{k:08d}_pre_disaster.png")
    if elsewhere:  # the evaluation tiles are another folder, with other names
        other = toys.toy_tree(tmp_path / "other", count=1)
        Image.fromarray(picture).save(other / "images" / "toy-town_00000000_pre_disaster.png")
        for kind, end in (("images", "png"), ("labels", "json")):
            path = other / kind / f"toy-town_00000000_pre_disaster.{end}"
            path.rename(path.with_name(f"elsewhere_00000009_pre_disaster.{end}"))
        (other / "splits.json").unlink()
    ask = {"apart_from": tmp_path / "other"} if elsewhere else {"test": "test"}
    ask |= {"root": tree, "split": "train", "hazards": ("wind",), "count": 2, "seed": 0}
    assert gbd.make_plan(gbd.Campaign(**ask), tmp_path / "a.jsonl", shard_size=1).stored.count == 2
    planted = Image.fromarray(np.ascontiguousarray(LOOKS[look](picture)))
    planted.save(tree / "images" / "toy-town_00000001_pre_disaster.png")
    with pytest.raises(LeakFound, match="toy-town_00000001 looks like evaluation tile"):
        gbd.make_plan(gbd.Campaign(**ask), tmp_path / "b.jsonl", shard_size=1)
    assert not (tmp_path / "b.jsonl").exists()


def test_pictures_without_a_settlement_are_left_out(tree, tmp_path, monkeypatch):
    class Classifier:
        def built_up(self, scene):
            return 0.9 if scene.source.startswith("toy-town_00000001") else 0.1

    monkeypatch.setattr("afterscene.regions.scenes.load_scenes", Classifier)
    ask = {"root": tree, "hazards": ("wind",), "count": 4, "seed": 0}
    campaign = gbd.Campaign(**ask, built_up=0.5)
    planned = gbd.make_plan(campaign, tmp_path / "plan.jsonl", shard_size=4)
    (shard,) = planned.stored.shards()
    assert {item.source.id for item in shard.items} == {"toy-town_00000001"}
    assert planned.not_built_up == 2
    with pytest.raises(BadParameter, match="ask for less"):
        gbd.make_plan(gbd.Campaign(**ask, built_up=0.95), tmp_path / "b.jsonl", shard_size=4)
    with pytest.raises(BadParameter, match="no chance"):
        gbd.Campaign(**ask, built_up=2.0)
