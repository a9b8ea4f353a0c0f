"""The line of jobs: one is done at a time, the others wait, and none is lost.

A job is a file ``job.json`` that is written anew whenever its state changes::

    waiting -> running -> done | failed
       |          |-> cancelled
       |          `-> interrupted (the studio ended) -> waiting (somebody lets it go on)
       `-> cancelled

A job that is ``done`` has all its files, another shows none. A long build lets others pass: it goes
back to the end of the line after each pair while somebody waits, and goes on where it was.
"""

import json
import logging
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from afterscene.errors import AftersceneError
from afterscene.files import write_json
from afterscene.studio.store import NotThere, Store, TooMuch, new_number

LONGEST_LINE = 100
KEPT = 300
"""Jobs whose results stay; the oldest finished ones are removed."""
OVER = ("done", "failed", "cancelled")
log = logging.getLogger("afterscene.studio")


class Stopped(Exception):
    """A job was cancelled, or steps aside (``aside``) for one that waits."""

    def __init__(self, aside: bool = False) -> None:
        super().__init__("stopped")
        self.aside = aside


@dataclass(frozen=True, kw_only=True)
class Job:
    """One job as its file says it. ``order`` is its place in line, smallest first."""

    id: str
    asked: Mapping[str, Any]
    order: float
    state: str = "waiting"
    error: str = ""

    @property
    def kind(self) -> str:
        """``aftermath``, ``assess`` or ``build``."""
        return str(self.asked["kind"])


@dataclass
class Running:
    """How far the running job is, and the last picture that it showed."""

    id: str
    done: int = 0
    total: int = 0
    step: int | None = None
    preview: np.ndarray | None = None
    cancelled: threading.Event = field(default_factory=threading.Event)


Work = Callable[[Job, Path, "Line"], None]
"""Does a job in its folder; calls :meth:`Line.tell` now and then."""


class Line:
    """The jobs of a store and the thread that does them."""

    def __init__(self, store: Store, work: Work, ready: Callable[[], object]) -> None:
        self.store, self.work, self.ready = store, work, ready
        self.jobs: dict[str, Job] = {}
        self.now: Running | None = None
        self.lock = threading.RLock()
        self.wake = threading.Condition(self.lock)
        self.open = False
        self._recall()

    def _recall(self) -> None:
        """The jobs of earlier; one that ran is interrupted."""
        for path in (self.store.root / "jobs").glob("*/job.json"):
            job = Job(**json.loads(path.read_text()))
            self.jobs[job.id] = job
            if job.state == "running":
                self._change(job, state="interrupted")

    def start(self) -> None:
        """Begin to work through the line."""
        self.open = True
        threading.Thread(target=self._loop, name="line", daemon=True).start()

    def stop(self) -> None:
        """Begin nothing more; the running job is stopped and is interrupted at the next start."""
        with self.wake:
            self.open = False
            if self.now is not None:
                self.now.cancelled.set()
            self.wake.notify_all()

    def add(self, asked: Mapping[str, Any]) -> Job:
        """Put a job at the end. Raises TooMuch."""
        with self.wake:
            if sum(job.state == "waiting" for job in self.jobs.values()) >= LONGEST_LINE:
                raise TooMuch(f"{LONGEST_LINE} jobs wait already; try again later")
            job = Job(id=new_number(), asked=dict(asked), order=time.time())
            (self.store.root / "jobs" / job.id).mkdir()
            self._change(job)
            self._forget()
            self.wake.notify_all()
            return job

    def find(self, number: str) -> Job:
        """Raises NotThere."""
        if number not in self.jobs:
            raise NotThere(f"there is no job {number[:40]!r}; it may be too old")
        return self.jobs[number]

    def all(self) -> list[Job]:
        """All jobs that are known."""
        with self.lock:
            return [*self.jobs.values()]

    def place(self, job: Job) -> int:
        """How many jobs come before it, the running one included."""
        with self.lock:
            before = (j for j in self.jobs.values() if j.state == "waiting" and j.order < job.order)
            return (sum(1 for _ in before) + (self.now is not None)) * (job.state == "waiting")

    def cancel(self, number: str) -> Job:
        """Stop a job that waits, runs or is interrupted."""
        with self.lock:
            job = self.find(number)
            if self.now is not None and self.now.id == number:
                self.now.cancelled.set()
                return job
            if job.state in OVER:
                return job
            return self._change(job, state="cancelled")

    def go_on(self, number: str) -> Job:
        """Let an interrupted, failed or cancelled job go on where it was."""
        with self.wake:
            job = self.find(number)
            if job.state in ("interrupted", "failed", "cancelled"):
                job = self._change(job, state="waiting", order=time.time(), error="")
                self.wake.notify_all()
            return job

    def folder(self, job: Job) -> Path:
        """Where its files are."""
        return self.store.root / "jobs" / job.id

    def tell(
        self,
        *,
        done: int | None = None,
        total: int | None = None,
        step: int | None = None,
        picture: np.ndarray | None = None,
        may_step_aside: bool = False,
    ) -> None:
        """Say how far the running job is. Raises Stopped."""
        with self.lock:
            now = self.now
            if now is None:
                return
            now.done = now.done if done is None else now.done + done
            now.total = total or now.total
            now.step = step if step is not None else now.step
            now.preview = picture if picture is not None else now.preview
            if now.cancelled.is_set():
                raise Stopped
            if may_step_aside and any(j.state == "waiting" for j in self.jobs.values()):
                raise Stopped(aside=True)

    def _loop(self) -> None:
        self.ready()
        while (job := self._next()) is not None:
            self._do(job)

    def _next(self) -> Job | None:
        with self.wake:
            while self.open:
                waiting = [job for job in self.jobs.values() if job.state == "waiting"]
                if waiting:
                    job = self._change(min(waiting, key=lambda j: j.order), state="running")
                    self.now = Running(id=job.id)
                    return job
                self.wake.wait()
        return None

    def _do(self, job: Job) -> None:
        end: dict[str, Any] = {"state": "done"}
        try:
            self.work(job, self.folder(job), self)
        except Stopped as stopped:
            if not self.open:
                return  # found running at the next start: interrupted
            again = {"state": "waiting", "order": time.time()}
            end = again if stopped.aside else {"state": "cancelled"}
        except AftersceneError as error:
            end = {"state": "failed", "error": self.store.readable(str(error))}
        except Exception:
            log.exception("job %s", job.id)
            end = {"state": "failed", "error": "a fault of the studio; its log says which"}
        with self.lock:
            self.now = None
            self._change(job, **end)

    def _change(self, job: Job, **changes: Any) -> Job:
        job = replace(job, **changes)
        write_json(self.folder(job) / "job.json", asdict(job))
        self.jobs[job.id] = job
        return job

    def _forget(self) -> None:
        """Remove the oldest finished jobs, sets excepted."""
        over = [j for j in self.jobs.values() if j.state in OVER and j.kind != "build"]
        for job in sorted(over, key=lambda j: j.order)[:-KEPT]:
            shutil.rmtree(self.folder(job), ignore_errors=True)
            del self.jobs[job.id]
