"""A run folder: what was asked, what is done, and what is made.

A thing is done when its files and its done-record stand under their final names; the records decide
what is left, not the process. While a run is under way the records lie in ``.done/``; the last step
gathers them, in plan order, into ``manifest.jsonl`` and removes them, so an interrupted run that
was started again ends as the same tree as one that was not. What was asked stands in the marker of
:func:`afterscene.files.prepare_output`, which refuses to mix two runs.
"""

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from afterscene.errors import OutputConflict
from afterscene.files import MARKER, prepare_output, write_atomic

MANIFEST = "manifest.jsonl"
RECORDS = ".done"
LOCK = ".lock"


class RunDir:
    """An output folder that belongs to one run.

    Args:
        root: the folder; made when missing.
        kind: the command that writes it.
        settings: what decides the result, as JSON values. A folder with the same settings is gone
            on with, one with others is refused with the keys that differ.
        overwrite: empty the folder first, where a run of ours wrote it.

    Raises:
        OutputConflict: the folder holds something else, is in use, or cannot be written.
    """

    def __init__(
        self, root: Path, kind: str, settings: Mapping[str, Any], *, overwrite: bool = False
    ) -> None:
        self.root = root
        self._new = not (root.is_dir() and any(root.iterdir()))
        prepare_output(root, kind, run=settings, overwrite=overwrite)
        (root / RECORDS).mkdir(exist_ok=True)

    def done(self) -> dict[str, dict[str, Any]]:
        """The rows of all that is finished, by id."""
        rows = {row["id"]: row for row in read_rows(self.root / MANIFEST)}
        for path in sorted((self.root / RECORDS).glob("*.json")):
            record = json.loads(path.read_text(encoding="utf-8"))
            rows[record["id"]] = record
        return rows

    def finish_one(self, row: Mapping[str, Any]) -> None:
        """Say that a thing is done. Its files must stand before this is called."""
        write_atomic(self.root / RECORDS / f"{row['id']}.json", _line(row))

    def close(self, order: Sequence[str]) -> list[dict[str, Any]]:
        """Write the manifest in this order, drop the records, return the rows."""
        rows = self.done()
        kept = [rows[name] for name in order if name in rows]
        write_atomic(self.root / MANIFEST, b"".join(map(_line, kept)))
        shutil.rmtree(self.root / RECORDS)
        return kept

    def abandon(self) -> None:
        """Where nothing was made in a folder that was new or empty, leave it empty again."""
        if self._new and not self.done():
            shutil.rmtree(self.root)


def _line(row: Mapping[str, Any]) -> bytes:
    return (json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n").encode()


@contextmanager
def locked(root: Path) -> Iterator[None]:
    """Keep a second process out of the folder while the first writes (POSIX; elsewhere trust).

    The system drops the lock when its process ends, however it ends.

    Raises:
        OutputConflict: another process holds the folder.
    """
    try:
        import fcntl
    except ImportError:
        yield
        return
    with (root / LOCK).open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise OutputConflict(
                f"{root}: another process is writing here; wait for it or give another --out"
            ) from error
        try:
            yield
        finally:
            (root / LOCK).unlink(missing_ok=True)


def read_settings(root: Path) -> dict[str, Any]:
    """What the run in this folder was asked for.

    Raises:
        OutputConflict: there is no run in it.
    """
    try:
        value = json.loads((root / MARKER).read_text(encoding="utf-8"))["run"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise OutputConflict(
            f"{root}: holds no run of AfterScene; give the folder of one"
        ) from error
    return value or {}


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a JSON-lines file; none where it is missing.

    Raises:
        OutputConflict: a line is no JSON object with an id.
    """
    if not path.is_file():
        return []
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
    except ValueError as error:
        raise OutputConflict(f"{path}: is damaged ({error}); make the set anew") from error
    if not all(isinstance(row, dict) and isinstance(row.get("id"), str) for row in rows):
        raise OutputConflict(f"{path}: a row has no id; make the set anew")
    return rows
