"""``afterscene gbd plan`` and ``gbd tile``, and ``gbd build --plan``, as a user meets them."""

import json

import pytest

import toys


@pytest.fixture
def planned(afterscene, tree, tmp_path):
    out = tmp_path / "plan.jsonl"
    flags = ["--xbd", tree, "--hazard", "wind", "--hazard", "flood", "--count", 5, "--out", out]
    outcome = afterscene("gbd", "plan", *flags, "--seed", 3, "--shard-size", 2, "--json")
    assert outcome.code == 0, outcome.stderr
    assert outcome.json["hazards"] == {"wind": 3, "flood": 2}
    return out


def test_plan_build_tile_and_verify(planned, afterscene, tmp_path):
    built = afterscene("gbd", "build", "--plan", planned, "--out", tmp_path / "out", "--json")
    assert (built.code, built.json["made"]) == (0, 5), built.stderr
    assert afterscene("gbd", "verify", tmp_path / "out").code == 0
    name = built.json["pairs"][3]["id"]
    one = afterscene("gbd", "tile", name, "--plan", planned, "--out", tmp_path / "one", "--json")
    assert one.code == 0, one.stderr
    assert one.json["pairs"] == [built.json["pairs"][3]]
    whole, single = (toys.files_of(tmp_path / folder) for folder in ("out", "one"))
    images = {k: v for k, v in single.items() if k.startswith("images")}
    assert len(images) == 2 and images.items() <= whole.items()


def test_all_hazards_take_turns(afterscene, tree, tmp_path):
    out = tmp_path / "plan.jsonl"
    flags = ["--xbd", tree, "--hazard", "all", "--count", 9, "--out", out, "--json"]
    counts = afterscene("gbd", "plan", *flags).json["hazards"]
    assert len(counts) >= 6 and sum(counts.values()) == 9


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--plan", "no-such.jsonl"], ["no-such.jsonl", "gbd plan"]),
        (["--plan", "PLAN", "--hazard", "wind"], ["--hazard", "fixed by the plan"]),
        (["--plan", "PLAN", "--workers", "0"], ["number of workers is 0"]),
        (["--plan", "PLAN", "--workers", "2", "--ray", "local"], ["exclude"]),
        ([], ["--xbd is missing"]),
    ],
)
def test_bad_options_are_one_sentence(planned, afterscene, tmp_path, flags, words):
    flags = [planned if flag == "PLAN" else flag for flag in flags]
    outcome = afterscene("gbd", "build", *flags, "--out", tmp_path / "out", "--quiet")
    assert outcome.code == 2
    assert outcome.stderr.count("\n") == 1
    for word in words:
        assert word in outcome.stderr
    assert not (tmp_path / "out").exists()


def test_an_unknown_tile_and_an_unknown_hazard_are_named(planned, afterscene, tree, tmp_path):
    out = tmp_path / "x"
    outcome = afterscene("gbd", "tile", "town_9", "--plan", planned, "--out", out)
    assert outcome.code == 2 and "town_9" in outcome.stderr
    flags = ["--xbd", tree, "--hazard", "snow", "--count", 1, "--out", out]
    outcome = afterscene("gbd", "plan", *flags)
    assert outcome.code == 2 and "snow" in outcome.stderr and not out.exists()


def test_a_plan_is_lines_of_json(planned):
    head, *shards = map(json.loads, planned.read_text().splitlines())
    assert (head["count"], [len(s) for s in shards]) == (5, [2, 2, 1])
