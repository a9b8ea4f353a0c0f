"""Pre images from footprints: a small model is trained, saved, loaded, and draws xBD folders."""

import json
from dataclasses import replace

import numpy as np
import pytest
from shapely.geometry import box

import toys
from afterscene import generators, shipped
from afterscene.errors import BadLabel, MissingFile, OutputConflict, UnknownName
from afterscene.gbd import find_sources, pres
from afterscene.generators import generator as module
from afterscene.generators.bridge import BridgeConfig
from afterscene.generators.layouts import (
    LARGEST_STRETCH,
    STYLES,
    TONES,
    draw_pre,
    layout_tiles,
    tone_of,
    toned,
)
from afterscene.geodata.damage import Building
from afterscene.geodata.scene import read_scene, read_tags
from afterscene.geodata.xbd import XbdTree, read_label
from afterscene.recipes.data import Folders
from afterscene.recipes.layout import LayoutConfig
from afterscene.recipes.run import TrainRun

TOWNS = [f"toy-town_{k:08d}" for k in range(3)]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("layout")
    data = toys.toy_tree(folder / "xbd")
    (data / "splits.json").write_text(json.dumps({"train": TOWNS}))
    config = LayoutConfig(
        model=BridgeConfig(widths=(8, 8), depths=(1, 1), embedding=16),
        steps=2,
        warmup=1,
        precision="fp32",
        evaluations=2,
    )
    run = TrainRun(config=config, folders=Folders(roots=(data,)), out=folder / "run")
    trainer, loaded, _ = run.prepare()
    list(trainer.run())
    run.finish(trainer, loaded)
    return folder / "run" / "model"


@pytest.fixture
def generator(model):
    return generators.load(model, "layout")


def test_tiles_lead_from_the_coarse_picture_to_the_real_one(tmp_path):
    tree = XbdTree(toys.toy_tree(tmp_path / "xbd"))
    ((pair, tile), *_) = layout_tiles(tree.pairs("train"))
    real = read_scene(tree.pairs("train")[0].pre).rgb()
    assert np.array_equal(tile.registered, real) and not np.array_equal(tile.pre, real)
    assert (tile.places.levels == 1).all() and len(pair.buildings) == len(toys.BOXES)
    with pytest.raises(MissingFile, match="footprints"):
        layout_tiles([])


def test_the_model_says_what_it_saw_and_keeps_real_styles(model, generator):
    config = json.loads((model / "config.json").read_text())
    assert config["kind"] == "layout" and config["render"]["steps"] == 2
    assert config["tiles"] == TOWNS
    assert generator.styles[STYLES].shape == generator.styles[TONES].shape == (3, 6)


def test_drawn_colours_take_the_tone_of_a_real_place():
    rng = np.random.default_rng(1)
    picture = rng.integers(100, 160, (32, 32, 3), np.uint8)
    tone = np.array([0.3, 0.4, 0.5, 0.05, 0.04, 0.03], np.float32)
    found = tone_of(toned(picture, tone))
    assert np.allclose(found[:3], tone[:3], atol=0.004)
    assert found[3:].mean() == pytest.approx(tone[3:].mean(), abs=0.004)
    assert np.array_equal(toned(picture, tone_of(picture)), picture)
    assert (tone_of(np.zeros((4, 4, 3), np.uint8)) == 0).all()
    harsh = np.array([0.5, 0.5, 0.5, 0.3, 0.3, 0.3], np.float32)
    stretched = tone_of(toned(picture, harsh))[3:].mean() / tone_of(picture)[3:].mean()
    assert stretched == pytest.approx(LARGEST_STRETCH, rel=0.03)


def place():
    """``(64, 64, 3)`` uint8 and a house on it."""
    picture = np.random.default_rng(3).integers(40, 200, (64, 64, 3), np.uint8)
    return picture, [Building(polygon=box(*toys.BOXES[0]), level=None, uid="a")]


def labels(folder, count=2):
    """Labels ``town_{number}`` with footprints, whose pre images nobody reads."""
    for number in range(count):
        toys.write_pre(folder, f"town_{number:08d}")
    return sorted((folder / "labels").iterdir())


def test_labels_become_a_folder_that_a_build_takes(generator, tmp_path):
    places = labels(tmp_path / "given")

    def draw(out):
        return pres.write_pres(pres.labelled(places, seed=1), out, generator, seed=1)

    first, second = draw(tmp_path / "a")
    assert not np.array_equal(read_scene(first).pixels, read_scene(second).pixels)
    assert read_tags(first)["AFTERSCENE_SYNTHETIC"] == "true"
    assert len(find_sources(tmp_path / "a")) == 2
    label = read_label(tmp_path / "a" / "labels" / "town_00000000_pre_disaster.json")
    assert label.metadata["synthetic"] is True and label.buildings
    assert label.metadata["licence"] == "CC-BY-NC-SA-4.0"
    (again, _) = draw(tmp_path / "b")
    assert np.array_equal(read_scene(again).pixels, read_scene(first).pixels)


def test_a_stopped_call_goes_on_and_another_seed_is_refused(generator, tmp_path):
    places = labels(tmp_path / "given")
    pres.write_pres(pres.labelled(places[:1]), tmp_path / "a", generator)
    before = toys.files_of(tmp_path / "a")
    pres.write_pres(pres.labelled(places), tmp_path / "a", generator)
    after = toys.files_of(tmp_path / "a")
    assert before.items() <= after.items() and len(after) == len(before) + 2
    with pytest.raises(OutputConflict, match="seed"):
        pres.write_pres(pres.labelled(places), tmp_path / "a", generator, seed=9)


def test_a_label_gives_its_footprints_and_its_size(generator, tmp_path):
    toys.write_pre(tmp_path, "mine")
    label = tmp_path / "labels" / "mine_pre_disaster.json"
    (image,) = pres.write_pres(pres.labelled([label]), tmp_path / "out", generator)
    assert image.name == "mine_00000000_pre_disaster.png"
    assert read_scene(image).shape == (toys.SIDE, toys.SIDE)
    text = json.loads(label.read_text())
    del text["metadata"]["width"]
    label.write_text(json.dumps(text))
    with pytest.raises(BadLabel, match="height and width are 64 and None"):
        list(pres.labelled([label]))


def test_a_model_of_another_kind_is_refused(model):
    with pytest.raises(UnknownName, match="kind bridge; give the folder of a layout"):
        generators.load(shipped.find("default", "bridge"), "layout")
    with pytest.raises(UnknownName, match="kind layout; give the folder of a bridge"):
        generators.load(model)


def test_a_model_that_is_not_there_is_named():
    with pytest.raises(UnknownName, match="neither shipped"):
        generators.load("no-such", "layout")


def test_the_network_is_told_the_look_of_a_real_place(generator, monkeypatch):
    town, buildings = place()
    told, real = [], module.draw_scene

    def spy(model, picture, condition, **more):
        told.append(condition.style)
        return real(model, picture, condition, **more)

    monkeypatch.setattr(module, "draw_scene", spy)
    styles = {STYLES: np.array([[-0.3] * 6, [0.3] * 6], np.float32)}
    knowing = replace(generator, styles=styles)
    for seed in range(8):
        draw_pre(knowing, town, buildings, seed=seed)
    assert all(style.shape == (1, 6) for style in told)
    assert {round(float(style.mean()), 3) for style in told} == {-0.3, 0.3}


def test_invented_colours_begin_with_the_tone_of_a_real_place(generator, monkeypatch):
    town, buildings = place()
    begun, real = [], module.draw_scene

    def spy(model, picture, condition, **more):
        begun.append(tone_of(picture))
        return real(model, picture, condition, **more)

    monkeypatch.setattr(module, "draw_scene", spy)
    tone = np.array([0.6, 0.5, 0.4, 0.01, 0.01, 0.01], np.float32)
    knowing = replace(generator, styles={**generator.styles, TONES: tone[None]})
    draw_pre(knowing, town, buildings, seed=0)
    draw_pre(knowing, town, buildings, seed=0, drawn=False)
    assert np.allclose(begun[0][:3], tone[:3], atol=0.01)
    assert not np.allclose(begun[1][:3], tone[:3], atol=0.01)
