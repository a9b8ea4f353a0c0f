"""Run a list of items into a folder: check, make each, record each, gather the manifest.

``gbd build`` and ``synthesize`` are this loop with other file names. An item that is recorded
is not made again; with ``skip`` an item that cannot be made is reported and the others go on.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from afterscene.errors import AftersceneError, BadParameter, UnknownName
from afterscene.files import sha256_file, write_atomic
from afterscene.gbd.pair import read_source
from afterscene.gbd.plan import Item, Source
from afterscene.gbd.rundir import RunDir, locked

Progress = Callable[[int], None]
Make = Callable[[Item], Mapping[str, Any]]
SKIPPED = "skipped.jsonl"
POLICIES = ("fail", "skip")


@dataclass(frozen=True, kw_only=True)
class RunReport:
    """What a run did. ``rows`` are the manifest's, ``skipped`` (name, reason) what is not there."""

    out: Path
    made: int
    already: int
    skipped: tuple[tuple[str, str], ...]
    rows: tuple[dict[str, Any], ...]

    def as_json(self) -> dict[str, Any]:
        """The report as JSON values."""
        levels: Counter[str] = Counter()
        for row in self.rows:
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
    """How a run meets trouble. ``fail`` checks all sources before anything is written and stops at
    the first fault; ``skip`` goes on. ``overwrite`` replaces another run in the folder.
    """

    on_error: str = "fail"
    overwrite: bool = False
    on_progress: Progress = lambda _: None

    def __post_init__(self) -> None:
        if self.on_error not in POLICIES:
            raise UnknownName(
                f"on-error {self.on_error!r} is not known; choose one of: {', '.join(POLICIES)}"
            )


def run_items(
    items: Sequence[Item],
    out: Path,
    *,
    kind: str,
    settings: Mapping[str, Any],
    make: Make,
    options: RunOptions,
) -> RunReport:
    """Make all items that are not there yet; each ``make(item)`` writes its files, then returns its
    manifest row.

    Raises:
        AftersceneError: by the leaf that fits; BadParameter where nothing at all could be made.
    """
    bad = check_sources((item.source for item in items), options.on_error)
    if all(item.source.id in bad for item in items):
        raise BadParameter(f"nothing can be made: {next(iter(bad.values()))}")
    run = RunDir(out, kind, settings, overwrite=options.overwrite)
    with locked(out):
        _clean(out)
        there = run.done()
        skipped = {}
        for item in items:
            reason = "" if item.name in there else bad.get(item.source.id, "")
            if not reason and item.name not in there:
                reason = _make_one(item, run, make, options)
            if reason:
                skipped[item.name] = reason
            options.on_progress(1)
        rows = run.close([item.name for item in items])
        _write_skipped(out, skipped)
    if not rows:
        raise BadParameter(f"nothing could be made: {next(iter(skipped.values()))}")
    return RunReport(
        out=out,
        made=len(rows) - len(there),
        already=len(there),
        skipped=tuple(skipped.items()),
        rows=tuple(rows),
    )


def _make_one(item: Item, run: RunDir, make: Make, options: RunOptions) -> str:
    """Make and record one item; the reason why it was skipped, or ''."""
    try:
        run.finish_one(make(item))
    except AftersceneError as error:
        if options.on_error == "skip":
            return str(error)
        run.abandon()
        raise
    return ""


def check_sources(sources: Iterable[Source], on_error: str = "fail") -> dict[str, str]:
    """Read each source once; the id and the fault of those that cannot be used.

    Raises:
        AftersceneError: the first fault, where ``on_error`` is ``fail``.
    """
    bad = {}
    for source in {source.id: source for source in sources}.values():
        try:
            read_source(source)
        except AftersceneError as error:
            if on_error == "fail":
                raise
            bad[source.id] = str(error)
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


def _clean(out: Path) -> None:
    """Remove what a killed run left half-written; nothing else ever ends in .tmp here."""
    for path in out.rglob("*.tmp"):
        path.unlink()


def _write_skipped(out: Path, skipped: Mapping[str, str]) -> None:
    if not skipped:
        (out / SKIPPED).unlink(missing_ok=True)
        return
    lines = [json.dumps({"id": name, "reason": why}) + "\n" for name, why in skipped.items()]
    write_atomic(out / SKIPPED, "".join(lines).encode())
