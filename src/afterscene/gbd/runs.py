"""Runs a plan in a folder: checks what is there, makes and records each shard, writes the manifest.

A recorded shard is not made again; with ``skip`` an item that cannot be made is reported and the
others are made. Workers and Ray make the same files as one process (:mod:`afterscene.gbd.engines`).
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from afterscene.errors import BadParameter, UnknownName
from afterscene.gbd.engines import in_process, in_workers, on_ray
from afterscene.gbd.plan import Item, Plan, Shard
from afterscene.gbd.rundir import MANIFEST, open_run, read_rows
from afterscene.gbd.shards import ShardMaker
from afterscene.geodata.leftout import LeftOut

POLICIES = ("fail", "skip")


@dataclass(frozen=True, kw_only=True)
class RunReport:
    """What a run did.

    ``rows`` are the manifest's, ``skipped`` (name, reason) what is not there, ``left_out`` what of
    the sources' labels was not used.
    """

    out: Path
    made: int
    already: int
    skipped: tuple[tuple[str, str], ...]
    left_out: LeftOut = field(default_factory=LeftOut)

    @property
    def pairs(self) -> int:
        """Number of pairs in the folder now."""
        return self.made + self.already

    @cached_property
    def rows(self) -> tuple[dict[str, Any], ...]:
        """All rows of the manifest."""
        return tuple(read_rows(self.out / MANIFEST))

    def as_json(self) -> dict[str, Any]:
        """The report as JSON values."""
        levels: Counter[str] = Counter()
        for row in read_rows(self.out / MANIFEST):
            levels.update(row["levels"])
        return {
            "out": str(self.out),
            "made": self.made,
            "already_there": self.already,
            "skipped": [{"id": name, "reason": reason} for name, reason in self.skipped],
            "left_out": self.left_out.as_json(),
            "levels": dict(sorted(levels.items())),
        }


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """How a run is carried out, and what it does at errors.

    ``fail`` stops at the first error; ``skip`` continues. ``overwrite`` replaces another run in the
    folder. ``workers`` is the number of processes on this machine, ``ray`` the address of a
    cluster; neither changes the result.
    """

    on_error: str = "fail"
    overwrite: bool = False
    on_progress: Callable[[int], None] = lambda _: None
    workers: int = 1
    ray: str | None = None

    def __post_init__(self) -> None:
        if self.on_error not in POLICIES:
            raise UnknownName(
                f"on-error {self.on_error!r} is not known; choose one of: {', '.join(POLICIES)}"
            )
        if self.workers < 1:
            raise BadParameter(f"the number of workers is {self.workers}; give at least 1")
        if self.ray is not None and self.workers > 1:
            raise BadParameter("workers and ray exclude each other; give one of the two")

    def engine(self, shards: Iterable[Shard], maker: ShardMaker) -> Iterator[int]:
        """Make the shards as the options say; yields the number of items of each."""
        if self.ray is not None:
            return on_ray(shards, maker, self.ray)
        if self.workers > 1:
            return in_workers(shards, maker, self.workers)
        return in_process(shards, maker)


def run_plan(
    plan: Plan,
    out: Path,
    *,
    kind: str,
    make: Callable[[Item], Mapping[str, Any]],
    options: RunOptions,
    bad: Mapping[str, str],
) -> RunReport:
    """Make all missing shards; for ``make`` and ``bad`` see :class:`ShardMaker`.

    Raises:
        AftersceneError: of an item; BadParameter if nothing at all could be made.
    """
    with open_run(out, kind, plan.settings, overwrite=options.overwrite) as run:
        if run.closed:
            options.on_progress(plan.count)
            return RunReport(out=out, made=0, already=plan.count, skipped=())
        done = run.done()
        finished = sum(plan.items_in(number) for number in done)
        already = finished + run.begun()
        options.on_progress(finished)
        maker = ShardMaker(run=run, make=make, skip=options.on_error == "skip", bad=bad)
        for items in options.engine(plan.shards(done), maker):
            options.on_progress(items)
        rows, skipped = run.close(plan.shard_count)
    if not rows:
        raise BadParameter(f"nothing could be made: {next(iter(skipped.values()))}")
    return RunReport(out=out, made=rows - already, already=already, skipped=tuple(skipped.items()))
