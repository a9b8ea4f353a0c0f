"""The demo walks the whole way, says what is synthetic, and goes on after a stop."""

import json
import sys

import pytest
import torch

import toys
from afterscene import samples
from afterscene.detectors import Detector, DetectorConfig
from afterscene.detectors.detector import build_network
from afterscene.errors import BadParameter, MissingExtra, MissingFile, OutputConflict, UnknownName
from afterscene.gbd import verify
from afterscene.gbd.rundir import MANIFEST, read_rows
from afterscene.hazards import HAZARDS
from afterscene.lab import comparison, demo
from afterscene.lab.protocol_report import compare_and_report
from afterscene.lab.protocols import PROTOCOLS
from afterscene.lab.published import published

TOY = DetectorConfig(encoder="tiny", pretrained=False, width=8, steps=2, batch=1, crop=64, warmup=1)
TINY = demo.DemoConfig(
    hazards=("wildfire", "flood"), each=1, held=("suburb",), detector=TOY, seeds=(0,)
)


def assessor():
    """A detector that knows nothing."""
    torch.manual_seed(0)
    return Detector(build_network(TOY), TOY)


def walk(out, generator=None, **more):
    return demo.run_demo(
        out, generator or toys.ToyGenerator(), assessor(), **{"seed": 3, "config": TINY, **more}
    )


@pytest.fixture(scope="module")
def heard():
    """Percents and words that the bar heard."""
    return [], []


@pytest.fixture(scope="module")
def result(tmp_path_factory, heard):
    bar = demo.Bar(advance=heard[0].append, say=heard[1].append)
    return walk(tmp_path_factory.mktemp("demo") / "out", bar=bar)


@pytest.fixture
def real(tmp_path):
    """A tree of pairs that stand for real ones, one to train and one to test on."""
    tree = samples.copy(tmp_path / "plain", ["farm", "coast"])[0].parents[1]
    folder = tmp_path / "xbd"
    for number, place in enumerate(("farm", "coast")):
        for kind in ("images", "labels"):
            (folder / kind).mkdir(parents=True, exist_ok=True)
            (path,) = (tree / kind).glob(f"{place}_*")
            for when in ("pre", "post"):
                name = f"toy-town_{number:08d}_{when}_disaster{path.suffix}"
                text = path.read_bytes()
                if kind == "labels" and when == "post":
                    label = json.loads(text)
                    for one in label["features"]["xy"]:
                        one["properties"]["subtype"] = "no-damage"
                    text = json.dumps(label).encode()
                (folder / kind / name).write_bytes(text)
    split = {"train": ["toy-town_00000000"], "test": ["toy-town_00000001"]}
    (folder / "splits.json").write_text(json.dumps(split))
    return folder


def test_every_station_leaves_its_work(result):
    assert {path.name for path in result.folder.iterdir()} >= {
        *("samples", "gbd", "opinion", "detector", "report.html")
    }
    assert [found.verdict for found in verify(result.folder / "gbd")] == ["synthetic"] * 2
    assert result.pairs == 2 and len(list((result.folder / "opinion").iterdir())) == 2


def test_the_page_stands_alone_and_says_what_is_synthetic(result):
    page = result.report.read_text()
    assert "No such town exists" in page and "2 synthetic" in page
    assert "does not show that the pairs help on real images" in " ".join(page.split())
    assert "data:image" in page
    assert 'src="http' not in page and 'href="http' not in page
    assert str(result.folder) not in page
    for command in demo.NEXT:
        assert command in page


def test_the_gain_on_a_real_event_is_shown_as_measured_before_with_all_that_qualifies_it(result):
    page = " ".join(result.report.read_text().split())
    known = published("unseen-wind")
    assert "Measured before" in page and known.date in page
    for words in known.caveats:
        assert words.replace("`", "") in page
    for row in known.rows:
        assert row.values["score"].told() in page


def test_what_is_asked_is_held_against_what_is_seen_building_by_building(result):
    for name, table in result.opinion.tables.items():
        asked = [row for row in read_rows(result.folder / "gbd" / MANIFEST)]
        (levels,) = (row["levels"] for row in asked if row["hazard"] == name)
        assert table.shape == (4, 4) and 0 < table.sum() <= sum(levels.values())
    assert f"{result.opinion.table.sum():,} buildings" in result.verdict[0]


def test_a_detector_is_scored_on_places_that_it_never_saw(result):
    learned = result.learned
    assert [entry.event for entry in learned.held] == ["suburb"] and learned.pairs == 1
    assert learned.detector.provenance["pairs_synthetic"] == 1
    values = json.loads(json.dumps(result.as_json()))
    assert values["learned"]["objects"]["buildings"] > 0 and values["compared"] is None


def test_one_bar_goes_from_nothing_to_all(result, heard):
    percents, words = heard
    assert sum(percents) == 100 and all(step > 0 for step in percents)
    assert [said[:6] for said in words] == [f"{k} of 4" for k in range(1, 5)]


def test_a_second_walk_makes_nothing_anew(result):
    before = toys.files_of(result.folder)

    class NeverAgain(toys.ToyGenerator):
        def render(self, *_, **__):
            raise AssertionError("rendered again")

    walk(result.folder, NeverAgain())
    assert toys.files_of(result.folder) == before


def test_another_seed_in_the_same_folder_is_refused(result):
    with pytest.raises(OutputConflict, match="seed"):
        walk(result.folder, seed=4)


def test_every_hazard_strikes_and_moves_on_from_place_to_place(tmp_path):
    config = demo.DemoConfig(each=2)
    items = list(demo._plan(demo._samples(tmp_path / "s"), config, 0).items)
    for first, second in zip(items[: len(HAZARDS)], items[len(HAZARDS) :], strict=True):
        assert first.hazard == second.hazard and first.source != second.source
    assert {item.hazard for item in items} == {*HAZARDS}
    held = [item for item in items if item.source.event in config.held]
    assert 1 < len(held) < len(items) / 2


def test_on_real_pairs_the_worth_is_measured(real, tmp_path):
    made = walk(tmp_path / "out", xbd=real)
    (setting,) = made.as_json()["compared"]["settings"]
    assert [arm["name"] for arm in setting["arms"]] == ["oversampled", "gbd", "gbd-then-real"]
    assert [arm["synthetic"] for arm in setting["arms"]] == [0, 2, 2]
    page = made.report.read_text()
    assert "No such town exists" not in page and "Measured before" not in page
    assert f"{setting['arms'][0]['score']['mean']:.3f}" in " ".join(made.verdict)
    assert not (tmp_path / "out" / "samples").exists()


def test_a_real_place_beside_a_test_tile_is_left_out_and_named(real, tmp_path):
    for path in sorted(real.glob("labels/toy-town_00000000_*")):
        for other, north in ((path.name, 50.0), (path.name.replace("_00000000", "_00000002"), 51)):
            label = json.loads(path.read_text())
            at = toys.box_wkt(10, north, 10.0001, north + 0.0001)
            label["features"]["lng_lat"] = [{**e, "wkt": at} for e in label["features"]["xy"]]
            (real / "labels" / other).write_text(json.dumps(label))
    for path in sorted(real.glob("images/toy-town_00000000_*")):
        other = samples.folder() / "images" / "river_00000000_pre_disaster.jpg"
        path.with_name(path.name.replace("_00000000", "_00000002")).write_bytes(other.read_bytes())
    for path in real.glob("labels/toy-town_00000001_*"):
        label = json.loads(path.read_text())
        at = toys.box_wkt(10, 50.008, 10.0001, 50.0081)  # 0.9 km from the first
        label["features"]["lng_lat"] = [{**e, "wkt": at} for e in label["features"]["xy"]]
        path.write_text(json.dumps(label))
    split = {"train": ["toy-town_00000000", "toy-town_00000002"], "test": ["toy-town_00000001"]}
    (real / "splits.json").write_text(json.dumps(split))
    made = walk(tmp_path / "out", xbd=real)
    (words,) = made.left_out
    assert words.startswith("source toy-town_00000000 lies 0.8")
    rows = read_rows(made.folder / "gbd" / MANIFEST)
    assert {row["source"] for row in rows} == {"toy-town_00000002"}


def test_a_folder_without_what_is_needed_is_refused_before_anything_is_made(tmp_path):
    tree = toys.toy_tree(tmp_path / "xbd")
    (tree / "splits.json").write_text('{"train": ["toy-town_00000000"]}')
    with pytest.raises(UnknownName, match="test"):
        walk(tmp_path / "out", xbd=tree)
    with pytest.raises(MissingFile):
        walk(tmp_path / "out", xbd=tmp_path / "none")
    assert not (tmp_path / "out").exists()


def test_without_matplotlib_the_extra_is_named_before_anything_is_made(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtra, match=r"afterscene\[lab\]"):
        walk(tmp_path / "out", xbd=tmp_path / "xbd")
    sources = comparison.Sources(xbd=tmp_path / "xbd")
    with pytest.raises(MissingExtra, match=r"afterscene\[lab\]"):
        compare_and_report(PROTOCOLS["given"], sources, tmp_path / "out", comparison.Work())
    assert not (tmp_path / "out").exists()


def test_a_demo_needs_at_least_one_of_each():
    with pytest.raises(BadParameter):
        demo.DemoConfig(seeds=())
