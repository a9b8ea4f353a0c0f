"""Bytes of untrusted files, plain or gzipped, read in pieces; limits are checked first."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from afterscene.errors import BadRegions
from afterscene.geodata.mapped.rows import LONGEST, SPARE, UNPACKED

PIECE = 2**20
_EMPTY_LINES = 1000


class Unpacked:
    """What a file unpacks to, until it is more than any honest file's. Raises BadRegions."""

    def __init__(self, path: Path, raw: BinaryIO) -> None:
        self._path, self._raw, self._given = path, raw, 0
        zipped = path.name.lower().endswith(".gz")
        self._file = cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if zipped else raw

    def read(self, size: int) -> bytes:
        """The next bytes."""
        return self._counted(self._file.read(size))

    def readline(self, size: int) -> bytes:
        """The next line, or a part of it."""
        return self._counted(self._file.readline(size))

    def _counted(self, found: bytes) -> bytes:
        self._given += len(found)
        if self._given > UNPACKED * self._raw.tell() + SPARE:
            raise BadRegions(
                f"{self._path}: unpacks to more than {UNPACKED} times its size; no list of "
                "buildings does, so fetch it again"
            )
        return found


@contextmanager
def opened(path: Path) -> Iterator[Unpacked]:
    """The bytes of a file, unzipped where it is; whatever is wrong with them is a BadRegions."""
    try:
        with path.open("rb") as raw:
            yield Unpacked(path, raw)
    except (EOFError, OSError, zlib.error) as error:
        raise BadRegions(f"{path}: is damaged or cut off ({error}); fetch it again") from error


def lines(path: Path, file: Unpacked) -> Iterator[str]:
    """The lines that are not empty, as text. Raises BadRegions."""
    number = empty = 0
    while line := file.readline(LONGEST + 1):
        number += 1
        if len(line) > LONGEST:
            raise BadRegions(
                f"{path}: line {number} is longer than {LONGEST:,} bytes, no building is; "
                "fetch it again"
            )
        text = line.decode("utf-8-sig" if number == 1 else "utf-8", errors="replace")
        empty = 0 if text.strip() else empty + 1
        if empty > _EMPTY_LINES:
            raise BadRegions(f"{path}: more than {_EMPTY_LINES:,} lines are empty; fetch it again")
        if not empty:
            yield text
