"""Trees: which file belongs to which; events and hazards."""

import json
from pathlib import Path

import pytest

from afterscene.errors import BadLabel, MissingFile, UnknownName
from afterscene.geodata import EVENTS, Pair, XbdTree, read_label, read_scene
from afterscene.hazards import HAZARDS, hazard_of


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")


def tile(stem: str, suffix: str = "png", *, labels: bool = True, target: bool = True) -> list[str]:
    names = [f"images/{stem}_{when}_disaster.{suffix}" for when in ("pre", "post")]
    if labels:
        names += [f"labels/{stem}_{when}_disaster.json" for when in ("pre", "post")]
    if target:
        names += [f"targets/{stem}_{when}_disaster_target.png" for when in ("pre", "post")]
    return names


@pytest.fixture
def flat(tmp_path: Path) -> Path:
    touch(tmp_path, *tile("palu-tsunami_00000003"), *tile("joplin-tornado_00000002", "tif"))
    touch(tmp_path, *tile("joplin-tornado_00000001", "JPG", labels=False, target=False))
    return tmp_path


def test_pairs_are_complete_and_sorted(flat: Path) -> None:
    pairs = XbdTree(flat).pairs()
    assert [p.id for p in pairs] == [
        "joplin-tornado_00000001",
        "joplin-tornado_00000002",
        "palu-tsunami_00000003",
    ]
    assert pairs[2] == Pair(
        id="palu-tsunami_00000003",
        event="palu-tsunami",
        pre=flat / "images/palu-tsunami_00000003_pre_disaster.png",
        post=flat / "images/palu-tsunami_00000003_post_disaster.png",
        pre_label=flat / "labels/palu-tsunami_00000003_pre_disaster.json",
        post_label=flat / "labels/palu-tsunami_00000003_post_disaster.json",
        target=flat / "targets/palu-tsunami_00000003_post_disaster_target.png",
    )
    assert (pairs[0].pre.suffix, pairs[0].pre_label, pairs[0].target) == (".JPG", None, None)
    assert [hazard_of(p.event) for p in pairs] == ["tornado", "tornado", "tsunami"]


def test_other_files_and_lonely_images_do_not_disturb(flat: Path) -> None:
    touch(
        flat,
        "images/Thumbs.db",
        "images/readme_pre_disaster.txt",
        "images/mosaic.tif",
        "images/a_00000001_pre_disaster_target.png",
        "images/x_00000001_pre_disaster.png",
        "images/y_00000002_post_disaster.png",
    )
    tree = XbdTree(str(flat))
    lonely = next(p for p in tree.pairs() if p.event == "x")
    assert lonely == Pair(id="x_00000001", event="x", pre=lonely.pre)
    assert hazard_of(lonely.event) is None
    assert len(tree.pairs()) == 4


def test_a_folder_per_split(tmp_path: Path) -> None:
    touch(tmp_path / "train", *tile("a_00000001"))
    touch(tmp_path / "test", *tile("a_00000000"), "masks/a_00000000_post_disaster_target.png")
    touch(tmp_path / "docs", "readme.md")
    tree = XbdTree(tmp_path)
    assert tree.splits == ("test", "train")
    assert [p.id for p in tree.pairs()] == ["a_00000000", "a_00000001"]
    assert [p.id for p in tree.pairs("train")] == ["a_00000001"]
    with pytest.raises(UnknownName, match="has no split 'val'; it has: test, train"):
        tree.pairs("val")


def test_masks_stand_in_for_targets(tmp_path: Path) -> None:
    touch(tmp_path, *tile("a_00000001", target=False), "masks/a_00000001_post_disaster_target.png")
    assert XbdTree(tmp_path).pairs()[0].target == (
        tmp_path / "masks/a_00000001_post_disaster_target.png"
    )


def test_a_listing_of_splits(flat: Path) -> None:
    listing = {"test": ["palu-tsunami_00000003", "joplin-tornado_00000001"], "val": ["gone_1"]}
    (flat / "splits.json").write_text(json.dumps(listing))
    tree = XbdTree(flat)
    assert tree.splits == ("test", "val")
    assert [p.id for p in tree.pairs("test")] == [
        "joplin-tornado_00000001",
        "palu-tsunami_00000003",
    ]
    with pytest.raises(MissingFile, match="split 'val' names gone_1, which has no pre image"):
        tree.pairs("val")
    with pytest.raises(UnknownName, match="it has: test, val"):
        tree.pairs("train")
    with pytest.raises(UnknownName):
        tree.pairs("")


@pytest.mark.parametrize("listing", ["{", "[]", '{"test": "all"}', '{"test": [1]}'])
def test_a_bad_listing_is_named(flat: Path, listing: str) -> None:
    (flat / "splits.json").write_text(listing)
    with pytest.raises(BadLabel, match=r"splits\.json"):
        XbdTree(flat)


def test_a_tree_without_splits_says_so(flat: Path) -> None:
    with pytest.raises(UnknownName, match=r"it has: none\. Name its tiles in a splits\.json"):
        XbdTree(flat).pairs("train")


def test_no_images_is_a_missing_file(tmp_path: Path) -> None:
    for root in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(MissingFile, match="holds no images/ folder, nor does a folder in it"):
            XbdTree(root)


def test_nineteen_events_and_their_hazards() -> None:
    hazards = ["earthquake", "wind", "tornado", "wildfire", "flood", "tsunami", "volcano"]
    claimed = [event for kind in HAZARDS.values() for event in kind.events]
    assert len(EVENTS) == 19 and sorted(claimed) == sorted(EVENTS)
    assert {hazard_of(event) for event in EVENTS} == set(hazards)
    assert hazard_of("hurricane-michael") == "wind"
    assert hazard_of("hurricane-harvey") == "flood"


@pytest.mark.data
def test_the_real_tree(shared_data: Path) -> None:
    tree = XbdTree(shared_data / "xbd")
    told = json.loads((shared_data / "xbd" / "splits.json").read_text())
    assert {s: [p.id for p in tree.pairs(s)] for s in tree.splits} == {
        s: sorted(names) for s, names in told.items()
    }
    pairs = tree.pairs()
    assert len(pairs) == sum(map(len, told.values()))
    assert all(p.post and p.pre_label and p.post_label and hazard_of(p.event) for p in pairs)
    scene, label = read_scene(pairs[0].pre), read_label(pairs[0].pre_label or "")
    assert (scene.shape, scene.bands) == (label.shape, 3) == ((1024, 1024), 3)


def test_a_flat_folder_is_told_how_a_split_is_named(afterscene, tmp_path: Path) -> None:
    """`train` has no option for it, so none is named."""
    import toys

    folder = toys.toy_tree(tmp_path / "xbd", 1)
    (folder / "splits.json").unlink()
    run = afterscene("train", "generator-small", "--data", folder, "--out", tmp_path / "run")
    assert run.code == 2
    assert "has no split 'train'; it has: none. Name its tiles in a splits.json" in run.stderr
    assert "--split" not in run.stderr
