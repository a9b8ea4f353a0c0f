"""What a system leaves in a folder of pictures changes nothing, wherever a folder is listed."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from afterscene.files import prepare_output, visible
from afterscene.gbd.imagery import pictures_in
from afterscene.generators.tiles import unlabelled_pairs
from afterscene.geodata.xbd import XbdTree
from tests.generators.launch import arguments, toy_pairs

DOUBLE = b"\0\5\x16\7\0\2\0\0Mac OS X"  # how an AppleDouble file begins


def littered(folder: Path) -> Path:
    """A note of each system in the folder and all below, one beside every file."""
    for path in [folder, *folder.rglob("*")]:
        if path.is_file():
            path.with_name(f"._{path.name}").write_bytes(DOUBLE)
            continue
        for name in (".DS_Store", "._.DS_Store", "Thumbs.db", "desktop.ini"):
            (path / name).write_bytes(b"\0")
    for name in ("__MACOSX", ".git", "@eaDir", ".Trashes"):
        below = folder / name / "images"
        below.mkdir(parents=True)
        for when in ("pre", "post"):
            (below / f"ghost_00000001_{when}_disaster.png").write_bytes(DOUBLE)
    return folder


@pytest.fixture
def clean(tmp_path: Path) -> Path:
    return toy_pairs(tmp_path / "clean", 3)


@pytest.fixture
def dirty(clean: Path, tmp_path: Path) -> Path:
    return littered(Path(shutil.copytree(clean, tmp_path / "dirty")))


def test_only_what_a_user_sees_is_listed(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    for name in ("b/z.png", "a.png", "THUMBS.DB", ".a.png"):
        (tmp_path / name).write_bytes(b"x")
    littered(tmp_path)
    found = [p.relative_to(tmp_path).as_posix() for p in visible(tmp_path, deep=True)]
    assert found == ["a.png", "b", "b/z.png"]
    assert [p.name for p in visible(tmp_path)] == ["a.png", "b"]
    assert visible(tmp_path / "none") == visible(tmp_path / "a.png") == []


def test_a_folder_whose_own_way_is_hidden_is_read_all_the_same(clean: Path, tmp_path: Path) -> None:
    (tmp_path / ".cache").mkdir()
    moved = Path(shutil.move(clean, tmp_path / ".cache" / "xbd"))
    assert len(XbdTree(moved).pairs()) == 3
    assert len(pictures_in(moved)) == 3


def test_an_xbd_tree_has_the_same_pairs_and_splits(clean: Path, dirty: Path) -> None:
    ours, theirs = ([p.id for p in XbdTree(root).pairs()] for root in (clean, dirty))
    assert ours == theirs
    assert XbdTree(clean).splits == XbdTree(dirty).splits
    folders = dirty.parent / "folders"
    shutil.copytree(clean, folders / "train")
    assert XbdTree(littered(folders)).splits == ("train",)


def test_pictures_and_unlabelled_pairs_are_the_same(clean: Path, dirty: Path) -> None:
    assert [p.name for p in pictures_in(clean)] == [p.name for p in pictures_in(dirty)]
    ours, theirs = ([p.id for p in unlabelled_pairs(f / "images")] for f in (clean, dirty))
    assert ours == theirs


def test_an_empty_folder_with_notes_of_the_system_is_empty(tmp_path: Path) -> None:
    for name in (".DS_Store", "desktop.ini", "._x"):
        (tmp_path / name).write_bytes(b"\0")
    assert prepare_output(tmp_path, "gbd build") == tmp_path
    assert (tmp_path / ".DS_Store").is_file()


def test_a_users_own_hidden_folder_is_not_nothing(tmp_path: Path) -> None:
    from afterscene.errors import OutputConflict

    (tmp_path / ".git").mkdir()
    with pytest.raises(OutputConflict, match="not empty"):
        prepare_output(tmp_path, "gbd build")


def test_every_command_on_a_folder_gives_the_same(afterscene, clean, dirty, tmp_path) -> None:
    found = []
    for folder in (clean, dirty):
        out = tmp_path / f"{folder.name}-out"
        flags = ["--hazard", "wind", "--count", 3, "--json", "--quiet"]
        built = afterscene("gbd", "build", "--xbd", folder, *flags, "--out", out)
        assert built.code == 0, built.stderr
        plan = tmp_path / f"{folder.name}.jsonl"
        planned = afterscene("gbd", "plan", "--xbd", folder, *flags, "--out", plan)
        assert planned.code == 0, planned.stderr
        trained = afterscene(*arguments(folder, tmp_path / f"{folder.name}-run", 1))
        assert trained.code == 0, trained.stderr
        rows = [row["pixel_sha256"] for row in built.json["pairs"]]
        found.append((rows, planned.json["pairs"], trained.json["weights"]))
    assert found[0] == found[1]


def test_a_folder_of_masks_is_scored_the_same(afterscene, tmp_path) -> None:
    mask = np.random.default_rng(0).integers(0, 5, (1024, 1024), np.uint8)
    for role in ("prediction", "target"):
        (tmp_path / role).mkdir()
        for kind in ("localization", "damage"):
            name = f"test_{kind}_00000_{role}.png"
            Image.fromarray(mask).save(tmp_path / role / name)
    before = afterscene("score", tmp_path / "prediction", tmp_path / "target", "--json")
    littered(tmp_path / "target")
    littered(tmp_path / "prediction")
    after = afterscene("score", tmp_path / "prediction", tmp_path / "target", "--json")
    assert before.code == after.code == 0
    assert json.loads(before.stdout) == json.loads(after.stdout)
