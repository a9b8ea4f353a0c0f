"""Run a lesson in a process of its own and keep what it showed, cell by cell.

The process writes one line of JSON for each note, figure and animation (see ``lesson``). They are
kept in ``{out}/{name}.json`` with a key of what decides them: the script, its size, the data, the
version. A site is built again without running again what has not changed.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import afterscene
from afterscene.errors import CourseFailed
from afterscene.files import write_json
from afterscene.school.catalogue import Lesson


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something shown: ``kind`` note, figure or animation; ``content`` the text or file name."""

    line: int
    kind: str
    content: str


@dataclass(frozen=True, kw_only=True)
class Played:
    """A lesson that ran: its events in order and the seconds it took."""

    lesson: Lesson
    events: tuple[Event, ...]
    seconds: float
    small: bool

    def of(self, first: int, last: int) -> list[Event]:
        """The events of the lines ``first`` to ``last`` (the latter not included)."""
        return [event for event in self.events if first <= event.line < last]


def play(
    lesson: Lesson, out: Path, *, small: bool, on_line: Callable[[int], None] = lambda _: None
) -> Played:
    """Run ``lesson``; figures go to ``out``. ``on_line`` hears each line that showed something.

    Raises:
        CourseFailed: the lesson ended with an error; the message has its last line.
    """
    out.mkdir(parents=True, exist_ok=True)
    settings = {"AFTERSCENE_EVENTS": "1", "AFTERSCENE_OUT": str(out.resolve())}
    settings["AFTERSCENE_SMALL"] = "1" if small else "0"
    command = [sys.executable, str(lesson.path)]
    start, events = time.perf_counter(), []
    with tempfile.TemporaryFile("w+", encoding="utf-8") as errors:
        with subprocess.Popen(
            command, env=os.environ | settings, stdout=subprocess.PIPE, stderr=errors, text=True
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                events.append(Event(**json.loads(line)))
                on_line(events[-1].line)
        if process.returncode:
            errors.seek(0)
            last = (errors.read().strip().splitlines() or ["no message"])[-1]
            raise CourseFailed(
                f"lesson {lesson.name} ended with code {process.returncode} ({last}); "
                f"run python {lesson.path} to see where"
            )
    seconds = time.perf_counter() - start
    played = Played(lesson=lesson, events=tuple(events), seconds=seconds, small=small)
    kept = {"key": _key(lesson, small), "seconds": seconds, "events": [asdict(e) for e in events]}
    write_json(out / f"{lesson.name}.json", kept)
    return played


def played_before(lesson: Lesson, out: Path, *, small: bool) -> Played | None:
    """What an earlier run left in ``out``, if nothing that decides it has changed since."""
    try:
        kept: dict[str, Any] = json.loads((out / f"{lesson.name}.json").read_text("utf-8"))
        events = tuple(Event(**event) for event in kept["events"])
        same = kept["key"] == _key(lesson, small)
        seconds = float(kept["seconds"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    whole = all(e.kind == "note" or (out / e.content).is_file() for e in events)
    if not (same and whole):
        return None
    return Played(lesson=lesson, events=events, seconds=seconds, small=small)


def _key(lesson: Lesson, small: bool) -> str:
    tools = lesson.path.parents[1] / "lesson.py"
    parts = [lesson.path.read_bytes(), tools.read_bytes(), afterscene.__version__.encode()]
    parts += [str(small).encode(), os.environ.get("AFTERSCENE_DATA", "").encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()
