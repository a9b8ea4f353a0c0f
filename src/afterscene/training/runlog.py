"""The readable files of a training folder: ``train.json`` (the config) and ``log.jsonl``.

A resumed run first drops the records after the state that it resumes from, so that the log has each
step once, whenever the run was killed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from afterscene.errors import BadWeights, OutputConflict
from afterscene.files import write_atomic, write_json

CONFIG, LOG = "train.json", "log.jsonl"


def open_folder(out: Path, config: Mapping[str, Any], step: int) -> None:
    """Make ``out`` ready to continue after ``step``: config and log, nothing half-written.

    Raises OutputConflict.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputConflict(
            f"{out} cannot be created ({error.strerror}); choose another folder"
        ) from error
    for leftover in out.rglob(".*.tmp"):
        leftover.unlink()
    write_json(out / CONFIG, config)
    kept = [record for record in records(out) if record["step"] <= step]
    write_atomic(out / LOG, "".join(json.dumps(r) + "\n" for r in kept).encode())


def append(out: Path, record: Mapping[str, Any]) -> None:
    """Add one record to the log."""
    with (out / LOG).open("a", encoding="utf-8") as log:
        log.write(json.dumps(record) + "\n")


def records(out: Path) -> list[dict[str, Any]]:
    """The log's records; a last line cut short by a kill is left out."""
    if not (out / LOG).is_file():
        return []
    found = []
    for line in (out / LOG).read_text("utf-8", errors="replace").splitlines():
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict) and isinstance(record.get("step"), int):
            found.append(record)
    return found


def saved_config(out: Path) -> dict[str, Any] | None:
    """The config that a run was started with, None if there is none. Raises BadWeights."""
    path = out / CONFIG
    if not path.is_file():
        return None
    try:
        return dict(json.loads(path.read_text("utf-8")))
    except (ValueError, TypeError) as error:
        raise BadWeights(f"{path} is damaged ({error}); remove it to resume unchecked") from error
