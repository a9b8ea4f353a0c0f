"""A detector that learns, repeats itself, travels through its folder, and refuses bad ones."""

import json
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from afterscene import detectors
from afterscene.detectors import Detector, DetectorConfig, fit
from afterscene.errors import BadImage, BadParameter, BadWeights, NotFinite, UnknownName
from afterscene.geodata.scene import Scene
from afterscene.metrics.confusion import Confusion
from tests.detectors.toys import TINY, toy_pair

SHORT = replace(TINY, steps=3)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Detector, Path]:
    out = tmp_path_factory.mktemp("detector")
    pairs = [toy_pair(i) for i in range(6)]
    made = fit(TINY, pairs, seed=0, validation=[toy_pair(50)])
    return made, made.save(out)


def _score(detector: Detector, *, undamaged: bool = False) -> float:
    counts = Confusion()
    for seed in (100, 101, 102):
        pair = toy_pair(seed)
        found = detector.predict(pair.pre, pair.post)
        damage = np.ones_like(found.damage) if undamaged else found.damage
        counts = counts.add(found.localization, damage, pair.target)
    return counts.result().score


def test_it_learns_what_can_be_learned(trained: tuple[Detector, Path]) -> None:
    """Unseen toys: far above the same houses all called undamaged, which is about 0.27."""
    detector, _ = trained
    assert _score(detector) > 0.7
    assert _score(detector, undamaged=True) < 0.3


def test_buildings_may_be_found_in_the_pre_image_alone(tmp_path: Path) -> None:
    """What the post image shows does not move a wall, also not after the way through a folder."""
    pairs = [toy_pair(i) for i in range(6)]
    config = replace(TINY, localization="pre")
    made = fit(config, pairs, seed=0, validation=[toy_pair(50)])
    made.save(tmp_path)
    assert _score(made) > 0.7
    pair = toy_pair(100)
    pre, post = pair.pre, pair.post
    again = detectors.load_detector(tmp_path)
    other = Scene(pixels=255 - post.pixels, valid=post.valid)
    planes = [again.probabilities(pre.rgb(), scene.rgb())[0] for scene in (post, other)]
    np.testing.assert_array_equal(*planes)


def test_the_truth_scores_one() -> None:
    counts = Confusion()
    for seed in range(3):
        target = toy_pair(seed).target
        counts = counts.add(target > 0, target, target)
    assert counts.result().score == pytest.approx(1.0, abs=1e-5)


def test_the_folder_gives_the_same_detector_back(trained: tuple[Detector, Path]) -> None:
    detector, folder = trained
    again = detectors.load_detector(folder)
    pair = toy_pair(7)
    a, b = detector.predict(pair.pre, pair.post), again.predict(pair.pre, pair.post)
    assert np.array_equal(a.probabilities, b.probabilities)
    assert again.decision == detector.decision and again.config == detector.config
    files = {p.name for p in folder.iterdir()}
    assert files == {"model.safetensors", "config.json", "README.md"}
    assert "CC BY-NC-SA" in (folder / "README.md").read_text()


def test_each_step_is_told_and_the_detector_names_all_tiles_it_saw() -> None:
    told: list[tuple[int, int, float]] = []
    first = fit(
        SHORT, [toy_pair(0)], seed=0, progress=lambda *s: told.append((*s[:2], s[2]["loss"]))
    )
    assert [step[:2] for step in told] == [(1, 3), (2, 3), (3, 3)]
    assert all(np.isfinite(loss) for _, _, loss in told)
    again = fit(SHORT, [toy_pair(1)], seed=0, start=first)
    assert again.provenance["tiles"] == sorted([toy_pair(0).id, toy_pair(1).id])
    silent = first.deciding(first.decision, tiles=None)
    assert fit(SHORT, [toy_pair(1)], seed=0, start=silent).provenance["tiles"] is None


def test_a_worker_gets_the_same_detector(trained: tuple[Detector, Path]) -> None:
    there = pickle.loads(pickle.dumps(trained[0]))
    pre, post = np.random.default_rng(0).integers(0, 255, (2, 64, 64, 3)).astype(np.uint8)
    assert np.array_equal(there.planes(pre, post), trained[0].planes(pre, post))
    assert there.provenance == trained[0].provenance


def test_the_same_seed_gives_the_same_weights_and_leaves_torch_alone() -> None:
    pairs = [toy_pair(0)]
    before = torch.random.get_rng_state()
    one, two = (fit(SHORT, pairs, seed=3) for _ in range(2))
    assert torch.equal(before, torch.random.get_rng_state())
    other = fit(SHORT, pairs, seed=4)
    a, b, c = (d.network.state_dict() for d in (one, two, other))
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert any(not torch.equal(a[name], c[name]) for name in a)


def test_a_scene_of_any_size_is_predicted_on_its_grid(trained: tuple[Detector, Path]) -> None:
    detector, _ = trained
    for height, width in ((1, 1), (33, 70), (1030, 1100)):
        pixels = np.zeros((3, height, width), dtype=np.uint8)
        scene = Scene(pixels=pixels, valid=np.ones((height, width), dtype=bool))
        found = detector.predict(scene, scene)
        assert found.target.shape == (height, width)
        np.testing.assert_allclose(found.probabilities.sum(axis=0), 1, atol=1e-3)


def test_nothing_is_claimed_where_there_is_no_data(trained: tuple[Detector, Path]) -> None:
    detector, _ = trained
    pre, post = toy_pair(8).pre, toy_pair(8).post
    assert detector.predict(pre, post).localization[:, :64].any()
    half = post.valid.copy()
    half[:, :64] = False
    found = detector.predict(pre, post.replace(valid=half))
    assert not found.localization[:, :64].any()


def test_sizes_that_differ_are_named(trained: tuple[Detector, Path]) -> None:
    pre = toy_pair(0).pre
    post = toy_pair(0, size=256).post
    with pytest.raises(BadImage, match=r"128.*256"):
        trained[0].predict(pre, post)


def test_weights_that_do_not_fit_are_refused(
    trained: tuple[Detector, Path], tmp_path: Path
) -> None:
    detector, _ = trained
    folder = detector.save(tmp_path / "model")
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[:-100])
    with pytest.raises(BadWeights, match=r"model\.safetensors"):
        detectors.load_detector(folder)
    (folder / "model.safetensors").write_bytes(whole)
    said = json.loads((folder / "config.json").read_text())
    said["detector"]["width"] = 32
    (folder / "config.json").write_text(json.dumps(said))
    with pytest.raises(BadWeights, match="shape"):
        detectors.load_detector(folder)
    with pytest.raises(UnknownName, match="nowhere"):
        detectors.load_detector(tmp_path / "nowhere")


def test_losses_that_are_not_finite_stop_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    from afterscene.detectors import task

    real = task.detector_sums
    monkeypatch.setattr(task, "detector_sums", lambda *a, **k: real(*a, **k) * float("nan"))
    with pytest.raises(NotFinite, match="10 times in a row"):
        fit(replace(TINY, steps=40), [toy_pair(0)], seed=0)


@pytest.mark.parametrize(
    "field",
    [
        {"encoder": "huge"},
        {"crop": 100},
        {"crop": 32},
        {"steps": 0},
        {"level_weights": (0, 0, 0, 0)},
        {"precision": "int4"},
        {"localization": "post"},
        {"lr": float("nan")},
    ],
)
def test_bad_configs_are_refused_with_the_value(field: dict) -> None:
    with pytest.raises(BadParameter):
        DetectorConfig(**field)


def test_config_survives_json_and_refuses_unknown_fields() -> None:
    config = replace(TINY, level_weights=(1, 2, 3, 4))
    assert DetectorConfig.from_json(json.loads(json.dumps(config.as_json()))) == config
    with pytest.raises(BadParameter, match="learning_rate"):
        DetectorConfig.from_json({"learning_rate": 1})


def test_no_pairs_is_an_error() -> None:
    with pytest.raises(BadParameter, match="no training pairs"):
        fit(SHORT, [], seed=0)


def test_a_time_budget_ends_the_run() -> None:
    config = replace(TINY, steps=10_000, seconds=1.0)
    detector = fit(config, [toy_pair(0)], seed=0)
    assert 0 < detector.provenance["steps"] < 1000
