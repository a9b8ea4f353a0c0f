"""What a worker does with a shard: the one function that every engine calls.

A shard's number and items are fixed by the plan, so who makes it, when, and beside whom changes
nothing. A :class:`ShardMaker` runs the same in this process, in a local worker and on a Ray node:
it makes the items that are not recorded, then writes the shard's record, and only that record says
that the shard is done (MapReduce's rule: work may be done twice, its result stands once; Dean and
Ghemawat 2004).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from afterscene.errors import AftersceneError
from afterscene.gbd.plan import Item, Shard
from afterscene.gbd.rundir import RunDir

ATTEMPTS = 3
"""How often an item is tried that failed by the machine's fault, not by its own."""


@dataclass(frozen=True, kw_only=True)
class ShardMaker:
    """Makes shards into the folder of a run.

    ``make(item)`` writes the files of an item and returns its manifest row. With ``skip`` an item
    that fails is recorded with its reason; without, its error ends the build. ``bad`` are sources
    that are known to be of no use, with the reason.
    """

    run: RunDir
    make: Callable[[Item], Mapping[str, Any]]
    skip: bool = False
    bad: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, shard: Shard) -> int:
        """Make what the shard's record lacks, then write the record; return how many items it has.

        Safe to call twice.

        Raises:
            AftersceneError: of an item, unless ``skip``.
        """
        rows = {row["id"]: row for row in self.run.partial_rows(shard.number)}
        skipped: dict[str, str] = {}
        for item in shard.items:
            if item.name in rows:
                continue
            reason = self.bad.get(item.source.id, "")
            if not reason:
                try:
                    rows[item.name] = dict(self._attempt(item))
                except (AftersceneError, MemoryError, OSError, RuntimeError) as error:
                    if not self.skip:
                        raise
                    reason = f"{error}" or type(error).__name__
            if reason:
                skipped[item.name] = reason
        order = [rows[item.name] for item in shard.items if item.name in rows]
        self.run.finish_shard(shard.number, order, skipped)
        return len(shard.items)

    def give_up(self, shard: Shard, reason: str) -> int:
        """Record a shard that no worker survived: what it lacks is skipped for this reason."""
        rows = self.run.partial_rows(shard.number)
        there = {row["id"] for row in rows}
        lost = {item.name: reason for item in shard.items if item.name not in there}
        self.run.finish_shard(shard.number, rows, lost)
        return len(shard.items)

    def _attempt(self, item: Item) -> Mapping[str, Any]:
        """Make an item; what the machine spoilt (memory, disk, a device) is tried again."""
        for left in range(ATTEMPTS - 1, -1, -1):
            try:
                return self.make(item)
            except (MemoryError, OSError, RuntimeError):
                if not left:
                    raise
        raise AssertionError("unreachable")
