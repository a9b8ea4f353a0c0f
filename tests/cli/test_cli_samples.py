"""afterscene samples: what lies in the package, and a folder that the other commands take."""

from afterscene.geodata.xbd import XbdTree


def test_samples_are_listed_and_copied_to_a_folder_that_a_plan_takes(afterscene, tmp_path):
    listed = afterscene("samples", "list", "--json").json
    assert len(listed) == 8 and all(entry["buildings"] for entry in listed)
    made = afterscene("samples", "copy", tmp_path / "xbd", "coast", "farm", "--json").json
    assert [name.rpartition("/")[2].split("_")[0] for name in made["images"]] == ["coast", "farm"]
    assert len(XbdTree(tmp_path / "xbd").pairs()) == 2
    plan = ("--hazard", "all", "--count", 7, "--out", tmp_path / "plan.jsonl")
    outcome = afterscene("gbd", "plan", "--xbd", tmp_path / "xbd", *plan)
    assert outcome.code == 0, outcome.stderr


def test_a_name_that_is_no_sample_is_refused_with_the_known_ones(afterscene, tmp_path):
    outcome = afterscene("samples", "copy", tmp_path / "out", "moon")
    assert outcome.code == 2 and "moon" in outcome.stderr and "suburb" in outcome.stderr
