"""Where shards are made: in this process, by local workers, or on a Ray cluster, equally.

An engine fetches shards lazily, keeps a few in progress and yields the number of items of each as
it is finished, in any order; it keeps no state that is not also recorded on disk. If a worker dies,
its shard goes to another one, and after :data:`LOSSES` deaths at the same shard that shard is given
up (listed with ``skip``, else the build ends), so that one image too large for the memory cannot
block the rest. On Ray the retries are Ray's (Moritz et al. 2018), which also notices a lost node;
all nodes must see the output folder under the same path.
"""

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
import warnings
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from multiprocessing.connection import Connection, wait
from typing import Any

from afterscene.errors import (
    AftersceneError,
    AftersceneWarning,
    MissingExtra,
    UnknownName,
    WorkerLost,
)
from afterscene.gbd.plan import Shard
from afterscene.gbd.shards import ShardMaker

LOSSES = 3
"""Number of workers that may die at one shard before it is given up."""
LOCAL = "local"
"""The Ray address that starts a cluster on this machine alone."""


def in_process(shards: Iterable[Shard], maker: ShardMaker) -> Iterator[int]:
    """One after the other, in this process."""
    for shard in shards:
        yield maker(shard)


class _Worker:
    """A process that makes one shard at a time."""

    def __init__(self, context: Any, maker: ShardMaker) -> None:
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, maker), daemon=True)
        self.process.start()
        theirs.close()
        self.shard: Shard | None = None

    def give(self, shard: Shard) -> None:
        self.shard = shard
        # Already dead: its end of the pipe shows that at the next wait.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.connection.send(shard)

    def stop(self) -> None:
        self.process.terminate()
        self.process.join()
        self.connection.close()


def _serve(connection: Connection, maker: ShardMaker) -> None:
    """The loop of a worker, until the pipe closes or the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    warnings.simplefilter("ignore", AftersceneWarning)  # said when the sources were checked
    threading.Thread(target=_die_with_parent, daemon=True).start()
    while True:
        try:
            shard = connection.recv()
        except EOFError:
            return
        answer: int | Exception
        try:
            answer = maker(shard)
        except Exception as error:  # noqa: BLE001 - it is raised again in the parent
            answer = error
        connection.send(answer)


def _die_with_parent() -> None:
    """An orphan must not continue to write into a folder that the next build uses."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def in_workers(shards: Iterable[Shard], maker: ShardMaker, count: int) -> Iterator[int]:
    """On ``count`` processes of this machine, which share its cores.

    Raises:
        AftersceneError: of an item; WorkerLost if workers die at one shard.
    """
    context = multiprocessing.get_context("spawn")
    waiting = _Queue(shards)
    workers: list[_Worker] = []
    try:
        with _threads_each(count):
            workers += [_Worker(context, maker) for _ in range(count)]
        while True:
            for worker in workers:
                if worker.shard is None and (shard := waiting.take()) is not None:
                    worker.give(shard)
            busy = {w.connection: w for w in workers if w.shard is not None}
            if not busy:
                return
            for ready in wait(list(busy)):
                worker = busy[ready]
                made = _answer(worker, maker, waiting)
                if not worker.process.is_alive():
                    with _threads_each(count):
                        workers[workers.index(worker)] = _Worker(context, maker)
                if made is not None:
                    yield made
    finally:
        for worker in workers:
            worker.stop()


class _Queue:
    """Shards to assign: first those that lost their worker."""

    def __init__(self, shards: Iterable[Shard]) -> None:
        self._fresh = iter(shards)
        self._again: deque[Shard] = deque()
        self._losses: Counter[int] = Counter()

    def take(self) -> Shard | None:
        return self._again.popleft() if self._again else next(self._fresh, None)

    def lost(self, shard: Shard) -> bool:
        """Assign the shard again; False if it was lost too often."""
        self._losses[shard.number] += 1
        if self._losses[shard.number] >= LOSSES:
            return False
        self._again.append(shard)
        return True


def _answer(worker: _Worker, maker: ShardMaker, waiting: _Queue) -> int | None:
    """A worker's message; None if it died and its shard waits again."""
    shard, worker.shard = worker.shard, None
    assert shard is not None
    try:
        answer = worker.connection.recv()
    except (EOFError, ConnectionResetError):
        worker.stop()
        return None if waiting.lost(shard) else _give_up(shard, maker)
    if isinstance(answer, Exception):
        raise answer
    return answer


def _give_up(shard: Shard, maker: ShardMaker) -> int:
    reason = (
        f"shard {shard.number} ({shard.items[0].name} ...): {LOSSES} workers were killed at it; "
        "use more memory or fewer --workers"
    )
    if maker.skip:
        return maker.give_up(shard, reason)
    raise WorkerLost(reason)


@contextlib.contextmanager
def _threads_each(workers: int) -> Iterator[None]:
    """Child processes share the cores, unless the user has set the number of threads."""
    name = "OMP_NUM_THREADS"
    if name in os.environ:
        yield
        return
    os.environ[name] = str(max(1, (os.cpu_count() or 1) // workers))
    try:
        yield
    finally:
        del os.environ[name]


def on_ray(shards: Iterable[Shard], maker: ShardMaker, address: str) -> Iterator[int]:
    """On the Ray cluster at ``address``; ``local`` starts one of this machine.

    Raises:
        MissingExtra, UnknownName: no Ray, or no cluster there.
        AftersceneError: of an item; WorkerLost if Ray's retries are used up.
    """
    ray = _connect(address)
    remote = ray.remote(max_retries=LOSSES, num_cpus=1)(_make)
    shared = ray.put(maker)
    fresh, under_way = iter(shards), dict[Any, Shard]()
    try:
        while True:
            room = 2 * max(1, int(ray.cluster_resources().get("CPU", 1)))
            while len(under_way) < room and (shard := next(fresh, None)) is not None:
                under_way[remote.remote(shared, shard)] = shard
            if not under_way:
                return
            ready, _ = ray.wait(list(under_way), num_returns=1)
            yield _from_ray(ray, ready[0], under_way.pop(ready[0]), maker)
    finally:
        for reference in under_way:
            ray.cancel(reference, force=True)
        if address == LOCAL:
            ray.shutdown()


def _make(maker: ShardMaker, shard: Shard) -> int:
    return maker(shard)


def _connect(address: str) -> Any:
    try:
        import ray
    except ImportError as error:
        raise MissingExtra(
            '--ray needs Ray, which is not installed; install it with: pip install "afterscene'
            '[scale]"'
        ) from error
    if ray.is_initialized():
        return ray
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "error"}
    if address == LOCAL:
        path = os.pathsep.join(p for p in sys.path if p)
        ray.init(runtime_env={"env_vars": {"PYTHONPATH": path}}, include_dashboard=False, **quiet)
        return ray
    try:
        ray.init(address=address, **quiet)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise UnknownName(
            f"--ray {address}: no Ray cluster answers there ({error}); give the address that "
            "`ray start --head` printed, `auto` on one of its nodes, or `local`"
        ) from error
    return ray


def _from_ray(ray: Any, reference: Any, shard: Shard, maker: ShardMaker) -> int:
    try:
        return ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        cause = error.cause
        raise (cause if isinstance(cause, AftersceneError) else error) from None
    except ray.exceptions.RayError:
        return _give_up(shard, maker)
