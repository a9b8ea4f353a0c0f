"""Another package adds a format to hand sets on in, and a kind of footprint file."""

import json

import pytest
import shapely
from tests.plugins import BOXES, NAMES, NOTHING, install

import toys
from afterscene.gbd import find_sources
from afterscene.gbd.export import EXPORTERS, Exporter
from afterscene.geodata.mapped import READERS, FootprintReader, iterate_footprints
from pictures import picture


@pytest.fixture
def exporter(tmp_path, monkeypatch):
    install(tmp_path / "site", monkeypatch, "other", "exporters:names=tests.plugins:NAMES")


@pytest.fixture
def reader(tmp_path, monkeypatch):
    install(tmp_path / "site", monkeypatch, "other", "footprints:boxes=tests.plugins:BOXES")


def test_what_is_registered_keeps_its_role():
    assert all(isinstance(thing, Exporter) for thing in (*EXPORTERS.values(), NAMES))
    assert all(isinstance(thing, FootprintReader) for thing in (*READERS.values(), BOXES))
    assert not isinstance(NOTHING, Exporter) and not isinstance(NOTHING, FootprintReader)


@pytest.mark.usefixtures("exporter")
def test_a_set_is_exported_in_the_format_of_another_package(afterscene, tmp_path):
    toys.synthesize(find_sources(toys.toy_tree(tmp_path / "xbd")), "wind", tmp_path / "set")
    flags = ("--format", "names", "--out", tmp_path / "out", "--json")
    outcome = afterscene("gbd", "export", tmp_path / "set", *flags)
    assert outcome.code == 0, outcome.stderr
    assert outcome.json["files"] == ["names.txt"]
    lines = (tmp_path / "out" / "names.txt").read_text().splitlines()
    assert [line.split()[0] for line in lines] == [f"toy-town_{k:08d}" for k in range(3)]


@pytest.mark.usefixtures("reader")
@pytest.mark.parametrize("own", [False, True], ids=["one file", "a file a picture"])
def test_tiles_are_cut_with_the_footprints_of_another_package(afterscene, tmp_path, own):
    file, _, boxes = picture(tmp_path)
    lines = [" ".join(map(str, f.outline.bounds)) for f in iterate_footprints(file)]
    (image,) = (tmp_path / "pre").iterdir()
    (tmp_path / "mine").mkdir()
    path = tmp_path / "mine" / f"{image.stem}.boxes"
    path.write_text("\n".join(["BOXES", *lines]))
    flags = ["--images", tmp_path / "pre", "--hazard", "wind", "--count", 1]
    flags += ["--footprints", path.parent if own else path, "--out", tmp_path / "p.jsonl"]
    outcome = afterscene("gbd", "plan", *flags, "--json", "--quiet")
    assert outcome.code == 0, outcome.stderr
    (label,) = (tmp_path / "p.tiles" / "labels").iterdir()
    assert len(json.loads(label.read_text())["features"]["xy"]) == len(boxes)


@pytest.mark.usefixtures("reader")
def test_a_box_of_interest_holds_for_the_footprints_of_another_package(tmp_path):
    path = tmp_path / "two.boxes"
    path.write_text("BOXES\n10 50 10.1 50.1\n20 50 20.1 50.1\n")
    (found,) = iterate_footprints(path, (9.0, 49.0, 11.0, 51.0))
    assert found.outline.equals(shapely.box(10, 50, 10.1, 50.1)) and found.source == "surveyor"
