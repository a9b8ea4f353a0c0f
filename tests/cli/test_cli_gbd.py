"""``afterscene gbd build`` and ``gbd verify`` as a user meets them."""

import pytest

import toys
from afterscene.geodata.xbd import XbdTree


@pytest.fixture
def build(afterscene, tree, tmp_path):
    def run(*more, **changes):
        options = {
            "xbd": tree,
            "split": "train",
            "hazard": "wildfire",
            "count": 3,
            "seed": 5,
            "out": tmp_path / "out",
        } | changes
        flags = [x for k, v in options.items() if v is not None for x in (f"--{k}", v)]
        return afterscene("gbd", "build", *flags, *more)

    return run


def test_build_then_verify(build, afterscene, tmp_path):
    outcome = build("--json", "--quiet")
    assert outcome.code == 0, outcome.stderr
    assert outcome.stderr == ""
    assert outcome.json["made"] == 3
    assert len(XbdTree(tmp_path / "out").pairs()) == 3
    verdicts = afterscene("gbd", "verify", tmp_path / "out", "--json")
    assert verdicts.code == 0
    assert [v["verdict"] for v in verdicts.json] == ["synthetic"] * 3
    next((tmp_path / "out" / "targets").glob("*post*")).unlink()
    again = afterscene("gbd", "verify", tmp_path / "out")
    assert again.code == 1
    assert "missing" in again.stdout


def test_the_same_command_again_goes_on_and_says_so(build, tmp_path):
    build()
    before = toys.files_of(tmp_path / "out")
    outcome = build("--json")
    assert (outcome.code, outcome.json["made"], outcome.json["already_there"]) == (0, 0, 3)
    assert toys.files_of(tmp_path / "out") == before


def test_a_fixed_severity_holds_for_all_pairs(build):
    outcome = build("--json", severity=0.6)
    assert {row["severity"] for row in outcome.json["pairs"]} == {0.6}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"hazard": "snow"}, ["snow", "wildfire"]),
        ({"severity": 2}, ["severity", "2"]),
        ({"count": 0}, ["count", "0"]),
        ({"split": "no-such"}, ["no-such", "train"]),
        ({"xbd": "no/such/folder"}, ["no/such/folder"]),
    ],
)
def test_bad_options_are_one_sentence_and_write_nothing(build, tmp_path, changes, words):
    outcome = build(**changes)
    assert outcome.code == 2
    assert outcome.stderr.count("\n") == 1
    for word in words:
        assert word in outcome.stderr
    assert not (tmp_path / "out").exists()


def test_another_run_in_the_folder_is_refused(build, tmp_path):
    build()
    before = toys.files_of(tmp_path / "out")
    outcome = build(seed=6)
    assert outcome.code == 2
    assert "seed" in outcome.stderr
    assert toys.files_of(tmp_path / "out") == before


def test_skip_builds_the_rest(build, tree):
    (tree / "labels" / "toy-town_00000002_pre_disaster.json").write_text("nonsense")
    assert build().code == 2
    outcome = build("--on-error", "skip", "--json")
    assert outcome.code == 0
    assert outcome.json["made"] == 2
    assert len(outcome.json["skipped"]) == 1
