"""Untrusted JSON: limits are checked before parsing, and every fault is a BadLabel.

Size is checked before a byte is read, so memory stays bounded; a nesting bomb, a NaN literal, a
repeated key (JSON leaves open which one counts), a cut-off file or one that is not an object each
become one sentence. UTF-8 with or without a byte order mark, else latin-1 as in some xBD files.
"""

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from afterscene.errors import BadLabel, MissingFile

MAX_BYTES = 32 * 2**20
"""Larger label files are refused unread; the largest in our sample of xBD has 0.3 MB."""


def load_json(path: str | Path) -> dict[str, Any]:
    """The JSON object in a file. Raises MissingFile or BadLabel, nothing else."""
    path = Path(path)
    if not path.is_file():
        raise MissingFile(f"label {path} is not a file; check the path")
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise BadLabel(
                f"{path}: {size:,} bytes are more than the {MAX_BYTES:,} that a label may have; "
                "split it into tiles"
            )
        raw = path.read_bytes()
    except OSError as error:
        raise MissingFile(f"label {path} cannot be read ({error.strerror}); check it") from error
    try:
        document = json.loads(
            _text(raw), parse_constant=_refuse_constant, object_pairs_hook=refuse_repeats
        )
    except RecursionError:
        raise BadLabel(f"{path}: is nested too deeply for a label; export it again") from None
    except ValueError as error:
        raise BadLabel(f"{path}: is not valid JSON ({error}); export it again") from error
    if not isinstance(document, dict):
        raise BadLabel(
            f"{path}: is a JSON {type(document).__name__}, not an object with features and "
            "metadata; give an xBD label"
        )
    return document


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _refuse_constant(literal: str) -> float:
    raise ValueError(f"the literal {literal} is not JSON")


def refuse_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of these members, for ``object_pairs_hook``. Raises ValueError."""
    found = dict(pairs)
    if len(found) != len(pairs):
        repeated = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise ValueError(f"the key {repeated[:50]!r} appears twice in one object")
    return found


def expect(path: Path, parent: Mapping[str, Any], key: str, kind: type, default: Any = None) -> Any:
    """``parent[key]`` if it is a `kind`; `default`, if given, where it is absent; else BadLabel."""
    value = parent.get(key, default)
    if not isinstance(value, kind):
        found = "is missing" if key not in parent else f"is a {type(value).__name__}"
        raise BadLabel(
            f"{path}: {key!r} {found}, it must be a JSON {_JSON[kind]}; correct the file"
        )
    return value


_JSON: dict[type, str] = {dict: "object", list: "array", str: "string"}
