"""JSON values out of a stream of text, one after the other, each with a limit on its length.

So a list of a million buildings never stands in memory, and it does not matter whether it is one
collection or one feature a line.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from afterscene.errors import BadRegions
from afterscene.geodata.labeljson import refuse_repeats
from afterscene.geodata.mapped.packed import PIECE, Unpacked
from afterscene.geodata.mapped.rows import LONGEST

_BLANK = re.compile(r"[ \t\r\n\x1e]*")  # 0x1E begins a text of RFC 8142
_DECODER = json.JSONDecoder(object_pairs_hook=refuse_repeats)


class JsonText:
    """A text of JSON values. Raises BadRegions for what is none, and for one without end."""

    def __init__(self, path: Path, file: Unpacked) -> None:
        self._path, self._file = path, file
        self._decode = codecs.getincrementaldecoder("utf-8-sig")("replace").decode
        self._text, self._at, self._ended, self._count = "", 0, False, 0

    def next(self) -> str:
        """The character that comes next, past blanks; empty at the end."""
        while True:
            self._at = _BLANK.match(self._text, self._at).end()  # type: ignore[union-attr]
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def take(self, wanted: str) -> None:
        """Go past a character that must come next."""
        if self.next() != wanted:
            raise self.fault(f"{wanted!r} is missing")
        self._at += 1

    def value(self) -> Any:
        """The value that comes next."""
        self.next()
        self._count += 1
        while True:
            try:
                found, end = _DECODER.raw_decode(self._text, self._at)
            except RecursionError as error:
                raise self.fault("it is nested too deeply") from error
            except json.JSONDecodeError as error:
                if len(self._text) - self._at > LONGEST:
                    raise self._too_long() from error
                if not self._more():
                    raise self.fault(str(error).partition(":")[0]) from error
                continue
            except ValueError as error:
                raise self.fault(str(error)) from error
            if end < len(self._text) or not self._more():  # a number may go on in the next piece
                self._at = end
                return found

    def members(self, streamed: str) -> Iterator[tuple[str, Any]]:
        """The members of the object that comes next, ``streamed`` without its value if a list.

        That list is then to be read with :meth:`items`.
        """
        self.take("{")
        while self.next() != "}":
            name = self.value()
            if not isinstance(name, str):
                raise self.fault("a key is not a string")
            self.take(":")
            yield name, None if name == streamed and self.next() == "[" else self.value()
            if self.next() == ",":
                self.take(",")
                if self.next() == "}":
                    raise self.fault("a member is missing")
            elif self.next() != "}":
                raise self.fault("',' is missing")
        self.take("}")

    def items(self) -> Iterator[Any]:
        """The items of the list that comes next."""
        self.take("[")
        while self.next() != "]":
            yield self.value()
            if self.next() != "]":
                self.take(",")
                if self.next() == "]":
                    raise self.fault("an item is missing")
        self.take("]")

    def fault(self, what: str) -> BadRegions:
        """An error about what was read last."""
        return BadRegions(
            f"{self._path}: is not valid JSON near its value {self._count} ({what}); export "
            "it again"
        )

    def _too_long(self) -> BadRegions:
        return BadRegions(
            f"{self._path}: its value {self._count} is longer than {LONGEST:,} bytes, no building "
            "is; fetch it again"
        )

    def _more(self) -> bool:
        """Read on; False at the end. What lies behind is forgotten."""
        if self._ended:
            return False
        piece = self._file.read(PIECE)
        self._ended = not piece
        self._text = self._text[self._at :] + self._decode(piece, self._ended)
        self._at = 0
        return True
