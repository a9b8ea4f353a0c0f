"""What a file was taken for, and why: said, listed in ``--json``, and decided by ``--role``."""

import json
import shutil

import pytest

from afterscene.geodata.scene import write_scene
from pictures import outlines, scene_of, town
from published import feature

NAMES = ("post/a.tif", "harbour_after.tif", "guard-post_12.tif", "march.tif", "june.tif")


@pytest.fixture
def plan(afterscene, tmp_path):
    """``plan(*options)`` on a folder with those five images, each with a label of its name."""
    pixels, boxes = town()
    scene = scene_of(pixels)
    (tmp_path / "labels").mkdir()
    for name in NAMES:
        path = tmp_path / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_scene(scene, path)
        features = [feature(s) for s in outlines(scene, boxes)[:9]]
        text = json.dumps({"type": "FeatureCollection", "features": features})
        (tmp_path / "labels" / f"{path.stem}.geojson").write_text(text)

    def run(*options):
        shutil.rmtree(tmp_path / "p.tiles", ignore_errors=True)
        flags = ("--images", tmp_path / "images", "--footprints", tmp_path / "labels")
        flags += ("--hazard", "wind", "--count", 1, "--out", tmp_path / "p.jsonl")
        return afterscene("gbd", "plan", *flags, *options)

    return run


def test_a_plan_says_what_it_took_for_what_and_why(plan):
    made = plan("--json")
    assert made.code == 0, made.stderr
    rows = {row["file"]: (row["role"], row["why"]) for row in made.json["roles"]}
    silent = "no word of before or after"
    assert rows == {
        "post/a.tif": ("post", "its folder post"),
        "harbour_after.tif": ("post", "its name"),
        "guard-post_12.tif": ("pre", silent),
        "march.tif": ("pre", silent),
        "june.tif": ("pre", silent),
        "guard-post_12.geojson": ("label", "it has the name of guard-post_12.tif"),
        "march.geojson": ("label", "it has the name of march.tif"),
        "june.geojson": ("label", "it has the name of june.tif"),
    }
    assert made.json["left_out"]["image taken for a post image"] == 2
    assert f"3 x taken for a pre image: {silent}\n" in made.stderr
    assert "1 x taken for a post image: its folder post\n" in made.stderr
    assert made.json["imagery"]["tiles"] == 3


def test_an_option_names_the_role(plan, refused):
    made = plan("--role", "post=june.tif", "--role", "pre=post/*", "--json")
    assert made.code == 0, made.stderr
    roles = {row["file"]: row["role"] for row in made.json["roles"] if row["role"] != "label"}
    expected = dict.fromkeys(NAMES, "pre") | {"june.tif": "post", "harbour_after.tif": "post"}
    assert roles == expected and made.json["imagery"]["tiles"] == 3
    refused(plan("--role", "post=*.png"), "post=*.png fits none of 5 images")
    refused(plan("--role", "june.tif"), "pre=PATTERN or post=PATTERN")
    refused(plan("--role", "post=*"), "contains no pre image", "--role")


def test_synthesize_says_which_label_goes_with_which_image(plan, afterscene, tmp_path):
    pre = [tmp_path / "images" / f"{name}.tif" for name in ("march", "june")]
    drawn = ("--hazard", "wind", "--json", "--out")
    made = afterscene("synthesize", *pre, "--labels", tmp_path / "labels", *drawn, tmp_path / "a")
    assert made.code == 0, made.stderr
    assert [(row["file"], row["role"], row["why"]) for row in made.json["roles"]] == [
        ("march.tif", "pre", "given as PRE"),
        ("june.tif", "pre", "given as PRE"),
        ("march.geojson", "label", "it has the name of march.tif"),
        ("june.geojson", "label", "it has the name of june.tif"),
    ]
    crossed = [
        x for n in ("june", "march") for x in ("--labels", tmp_path / "labels" / f"{n}.geojson")
    ]
    made = afterscene("synthesize", *pre, *crossed, *drawn, tmp_path / "b")
    assert made.code == 0, made.stderr
    assert "june.geojson is given for" in made.stderr and "has the name of" in made.stderr
    assert made.json["roles"][2]["why"] == "given for march.tif"
    assert len(made.json["warnings"]) == 2


def test_a_pre_image_that_is_named_after_is_said(plan, afterscene, tmp_path):
    pre = tmp_path / "images" / "harbour_after.tif"
    flags = ("--labels", tmp_path / "labels", "--hazard", "wind", "--out", tmp_path / "a")
    made = afterscene("synthesize", pre, *flags)
    assert made.code == 0 and "its name says after" in made.stderr
