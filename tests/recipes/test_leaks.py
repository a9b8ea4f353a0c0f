"""No training and no comparing command learns from a test tile, its neighbour, or a copy of it."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import toys
from afterscene import shipped
from tests.lab import places

TEST, PLANTED = "santa-rosa-wildfire_00000007", "hurricane-michael_00000001"
TRAIN = ("hurricane-michael_00000000", PLANTED)


def place(tree: Path, stem: str, lat: float) -> None:
    """Give both labels of a pair degrees: 1e-5 a pixel, the corner at 10 east."""
    for path in tree.glob(f"labels/{stem}_*.json"):
        label = json.loads(path.read_text())
        label["features"]["lng_lat"] = [
            {**entry, "wkt": toys.box_wkt(10, lat, 10 + 1e-4, lat + 1e-4)}
            for entry in label["features"]["xy"]
        ]
        path.write_text(json.dumps(label))


def turned(tree: Path, stem: str, turn) -> None:
    """The pictures of a pair become those of the test tile, turned."""
    for when in ("pre", "post"):
        picture = np.array(Image.open(tree / "images" / f"{TEST}_{when}_disaster.png"))
        made = Image.fromarray(np.ascontiguousarray(turn(picture)))
        made.save(tree / "images" / f"{stem}_{when}_disaster.png")


LEAKS = {
    "name": (lambda tree, stem: None, "is an evaluation tile"),
    "neighbour": (lambda tree, stem: place(tree, stem, 50.008), "lies 0.8"),
    "mirrored": (lambda tree, stem: turned(tree, stem, lambda p: p[:, ::-1]), "looks like"),
    "turned": (lambda tree, stem: turned(tree, stem, np.rot90), "looks like"),
}


def write_tree(folder: Path, stems: tuple[str, ...], split: str) -> None:
    for seed, stem in enumerate(stems):
        places.write_pair(folder, stem, seed + 10 * len(split))
        ground(folder, stem, seed + 10 * len(split))
        place(folder, stem, 50.0 if stem == TEST else 20.0 + seed)


def ground(folder: Path, stem: str, seed: int) -> None:
    """Coarse squares under the houses, which a shrunken picture still shows."""
    rng = np.random.default_rng(seed)
    coarse = np.kron(rng.integers(0, 120, (16, 16, 3)), np.ones((10, 10, 1))).astype(np.uint8)
    for when in ("pre", "post"):
        path = folder / "images" / f"{stem}_{when}_disaster.png"
        Image.fromarray(np.array(Image.open(path)) // 2 + coarse).save(path)


@pytest.fixture
def tree(tmp_path):
    root = tmp_path / "xbd"
    write_tree(root, TRAIN, "train")
    write_tree(root, (TEST,), "test")
    (root / "splits.json").write_text(json.dumps({"train": TRAIN, "test": [TEST]}))
    return root


@pytest.fixture
def gbd(tmp_path):
    """Two further pairs, taken as synthetic ones."""
    stems = ("hurricane-michael-wind_00000003", "hurricane-michael-wind_00000004")
    write_tree(tmp_path / "gbd", stems, "synthetic")
    return tmp_path / "gbd"


SMALL = ("--set", "steps=1", "--quiet")
TILES = ("--set", "model.widths=8,8", "--set", "model.depths=1,1", "--set", "crops.shapes=[32,2]")
TINY = ("--set", "crop=64", "--set", "batch=1", "--set", "width=8")
#: What learns or compares: the words before the folders, and which option names the xBD folder.
COMMANDS = {
    "detect fit": ("detect", "fit", "--detector", "tiny", "--split", "train", *TINY, *SMALL),
    "train unet": ("train", "unet", "--set", "encoder=tiny", *TINY, *SMALL),
    "train generator": ("train", "generator-small", "--set", "precision=fp32", *TILES, *SMALL),
    "train layout": ("train", "layout", *TILES, *SMALL),
    "compare given": ("compare", "given", "--quiet"),
    "compare rare-levels": ("compare", "rare-levels", "--set", "arms=real,augmented", "--quiet"),
    "gbd plan": ("gbd", "plan", "--hazard", "wind", "--count", 1, "--split", "train"),
}


def asked(name: str, tree: Path, gbd: Path, out: Path) -> tuple[object, ...]:
    words = COMMANDS[name]
    folder = ("--data" if words[0] == "train" else "--xbd", tree)
    own = {
        "compare given": ("--gbd", gbd),
        "gbd plan": ("--test", "test"),
    }
    where = out / "plan.jsonl" if name == "gbd plan" else out
    out.mkdir(exist_ok=True) if name == "gbd plan" else None
    return (*words, *folder, "--out", where, *own.get(name, ()))


@pytest.mark.parametrize("leak", LEAKS)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_planted_leak_stops_every_command(afterscene, tree, gbd, tmp_path, command, leak):
    plant, words = LEAKS[leak]
    plant(tree, PLANTED)
    if leak == "name":
        splits = {"train": [*TRAIN, TEST], "test": [TEST]}
        (tree / "splits.json").write_text(json.dumps(splits))
    outcome = afterscene(*asked(command, tree, gbd, tmp_path / "out"))
    planted = TEST if leak == "name" else PLANTED
    assert outcome.code == 2
    assert f"source {planted} {words}" in outcome.stderr
    assert not list((tmp_path / "out").rglob("*.safetensors"))


@pytest.mark.parametrize("leak", ["neighbour", "mirrored", "turned"])
@pytest.mark.parametrize("command", ["detect fit", "compare given"])
def test_a_leak_among_synthetic_pairs_stops_it(afterscene, tree, gbd, tmp_path, command, leak):
    stem = "hurricane-michael-wind_00000004"
    plant, words = LEAKS[leak]
    if leak != "neighbour":
        for when in ("pre", "post"):
            name = f"{TEST}_{when}_disaster.png"
            (gbd / "images" / name).symlink_to(tree / "images" / name)
    plant(gbd, stem)
    for path in (gbd / "images").glob(f"{TEST}*"):
        path.unlink()
    more = ("--gbd", gbd) if command == "detect fit" else ()
    outcome = afterscene(*asked(command, tree, gbd, tmp_path / "out"), *more)
    assert outcome.code == 2 and f"source {stem} {words}" in outcome.stderr


@pytest.mark.parametrize("command", ["detect fit", "train generator", "train layout"])
def test_what_leaks_is_left_out_and_named_where_that_is_asked_for(
    afterscene, tree, gbd, tmp_path, command
):
    place(tree, PLANTED, 50.008)
    words = [word for word in asked(command, tree, gbd, tmp_path / "out") if word != "--quiet"]
    outcome = afterscene(*words, "--on-error", "skip", "--json")
    assert outcome.code == 0, outcome.stderr
    assert f"left out: source {PLANTED} lies" in outcome.stderr
    config = json.loads((Path(outcome.json["model"]) / "config.json").read_text())
    assert config.get("tiles", config.get("provenance", {}).get("tiles")) == [TRAIN[0]]


def test_a_comparison_names_once_what_it_leaves_out(afterscene, tree, gbd, tmp_path):
    place(tree, PLANTED, 50.008)
    name, out = "compare rare-levels", tmp_path / "out"
    words = [word for word in asked(name, tree, gbd, out) if word != "--quiet"]
    outcome = afterscene(*words, "--limit", 0, "--on-error", "skip")
    assert outcome.code == 0, outcome.stderr
    assert outcome.stderr.count(f"left out: source {PLANTED} lies") == 1


def test_a_model_that_saw_a_held_out_tile_is_no_beginning(afterscene, tree, gbd, tmp_path):
    first = afterscene(*asked("detect fit", tree, gbd, tmp_path / "first"), "--json")
    assert first.code == 0, first.stderr
    (tree / "splits.json").write_text(json.dumps({"train": TRAIN[1:], "test": [TEST, TRAIN[0]]}))
    words = asked("detect fit", tree, gbd, tmp_path / "out")
    outcome = afterscene(*words, "--init", tmp_path / "first")
    assert outcome.code == 2
    assert f"has seen {TRAIN[0]}" in outcome.stderr
    assert not (tmp_path / "out").exists()


def test_an_assessor_that_saw_a_tile_is_refused_or_the_tile_left_out(
    afterscene, tree, gbd, tmp_path
):
    assert afterscene(*asked("detect fit", tree, gbd, tmp_path / "judge")).code == 0
    tested = json.dumps({"test": [TEST, TRAIN[0]]})
    (tree / "splits.json").write_text(tested)
    words = ("evaluate", "generator", "--xbd", tree, "--split", "test", "--quiet", "--json")
    words = (*words, "--out", tmp_path / "out", "--assessor", tmp_path / "judge")
    assert f"has seen {TRAIN[0]}" in afterscene(*words).stderr
    outcome = afterscene(*words, "--on-error", "skip")
    assert outcome.code == 0, outcome.stderr
    assert outcome.json["tiles"] == 1


@pytest.mark.parametrize("leak", ["name", "neighbour", "turned"])
def test_a_second_folder_may_not_hold_what_the_first_tests_on(afterscene, tree, tmp_path, leak):
    """Whichever of the two comes first."""
    other = tmp_path / "other"
    stem = TEST if leak == "name" else "midwest-flooding_00000001"
    write_tree(other, (stem,), "train")
    (other / "splits.json").write_text(json.dumps({"train": [stem]}))
    if leak == "neighbour":
        place(other, stem, 50.008)
        place(tree, TEST, 50.0)
    if leak == "turned":
        for when in ("pre", "post"):
            own, its = (f"images/{name}_{when}_disaster.png" for name in (stem, TEST))
            Image.open(tree / its).transpose(Image.Transpose.ROTATE_90).save(other / own)
    words = COMMANDS["train generator"]
    for first, second in ((tree, other), (other, tree)):
        both = ("--data", first, "--data", second, "--out", tmp_path / "out")
        outcome = afterscene(*words, *both)
        assert outcome.code == 2 and f"source {stem} " in outcome.stderr
    assert not list((tmp_path / "out").rglob("*.safetensors"))


def test_two_folders_train_together_and_the_model_names_the_tiles_of_both(
    afterscene, tree, tmp_path
):
    stem = "midwest-flooding_00000001"
    write_tree(tmp_path / "other", (stem,), "train")
    (tmp_path / "other" / "splits.json").write_text(json.dumps({"train": [stem]}))
    both = ("--data", tree, "--data", tmp_path / "other", "--out", tmp_path / "out")
    outcome = afterscene(*COMMANDS["train generator"], *both, "--json")
    assert outcome.code == 0, outcome.stderr
    assert shipped.seen(tmp_path / "out" / "model") == sorted((*TRAIN, stem))
