"""Pairs that a command cannot use are counted, with the reason, on stderr and in ``--json``."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

import toys
from afterscene.geodata.leftout import (
    NO_BUILDING,
    NO_LABEL,
    NO_LEVELS,
    NO_POST,
    NO_PRE,
    UNNAMED,
)

BOXES = [toys.box_wkt(*b) for b in toys.BOXES]


def add(root, number, *, pre=True, post=True, pre_label=True, post_label=True, boxes=BOXES):
    """One pair of an xBD folder, or what there is of it."""
    stem = f"toy-town_{number:08d}"
    image = toys.write_pre(root, stem, seed=number, wkts=boxes)
    label = root / "labels" / f"{image.stem}.json"
    if post:
        after = image.with_name(f"{stem}_post_disaster.png")
        Image.open(image).rotate(180).save(after)
    if post_label:
        text = toys.label_text(boxes, f"{stem}_post_disaster", "destroyed")
        (root / "labels" / f"{stem}_post_disaster.json").write_text(text)
    for there, path in ((pre, image), (pre and pre_label, label)):
        if not there:
            path.unlink()


@pytest.fixture
def xbd(tmp_path):
    """Two whole pairs, and one of each kind that something cannot use."""
    root = tmp_path / "xbd"
    for number in (0, 1):
        add(root, number)
    add(root, 2, post=False, post_label=False)
    add(root, 3, post_label=False)
    add(root, 4, pre=False)
    add(root, 5, pre_label=False)
    add(root, 6, boxes=[])
    for name in ("town_a.png", "toy-town_00000009_during_disaster.png"):
        Image.fromarray(np.zeros((64, 64, 3), np.uint8)).save(root / "images" / name)
    return root


EITHER = {NO_PRE: 1, UNNAMED: 2}
DRAWN = EITHER | {NO_LABEL: 1, NO_BUILDING: 1}
LEARNED = EITHER | {NO_POST: 1, NO_LEVELS: 1}


def says(outcome, expected):
    assert outcome.code == 0, outcome.stderr
    assert outcome.json["left_out"] == expected
    for reason, count in expected.items():
        assert f"{count} x {reason}\n" in outcome.stderr


def test_build_and_plan_count_what_they_cannot_draw_on(afterscene, xbd, tmp_path):
    flags = ("--xbd", xbd, "--hazard", "wind", "--count", 5, "--json")
    says(afterscene("gbd", "build", *flags, "--out", tmp_path / "gbd"), DRAWN)
    says(afterscene("gbd", "plan", *flags, "--out", tmp_path / "plan.jsonl"), DRAWN)


def test_detectors_count_what_they_cannot_learn_from(afterscene, xbd, quick_model, tmp_path):
    steps = ("--set", "steps=1", "--set", "encoder=tiny")
    fit = afterscene("detect", "fit", "--xbd", xbd, "--out", tmp_path / "fit", *steps, "--json")
    says(fit, LEARNED)
    assert fit.json["pairs"] == 4
    score = afterscene("detect", "score", "--xbd", xbd, "--model", quick_model, "--json")
    says(score, LEARNED)
    assert score.json["pairs"] == 4
    out = ("--out", tmp_path / "out")
    found = afterscene("detect", "predict", "--xbd", xbd, "--model", quick_model, *out, "--json")
    says(found, EITHER | {NO_POST: 1})
    assert len(found.json["predictions"]) == 5


def test_train_counts_too(afterscene, xbd, tmp_path):
    (xbd / "splits.json").write_text(
        json.dumps({"train": [f"toy-town_{n:08d}" for n in (0, 1, 2, 3)]})
    )
    flags = ("--data", xbd, "--set", "steps=1", "--set", "encoder=tiny", "--json")
    made = afterscene("train", "tiny", *flags, "--out", tmp_path / "run")
    says(made, {NO_POST: 1, NO_LEVELS: 1})
    assert made.json["pairs"] == 2


def test_where_nothing_is_left_the_reasons_stand_in_the_sentence(
    afterscene, xbd, quick_model, refused, tmp_path
):
    shutil.rmtree(xbd / "labels")
    flags = ("--xbd", xbd, "--model", quick_model)
    refused(
        afterscene("detect", "score", *flags), "no pair has a post image and its label", NO_LEVELS
    )
    steps = ("--set", "steps=1", "--out", tmp_path / "f")
    refused(afterscene("detect", "fit", "--xbd", xbd, *steps), f"5 x {NO_LEVELS}")
    for path in (xbd / "images").glob("*_post_*"):
        path.unlink()
    refused(afterscene("detect", "predict", *flags, "--out", tmp_path / "o"), f"6 x {NO_POST}")
    drawn = ("--hazard", "wind", "--count", 1, "--out", tmp_path / "g")
    refused(afterscene("gbd", "build", "--xbd", xbd, *drawn), f"6 x {NO_LABEL}")
