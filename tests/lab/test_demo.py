"""The demo walks the whole way, says what is drawn, and goes on after a stop."""

import json
import shutil
import sys

import numpy as np
import pytest

import toys
from afterscene.detectors import DetectorConfig
from afterscene.errors import (
    BadParameter,
    MissingExtra,
    MissingFile,
    OutputConflict,
    UnknownName,
)
from afterscene.gbd import verify
from afterscene.gbd.rundir import MANIFEST, read_rows
from afterscene.geodata.scene import read_scene, read_tags
from afterscene.geodata.xbd import XbdTree, read_label
from afterscene.lab import comparison, demo
from afterscene.lab.protocol_report import compare_and_report
from afterscene.lab.protocols import PROTOCOLS
from afterscene.lab.towns import draw_pairs
from tests.generators import toy

TINY = demo.DemoConfig(
    hazards=("wildfire", "flood"),
    each=1,
    size=128,
    train=1,
    test=1,
    seeds=(0,),
    detector=DetectorConfig(
        encoder="tiny", pretrained=False, width=8, steps=2, batch=1, crop=64, warmup=1
    ),
)


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    out = tmp_path_factory.mktemp("demo") / "out"
    return demo.run_demo(out, toys.ToyGenerator(), seed=3, config=TINY)


def test_every_station_leaves_its_work(result):
    assert [p.id for p in XbdTree(result.folder / "towns").pairs("test")] == [
        "drawn-flood_00000001",
        "drawn-wildfire_00000001",
    ]
    for hazard in TINY.hazards:
        (verdict,) = verify(result.folder / "gbd" / hazard)
        assert verdict.verdict == "synthetic"
    assert result.pairs == 2


def test_the_page_stands_alone_and_says_what_is_drawn(result):
    page = result.report.read_text()
    assert "No real image was used here" in page
    assert "synthetic post (diffusion)" in page
    assert "the same damage, drawn" in page
    assert "data:image" in page
    assert 'src="http' not in page and 'href="http' not in page
    assert str(result.folder) not in page


def test_the_figures_are_those_of_the_comparison(result):
    values = json.loads(json.dumps(result.as_json()))
    (setting,) = values["settings"]
    assert [arm["name"] for arm in setting["arms"]] == ["oversampled", "gbd", "gbd-then-real"]
    assert [arm["synthetic"] for arm in setting["arms"]] == [0, 2, 2]
    assert f"{setting['arms'][0]['score']['mean']:.3f}" in result.verdict


def test_a_second_walk_makes_nothing_anew(result):
    before = toys.files_of(result.folder)

    class NeverAgain(toys.ToyGenerator):
        def render(self, *_, **__):
            raise AssertionError("rendered again")

    demo.run_demo(result.folder, NeverAgain(), seed=3, config=TINY)
    assert toys.files_of(result.folder) == before


def test_another_seed_in_the_same_folder_is_refused(result):
    with pytest.raises(OutputConflict, match="seed"):
        demo.run_demo(result.folder, toys.ToyGenerator(), seed=4, config=TINY)


def test_a_real_folder_takes_the_place_of_the_drawings(result, tmp_path):
    real = demo.run_demo(
        tmp_path / "out", toys.ToyGenerator(), xbd=result.folder / "towns", config=TINY
    )
    assert "No real image was used here" not in real.report.read_text()
    assert not (tmp_path / "out" / "towns").exists()


def test_a_real_place_beside_a_test_tile_is_left_out_and_named(result, tmp_path):
    tree = shutil.copytree(result.folder / "towns", tmp_path / "xbd")
    train, test = (XbdTree(tree).pairs(split)[0].id for split in ("train", "test"))
    for stem, north in ((train, 50.0), (test, 50.008)):  # 0.9 km
        at = toys.box_wkt(10, north, 10.0001, north + 0.0001)
        for path in tree.glob(f"labels/{stem}_*.json"):
            label = json.loads(path.read_text())
            label["features"]["lng_lat"] = [{**e, "wkt": at} for e in label["features"]["xy"]]
            path.write_text(json.dumps(label))
    made = demo.run_demo(tmp_path / "out", toys.ToyGenerator(), xbd=tree, config=TINY)
    (words,) = made.left_out
    assert words.startswith(f"source {train} lies 0.8")
    rows = [
        row for name in TINY.hazards for row in read_rows(made.folder / "gbd" / name / MANIFEST)
    ]
    assert rows and train not in {row["source"] for row in rows}


def test_a_folder_without_what_is_needed_is_refused_before_anything_is_made(tmp_path):
    tree = toys.toy_tree(tmp_path / "xbd")
    (tree / "splits.json").write_text('{"train": ["toy-town_00000000"]}')
    with pytest.raises(UnknownName, match="test"):
        demo.run_demo(tmp_path / "out", toys.ToyGenerator(), xbd=tree, config=TINY)
    with pytest.raises(MissingFile):
        demo.run_demo(tmp_path / "out", toys.ToyGenerator(), xbd=tmp_path / "none", config=TINY)
    assert not (tmp_path / "out").exists()


def test_without_matplotlib_the_extra_is_named_before_anything_is_made(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtra, match=r"afterscene\[lab\]"):
        demo.run_demo(tmp_path / "out", toys.ToyGenerator(), config=TINY)
    sources = comparison.Sources(xbd=tmp_path / "xbd")
    with pytest.raises(MissingExtra, match=r"afterscene\[lab\]"):
        compare_and_report(PROTOCOLS["given"], sources, tmp_path / "out", comparison.Work())
    assert not (tmp_path / "out").exists()


def test_a_demo_needs_at_least_one_of_each():
    with pytest.raises(BadParameter):
        demo.DemoConfig(seeds=())


def test_a_photographer_turns_the_towns_into_pre_images(tmp_path):
    """The same footprints, other pixels; the aftermath is drawn on what was photographed."""
    drawn = draw_pairs(tmp_path / "a", ["wind"], seed=1, size=96, splits={"train": 1})
    seen = draw_pairs(
        tmp_path / "b",
        ["wind"],
        seed=1,
        size=96,
        splits={"train": 1},
        photograph=lambda town, buildings, seed: town.replace(pixels=255 - town.pixels),
    )
    one, other = (XbdTree(tree).pairs("train")[0] for tree in (drawn, seen))
    pres = [read_scene(pair.pre).rgb() for pair in (one, other)]
    posts = [read_scene(pair.post).rgb().astype(int) for pair in (one, other)]
    assert np.array_equal(pres[1], 255 - pres[0])
    assert np.abs(posts[1] - pres[1]).mean() < np.abs(posts[1] - posts[0]).mean()
    assert read_label(one.pre_label).buildings == read_label(other.pre_label).buildings


def test_the_demo_takes_the_photographer_and_says_so(tmp_path):
    out = tmp_path / "out"
    made = demo.run_demo(
        out, toys.ToyGenerator(), photographer=toy.generator(), seed=3, config=TINY
    )
    assert "which a diffusion model turned into pre images" in made.report.read_text()
    with pytest.raises(OutputConflict):  # other pre images: another demo
        demo.run_demo(out, toys.ToyGenerator(), seed=3, config=TINY)


def test_drawn_files_say_that_they_are_no_photographs(tmp_path):
    tree = draw_pairs(tmp_path, ["wind"], seed=1, size=96, splits={"train": 1})
    (pair,) = XbdTree(tree).pairs("train")
    for path in (pair.pre, pair.post, pair.target):
        assert read_tags(path)["AFTERSCENE_SYNTHETIC"] == "true"
    for label in (pair.pre_label, pair.post_label):
        assert read_label(label).metadata["synthetic"] is True
        assert "drawn" in read_label(label).metadata


def test_drawn_pairs_are_a_function_of_the_seed(tmp_path):
    made = [
        toys.files_of(
            draw_pairs(tmp_path / str(k), ["wind"], seed=seed, size=96, splits={"train": 1})
        )
        for k, seed in enumerate((1, 1, 2))
    ]
    assert made[0] == made[1] != made[2]
