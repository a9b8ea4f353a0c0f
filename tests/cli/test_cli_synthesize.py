"""``afterscene synthesize``: files, marks, and each bad input as one sentence."""

import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
import rasterio
from PIL import Image
from rasterio.transform import from_origin

import toys
from afterscene.geodata.scene import read_tags
from afterscene.geodata.xbd import read_label

STEM = "toy-town_00000000"


@pytest.fixture
def pre(tree) -> Path:
    return tree / "images" / f"{STEM}_pre_disaster.png"


@pytest.fixture
def label(tree) -> Path:
    return tree / "labels" / f"{STEM}_pre_disaster.json"


@pytest.fixture
def synthesize(afterscene, pre, label, tmp_path):
    """The command on the first toy scene; keywords replace or drop (None) its options."""

    def run(*more, pre=pre, **changes):
        options = {
            "labels": label,
            "hazard": "wildfire",
            "severity": 0.9,
            "seed": 3,
            "out": tmp_path / "out",
        } | changes
        flags = [x for k, v in options.items() if v is not None for x in (f"--{k}", v)]
        return afterscene("synthesize", pre, *flags, *more)

    return run


def refused(outcome, *words):
    """One sentence on stderr that names the words, exit code 2, nothing on stdout."""
    assert outcome.code == 2, outcome.stderr
    assert outcome.stdout == ""
    assert outcome.stderr.count("\n") == 1, outcome.stderr
    assert outcome.stderr.startswith("afterscene: ")
    assert "Traceback" not in outcome.stderr
    for word in words:
        assert str(word) in outcome.stderr


def test_it_writes_post_label_and_target_all_marked(synthesize, tmp_path):
    outcome = synthesize("--json")
    assert outcome.code == 0, outcome.stderr
    out = tmp_path / "out"
    names = {p.name for p in out.iterdir()}
    stem = f"{STEM}_post_disaster"
    assert {f"{stem}.png", f"{stem}.json", f"{stem}_target.png", "manifest.jsonl"} <= names
    assert read_tags(out / f"{stem}.png")["AFTERSCENE_SYNTHETIC"] == "true"
    assert read_tags(out / f"{stem}_target.png")["AFTERSCENE_SYNTHETIC"] == "true"
    saved = read_label(out / f"{stem}.json")
    assert saved.metadata["synthetic"] is True
    assert len(saved.buildings) == len(toys.BOXES)
    assert outcome.json["pairs"][0]["synthetic"] is True
    assert outcome.json["made"] == 1


def test_the_same_seed_gives_the_same_files_and_another_seed_others(synthesize, tmp_path):
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        assert synthesize(out=tmp_path / name, seed=seed).code == 0
    a, b, c = (toys.files_of(tmp_path / name) for name in "abc")
    assert a == b
    image = f"{STEM}_post_disaster.png"
    assert a[image] != c[image]


def test_severity_zero_changes_no_pixel(synthesize, pre, tmp_path):
    assert synthesize(severity=0).code == 0
    post = np.asarray(Image.open(tmp_path / "out" / f"{STEM}_post_disaster.png").convert("RGB"))
    assert np.array_equal(post, np.asarray(Image.open(pre)))


def test_several_images_take_labels_from_a_folder(afterscene, tree, tmp_path):
    pres = sorted((tree / "images").glob("*.png"))
    outcome = afterscene(
        *("synthesize", *pres, "--labels", tree / "labels", "--hazard", "wind"),
        *("--out", tmp_path / "out", "--json", "--quiet"),
    )
    assert outcome.code == 0
    assert [row["id"] for row in outcome.json["pairs"]] == [f"toy-town_{k:08d}" for k in range(3)]
    assert outcome.stderr == ""


def test_several_images_take_one_labels_option_each(afterscene, tree, tmp_path):
    pres = sorted((tree / "images").glob("*.png"))[:2]
    labels = sorted((tree / "labels").glob("*.json"))[:2]
    flags = [x for path in labels for x in ("--labels", path)]
    out = ("--hazard", "wind", "--out", tmp_path / "out")
    assert afterscene("synthesize", *pres, *flags, *out).code == 0
    refused(afterscene("synthesize", *pres, *flags[:2], *out), "2 images but 1 label")


def write_geotiff(path: Path, bands: int, dtype: str) -> None:
    pixels = np.random.default_rng(0).integers(1, 200, (bands, toys.SIDE, toys.SIDE)).astype(dtype)
    profile = {"driver": "GTiff", "count": bands, "height": toys.SIDE, "width": toys.SIDE}
    transform = from_origin(500_000, 4_000_000, 0.5, 0.5)
    with rasterio.open(
        path, "w", dtype=dtype, crs="EPSG:32616", transform=transform, **profile
    ) as file:
        file.write(pixels)


@pytest.mark.parametrize(("bands", "dtype"), [(3, "uint8"), (3, "uint16"), (4, "uint16")])
def test_a_geotiff_gives_a_geotiff_on_the_same_grid(synthesize, tmp_path, bands, dtype):
    path = tmp_path / "scene_pre_disaster.tif"
    write_geotiff(path, bands, dtype)
    outcome = synthesize(pre=path)
    assert outcome.code == 0, outcome.stderr
    with rasterio.open(path) as old, rasterio.open(tmp_path / "out/scene_post_disaster.tif") as new:
        assert (new.crs, new.transform, new.shape) == (old.crs, old.transform, old.shape)
    assert read_tags(tmp_path / "out/scene_post_disaster.tif")["AFTERSCENE_SYNTHETIC"] == "true"
    assert (tmp_path / "out/scene_post_disaster.png").is_file()


def test_an_image_without_footprints_is_told_to_stay_as_it_is(synthesize, label):
    content = json.loads(label.read_text())
    content["features"] = {"xy": [], "lng_lat": []}
    label.write_text(json.dumps(content))
    outcome = synthesize()
    assert outcome.code == 0, outcome.stderr
    assert "has a building, so nothing is damaged; check the footprints" in outcome.stderr


def test_a_field_of_the_hazard_can_be_set(synthesize):
    outcome = synthesize("--set", "magnitude=6.5", "--json", hazard="earthquake")
    assert outcome.json["pairs"][0]["parameters"]["magnitude"] == 6.5
    refused(synthesize("--set", "magnitude", hazard="earthquake"), "magnitude", "NAME=VALUE")
    refused(synthesize("--set", "depth_of_sea=3", hazard="earthquake"), "depth_of_sea")


# --- bad input: one sentence with the file, the value and the next step; nothing half-written


@pytest.fixture
def nothing_written(tmp_path):
    yield
    assert not (tmp_path / "out").exists()


def bad_label(content):
    def make(label):
        label.write_text(content if isinstance(content, str) else content())

    return make


def outline(wkt, subtype=None):
    return lambda: toys.label_text([wkt], f"{STEM}_pre_disaster", subtype)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{not json", ["JSON"]),
        ("[]", ["object"]),
        (outline(toys.box_wkt(900, 900, 950, 950)), ["b0", "outside", "64"]),
        (outline("POLYGON EMPTY"), ["b0", "empty"]),
        (outline("POLYGON ((5 5, 30 30, 30 5, 5 30, 5 5))"), ["b0", "crosses itself"]),
        (outline(toys.box_wkt(5, 5, 20, 20), "melted"), ["b0", "melted"]),
    ],
    ids=["no JSON", "a list", "outside", "empty", "self-intersecting", "unknown subtype"],
)
@pytest.mark.usefixtures("nothing_written")
def test_a_bad_label_is_refused_with_its_name(synthesize, label, content, words):
    bad_label(content)(label)
    refused(synthesize(), label, *words)


@pytest.mark.usefixtures("nothing_written")
def test_an_outline_outside_is_found_without_a_size_in_the_metadata(synthesize, label):
    content = json.loads(outline(toys.box_wkt(900, 900, 950, 950))())
    content["metadata"] = {}
    label.write_text(json.dumps(content))
    refused(synthesize(), label, "b0", "outside")


def rgba(path):
    Image.fromarray(np.full((64, 64, 4), 90, np.uint8)).save(path)


def deep(path):
    Image.fromarray(np.full((64, 64), 9000, np.uint16)).save(path)


def dot(path):
    Image.fromarray(np.full((1, 1, 3), 90, np.uint8)).save(path)


def cut(path):
    path.write_bytes(path.read_bytes()[:300])


def void(path):
    path.write_bytes(b"")


@pytest.mark.parametrize(
    ("spoil", "word"),
    [(rgba, "4 bands"), (deep, "uint16"), (dot, "1x1"), (cut, "cannot"), (void, "pre_disaster")],
)
@pytest.mark.usefixtures("nothing_written")
def test_a_bad_image_is_refused_with_its_name(synthesize, pre, spoil, word):
    spoil(pre)
    refused(synthesize(), pre, word)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"hazard": "snow"}, ["snow", "wildfire"]),
        ({"severity": 1.5}, ["severity", "1.5"]),
        ({"severity": -0.1}, ["severity", "-0.1"]),
        ({"severity": "nan"}, ["severity", "nan"]),
        ({"labels": "no/such.json"}, ["no/such.json"]),
        ({"pre": "no/such.png"}, ["no/such.png"]),
        ({"model": "no-such-model"}, ["no-such-model"]),
    ],
)
@pytest.mark.usefixtures("nothing_written")
def test_a_bad_option_is_refused_with_its_value(synthesize, changes, words, monkeypatch):
    if "model" in changes:
        monkeypatch.undo()
    refused(synthesize(**changes), *words)


def test_another_run_in_the_output_folder_is_refused_and_left_alone(synthesize, tmp_path):
    assert synthesize().code == 0
    before = toys.files_of(tmp_path / "out")
    refused(synthesize(hazard="flood"), tmp_path / "out", "hazard", "flood")
    assert toys.files_of(tmp_path / "out") == before
    assert synthesize("--overwrite", hazard="flood").code == 0
    assert toys.files_of(tmp_path / "out") != before


def test_a_folder_of_the_user_is_refused_and_left_alone(synthesize, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "notes.txt").write_text("mine")
    refused(synthesize(), tmp_path / "out")
    refused(synthesize("--overwrite"), tmp_path / "out")
    assert toys.files_of(tmp_path / "out") == {"notes.txt": b"mine"}


def test_an_output_that_cannot_be_made_is_refused(synthesize, tmp_path):
    (tmp_path / "file").write_text("a file")
    refused(synthesize(out=tmp_path / "file"), tmp_path / "file")
    refused(synthesize(out=tmp_path / "file" / "deeper"), tmp_path / "file")


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere"
)
def test_an_output_that_may_not_be_written_is_refused(synthesize, tmp_path):
    (tmp_path / "locked").mkdir(mode=0o500)
    refused(synthesize(out=tmp_path / "locked" / "out"), tmp_path / "locked")


def test_skip_goes_on_and_lists_what_it_skipped(afterscene, tree, label, tmp_path):
    label.write_text("{")
    pres = sorted((tree / "images").glob("*.png"))
    command = ("synthesize", *pres, "--labels", tree / "labels", "--hazard", "wind")
    refused(afterscene(*command, "--out", tmp_path / "out"), label)
    assert not (tmp_path / "out").exists()
    outcome = afterscene(*command, "--out", tmp_path / "out", "--on-error", "skip", "--json")
    assert outcome.code == 0
    assert outcome.json["made"] == 2
    (skipped,) = outcome.json["skipped"]
    assert skipped["id"] == STEM
    assert str(label) in skipped["reason"]
    assert f"skipped {STEM}" in outcome.stderr
    made = {p.name for p in (tmp_path / "out").glob("*_post_disaster.png")}
    assert made == {f"toy-town_{k:08d}_post_disaster.png" for k in (1, 2)}


def test_where_all_is_skipped_the_command_fails(synthesize, label, tmp_path):
    label.write_text("{")
    refused(synthesize("--on-error", "skip"), label)
    assert not (tmp_path / "out").exists()


def test_a_name_with_a_line_end_cannot_forge_a_line(synthesize):
    refused(synthesize(labels="no\nsuch\x1b[31m.json"), "no\\nsuch")


def test_progress_is_on_stderr_and_can_be_silenced(synthesize, monkeypatch):
    monkeypatch.delenv("AFTERSCENE_NO_PROGRESS", raising=False)
    outcome = synthesize("--json")
    assert re.search(r"synthesize: 1/1, .*left", outcome.stderr)
    assert outcome.json["already_there"] == 0
    assert synthesize("--json", "--quiet").stderr == ""
    monkeypatch.setenv("AFTERSCENE_NO_PROGRESS", "1")
    assert synthesize("--json").stderr == ""
