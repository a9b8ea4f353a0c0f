"""``afterscene evaluate generator`` with the toy renderer and a detector of two steps."""

import json

import pytest
from tools.tables.rows import rows

from afterscene.detectors import DetectorConfig, fit
from afterscene.geodata.pair import read_pairs
from afterscene.lab.published import PublishedRow
from tests.lab import places

TINY = DetectorConfig(
    encoder="tiny", pretrained=False, width=8, steps=2, batch=1, crop=64, warmup=1
)


@pytest.fixture(scope="module")
def xbd(tmp_path_factory):
    return places.paired_tree(tmp_path_factory.mktemp("xbd"))


@pytest.fixture(scope="module")
def detector(xbd, tmp_path_factory):
    out = tmp_path_factory.mktemp("detector") / "real"
    fit(TINY, read_pairs(xbd, "train"), seed=0).save(out)
    return out


@pytest.fixture
def small(monkeypatch):
    """No seam probe: it renders a scene larger than a window."""
    monkeypatch.setattr("afterscene.lab.evaluation.seam_figures", lambda *_: None)


@pytest.mark.usefixtures("small")
def test_json_has_the_gap_and_every_candidate(afterscene, xbd, detector, tmp_path):
    out = tmp_path / "out"
    given = ("--xbd", xbd, "--split", "test", "--assessor", detector, "--limit", 2)
    outcome = afterscene("evaluate", "generator", *given, "--out", out, "--json")
    assert outcome.code == 0, outcome.stderr
    values = outcome.json
    assert "label_fidelity_gap_closed" in values and values["tiles"] == 2
    assert values["model"] == "default" and values["assessor"]["pairs_real"] == 2
    for found in values["candidates"].values():
        assert {
            "damage_f1",
            "f1",
            "by_hazard",
            "by_event",
            "distances",
            "unaffected_buildings",
            "outside_change",
            "seconds_per_scene",
            "tiles",
        } <= set(found)
    assert (out / "report.html").stat().st_size > 10_000
    found = [
        PublishedRow.from_json(row) for row in rows(json.loads((out / "results.json").read_text()))
    ]
    assert [row.name for row in found] == sorted(values["candidates"])
    assert all(row.values for row in found)
    again = afterscene("evaluate", "generator", *given, "--out", out, "--json")
    assert again.json["candidates"]["ours-edit"] == values["candidates"]["ours-edit"]


@pytest.mark.usefixtures("small")
def test_the_table_names_floor_and_ceiling(afterscene, xbd, detector):
    given = ("--xbd", xbd, "--split", "test", "--assessor", detector, "--limit", 1)
    text = afterscene("evaluate", "generator", *given, "--quiet").stdout
    for name in ("pre-as-post", "real post", "copy-paste", "gap closed", "Fréchet"):
        assert name in text
    assert "Report:" not in text


def test_a_detector_that_saw_synthetic_pairs_is_no_judge(afterscene, xbd, tmp_path):
    pairs = read_pairs(xbd, "train", synthetic=True)
    fit(TINY, pairs, seed=0).save(tmp_path / "biased")
    given = ("--xbd", xbd, "--split", "test", "--assessor", tmp_path / "biased")
    outcome = afterscene("evaluate", "generator", *given)
    assert outcome.code == 2 and "synthetic pairs" in outcome.stderr


@pytest.mark.parametrize("wrong", [("--split", "nowhere"), ("--split", "test", "--limit", "0")])
def test_bad_input_is_one_sentence(afterscene, xbd, detector, wrong):
    outcome = afterscene("evaluate", "generator", "--xbd", xbd, "--assessor", detector, *wrong)
    assert outcome.code == 2 and "Traceback" not in outcome.stderr
