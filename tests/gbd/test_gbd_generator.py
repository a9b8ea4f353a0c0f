"""The door for generators: the role, and kinds of models that other packages bring."""

import json

import pytest
from tests import plugins

import toys
from afterscene import gbd
from afterscene.errors import UnknownName
from afterscene.gbd.pair import make_post
from afterscene.gbd.provenance import post_label, row
from afterscene.gbd.sources import read_source
from afterscene.generators import BridgeGenerator
from afterscene.lab.synthesis import CopyPaste


@pytest.fixture
def model(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"kind": "white"}))
    return folder


def test_a_model_of_another_package_renders_through_the_same_door(model, tmp_path, monkeypatch):
    entry = "generators:white=tests.plugins:White"
    plugins.install(tmp_path / "site", monkeypatch, "paint", entry)
    generator, how = gbd.load_generator(model), gbd.Rendering(model="white")
    assert isinstance(generator, gbd.Generator) and generator.folder == model
    (source,) = gbd.find_sources(toys.toy_tree(tmp_path / "xbd", count=1))
    item = gbd.Item(name="a_0", source=source, draw=0, hazard="wildfire", severity=1.0, seed=0)
    post = make_post(item, *read_source(source), how, generator)
    assert (post.scene.pixels[:, post.target > 1] == 255).all() and (post.target > 1).any()
    told = post_label(post, item, how, generator.hash).metadata["afterscene"]
    assert told["drawn_as"] == row(item, post, how, generator.hash)["drawn_as"] == "white wildfire"


def test_a_kind_that_nobody_brings_is_refused(model):
    with pytest.raises(UnknownName, match="kind white; give the folder of a bridge"):
        gbd.load_generator(model)


@pytest.mark.parametrize("made", [CopyPaste(()), toys.ToyGenerator(), plugins.White(None)])
def test_what_renders_pairs_has_the_role(made):
    assert isinstance(made, gbd.Generator)
    assert not isinstance(plugins.NOTHING, gbd.Generator)


def test_the_shipped_generator_comes_by_name():
    generator = gbd.load_generator("default")
    assert isinstance(generator, BridgeGenerator) and isinstance(generator, gbd.Generator)
