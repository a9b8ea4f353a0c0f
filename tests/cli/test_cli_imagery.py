"""``gbd plan --images|--stac``, as a user meets it."""

import json

from pictures import picture


def test_tiles_are_planned_built_and_verified(tmp_path, afterscene):
    file, _, _ = picture(tmp_path, x=6, y=4)
    flags = ["--images", tmp_path / "pre", "--footprints", file, "--hazard", "wind", "--count", 2]
    planned = afterscene("gbd", "plan", *flags, "--out", tmp_path / "p.jsonl", "--json", "--quiet")
    assert planned.code == 0, planned.stderr
    assert planned.json["imagery"]["footprint_shifts"] == {"corrected": 1}
    built = afterscene("gbd", "build", "--plan", tmp_path / "p.jsonl", "--out", tmp_path / "out")
    assert built.code == 0, built.stderr
    assert afterscene("gbd", "verify", tmp_path / "out").code == 0
    rows = [json.loads(x) for x in (tmp_path / "out" / "manifest.jsonl").read_text().splitlines()]
    assert [row["footprint_shift"]["x"] for row in rows] == [-6, -6]


def test_the_plan_asks_for_one_kind_of_imagery_with_footprints(tmp_path, afterscene):
    flags = ["--hazard", "wind", "--count", 1, "--out", tmp_path / "p.jsonl"]
    for more, words in (
        ([], "--images"),
        (["--images", tmp_path], "--footprints is missing"),
        (["--images", tmp_path, "--stac", tmp_path, "--footprints", tmp_path], "exactly one of"),
        (["--xbd", tmp_path, "--footprints", tmp_path], "--xbd holds"),
    ):
        outcome = afterscene("gbd", "plan", *flags, *more)
        assert outcome.code == 2 and words in outcome.stderr, outcome.stderr
    assert not (tmp_path / "p.jsonl").exists()


def test_a_plan_that_failed_is_not_in_the_way_of_the_next(tmp_path, afterscene):
    file, _, _ = picture(tmp_path, x=6, y=4)
    empty = tmp_path / "empty.geojson"
    empty.write_text('{"type": "FeatureCollection", "features": []}')
    flags = ["--images", tmp_path / "pre", "--hazard", "wind", "--count", 1]
    flags += ["--out", tmp_path / "p.jsonl", "--quiet"]
    assert afterscene("gbd", "plan", *flags, "--footprints", empty).code == 2
    assert not (tmp_path / "p.tiles").exists()
    assert afterscene("gbd", "plan", *flags, "--footprints", file).code == 0
