"""The samples of the package: read like any xBD folder, small, and never to be taken for real."""

import numpy as np
import pytest

import toys
from afterscene import gbd, samples
from afterscene.errors import OutputConflict, UnknownName
from afterscene.gbd.pair import MARK
from afterscene.geodata.damage import rasterize
from afterscene.geodata.scene import read_tags
from afterscene.geodata.xbd import XbdTree, read_label

NAMES = (
    *("coast", "dense-city", "farm", "forest-edge"),
    *("hillside", "industry", "river", "suburb"),
)


def test_there_are_eight():
    assert samples.names() == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_is_a_picture_with_whole_buildings_and_no_place(name):
    scene, buildings = samples.read_sample(name)
    assert scene.shape == (512, 512) and scene.bands == 3 and scene.valid.all()
    assert scene.crs is None and scene.transform is None
    assert len(buildings) >= 15
    assert all(b.level is None and b.lnglat is None and b.polygon.is_valid for b in buildings)
    bounds = np.array([b.polygon.bounds for b in buildings])
    assert bounds.min() >= 0 and bounds.max() <= 511
    share = (rasterize(buildings, scene.shape) > 0).mean()
    assert 0.01 < share < 0.6


def test_every_file_says_that_it_is_synthetic_and_whose_licence_holds():
    for pair in XbdTree(samples.folder()).pairs():
        metadata = read_label(pair.pre_label).metadata
        assert read_tags(pair.pre)[MARK] == "true" and metadata["synthetic"] is True
        assert metadata["licence"] == "CC-BY-NC-SA-4.0"
        assert metadata["model"] == read_tags(pair.pre)["SOURCE"]
        assert (metadata["width"], metadata["height"]) == (512, 512)
        assert metadata["img_name"] == pair.pre.name


def test_all_together_are_at_most_two_megabytes():
    files = [path for path in samples.folder().rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files if path.suffix != ".pyc") <= 2_000_000


def test_a_copy_goes_through_a_build_and_its_check(tmp_path):
    (image,) = samples.copy(tmp_path / "xbd", ["farm", "farm"])
    assert image.is_file() and (tmp_path / "xbd" / "README.md").is_file()
    assert samples.copy(tmp_path / "xbd", ["farm"]) == [image]
    sources = gbd.find_sources(tmp_path / "xbd")
    assert [source.event for source in sources] == ["farm"]
    plan = gbd.draw_plan(sources, gbd.PlanConfig(hazards=("flood",), count=1, seed=1))
    made = tmp_path / "gbd"
    gbd.build(plan, made, toys.ToyGenerator(), rendering=gbd.Rendering())
    assert [found.verdict for found in gbd.verify(made)] == ["synthetic"]
    for image in (made / "images").iterdir():  # the pre image is synthetic, too
        assert read_tags(image)[MARK] == "true"


def test_a_wrong_name_and_a_folder_of_ones_own_are_refused(tmp_path):
    with pytest.raises(UnknownName, match=r"moon.*coast"):
        samples.read_sample("moon")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("mine")
    with pytest.raises(OutputConflict, match="mine"):
        samples.copy(tmp_path / "mine")
    samples.copy(tmp_path / "one", ["farm"])
    with pytest.raises(OutputConflict):
        samples.copy(tmp_path / "one", ["coast"])
