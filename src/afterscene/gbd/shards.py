"""A build cut into shards: what is handed to a worker, and the one function every engine calls.

A shard is a number and a few items; its number and its items are fixed by the plan, so who makes
it, when, and beside whom changes nothing. :func:`make_shard` runs the same in this process, in a
local worker and on a Ray node: it makes the items that are not recorded, then writes the shard's
record, and only that record says that the shard is done (MapReduce's rule: work may be done twice,
its result stands once; Dean and Ghemawat 2004).
"""

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from afterscene.errors import AftersceneError
from afterscene.gbd.plan import Item
from afterscene.gbd.rundir import finish_shard, partial_rows

Make = Callable[[Item], Mapping[str, Any]]
ATTEMPTS = 3
"""How often an item is tried that failed by the machine's fault, not by its own."""


@dataclass(frozen=True, kw_only=True)
class Shard:
    """The smallest thing that is done or not done."""

    number: int
    items: tuple[Item, ...]


class Work(Protocol):
    """A fixed list of shards: all of ``shard_size`` items but the last."""

    @property
    def count(self) -> int:
        """Number of items."""

    @property
    def shard_size(self) -> int:
        """Items in each shard but the last."""

    def shards(self, leave_out: Container[int] = ()) -> Iterator[Shard]:
        """The shards in order, without those whose numbers are in ``leave_out``."""


@dataclass(frozen=True)
class ItemList:
    """Items that are in memory, as :class:`Work`."""

    items: Sequence[Item]
    shard_size: int = 1

    @property
    def count(self) -> int:
        """Number of items."""
        return len(self.items)

    def shards(self, leave_out: Container[int] = ()) -> Iterator[Shard]:
        """See :class:`Work`."""
        for number, start in enumerate(range(0, len(self.items), self.shard_size)):
            if number not in leave_out:
                yield Shard(number=number, items=tuple(self.items[start : start + self.shard_size]))


def shard_count(work: Work) -> int:
    """How many shards there are."""
    return -(-work.count // work.shard_size)


def size_of(work: Work, number: int) -> int:
    """Items in the shard of that number."""
    return min(work.shard_size, work.count - number * work.shard_size)


@dataclass(frozen=True, kw_only=True)
class Task:
    """What a worker must know: where to write, how an item is made, what is already known bad.

    ``make(item)`` writes the files of an item and returns its manifest row. With ``skip`` an item
    that fails is recorded with its reason; without, its error ends the build.
    """

    out: Path
    make: Make
    skip: bool = False
    bad: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Made:
    """What became of a shard."""

    number: int
    items: int


def make_shard(shard: Shard, task: Task) -> Made:
    """Make what the shard's record lacks, then write the record. Safe to call again or twice.

    Raises:
        AftersceneError: of an item, unless ``task.skip``.
    """
    rows = {row["id"]: row for row in partial_rows(task.out, shard.number)}
    skipped: dict[str, str] = {}
    for item in shard.items:
        if item.name in rows:
            continue
        reason = task.bad.get(item.source.id, "")
        if not reason:
            try:
                rows[item.name] = dict(_attempt(item, task.make))
            except (AftersceneError, MemoryError, OSError, RuntimeError) as error:
                if not task.skip:
                    raise
                reason = f"{error}" or type(error).__name__
        if reason:
            skipped[item.name] = reason
    order = [rows[item.name] for item in shard.items if item.name in rows]
    finish_shard(task.out, shard.number, order, skipped)
    return Made(number=shard.number, items=len(shard.items))


def give_up(shard: Shard, task: Task, reason: str) -> Made:
    """Record a shard that no worker survived: what it lacks is skipped for this reason."""
    rows = partial_rows(task.out, shard.number)
    there = {row["id"] for row in rows}
    lost = {item.name: reason for item in shard.items if item.name not in there}
    finish_shard(task.out, shard.number, rows, lost)
    return Made(number=shard.number, items=len(shard.items))


def _attempt(item: Item, make: Make) -> Mapping[str, Any]:
    """Make an item; what the machine spoilt (memory, disk, a device) is tried again."""
    for left in range(ATTEMPTS - 1, -1, -1):
        try:
            return make(item)
        except (MemoryError, OSError, RuntimeError):
            if not left:
                raise
    raise AssertionError("unreachable")
