"""Files that are either whole or absent, and folders that hold one run.

A reader never sees half a file: bytes go to a temporary name in the same folder, are flushed to
the disk, and only then get the final name (`os.replace` is atomic within one file system). An
output folder has a marker, ``afterscene-run.json``, that says what wrote it, so that two runs never
mix and nothing that belongs to the user is deleted.

Two hashes for different purposes: :func:`sha256_file` is over bytes, comparable within one locked
environment (PNG bytes differ between zlib builds); :func:`pixel_hash` is over decoded values and
the same on every machine.
"""

import contextlib
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from afterscene.errors import BadParameter, MissingFile, OutputConflict

MARKER = "afterscene-run.json"
_SYSTEM = {"thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx", "$recycle.bin", "@eadir"}


def left_by_system(name: str) -> bool:
    """Whether macOS, Windows or a NAS leaves files or folders of that name behind."""
    return name.startswith("._") or name == ".DS_Store" or name.lower() in _SYSTEM


def visible(folder: Path, *, deep: bool = False) -> list[Path]:
    """What a user sees in a folder, sorted; with ``deep`` all files below it as well.

    Hidden names (macOS puts ``._name.png`` beside every ``name.png`` on a disk of another system)
    and what :func:`left_by_system` knows are left out, with everything inside such folders. Every
    folder of a user is listed by this function. Empty if `folder` is not a folder; raises
    MissingFile if it cannot be read.
    """
    try:
        return sorted(_visible(folder, deep)) if folder.is_dir() else []
    except OSError as error:
        raise MissingFile(
            f"{folder} cannot be listed ({error.strerror}: {error.filename}); check its permissions"
        ) from error


def _visible(folder: Path, deep: bool) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name.startswith(".") or left_by_system(path.name):
            continue
        yield path
        if deep and path.is_dir() and not path.is_symlink():
            yield from _visible(path, deep)


def write_atomic(path: str | Path, content: bytes | Callable[[Path], object]) -> Path:
    """Write `path` so that it is always either the old file or the complete new one.

    `content` is the bytes, or a function that writes the file to the temporary path it is given.
    Its errors pass through, and no temporary file remains. Raises OutputConflict if the system
    refuses (no such folder, no permission, disk full).
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name[:100]}.{uuid.uuid4().hex[:12]}.tmp")
    try:
        if callable(content):
            content(temporary)
        else:
            temporary.write_bytes(content)
        _flush_to_disk(temporary)
        os.replace(temporary, path)  # noqa: PTH105 - the atomic one, named as such
        _flush_to_disk(path.parent)
    except OSError as error:
        raise OutputConflict(
            f"{path} cannot be written ({error.strerror or error}); "
            "choose a writable folder with free space"
        ) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
    return path


def _flush_to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_json(path: str | Path, value: object) -> Path:
    """Write `value` as sorted, indented JSON, atomically; NaN is refused, as JSON has none."""
    text = json.dumps(value, indent=2, sort_keys=True, allow_nan=False)
    return write_atomic(path, (text + "\n").encode())


def sha256_file(path: str | Path) -> str:
    """Hexadecimal SHA-256 of the bytes of a file. Raises MissingFile."""
    try:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise MissingFile(f"{path} cannot be read ({error.strerror}); check the path") from error


def pixel_hash(array: np.ndarray) -> str:
    """Hexadecimal SHA-256 over type, shape and values (little-endian, row by row).

    Equal arrays have equal hashes whatever their memory order or the machine.
    """
    array = np.asarray(array)
    if array.dtype.hasobject:
        raise BadParameter("pixel_hash takes numbers, not objects; convert the array first")
    little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    digest = hashlib.sha256(f"{array.dtype.kind}{array.dtype.itemsize}{array.shape}".encode())
    digest.update(little.tobytes())
    return digest.hexdigest()


def prepare_output(
    folder: str | Path,
    kind: str,
    *,
    run: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> Path:
    """Make `folder` ready for a run of `kind` and write the marker into it.

    ============================  =========================================================
    folder is                     outcome
    ============================  =========================================================
    absent or empty               created and marked; the system's own files in it are ignored
    marked, same kind and `run`   resumed; needs `run`, the settings (JSON)
    marked otherwise              OutputConflict that names what differs; `overwrite` empties
    not empty and not marked      OutputConflict, even with `overwrite`: it is not ours
    not writable, or a file       OutputConflict
    ============================  =========================================================
    """
    folder = Path(folder)
    mark = {"kind": kind, "run": None if run is None else json.loads(json.dumps(dict(run)))}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        holds_something = any(not left_by_system(child.name) for child in folder.iterdir())
    except OSError as error:
        raise OutputConflict(
            f"{folder} cannot be created or read ({error.strerror}); choose another output folder"
        ) from error
    if holds_something:
        found = _read_marker(folder)
        if run is not None and found == mark:
            return folder
        if not overwrite:
            raise OutputConflict(_conflict(folder, found, mark))
        _empty(folder)
    write_json(folder / MARKER, mark)
    return folder


def _read_marker(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / MARKER).read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise OutputConflict(
            f"{folder} is not empty and holds no {MARKER}, so AfterScene did not write it; "
            "choose a new or empty output folder"
        )
    return found


def _conflict(folder: Path, found: Mapping[str, Any], mark: Mapping[str, Any]) -> str:
    if found.get("kind") != mark["kind"]:
        difference = f"a run of kind {found.get('kind')!r}, not {mark['kind']!r}"
    elif mark["run"] is None or not isinstance(found.get("run"), dict):
        difference = f"another run of kind {mark['kind']!r}"
    else:
        old, new = found["run"], mark["run"]
        keys = sorted(k for k in old.keys() | new.keys() if old.get(k) != new.get(k))
        changes = ", ".join(f"{k}: {old.get(k)!r} -> {new.get(k)!r}" for k in keys)
        difference = f"a run with other settings ({changes})"
    return f"{folder} already holds {difference}; choose another output folder, or remove this one"


def _empty(folder: Path) -> None:
    for child in folder.iterdir():
        try:
            if child.is_dir() and not child.is_symlink():
                shutil.rmtree(child)
            else:
                child.unlink()
        except OSError as error:
            raise OutputConflict(
                f"{child} cannot be removed ({error.strerror}); choose another output folder"
            ) from error
