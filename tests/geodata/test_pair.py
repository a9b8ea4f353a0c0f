"""A labelled pair: read once, outlines kept, rasters that show every building."""

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from shapely.geometry import box

from afterscene.errors import BadImage, BadLabel, MissingFile
from afterscene.geodata import decode, scene
from afterscene.geodata.damage import Building, DamageLevel, layers, rasterize
from afterscene.geodata.pair import LabelledPair, outlined, read_pair, read_pairs
from afterscene.geodata.scene import Scene, write_scene
from afterscene.geodata.xbd import Pair, XbdTree, make_label, write_label
from afterscene.hazards import hazard_of

SHAPE = (40, 60)


def building(left: float, top: float, side: float, level: DamageLevel, uid: str) -> Building:
    return Building(polygon=box(left, top, left + side, top + side), level=level, uid=uid)


WALL = (
    building(5, 5, 10, DamageLevel.MAJOR, "west"),
    building(15, 5, 10, DamageLevel.MAJOR, "east"),
    building(40, 20, 8, DamageLevel.UNCLASSIFIED, "nobody-knows"),
)


def picture(seed: int) -> Scene:
    pixels = np.random.default_rng(seed).integers(0, 255, (3, *SHAPE)).astype(np.uint8)
    valid = np.ones(SHAPE, bool)
    valid[:, -seed:] = False
    return Scene(
        pixels=np.where(valid, pixels, 0).astype(np.uint8),
        valid=valid,
        crs="EPSG:32616",
        transform=Affine(0.5, 0, 3e5, 0, -0.5, 4e6),
        time=datetime(2018, 10, seed, tzinfo=UTC),
    )


@pytest.fixture
def files(tmp_path: Path) -> Pair:
    (tmp_path / "images").mkdir()
    (tmp_path / "labels").mkdir()
    for seed, when in ((3, "pre"), (5, "post")):
        write_scene(picture(seed), tmp_path / f"images/hurricane-michael_1_{when}_disaster.tif")
    label = make_label(WALL, metadata={"width": 60, "height": 40}, scene=picture(5))
    write_label(label, tmp_path / "labels/hurricane-michael_1_post_disaster.json")
    stem = tmp_path / "images/hurricane-michael_1"
    return Pair(
        id="hurricane-michael_1",
        event="hurricane-michael",
        pre=stem.with_name(f"{stem.name}_pre_disaster.tif"),
        post=stem.with_name(f"{stem.name}_post_disaster.tif"),
        post_label=tmp_path / "labels/hurricane-michael_1_post_disaster.json",
    )


def test_a_pair_keeps_place_time_mask_and_outlines(files: Pair) -> None:
    pair = read_pair(files, synthetic=True)
    for found, seed in ((pair.pre, 3), (pair.post, 5)):
        wanted = picture(seed)
        assert np.array_equal(found.pixels, wanted.pixels)
        assert np.array_equal(found.valid, wanted.valid)
        assert (found.transform, found.time) == (wanted.transform, wanted.time)
        assert found.crs is not None
    assert np.array_equal(pair.valid, picture(5).valid)
    assert [(b.uid, b.level, b.polygon) for b in pair.buildings] == [
        (b.uid, b.level, b.polygon) for b in WALL
    ]
    assert pair.levels.tolist() == [3, 3, 255]
    assert (pair.id, pair.event) == (files.id, files.event)
    assert pair.synthetic


def test_houses_that_share_a_wall_stay_two_and_unclassified_is_ignored(files: Pair) -> None:
    pair = read_pair(files)
    assert set(np.unique(pair.instances)) == {0, 1, 2, 3}
    assert set(np.unique(pair.target)) == {0, 3, 255}
    assert np.array_equal(pair.target > 0, pair.instances > 0)


def test_each_file_is_decoded_once(files: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: Counter[Path] = Counter()

    def counted(path: Path, *part: Any) -> decode.Decoded:
        seen[path] += 1
        return decode.decode(path, *part)

    monkeypatch.setattr(scene, "decode", counted)
    pair = read_pair(files)
    _ = pair.target, pair.instances, pair.pixel_hashes
    assert seen == Counter([files.pre, files.post])


def test_a_hidden_building_stands_in_a_further_layer() -> None:
    large = building(0, 0, 20, DamageLevel.NO_DAMAGE, "large")
    twins = [building(30, 3, 6, DamageLevel.MINOR, uid) for uid in "ab"]
    beyond = building(100, 100, 5, DamageLevel.MAJOR, "beyond")
    rasters = list(
        layers([building(4, 4, 5, DamageLevel.MAJOR, "x"), large, *twins, beyond], SHAPE)
    )
    shown = [set(np.unique(raster)) for raster in rasters]
    assert shown == [{0, 2, 4}, {0, 1, 3}]


@settings(max_examples=60, deadline=None)
@given(arrays.arrays(np.uint8, (12, 15), elements=st.sampled_from([0, 0, 1, 2, 3, 4, 255])))
def test_a_target_alone_can_be_outlined_and_drawn_again(target: np.ndarray) -> None:
    assert np.array_equal(rasterize(outlined(target), target.shape), target)


def test_a_target_stands_in_for_a_label(files: Pair, tmp_path: Path) -> None:
    whole = read_pair(files)
    there = tmp_path / "hurricane-michael_1_post_disaster_target.png"
    write_scene(Scene(pixels=whole.target[None], valid=np.ones(SHAPE, bool)), there)
    without = Pair(id="a", event="a", pre=files.pre, post=files.post, target=there)
    pair = read_pair(without)
    assert np.array_equal(pair.target, whole.target)
    assert len(pair.buildings) == 2  # the shared wall is not in a raster
    odd = Scene(pixels=whole.target[None] + np.uint8(9), valid=np.ones(SHAPE, bool))
    write_scene(odd, there)
    with pytest.raises(BadLabel, match="12"):
        read_pair(without)


def test_without_label_and_target_nothing_is_claimed(files: Pair) -> None:
    pair = read_pair(Pair(id="a", event="a", pre=files.pre, post=files.post))
    assert not pair.labelled
    assert (pair.target == 255).all()
    assert hazard_of(pair.event) is None


def test_pairs_without_post_or_of_two_sizes_are_refused(files: Pair) -> None:
    with pytest.raises(MissingFile, match="no post image"):
        read_pair(Pair(id="a", event="a", pre=files.pre))
    one = picture(3)
    part = one.replace(pixels=one.pixels[:, :20], valid=one.valid[:20])
    with pytest.raises(
        BadImage, match=r"not on one grid: 60 x 40 pixels of 0\.5 m against 60 x 20"
    ):
        LabelledPair(id="a", pre=one, post=part, buildings=())
    away = one.replace(crs="EPSG:32617")
    with pytest.raises(BadImage, match=r"zone 16N\) against EPSG:32617"):
        LabelledPair(id="a", pre=one, post=away, buildings=())


def test_a_tree_without_labelled_pairs_is_named(files: Pair, tmp_path: Path) -> None:
    assert files.post_label is not None
    assert [p.id for p in read_pairs(tmp_path)] == [files.id]
    files.post_label.unlink()
    with pytest.raises(MissingFile, match="no pair with a post image"):
        read_pairs(tmp_path)


@pytest.mark.data
def test_every_assessed_building_of_the_real_pairs_is_kept(shared_data: Path) -> None:
    """Counted from the JSON files, without any reader of ours."""
    for split in ("train", "val", "test"):
        for files in XbdTree(shared_data / "xbd").pairs(split)[::8]:
            assert files.post_label is not None
            features = json.loads(files.post_label.read_text())["features"]["xy"]
            said = Counter(f["properties"]["subtype"] for f in features)
            pair = read_pair(files)
            drawn = np.unique(np.stack(list(layers(pair.buildings, pair.shape))))
            found = Counter(pair.buildings[i - 1].level.word for i in drawn[drawn > 0])
            assert found == said
