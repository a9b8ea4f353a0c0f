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
    return write(tmp_path / "plan.jsonl", tree, split=split, test="test").plan


def write(path, tree, count=2, **select):
    """A plan of wind on the sources that ``select`` says."""
    asked = {"hazards": ("wind",), "count": count, "seed": 0}
    return toys.plan_file(path, tree, shard_size=4, select=select, **asked)


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
    selected = gbd.select_sources(tree, test="test", skip_leaks=True)  # of all three tiles
    assert [source.id for source in selected.sources] == ["toy-town_00000001"]
    named, near = selected.leaks
    assert named.startswith("source toy-town_00000002 is an evaluation tile")
    assert near.startswith("source toy-town_00000000 lies 0.89 km")
    assert selected.as_json()["leaks"] == [named, near]
    with pytest.raises(LeakFound, match="all 1 sources would leak"):
        gbd.select_sources(tree, "test", test="test", skip_leaks=True)


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
    select = {"apart_from": tmp_path / "other"} if elsewhere else {"test": "test"}
    assert write(tmp_path / "a.jsonl", tree, split="train", **select).plan.count == 2
    planted = Image.fromarray(np.ascontiguousarray(LOOKS[look](picture)))
    planted.save(tree / "images" / "toy-town_00000001_pre_disaster.png")
    with pytest.raises(LeakFound, match="toy-town_00000001 looks like evaluation tile"):
        write(tmp_path / "b.jsonl", tree, split="train", **select)
    assert not (tmp_path / "b.jsonl").exists()


def test_pictures_without_a_settlement_are_left_out(tree, tmp_path, monkeypatch):
    class Classifier:
        def built_up(self, scene):
            return 0.9 if scene.source.startswith("toy-town_00000001") else 0.1

    monkeypatch.setattr("afterscene.regions.scenes.load_scenes", Classifier)
    selected = gbd.select_sources(tree, built_up=0.5)
    assert [source.id for source in selected.sources] == ["toy-town_00000001"]
    assert selected.as_json() == {"not_built_up": 2}
    with pytest.raises(BadParameter, match="a smaller value"):
        gbd.select_sources(tree, built_up=0.95)
    with pytest.raises(BadParameter, match="not a probability"):
        gbd.select_sources(tree, built_up=2.0)
