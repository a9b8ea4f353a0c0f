"""A plan as a file: one line that says what was asked, then one line for each shard.

``gbd plan`` writes it once, every builder only reads it, so that all machines agree on which pairs
there are without talking. A line is read when its shard is due and not before: the lines of
finished shards are skipped unparsed, so a plan of a million tiles neither fills the memory nor
holds up the first new tile. Each item names its source below ``root``, with the SHA-256 of image
and label; whether the source is still the same is checked when the item is made.
"""

import json
import re
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any

from afterscene.errors import BadParameter, MissingFile, UnknownName
from afterscene.files import sha256_file, write_atomic
from afterscene.gbd.plan import Item, Occurrence, Source
from afterscene.gbd.shards import Shard
from afterscene.hazards.site import Site

FORMAT = "afterscene gbd plan 1"
LONGEST = 64 * 2**20
"""Bytes of one line; a longer one is refused, it is no plan of ours."""
_HEAD = 16384
"""Bytes kept for the first line."""
_NAME = re.compile(r"[^/\\\x00-\x1f\x7f.][^/\\\x00-\x1f\x7f]{0,199}")


def write_plan(
    items: Iterable[Item],
    path: Path,
    *,
    root: Path,
    settings: Mapping[str, Any],
    shard_size: int = 16,
) -> "StoredPlan":
    """Write the plan, hashing each source once; returns it as it is read back.

    ``settings`` say what was asked, as JSON values; a build goes on only where they are equal.

    Raises:
        BadParameter: no item, shards of no items, or a source outside ``root``.
        MissingFile: of a source.
    """
    if shard_size < 1:
        raise BadParameter(f"shards of {shard_size} items hold nothing; give at least 1")
    hashes: dict[str, tuple[str, str]] = {}

    def content(temporary: Path) -> None:
        written = 0
        with temporary.open("w", encoding="utf-8") as file:
            # The head is written last, over blanks, when the number of items is known.
            file.write(" " * _HEAD + "\n")
            rows = iter(items)
            while batch := list(islice(rows, shard_size)):
                lines = [_as_json(item, root, hashes) for item in batch]
                file.write(json.dumps(lines, ensure_ascii=False, allow_nan=False) + "\n")
                written += len(batch)
        if not written:
            raise BadParameter("the plan is empty; give at least one source and a count of 1")
        head = {
            "format": FORMAT,
            "root": str(root.resolve()),
            "count": written,
            "shard_size": shard_size,
            "settings": {**settings, "count": written, "shard_size": shard_size},
        }
        text = json.dumps(head, ensure_ascii=True, allow_nan=False)
        if len(text) > _HEAD:
            raise BadParameter(f"the settings of the plan take {len(text)} bytes; shorten them")
        with temporary.open("r+b") as raw:
            raw.write(text.encode())

    write_atomic(path, content)
    return StoredPlan.read(path)


def _as_json(item: Item, root: Path, hashes: dict[str, tuple[str, str]]) -> dict[str, Any]:
    source = item.source
    if source.id not in hashes:
        hashes[source.id] = (sha256_file(source.pre), sha256_file(source.label))
    return {
        "name": item.name,
        "source": source.id,
        "event": source.event,
        "pre": _below(source.pre, root),
        "label": _below(source.label, root),
        "sha256": list(hashes[source.id]),
        "draw": item.draw,
        "hazard": item.hazard,
        "severity": item.severity,
        "seed": item.seed,
        "parameters": dict(item.parameters),
        **({"region": source.region} if source.region else {}),
        **({"occurrence": _event_json(item.occurrence)} if item.occurrence else {}),
    }


def _event_json(event: Occurrence) -> dict[str, Any]:
    site = None if event.site is None else asdict(event.site)
    return {"name": event.name, "seed": event.seed, "site": site}


def _event(value: Any) -> Occurrence | None:
    """The shared event of an item. Raises KeyError, TypeError, ValueError."""
    if value is None:
        return None
    if not re.fullmatch(r"[^\x00-\x1f\x7f]{1,300}", value["name"]):
        raise ValueError("the event has no plain name")
    where = value["site"]
    try:
        site = None if where is None else Site(**{k: float(v) for k, v in where.items()})
    except BadParameter as error:
        raise ValueError(str(error)) from error
    return Occurrence(name=value["name"], seed=int(value["seed"]), site=site)


def _below(path: Path, root: Path) -> str:
    try:
        # By name, not by where links lead: a folder of links to pictures is a common thing.
        return path.absolute().relative_to(root.absolute()).as_posix()
    except ValueError as error:
        raise BadParameter(f"{path} lies outside {root}; give the folder that holds it") from error


@dataclass(frozen=True, kw_only=True)
class StoredPlan:
    """A plan file; ``root`` is where its sources lie. Shards are read lazily."""

    path: Path
    root: Path
    count: int
    shard_size: int
    settings: Mapping[str, Any]

    @classmethod
    def read(cls, path: Path, root: Path | None = None) -> "StoredPlan":
        """Read the first line. ``root`` replaces the folder that the plan was made from.

        Raises:
            MissingFile: there is no such file.
            BadParameter: it is no plan.
        """
        head = _parse(path, 0, next(_lines(path), b""))
        if not isinstance(head, dict) or head.get("format") != FORMAT:
            raise BadParameter(f"{path}: is no plan; write one with `afterscene gbd plan`")
        numbers = head.get("count"), head.get("shard_size")
        settings, where = head.get("settings"), head.get("root")
        whole = all(isinstance(n, int) and n > 0 for n in numbers)
        if not (whole and isinstance(settings, dict) and isinstance(where, str)):
            raise BadParameter(f"{path}: its first line is damaged; write the plan anew")
        return cls(
            path=path,
            root=Path(where) if root is None else root,
            count=head["count"],
            shard_size=head["shard_size"],
            settings=settings,
        )

    def shards(self, leave_out: Container[int] = ()) -> Iterator[Shard]:
        """The shards in order, without those whose numbers are in ``leave_out``.

        Raises:
            BadParameter: a line is damaged or missing.
        """
        lines = _lines(self.path)
        next(lines, None)
        number = -1
        for number, line in enumerate(lines):
            if number not in leave_out:
                yield self._shard(number, line)
        if number + 1 != -(-self.count // self.shard_size):
            raise BadParameter(f"{self.path}: is cut off; write the plan anew")

    def find(self, name: str) -> Item:
        """The item of that name. Raises UnknownName."""
        wanted = json.dumps(name, ensure_ascii=False).encode()
        for number, line in enumerate(_lines(self.path)):
            if number and wanted in line:
                items = self._shard(number - 1, line).items
                found = next((item for item in items if item.name == name), None)
                if found is not None:
                    return found
        raise UnknownName(f"{self.path} plans no tile {name!r}; its names stand in the file")

    def _shard(self, number: int, line: bytes) -> Shard:
        rows = _parse(self.path, number + 1, line)
        size = min(self.shard_size, self.count - number * self.shard_size)
        if not isinstance(rows, list) or len(rows) != size:
            raise BadParameter(f"{self.path}: line {number + 2} is damaged; write the plan anew")
        try:
            return Shard(number=number, items=tuple(self._item(row) for row in rows))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise BadParameter(
                f"{self.path}: line {number + 2} is damaged ({error!r}); write the plan anew"
            ) from error

    def _item(self, row: Mapping[str, Any]) -> Item:
        for name in (row["name"], row["source"], row["event"]):
            if not _NAME.fullmatch(name):
                raise ValueError(f"{name[:60]!r} is no plain name")
        one, two = row["sha256"]
        source = Source(
            id=row["source"],
            event=row["event"],
            pre=self.root / _inside(row["pre"]),
            label=self.root / _inside(row["label"]),
            sha256=(str(one), str(two)),
            region=_region(row.get("region", "")),
        )
        return Item(
            name=row["name"],
            source=source,
            draw=int(row["draw"]),
            hazard=str(row["hazard"]),
            severity=float(row["severity"]),
            seed=int(row["seed"]),
            parameters=dict(row["parameters"]),
            occurrence=_event(row.get("occurrence")),
        )


def _region(text: Any) -> str:
    if not isinstance(text, str) or not re.fullmatch(r"[^\x00-\x1f\x7f]{0,120}", text):
        raise ValueError("the region has no plain name")
    return text


def _inside(text: str) -> PurePosixPath:
    path = PurePosixPath(text)
    if path.is_absolute() or ".." in path.parts or "\\" in text or "\0" in text:
        raise ValueError(f"{text[:60]!r} leads out of the folder")
    return path


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while line := file.readline(LONGEST):
                yield line
    except OSError as error:
        raise MissingFile(
            f"{path}: cannot be read ({error.strerror}); give the file that gbd plan wrote"
        ) from error


def _parse(path: Path, number: int, line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadParameter(
            f"{path}: line {number + 1} cannot be read; write a plan with `afterscene gbd plan`"
        ) from error
