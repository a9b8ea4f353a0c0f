"""Makes one shard: the function that every engine calls.

A shard's number and items are fixed by the plan, so it does not matter who makes it, and when. A
:class:`ShardMaker` does the same in this process, in a local worker and on a Ray node: it makes the
items that are not recorded, then writes the shard's record, and only that record means that the
shard is done (as in MapReduce: work may be done twice, but its result counts once; Dean and
Ghemawat 2004).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from afterscene.errors import AftersceneError
from afterscene.gbd.plan import Item, Shard
from afterscene.gbd.rundir import RunDir

ATTEMPTS = 3
"""How often an item is tried that failed because of the machine, not because of its data."""


@dataclass(frozen=True, kw_only=True)
class ShardMaker:
    """Makes shards into the folder of a run.

    ``make(item)`` writes the files of an item and returns its manifest row. With ``skip`` an item
    that fails is recorded with its reason; otherwise its error ends the build. ``bad`` are sources
    that are known to be unusable, with the reason.
    """

    run: RunDir
    make: Callable[[Item], Mapping[str, Any]]
    skip: bool = False
    bad: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, shard: Shard) -> int:
        """Make what is missing in the shard's record, then write it; returns the number of items.

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
        """Record a shard that no worker survived: missing items are skipped for this reason."""
        rows = self.run.partial_rows(shard.number)
        there = {row["id"] for row in rows}
        lost = {item.name: reason for item in shard.items if item.name not in there}
        self.run.finish_shard(shard.number, rows, lost)
        return len(shard.items)

    def _attempt(self, item: Item) -> Mapping[str, Any]:
        """Make an item; failures of the machine (memory, disk, device) are tried again."""
        for left in range(ATTEMPTS - 1, -1, -1):
            try:
                return self.make(item)
            except (MemoryError, OSError, RuntimeError):
                if not left:
                    raise
        raise AssertionError("unreachable")
