"""Whole files or none; one run per folder; hashes that mean what they say."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from afterscene.errors import BadParameter, MissingFile, OutputConflict
from afterscene.files import (
    MARKER,
    pixel_hash,
    prepare_output,
    sha256_file,
    write_atomic,
    write_json,
)


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def test_bytes_and_functions_write_the_file(tmp_path: Path) -> None:
    assert write_atomic(tmp_path / "a", b"one") == tmp_path / "a"
    write_atomic(str(tmp_path / "a"), b"two")
    write_atomic(tmp_path / "b", lambda path: path.write_text("three"))
    assert (tmp_path / "a").read_bytes() == b"two"
    assert (tmp_path / "b").read_text() == "three"
    assert names(tmp_path) == ["a", "b"]


def test_an_error_keeps_the_old_file_and_leaves_nothing(tmp_path: Path) -> None:
    write_atomic(tmp_path / "a", b"old")

    def broken(path: Path) -> None:
        path.write_bytes(b"half")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_atomic(tmp_path / "a", broken)
    assert (tmp_path / "a").read_bytes() == b"old"
    assert names(tmp_path) == ["a"]


def test_a_function_that_writes_nothing_is_a_conflict(tmp_path: Path) -> None:
    with pytest.raises(OutputConflict, match="cannot be written"):
        write_atomic(tmp_path / "a", lambda path: None)
    assert names(tmp_path) == []


def test_a_missing_folder_or_a_folder_in_the_way_is_named(tmp_path: Path) -> None:
    with pytest.raises(OutputConflict, match=r"no/a cannot be written .* choose a writable"):
        write_atomic(tmp_path / "no" / "a", b"")
    (tmp_path / "d").mkdir()
    with pytest.raises(OutputConflict, match="d cannot be written"):
        write_atomic(tmp_path / "d", b"")
    assert names(tmp_path) == ["d"]


def test_a_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    """RLIMIT_FSIZE stands in for a full disk, in a process of its own."""
    write_atomic(tmp_path / "a", b"old")
    code = (
        "import resource, signal, sys\n"
        "from afterscene.errors import OutputConflict\n"
        "from afterscene.files import write_atomic\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try:\n    write_atomic(sys.argv[1], b'x' * 5000)\n"
        "except OutputConflict as error:\n    print(error)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "a")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "a cannot be written (File too large)" in ran.stdout
    assert (tmp_path / "a").read_bytes() == b"old"
    assert names(tmp_path) == ["a"]


def test_a_long_name_fits(tmp_path: Path) -> None:
    path = write_atomic(tmp_path / ("n" * 255), b"x")
    assert path.read_bytes() == b"x"


def test_json_has_no_nan(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"b": 1, "a": [2]})
    assert json.loads((tmp_path / "a.json").read_text()) == {"a": [2], "b": 1}
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "b.json", float("nan"))
    assert names(tmp_path) == ["a.json"]


def test_sha256_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-2, B.1
    assert sha256_file(tmp_path / "a") == known
    with pytest.raises(MissingFile, match="b cannot be read"):
        sha256_file(tmp_path / "b")


def test_pixel_hash_sees_values_shape_and_type_and_nothing_else() -> None:
    rows = np.arange(6, dtype=np.uint16).reshape(2, 3)
    assert pixel_hash(rows) == pixel_hash(np.asfortranarray(rows)) == pixel_hash(rows.astype(">u2"))
    others = [rows.T, rows.reshape(3, 2), rows.astype(np.int16), rows.astype(np.uint8), rows + 1]
    assert len({pixel_hash(a) for a in [rows, *others]}) == 6
    with pytest.raises(BadParameter, match="numbers"):
        pixel_hash(np.array([None]))


def test_a_fresh_or_empty_folder_is_marked(tmp_path: Path) -> None:
    prepare_output(tmp_path / "a" / "b", "gbd")
    assert json.loads((tmp_path / "a" / "b" / MARKER).read_text())["kind"] == "gbd"
    (tmp_path / "empty").mkdir()
    assert prepare_output(str(tmp_path / "empty"), "gbd") == tmp_path / "empty"


def test_the_same_run_goes_on_and_another_is_refused(tmp_path: Path) -> None:
    folder = prepare_output(tmp_path / "a", "gbd", run={"seed": 1, "steps": 20, "size": (2, 3)})
    (folder / "tile").write_text("done")
    prepare_output(folder, "gbd", run={"size": (2, 3), "seed": 1, "steps": 20})
    assert (folder / "tile").read_text() == "done"
    with pytest.raises(OutputConflict, match=r"other settings \(seed: 1 -> 2\); choose another"):
        prepare_output(folder, "gbd", run={"seed": 2, "steps": 20, "size": (2, 3)})
    with pytest.raises(OutputConflict, match="kind 'gbd', not 'demo'"):
        prepare_output(folder, "demo", run={"seed": 1})
    with pytest.raises(OutputConflict, match="already holds another run of kind 'gbd'"):
        prepare_output(folder, "gbd")
    assert (folder / "tile").read_text() == "done"


def test_overwrite_empties_our_own_folder_but_follows_no_link(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "diary").write_text("dear")
    folder = prepare_output(tmp_path / "a", "gbd")
    (folder / "sub").mkdir()
    (folder / "sub" / "tile").write_text("x")
    (folder / "link").symlink_to(mine)
    prepare_output(folder, "demo", overwrite=True)
    assert names(folder) == [MARKER]
    assert (mine / "diary").read_text() == "dear"


@pytest.mark.parametrize("mark", [None, "", "[]", "{", "[" * 100_000])
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_of_somebody_else_is_never_touched(
    tmp_path: Path, mark: str | None, overwrite: bool
) -> None:
    (tmp_path / "diary").write_text("dear")
    if mark is not None:
        (tmp_path / MARKER).write_text(mark)
    with pytest.raises(OutputConflict, match="AfterScene did not write it; choose a new"):
        prepare_output(tmp_path, "gbd", overwrite=overwrite)
    assert (tmp_path / "diary").read_text() == "dear"


def test_what_cannot_be_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "below", Path("/proc/afterscene")):
        with pytest.raises(OutputConflict, match=f"{path} cannot be created or read"):
            prepare_output(path, "gbd")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(OutputConflict, match="cannot be written"):
        prepare_output(tmp_path, "gbd")
