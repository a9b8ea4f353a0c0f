"""The one step loop: its whole state is the step and the tensors that it saves.

The batch of a step is a pure function of (seed, step), so a run that was killed and resumed in
fp32 on a CPU ends with the same bits as if it had never stopped, and several processes take the
same step as one process (:mod:`afterscene.training.task` says why). A step whose loss or gradient
is not finite changes nothing and is counted; too many in a row end the run.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor

from afterscene.errors import BadParameter, BadWeights, NotFinite, OutputConflict
from afterscene.training import memory
from afterscene.training.averages import Tracks, follow
from afterscene.training.board import Board
from afterscene.training.config import LoopConfig
from afterscene.training.exact import exact_sum, make_exact
from afterscene.training.processes import Group
from afterscene.training.runlog import append, open_folder
from afterscene.training.schedules import learning_rate
from afterscene.training.states import load_newest_state, save_state, states
from afterscene.training.task import Task
from afterscene.weightfiles import load_into


class Trainer:
    """The state of a run: ``for record in trainer.run(): ...`` yields one record a step.

    Args:
        task: What is trained.
        config: The settings; its class may have more of them, all are saved.
        out: Folder of the run; None: nothing is written.
        group: The processes that train together.

    Attributes:
        step: Steps taken.
        skipped, bad: Steps skipped because loss or gradient was not finite: in total, and in a row.
        stopped: The exit code of ``stop`` if the run ended before its last step, else 0.
        done: Whether the last step was taken.
        average: The averaged weights, which are the ones to use.
        seconds: Time that the steps took, including earlier parts of a resumed run.
    """

    def __init__(
        self,
        task: Task,
        config: LoopConfig,
        out: Path | None = None,
        *,
        group: Group | None = None,
    ) -> None:
        self.task, self.config, self.out = task, config, out
        self.group = group or Group()
        self.model = task.model
        self._check_pieces()
        self._summed = self._exact()
        self.average = {k: v.detach().clone() for k, v in self.model.state_dict().items()}
        self.tracks = Tracks(self.average) if config.snapshot_every else None
        self.optimizer = task.optimizer()
        self.peaks = [group["lr"] for group in self.optimizer.param_groups]
        self.step = self.skipped = self.bad = self.stopped = 0
        self.seconds, self.resumed, self.done = 0.0, False, False

    def _exact(self) -> set[int]:
        """Ids of the parameters whose gradients are sums over all processes by themselves."""
        exact = self.config.exact and self.task.device.type == "cpu"
        if self.task.linear or (self.group.size == 1 and not exact):
            return set()
        return {id(p) for p in make_exact(self.model, self.group, convolutions=exact)}

    def _check_pieces(self) -> None:
        """A loss that is not a mean needs one piece per process, with at least one crop."""
        crops, size = self.task.count(0), self.group.size
        if not self.task.linear and (self.config.accumulate > 1 or crops < size):
            raise BadParameter(
                f"a step of {crops} crops cannot be shared by {size} processes with accumulate = "
                f"{self.config.accumulate}: this loss needs accumulate = 1 and a crop for each"
            )

    def resume(self) -> list[str]:
        """Load the newest whole state; returns warnings about damaged ones.

        Raises:
            MissingFile: there is no whole state.
            BadWeights: it is the state of another network, or processes found different ones.
        """
        assert self.out is not None
        step, tensors, warnings = load_newest_state(self.out)
        if self.group.highest(step) != step:
            raise BadWeights(f"processes see different states in {self.out}; give a shared folder")
        warnings += memory.restore(self, tensors)
        self.step, self.resumed = step, True
        limit = self.config.seconds
        self.done = step >= self.config.steps or (limit is not None and self.seconds >= limit)
        return warnings

    def start_from(self, weights: Mapping[str, Tensor], where: str) -> None:
        """Begin with ``weights`` (read from ``where``) instead of random ones.

        Raises:
            BadWeights: they are those of another network.
        """
        load_into(self.model, weights, where)
        self.average = {k: v.detach().clone() for k, v in self.model.state_dict().items()}
        self.tracks = Tracks(self.average) if self.tracks else None

    def save(self) -> None:
        """Write the state of the current step (the first process alone)."""
        if self.group.first and self.out is not None:
            save_state(self.out, self.step, memory.of(self))

    def run(self, stop: Callable[[], int] = lambda: 0) -> Iterator[dict]:
        """Train to the last step; yields a record a step and logs it to ``log.jsonl``.

        Where ``stop()`` is not 0 in any process, all finish that step, save and end.

        Raises:
            NotFinite: ``max_skipped`` steps in a row were not finite.
            OutputConflict: the folder holds states and :meth:`resume` was not asked for.
        """
        with self._opened() as board:
            while not (self.done or self.stopped):
                record = self._timed_step()
                if board is not None:
                    if self._due(self.config.validate_every):
                        self._validate(record, board)
                    append(board.out, record)
                    board.record(record)
                asked = self.group.highest(stop())
                self.stopped = 0 if self.done else asked
                self._store()
                yield record

    @contextmanager
    def _opened(self) -> Iterator[Board | None]:
        """The folder, ready to continue; yields where curves and pictures go, or None."""
        if not self.resumed and self.out is not None and states(self.out):
            raise OutputConflict(
                f"{self.out} holds the states of a run; resume it or choose another folder"
            )
        board = None
        if self.group.first and self.out is not None:
            open_folder(self.out, asdict(self.config), self.step)
            board = Board(self.out, self.step, tensorboard=self.config.tensorboard)
        try:
            yield board
        finally:
            if board is not None:
                board.close()

    def _due(self, every: int) -> bool:
        return bool(every) and (self.step % every == 0 or self.done)

    def _store(self) -> None:
        """Store a snapshot and the state, if they are due."""
        kept = self.tracks if self.group.first else None
        if kept and self.out and self._due(self.config.snapshot_every):
            kept.snapshot(self.out, self.step)
        if self.stopped or self._due(self.config.save_every):
            self.save()

    def _timed_step(self) -> dict:
        started, limit = time.perf_counter(), self.config.seconds
        record = self._train_step()
        if self.bad >= self.config.max_skipped:
            raise NotFinite(
                f"loss or gradient was not finite {self.bad} times in a row since step "
                f"{self.step - self.bad}; resume with less lr, or compute in fp32"
            )
        record["seconds"] = time.perf_counter() - started
        self.seconds += record["seconds"]
        over = limit is not None and self.group.highest(int(self.seconds >= limit)) > 0
        self.done = over or self.step >= self.config.steps
        return record

    def _rate(self) -> float:
        config = self.config
        progress = self.task.progress(self.step, config.steps)
        if config.seconds is not None:
            gone = self.group.highest(int(1e6 * self.seconds / config.seconds)) / 1e6
            progress = max(progress, gone)
        return learning_rate(
            config.schedule, self.step, progress, warmup=config.warmup, floor=config.floor
        )

    def _train_step(self) -> dict:
        rate = self._rate()
        for group, peak in zip(self.optimizer.param_groups, self.peaks, strict=True):
            group["lr"] = peak * rate
        self.task.train_mode()
        kept = [(buffer, buffer.clone()) for buffer in self.model.buffers()]
        trained = [p for group in self.optimizer.param_groups for p in group["params"]]
        figures = self._gradient(trained)
        norm = torch.nn.utils.clip_grad_norm_(trained, self.config.clip)
        finite = bool(torch.isfinite(figures["loss"]) & torch.isfinite(norm))
        if finite:
            self.optimizer.step()
            self._follow()
        else:  # undo the statistics of a bad batch
            for buffer, before in kept:
                buffer.copy_(before)
        self.skipped += not finite
        self.bad = 0 if finite else self.bad + 1
        self.step += 1
        told = {name: float(value) for name, value in figures.items()}
        more = {"norm": float(norm), "lr": self.peaks[0] * rate, "finite": finite}
        return {"step": self.step, **told, **more, "skipped": self.skipped}

    def _gradient(self, trained: list[torch.nn.Parameter]) -> dict[str, Tensor]:
        """Set the weights' gradients to those of the step's whole batch; returns its figures."""
        task, group = self.task, self.group
        pieces = group.pieces(task.count(self.step), self.config.accumulate)
        drawn = [task.draw(self.step, piece) for piece in pieces]
        none = torch.zeros(task.sizes, device=task.device)
        size = group.sum(sum((task.size(part) for part in drawn), none))
        self.optimizer.zero_grad(set_to_none=True)
        if task.linear:
            total = torch.zeros(task.terms, device=task.device)
            for part in drawn:
                sums = task.sums(part)
                sums.backward(self._slope(torch.zeros_like(sums), size))
                total = total + sums.detach()
            total = group.sum(total)
        else:
            sums = task.sums(drawn[0])
            total = exact_sum(sums.detach(), group)
            sums.backward(self._slope(total, size).expand_as(sums))
        group.sum_gradients(p for p in trained if id(p) not in self._summed)
        return task.figures(total, size)

    def _slope(self, sums: Tensor, size: Tensor) -> Tensor:
        """dL/dsums at ``sums``."""
        with torch.enable_grad():
            at = sums.detach().clone().requires_grad_()
            (slope,) = torch.autograd.grad(self.task.figures(at, size)["loss"], at)
        return slope

    def _follow(self) -> None:
        weights = self.model.state_dict()
        follow(self.average, weights, self.task.ema_decay(self.step))
        if self.tracks:
            self.tracks.follow(weights, self.step)

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """The model with its averaged weights, for validation."""
        now = {k: v.clone() for k, v in self.model.state_dict().items()}
        mode = self.model.training
        self.model.load_state_dict(self.average)
        self.model.eval()
        try:
            with torch.inference_mode():
                yield
        finally:
            self.model.load_state_dict(now)
            self.model.train(mode)

    def _validate(self, record: dict, board: Board) -> None:
        with self.averaged():
            loss, picture = self.task.validate(), self.task.pictures()
        if loss is not None:
            record["validation"] = loss
        if picture is not None:
            board.picture(picture, self.step, synthetic=self.task.synthetic)
