"""Swin and CLIP detectors (skipped without the extra ``pretrained``), and the object head."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from afterscene import detectors
from afterscene.detectors import DETECTORS, Detector, DetectorConfig, fit
from afterscene.detectors.backbones import SMALL_CLIP, SMALL_SWIN, with_backbone
from afterscene.detectors.detector import build_network
from afterscene.detectors.objects import fit_objects, pool, vectors
from afterscene.detectors.task import initial_network
from afterscene.detectors.words import SENTENCES, hashed
from afterscene.errors import BadWeights, MissingExtra, MissingFile
from afterscene.networks.siamese import WordHead
from tests.detectors.toys import TINY, toy_pair

WHY = "the extra pretrained is missing; run pip install 'afterscene[pretrained]'"
KINDS = ("swin", "clip")


def small(kind: str) -> DetectorConfig:
    """A few thousand weights, as its architecture says."""
    cut = {
        "swin": {**SMALL_SWIN, "embed_dim": 8, "depths": [1, 1, 1, 1], "num_heads": [1, 1, 2, 2]},
        "clip": {**SMALL_CLIP, "hidden_size": 16, "num_hidden_layers": 1, "intermediate_size": 32,
                 "num_attention_heads": 2},
    }[kind]  # fmt: skip
    return replace(
        DETECTORS[kind], width=16, steps=2, batch=2, crop=64, architecture=json.dumps(cut),
        words=32 if kind == "clip" else 0,
    )  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_it_trains_with_a_notice_and_comes_back_from_its_folder(kind: str, tmp_path: Path) -> None:
    pytest.importorskip("transformers", reason=WHY)
    with pytest.warns(UserWarning, match=f"'{kind}' starts from scratch.*--backbone"):
        made = fit(small(kind), [toy_pair(0)], seed=0)
        made.save(tmp_path)
    again = detectors.load_detector(tmp_path)
    pair = toy_pair(1, size=160)
    pre, post = pair.pre, pair.post
    a, b = made.predict(pre, post), again.predict(pre, post)
    assert a.target.shape == (160, 160) and np.array_equal(a.probabilities, b.probabilities)
    before = initial_network(small(kind), 0)[0].encoder.backbone.state_dict()
    after = made.network.encoder.backbone.state_dict()
    assert any(not torch.equal(before[k], after[k]) for k in before), "the backbone learns"


@pytest.mark.parametrize("kind", KINDS)
def test_weights_come_from_a_local_folder(kind: str, tmp_path: Path) -> None:
    pytest.importorskip("transformers", reason=WHY)
    torch.manual_seed(7)
    trained = build_network(small(kind)).encoder.backbone
    trained.save_pretrained(tmp_path / "model")
    config = with_backbone(replace(small(kind), architecture=""), tmp_path / "model")
    network, origin = initial_network(config, 0)
    assert origin == "local folder model"
    found = network.encoder.backbone.state_dict()
    for name, value in trained.state_dict().items():
        assert torch.equal(value, found[name]), name
    assert str(tmp_path) not in json.dumps(config.as_json())
    other = "clip" if kind == "swin" else "swin"
    with pytest.raises(BadWeights, match="does not fit"):
        with_backbone(small(other), tmp_path / "model")
    (tmp_path / "model" / "model.safetensors").unlink()
    with pytest.raises(BadWeights, match=r"model\.safetensors"):
        initial_network(config, 0)
    with pytest.raises(MissingFile):
        with_backbone(config, tmp_path / "nowhere")


def test_without_transformers_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MissingExtra, match=r"afterscene\[pretrained\]"):
        build_network(DETECTORS["swin"])


def test_levels_are_words_and_the_right_words_win() -> None:
    """A feature that is the map of one sentence gets that sentence's level."""
    torch.manual_seed(0)
    head = WordHead(24, 384)
    head.words.copy_(torch.nn.functional.normalize(hashed(SENTENCES, 384), dim=1))
    seen = head.project(head.words)  # (4, 24): one pixel for each sentence
    said = head(seen.T[None, :, :, None]).squeeze().argmax(dim=0)
    assert said.tolist() == [0, 1, 2, 3]
    likeness = head.words @ head.words.T
    assert likeness.fill_diagonal_(0).abs().max() < 0.6


@pytest.fixture(scope="module")
def trained() -> Detector:
    return fit(replace(TINY, steps=40), [toy_pair(i) for i in range(5)], seed=0)


def test_pooling_is_the_mean_and_deviation_over_each_building() -> None:
    rng = np.random.default_rng(0)
    planes = rng.random((8, 10, 12)).astype(np.float32)
    owner = np.zeros((10, 12), np.int32)
    owner[1:4, 2:6], owner[5:9, 7:11] = 1, 2
    made = vectors(pool(planes, owner))
    assert made.shape == (2, 12)
    for number in (1, 2):
        here = planes[:, owner == number]
        expected = [np.log(here.shape[1] + 1), here[0].mean(), *np.log(here[1:5].mean(axis=1))]
        expected += [*here[5:].mean(axis=1), *here[5:].std(axis=1)]
        np.testing.assert_allclose(made[number - 1], expected, rtol=1e-4)


def test_the_object_head_learns_levels_and_travels_with_the_detector(
    trained: Detector, tmp_path: Path
) -> None:
    made = fit_objects(trained, [toy_pair(i) for i in range(5)], seed=0)
    again = detectors.load_detector(made.save(tmp_path / "d"))
    right = total = 0
    for seed in (60, 61, 62):
        pair = toy_pair(seed)
        found = again.predict(pair.pre, pair.post, footprints=pair.buildings)
        for number, level in enumerate(pair.levels, 1):
            said = found.damage[pair.instances == number]
            assert (said == said[0]).all(), "one level a footprint"
            right, total = right + int(said[0] == level), total + 1
    assert right / total > 0.9
    same = made.predict(pair.pre, pair.post, footprints=pair.buildings)
    other = again.predict(pair.pre, pair.post, footprints=pair.buildings)
    assert np.array_equal(same.probabilities, other.probabilities)
