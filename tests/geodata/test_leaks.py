"""The guard fires on planted leaks and is silent on distinct tiles, real ones among them."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from afterscene.errors import LeakFound
from afterscene.geodata.leaks import NEAR, check_leaks, difference_hash
from afterscene.geodata.pair import LabelledPair
from afterscene.geodata.scene import Scene, read_scene
from afterscene.geodata.xbd import XbdTree


def _ground(seed: int, *, size: int = 256) -> np.ndarray:
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(30, 220, size=(20, 20, 3)).astype(np.float32)
    return np.clip(cv2.resize(coarse, (size, size)), 0, 255).astype(np.uint8)


def _pair(seed: int, pixels: np.ndarray | None = None, **changes: object) -> LabelledPair:
    scene = Scene.of_rgb(_ground(seed) if pixels is None else pixels)
    made = LabelledPair(id=f"tile_{seed:08d}", pre=scene, post=scene, buildings=())
    return replace(made, **changes)  # type: ignore[arg-type]


def check(learned: list[LabelledPair], evaluation: list[LabelledPair]) -> None:
    check_leaks(*([pair.fingerprint for pair in pairs] for pairs in (learned, evaluation)))


def test_distinct_tiles_pass() -> None:
    check([_pair(seed) for seed in range(20)], [_pair(seed) for seed in range(20, 30)])


def test_the_same_id_is_a_leak() -> None:
    with pytest.raises(LeakFound, match="tile_00000005"):
        check([_pair(1), _pair(2, id="tile_00000005")], [_pair(5)])


@pytest.mark.parametrize("kind", ["copy", "jpeg", "brighter", "half", "turned", "mirrored"])
def test_a_copy_under_another_name_is_a_leak(kind: str) -> None:
    """As planted in a GBD tree: a synthetic pair made from an evaluation tile's pre image."""
    pixels = _ground(5)
    if kind == "jpeg":
        coded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 60])[1]
        pixels = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR))
    if kind == "brighter":
        pixels = np.clip(pixels * 1.1 + 8, 0, 255).astype(np.uint8)
    if kind == "half":
        pixels = cv2.resize(pixels, (128, 128), interpolation=cv2.INTER_AREA)
    if kind == "turned":
        pixels = np.ascontiguousarray(np.rot90(pixels))
    if kind == "mirrored":
        pixels = np.ascontiguousarray(pixels[:, ::-1])
    planted = _pair(1, pixels, id="x-wind_00000000", synthetic=True)
    with pytest.raises(LeakFound, match="tile_00000005"):
        check([_pair(2), planted], [_pair(4), _pair(5)])


def test_flat_pictures_are_not_taken_for_copies() -> None:
    flat = np.full((256, 256, 3), 30, dtype=np.uint8)
    assert difference_hash(flat) is None
    check([_pair(1, flat)], [_pair(2, flat)])


def test_no_two_real_tiles_look_alike(shared_data: Path) -> None:
    tree = XbdTree(shared_data / "xbd")
    found = [difference_hash(read_scene(pair.pre).rgb()) for pair in tree.pairs("test")]
    found += [difference_hash(read_scene(pair.pre).rgb()) for pair in tree.pairs("val")]
    hashes = np.stack([bits for bits in found if bits is not None])
    distance = (hashes[:, None] != hashes[None]).sum(axis=2)
    assert distance[~np.eye(len(hashes), dtype=bool)].min() > NEAR
