"""The folder of a run: its settings, the finished shards, and the files.

A shard is done when its files and its done-record have their final names; these records decide what
is left to do. During a run the records are in ``.done/``, one file per shard, so that listing a
folder is enough to know a million finished tiles; a record with skipped items ends in
``.partial.jsonl`` and is tried again. The last step concatenates the records, in plan order, to
``manifest.jsonl`` (and ``skipped.jsonl``), and removes them if nothing is missing, so that an
interrupted and resumed run ends with the same tree as one without interruption. The settings are in
the marker of :func:`afterscene.files.prepare_output`, which refuses to mix two runs.
"""

import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from afterscene.errors import AftersceneError, MissingFile, OutputConflict
from afterscene.files import prepare_output, write_atomic

MANIFEST = "manifest.jsonl"
SKIPPED = "skipped.jsonl"
RECORDS = ".done"
LOCK = ".lock"
_FULL, _PARTIAL, _OVER = ".jsonl", ".partial.jsonl", ".done-over"


@dataclass(frozen=True)
class RunDir:
    """A folder that belongs to one run.

    It can be sent to another process. :func:`open_run` opens one.
    """

    root: Path

    def _record(self, number: int, suffix: str) -> Path:
        return self.root / RECORDS / f"{number:07d}{suffix}"

    def finish_shard(
        self, number: int, rows: Sequence[Mapping[str, Any]], skipped: Mapping[str, str]
    ) -> None:
        """Record what is done of a shard. Its files must exist before this is called."""
        lines = [*map(_line, rows), *(_line({"id": k, "skipped": v}) for k, v in skipped.items())]
        write_atomic(self._record(number, _PARTIAL if skipped else _FULL), b"".join(lines))
        if not skipped:
            self._record(number, _PARTIAL).unlink(missing_ok=True)

    def partial_rows(self, number: int) -> list[dict[str, Any]]:
        """The rows of a shard that is partly done."""
        rows = read_rows(self._record(number, _PARTIAL))
        return [row for row in rows if "skipped" not in row]

    @property
    def closed(self) -> bool:
        """Whether everything is made and collected in the manifest."""
        return (self.root / MANIFEST).is_file() and not (self.root / RECORDS).is_dir()

    def done(self) -> set[int]:
        """The numbers of the shards that are completely done."""
        names = (n for n in _names(self.root / RECORDS) if not n.endswith(_PARTIAL))
        return {int(name.removesuffix(_FULL)) for name in names}

    def begun(self) -> int:
        """Number of items in the partial records."""
        names = (n for n in _names(self.root / RECORDS) if n.endswith(_PARTIAL))
        return sum(len(self.partial_rows(int(n.removesuffix(_PARTIAL)))) for n in names)

    def close(self, shards: int) -> tuple[int, dict[str, str]]:
        """Write the manifest in plan order; returns the number of rows and what was skipped.

        Files that killed workers left half-written are removed here, not at the start, where
        walking through a million finished files would delay the first new one.
        """
        rows, skipped = 0, {}
        for path in self.root.rglob("*.tmp"):  # nothing else ever ends in .tmp here
            path.unlink(missing_ok=True)

        def gather(path: Path) -> None:
            nonlocal rows
            with path.open("wb") as file:
                for number in range(shards):
                    made, left_out = self._copy(number, file)
                    rows += made
                    skipped.update(left_out)

        write_atomic(self.root / MANIFEST, gather)
        if skipped:
            lines = [_line({"id": name, "reason": why}) for name, why in skipped.items()]
            write_atomic(self.root / SKIPPED, b"".join(lines))
        else:
            (self.root / SKIPPED).unlink(missing_ok=True)
            (self.root / RECORDS).rename(self.root / _OVER)
            shutil.rmtree(self.root / _OVER)
        return rows, skipped

    def _copy(self, number: int, file: BinaryIO) -> tuple[int, dict[str, str]]:
        """Append the rows of a shard to the manifest; returns their number and what is skipped."""
        full = self._record(number, _FULL)
        if full.is_file():
            lines = full.read_bytes()
            file.write(lines)
            return lines.count(b"\n"), {}
        rows = list(read_rows(self._record(number, _PARTIAL)))
        made = [row for row in rows if "skipped" not in row]
        file.writelines(map(_line, made))
        return len(made), {row["id"]: row["skipped"] for row in rows if "skipped" in row}


@contextmanager
def open_run(
    root: Path, kind: str, settings: Mapping[str, Any], *, overwrite: bool = False
) -> Iterator[RunDir]:
    """The folder of a run, locked for other processes.

    Args:
        root: The folder; created if missing, and removed if an error ends the first run before
            anything is made.
        kind: The command that writes it.
        settings: What decides the result, as JSON values. A folder with the same settings is
            resumed, one with others is refused with the keys that differ.
        overwrite: Empty the folder first, if a run of ours wrote it.

    Raises:
        OutputConflict: the folder holds something else, is in use, or cannot be written.
    """
    new = not (root.is_dir() and any(root.iterdir()))
    prepare_output(root, kind, run=settings, overwrite=overwrite)
    run = RunDir(root)
    with locked(root):
        shutil.rmtree(root / _OVER, ignore_errors=True)
        if not run.closed:
            (root / RECORDS).mkdir(exist_ok=True)
        try:
            yield run
        except AftersceneError:
            if new and not (run.done() or run.begun()):
                shutil.rmtree(root)
            raise


def _names(folder: Path) -> Iterator[str]:
    """The names of the records in a folder."""
    if folder.is_dir():
        with os.scandir(folder) as entries:
            yield from (e.name for e in entries if e.name.endswith(_FULL) and e.name[0] != ".")


def _line(row: Mapping[str, Any]) -> bytes:
    return (json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n").encode()


@contextmanager
def locked(root: Path) -> Iterator[None]:
    """Keep a second process out of the folder while the first writes (on POSIX only).

    The system releases the lock when its process ends, however it ends.

    Raises:
        OutputConflict: another process is using the folder.
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


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a JSON-lines file, one at a time; none if it is missing.

    Raises:
        OutputConflict: a line is not a JSON object with an id.
    """
    if not path.is_file():
        return
    with path.open("rb") as file:
        for line in filter(bytes.strip, file):
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise OutputConflict(f"{path} is damaged ({error}); build the set again") from error
            if not (isinstance(row, dict) and isinstance(row.get("id"), str)):
                raise OutputConflict(f"{path}: a row has no id; build the set again")
            yield row


def read_manifest(root: Path) -> list[dict[str, Any]]:
    """The rows of a finished run's manifest. Raises MissingFile if there is none."""
    if not (root / MANIFEST).is_file():
        raise MissingFile(
            f"{root / MANIFEST}: there is no manifest; give the folder of a finished run"
        )
    return list(read_rows(root / MANIFEST))
