"""A plan as a file: one line with the settings, then one line for each shard.

``gbd plan`` writes it once, and builds only read it, so that all machines agree on the pairs
without communication. A line is parsed only when its shard is due: the lines of finished shards are
skipped, so a plan of a million tiles neither fills the memory nor delays the first new tile. Each
item names its source below ``root``, with the SHA-256 of image and label; whether the source is
unchanged is checked when the item is made.
"""

import json
import re
from collections import Counter
from collections.abc import Container, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any

from afterscene.errors import BadParameter, MissingFile, UnknownName
from afterscene.files import sha256_file, write_atomic
from afterscene.gbd.plan import Item, Occurrence, Plan, Shard, Source
from afterscene.gbd.sources import digest
from afterscene.hazards.site import Site

FORMAT = "afterscene gbd plan 1"
LONGEST_LINE = 64 * 2**20
"""Largest number of bytes of one line; a longer one cannot belong to a plan."""
_HEAD = 16384
"""Bytes reserved for the first line."""
_NAME = re.compile(r"[^/\\\x00-\x1f\x7f.][^/\\\x00-\x1f\x7f]{0,199}")


@dataclass(frozen=True, kw_only=True)
class Written:
    """A written plan, read back.

    Pairs of each hazard, events, and the levels if they are known.
    """

    plan: Plan
    hazards: Mapping[str, int]
    events: int
    levels: Mapping[str, int]

    def as_json(self) -> dict[str, Any]:
        """The counts as JSON values."""
        return {
            "pairs": self.plan.count,
            "hazards": dict(self.hazards),
            **({"events": self.events} if self.events else {}),
            **({"levels": dict(self.levels)} if self.levels else {}),
        }


def write_plan(plan: Plan, path: Path, *, root: Path, shard_size: int = 16) -> Written:
    """Write the plan in shards of that size, hashing each source once.

    Raises:
        BadParameter: empty shards, or a source outside ``root``.
        MissingFile: of a source.
    """
    if shard_size < 1:
        raise BadParameter(f"the shard size is {shard_size}; give at least 1")
    writer = _Writer(root=root)

    def content(temporary: Path) -> None:
        with temporary.open("w", encoding="utf-8") as file:
            # The first line is written last, over blanks, when the sources are known.
            file.write(" " * _HEAD + "\n")
            rows = plan.items
            while batch := list(islice(rows, shard_size)):
                lines = [writer.row(item) for item in batch]
                file.write(json.dumps(lines, ensure_ascii=False, allow_nan=False) + "\n")
        with temporary.open("r+b") as raw:
            raw.write(writer.head(plan, shard_size))

    write_atomic(path, content)
    return Written(
        plan=read_plan(path),
        hazards=dict(writer.hazards),
        events=len(writer.events),
        levels=dict(sorted(writer.levels.items())),
    )


@dataclass(frozen=True, kw_only=True)
class _Writer:
    """Writes items as rows, and counts them."""

    root: Path
    hashes: dict[str, tuple[str, str]] = field(default_factory=dict)
    hazards: Counter[str] = field(default_factory=Counter)
    levels: Counter[str] = field(default_factory=Counter)
    events: set[tuple[str, str]] = field(default_factory=set)

    def row(self, item: Item) -> dict[str, Any]:
        source, event = item.source, item.occurrence
        if source.id not in self.hashes:
            self.hashes[source.id] = (sha256_file(source.pre), sha256_file(source.label))
        self.hazards[item.hazard] += 1
        self.levels.update({level.word: n for level, n in item.levels.items()})
        if event is not None:
            self.events.add((item.hazard, event.name))
        return {
            "name": item.name,
            "source": source.id,
            "event": source.event,
            "pre": _below(source.pre, self.root),
            "label": _below(source.label, self.root),
            "sha256": list(self.hashes[source.id]),
            "draw": item.draw,
            "hazard": item.hazard,
            "severity": item.severity,
            "seed": item.seed,
            "parameters": dict(item.parameters),
            **({"region": source.region} if source.region else {}),
            **({"occurrence": asdict(event)} if event else {}),
        }

    def head(self, plan: Plan, shard_size: int) -> bytes:
        settings = {**plan.settings, "sources": digest(self.hashes), "shard_size": shard_size}
        head = {
            "format": FORMAT,
            "root": str(self.root.resolve()),
            "count": plan.count,
            "shard_size": shard_size,
            "settings": settings,
        }
        text = json.dumps(head, ensure_ascii=True, allow_nan=False)
        if len(text) > _HEAD:
            raise BadParameter(f"the settings of the plan take {len(text)} bytes; shorten them")
        return text.encode()


def _event(value: Any) -> Occurrence | None:
    """The shared event of an item. Raises KeyError, TypeError, ValueError."""
    if value is None:
        return None
    if not re.fullmatch(r"[^\x00-\x1f\x7f]{1,300}", value["name"]):
        raise ValueError("the event's name is not a plain name")
    where = value["site"]
    try:
        site = None if where is None else Site(**{k: float(v) for k, v in where.items()})
    except BadParameter as error:
        raise ValueError(str(error)) from error
    return Occurrence(name=value["name"], seed=int(value["seed"]), site=site)


def _below(path: Path, root: Path) -> str:
    try:
        # By name, not by the target of links: folders of links to images are common.
        return path.absolute().relative_to(root.absolute()).as_posix()
    except ValueError as error:
        raise BadParameter(f"{path} is not in {root}; give the folder that contains it") from error


def read_plan(path: Path, root: Path | None = None, *, only: str | None = None) -> Plan:
    """The plan in a file; only its first line is read now.

    ``root`` replaces the folder that it was made from; ``only`` selects the item with that name.

    Raises:
        MissingFile: there is no such file.
        BadParameter: it is not a plan.
        UnknownName: it has no such item.
    """
    head = _parse(path, 0, next(_lines(path), b""))
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        raise BadParameter(f"{path} is not a plan; write one with `afterscene gbd plan`")
    numbers = head.get("count"), head.get("shard_size")
    settings, where = head.get("settings"), head.get("root")
    whole = all(isinstance(n, int) and n > 0 for n in numbers)
    if not (whole and isinstance(settings, dict) and isinstance(where, str)):
        raise BadParameter(f"{path}: the first line is damaged; write the plan again")
    reader = _Reader(path, Path(where) if root is None else root, head["count"], head["shard_size"])
    if only is not None:
        item = reader.find(only)
        return Plan.of(lambda: [item], 1, {**settings, "tile": only})
    return Plan(
        settings=settings,
        count=reader.count,
        shards=reader.shards,
        shard_size=reader.shard_size,
    )


@dataclass(frozen=True)
class _Reader:
    """The lines of a plan file after the first; each is parsed when it is needed."""

    path: Path
    root: Path
    count: int
    shard_size: int

    def shards(self, leave_out: Container[int]) -> Iterator[Shard]:
        """See :class:`Plan`. Raises BadParameter: a line is damaged or missing."""
        number = -1
        for number, line in self._numbered():
            if number not in leave_out:
                yield self._shard(number, line)
        if number + 1 != -(-self.count // self.shard_size):
            raise BadParameter(f"{self.path} is truncated; write the plan again")

    def find(self, name: str) -> Item:
        """The item with that name. Raises UnknownName."""
        wanted = json.dumps(name, ensure_ascii=False).encode()
        for number, line in self._numbered():
            if wanted in line:
                for item in self._shard(number, line).items:
                    if item.name == name:
                        return item
        raise UnknownName(f"{self.path} has no tile {name!r}; give one of the names in the file")

    def _numbered(self) -> Iterator[tuple[int, bytes]]:
        return enumerate(islice(_lines(self.path), 1, None))

    def _shard(self, number: int, line: bytes) -> Shard:
        rows = _parse(self.path, number + 1, line)
        size = min(self.shard_size, self.count - number * self.shard_size)
        if not isinstance(rows, list) or len(rows) != size:
            raise BadParameter(f"{self.path}: line {number + 2} is damaged; write the plan again")
        try:
            return Shard(number=number, items=tuple(_item(row, self.root) for row in rows))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise BadParameter(
                f"{self.path}: line {number + 2} is damaged ({error!r}); write the plan again"
            ) from error


def _item(row: Mapping[str, Any], root: Path) -> Item:
    for name in (row["name"], row["source"], row["event"]):
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name[:60]!r} is not a plain name")
    one, two = row["sha256"]
    source = Source(
        id=row["source"],
        event=row["event"],
        pre=root / _inside(row["pre"]),
        label=root / _inside(row["label"]),
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
        raise ValueError("the region's name is not a plain name")
    return text


def _inside(text: str) -> PurePosixPath:
    path = PurePosixPath(text)
    if path.is_absolute() or ".." in path.parts or "\\" in text or "\0" in text:
        raise ValueError(f"{text[:60]!r} leaves the folder")
    return path


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while line := file.readline(LONGEST_LINE):
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
