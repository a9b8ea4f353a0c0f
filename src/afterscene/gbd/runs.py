"""Run a list of shards into a folder: check, make each, record each, gather the manifest.

``gbd build`` and ``synthesize`` are this loop with other file names. A shard that is recorded is
not made again; with ``skip`` an item that cannot be made is reported and the others go on. Workers
and Ray make the same files as one process (:mod:`afterscene.gbd.engines`).
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from afterscene.errors import AftersceneError, BadParameter, UnknownName
from afterscene.files import sha256_file
from afterscene.gbd.engines import in_process, in_workers, on_ray
from afterscene.gbd.pair import read_source
from afterscene.gbd.plan import Source
from afterscene.gbd.rundir import MANIFEST, RunDir, iterate_rows, locked
from afterscene.gbd.shards import Made, Make, Shard, Task, Work, shard_count, size_of

Progress = Callable[[int], None]
POLICIES = ("fail", "skip")


@dataclass(frozen=True, kw_only=True)
class RunReport:
    """What a run did. ``rows`` are the manifest's, ``skipped`` (name, reason) what is not there."""

    out: Path
    made: int
    already: int
    skipped: tuple[tuple[str, str], ...]

    @property
    def pairs(self) -> int:
        """How many pairs the folder holds now."""
        return self.made + self.already

    @cached_property
    def rows(self) -> tuple[dict[str, Any], ...]:
        """All rows of the manifest."""
        return tuple(iterate_rows(self.out / MANIFEST))

    def as_json(self) -> dict[str, Any]:
        """The report as JSON values."""
        levels: Counter[str] = Counter()
        for row in iterate_rows(self.out / MANIFEST):
            levels.update(row["levels"])
        return {
            "out": str(self.out),
            "made": self.made,
            "already_there": self.already,
            "skipped": [{"id": name, "reason": reason} for name, reason in self.skipped],
            "levels": dict(sorted(levels.items())),
        }


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """How a run is made and meets trouble. ``fail`` stops at the first fault; ``skip`` goes on.
    ``overwrite`` replaces another run in the folder. ``workers`` are processes of this machine,
    ``ray`` the address of a cluster; neither changes what is made.
    """

    on_error: str = "fail"
    overwrite: bool = False
    on_progress: Progress = lambda _: None
    workers: int = 1
    ray: str | None = None

    def __post_init__(self) -> None:
        if self.on_error not in POLICIES:
            raise UnknownName(
                f"on-error {self.on_error!r} is not known; choose one of: {', '.join(POLICIES)}"
            )
        if self.workers < 1:
            raise BadParameter(f"{self.workers} workers make nothing; give at least 1")
        if self.ray is not None and self.workers > 1:
            raise BadParameter("workers and ray exclude each other; give one of the two")

    def engine(self, shards: Iterable[Shard], task: Task) -> Iterator[Made]:
        """The shards, made where the options say."""
        if self.ray is not None:
            return on_ray(shards, task, self.ray)
        if self.workers > 1:
            return in_workers(shards, task, self.workers)
        return in_process(shards, task)


def run_shards(
    work: Work,
    out: Path,
    *,
    kind: str,
    settings: Mapping[str, Any],
    make: Make,
    options: RunOptions,
    bad: Mapping[str, str] | None = None,
) -> RunReport:
    """Make all shards that are not there yet; each ``make(item)`` writes its files, then returns
    its manifest row. ``bad`` are sources that are known to be of no use, with the reason.

    Raises:
        AftersceneError: by the leaf that fits; BadParameter where nothing at all could be made.
    """
    run = RunDir(out, kind, settings, overwrite=options.overwrite)
    with locked(out):
        run.open()
        if run.closed:
            options.on_progress(work.count)
            return RunReport(out=out, made=0, already=work.count, skipped=())
        done = run.done()
        finished = sum(size_of(work, number) for number in done)
        already = finished + run.begun()
        options.on_progress(finished)
        task = Task(out=out, make=make, skip=options.on_error == "skip", bad=bad or {})
        try:
            for made in options.engine(work.shards(leave_out=done), task):
                options.on_progress(made.items)
        except AftersceneError:
            run.abandon()
            raise
        rows, skipped = run.close(shard_count(work))
    if not rows:
        raise BadParameter(f"nothing could be made: {next(iter(skipped.values()))}")
    return RunReport(out=out, made=rows - already, already=already, skipped=tuple(skipped.items()))


def check_sources(sources: Iterable[Source], on_error: str = "fail") -> dict[str, str]:
    """Read each source once; the id and the fault of those that cannot be used.

    Raises:
        AftersceneError: the first fault, where ``on_error`` is ``fail``; BadParameter where no
            source is left.
    """
    bad, count = {}, 0
    for source in {source.id: source for source in sources}.values():
        count += 1
        try:
            read_source(source)
        except AftersceneError as error:
            if on_error == "fail":
                raise
            bad[source.id] = str(error)
    if bad and len(bad) == count:
        raise BadParameter(f"nothing can be made: {next(iter(bad.values()))}")
    return bad


def digest(sources: Iterable[Source]) -> str:
    """One short hash over the names and bytes of the sources, so that changed data is noticed and a
    moved folder is not.
    """
    total = hashlib.sha256()
    for source in sorted({s.id: s for s in sources}.values(), key=lambda s: s.id):
        total.update(source.id.encode())
        for path in (source.pre, source.label):
            total.update(sha256_file(path).encode() if path.is_file() else b"missing")
    return total.hexdigest()[:16]
