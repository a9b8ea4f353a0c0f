"""A label or target of another size than its image, through the commands that read it."""

import json
import re

import numpy as np
import pytest
from PIL import Image

import toys
from afterscene.errors import BadLabel
from afterscene.geodata import read_pair
from afterscene.geodata.xbd import XbdTree


@pytest.fixture
def pairs(tmp_path):
    """An xBD folder of one labelled pair of 64 x 64 pixels, whose labels say 128 x 128."""
    root = tmp_path / "xbd"
    stem = "toy-town_00000000"
    pre = toys.write_pre(root, stem)
    Image.open(pre).rotate(180).save(root / "images" / f"{stem}_post_disaster.png")
    boxes = [toys.box_wkt(*b) for b in toys.BOXES]
    for when, word in (("pre", None), ("post", "destroyed")):
        text = toys.label_text(boxes, f"{stem}_{when}_disaster", word, side=128)
        (root / "labels" / f"{stem}_{when}_disaster.json").write_text(text)
    return root


BOTH = ("128 x 128 pixels (its metadata)", "has 64 x 64", "resample both alike")


def test_every_command_refuses_a_label_of_another_size_with_both(
    afterscene, pairs, quick_model, refused, tmp_path
):
    pre, post = (pairs / "images" / f"toy-town_00000000_{w}_disaster.png" for w in ("pre", "post"))
    label = pairs / "labels" / f"{pre.stem}.json"
    out, drawn = ("--out", tmp_path / "out"), ("--hazard", "wind")
    refused(afterscene("synthesize", pre, "--labels", label, *drawn, *out), label, pre, *BOTH)
    refused(afterscene("gbd", "build", "--xbd", pairs, *drawn, "--count", 1, *out), label, *BOTH)
    plan = ("gbd", "plan", *drawn, "--count", 1, "--out", tmp_path / "plan.jsonl")
    refused(afterscene(*plan, "--xbd", pairs), label, *BOTH)
    refused(afterscene(*plan, "--images", pre.parent, "--footprints", label.parent), label, *BOTH)
    files = ("--pre", pre, "--post", post, "--footprints", label, "--model", quick_model)
    refused(afterscene("assess", *files, "-o", tmp_path / "x.gpkg"), label, *BOTH)
    of_post = pairs / "labels" / f"{post.stem}.json"
    for verb in (("score",), ("predict", *out), ("fit", *out, "--set", "steps=1")):
        model = () if verb[0] == "fit" else ("--model", quick_model)
        refused(afterscene("detect", *verb, *model, "--xbd", pairs), of_post, *BOTH)


def test_a_label_for_a_folder_of_pictures_is_told_where_it_belongs(
    afterscene, pairs, refused, tmp_path
):
    label = pairs / "labels" / "toy-town_00000000_pre_disaster.json"
    flags = ("--images", pairs / "images", "--footprints", label, "--hazard", "wind")
    made = afterscene("gbd", "plan", *flags, "--count", 1, "--out", tmp_path / "p.jsonl")
    refused(made, label, "put it into a folder under the name of that picture")


SAID = {
    "text": ({"width": "128", "height": "64"}, "128 x 64 pixels"),
    "one alone": ({"width": 128}, "128 x ? pixels"),
    "turned": ({"width": 64, "height": 32}, "64 x 32 pixels"),
    "huge": ({"width": 1e12, "height": 64}, "1e+12 x 64 pixels"),
    "part of a pixel": ({"width": 64.5, "height": 64}, "64.5 x 64 pixels"),
}
EQUAL = (
    *({}, {"width": 64.0, "height": 64}, {"width": "64", "height": "64"}, {"width": 64}),
    *(
        {"width": 0, "height": 0},
        {"width": True},
        {"width": None},
        {"width": "wide"},
        {"width": []},
    ),
)


@pytest.mark.parametrize("case", SAID)
def test_however_the_size_is_written_another_one_is_refused(pairs, case):
    metadata, words = SAID[case]
    (pair,) = with_metadata(pairs, metadata)
    with pytest.raises(BadLabel, match=f"{re.escape(words)} .*has 64 x 64"):
        read_pair(pair)


@pytest.mark.parametrize("metadata", EQUAL)
def test_the_same_size_and_none_are_taken(pairs, metadata):
    (pair,) = with_metadata(pairs, metadata)
    assert len(read_pair(pair).buildings) == len(toys.BOXES)


def with_metadata(root, metadata):
    """The pairs of the folder, whose labels have these metadata."""
    for path in (root / "labels").iterdir():
        document = json.loads(path.read_text())
        path.write_text(json.dumps({**document, "metadata": metadata}))
    return XbdTree(root).pairs()


def test_the_size_before_resampling_is_no_matter(pairs):
    for path in (pairs / "labels").iterdir():
        document = json.loads(path.read_text())
        document["metadata"] |= {"original_width": 1024, "original_height": 1024}
        document["metadata"] |= {"width": 64, "height": 64}
        path.write_text(json.dumps(document))
    (pair,) = XbdTree(pairs).pairs()
    assert len(read_pair(pair).buildings) == len(toys.BOXES)


def test_a_target_of_another_size_is_refused_with_both(pairs):
    (pairs / "targets").mkdir()
    for path in (pairs / "labels").iterdir():
        path.unlink()
    target = Image.fromarray(np.ones((32, 48), np.uint8))
    target.save(pairs / "targets" / "toy-town_00000000_post_disaster_target.png")
    (pair,) = XbdTree(pairs).pairs()
    with pytest.raises(BadLabel, match=r"48 x 32 pixels, but .* 64 x 64"):
        read_pair(pair)
