"""The scene classifier: what the card says holds, and what is wrong with weights is named."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from tools import train_scenes

from afterscene import shipped
from afterscene.errors import BadWeights, MissingExtra, UnknownName
from afterscene.geodata.scene import Scene, read_scene
from afterscene.pretrained import lite0_available
from afterscene.regions import scenes

needs_encoder = pytest.mark.skipif(not lite0_available(), reason="the extra encoders is missing")


@needs_encoder
@pytest.mark.data
def test_pictures_that_were_held_out_are_named_rightly(shared_data):
    """A sample of the hold-out; the card's figure is over all of it."""
    if not (shared_data / "ucmerced").is_dir():
        pytest.skip("no ucmerced pictures")
    paths, kinds, held = train_scenes.pictures(shared_data / "ucmerced")
    few = np.flatnonzero(held)[::12]
    classify = scenes.load_scenes()
    said = [int(classify(read_scene(paths[k])).argmax()) for k in few]
    assert np.mean(np.array(said) == kinds[few]) >= 0.93 - 1 / len(few)
    town, wood = (
        paths[list(kinds).index(scenes.CLASSES.index(n))] for n in ("denseresidential", "forest")
    )
    assert classify.built_up(read_scene(town)) > 0.8 > 0.2 > classify.built_up(read_scene(wood))


@needs_encoder
def test_any_scene_gives_probabilities():
    pixels = np.random.default_rng(0).integers(0, 255, (3, 90, 300), np.uint8)
    chance = scenes.load_scenes()(Scene(pixels=pixels, valid=np.ones((90, 300), bool)))
    assert chance.shape == (21,) and chance.sum() == pytest.approx(1, abs=1e-5)
    assert set(scenes.BUILT_UP) < set(scenes.CLASSES) and len(set(scenes.CLASSES)) == 21


def test_the_layer_learns_to_tell_kinds_apart_and_takes_features_as_they_are():
    rng = torch.Generator().manual_seed(1)
    kinds = np.arange(21).repeat(8)
    centres = 5 * torch.randn(21, 320, generator=rng) + 40
    x = centres[kinds] + torch.randn(len(kinds), 320, generator=rng)
    head = train_scenes.fit_head(x, kinds)
    assert train_scenes.accuracy(head, x, kinds)[0] > 0.99
    wrong = train_scenes.fit_head(x, np.roll(kinds, 8))
    assert train_scenes.accuracy(wrong, x, kinds)[0] < 0.1


def test_the_card_says_what_the_config_says():
    folder = shipped.models("scenes")["scenes"]
    config = json.loads((folder / "config.json").read_text())
    assert config["accuracy"] >= 0.93
    assert f"Accuracy {config['accuracy']:.3f}" in shipped.card(folder)
    assert sum(path.stat().st_size for path in folder.iterdir()) < 100_000


def test_bad_weights_are_named(tmp_path):
    good = shipped.models("scenes")["scenes"]
    broken = Path(shutil.copytree(good, tmp_path / "broken"))
    (broken / "head.safetensors").write_bytes(b"nonsense")
    with pytest.raises(BadWeights, match=r"head\.safetensors"):
        scenes.load_scenes(broken)
    config = json.loads((good / "config.json").read_text())
    (broken / "config.json").write_text(json.dumps(config | {"classes": ["a"]}))
    with pytest.raises(BadWeights, match="classes"):
        scenes.load_scenes(broken)
    with pytest.raises(UnknownName, match="no-such"):
        scenes.load_scenes("no-such")


def test_without_the_encoder_the_extra_is_named(monkeypatch):
    scenes._encoder.cache_clear()
    monkeypatch.setattr("afterscene.pretrained.PACKAGE", "a_package_that_is_not_there")
    with pytest.raises(MissingExtra, match="encoders"):
        scenes.features([torch.zeros(3, 32, 32)])
