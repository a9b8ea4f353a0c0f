"""The settings that every training run has; the configs of tasks add their own."""

from __future__ import annotations

from dataclasses import dataclass

from afterscene.errors import BadParameter
from afterscene.training.schedules import SHAPES


@dataclass(frozen=True, kw_only=True)
class LoopConfig:
    """The settings of the loop. Raises BadParameter.

    Attributes:
        steps: Optimiser steps.
        seconds: End earlier, after this time; the learning rate decays accordingly.
        lr: Peak learning rate.
        warmup: Steps over which it rises.
        schedule, floor: Shape of its decay (``training.schedules``), and where the decay ends, as
            a share of the peak.
        clip: Largest gradient norm.
        accumulate: Number of parts in which a process computes its crops of a step: less memory,
            same step.
        max_skipped: Non-finite steps in a row before the run stops.
        save_every, validate_every: In steps.
        snapshot_every: Steps between two snapshots of the averages, from which an average of any
            length is made afterwards (``training.averages``); 0: none.
        tensorboard: Also write the log for TensorBoard, if it is installed.
        seed: Seed of initialisation, order and noise.
        exact: On a CPU, a detector's steps are the same to the bit for any number of processes
            (``training.exact``); a step then takes up to 1.7 times as long.
    """

    steps: int = 1_000
    seconds: float | None = None
    lr: float = 1e-3
    warmup: int = 0
    schedule: str = "cosine"
    floor: float = 0.0
    clip: float = 1.0
    accumulate: int = 1
    max_skipped: int = 10
    save_every: int = 500
    validate_every: int = 500
    snapshot_every: int = 0
    tensorboard: bool = True
    seed: int = 0
    exact: bool = False

    @property
    def begins_trained(self) -> bool:
        """Whether the training makes no sense without initial weights."""
        return False

    def __post_init__(self) -> None:
        for name in ("steps", "accumulate", "max_skipped", "save_every", "validate_every"):
            if getattr(self, name) < 1:
                raise BadParameter(f"{name} must be at least 1, got {getattr(self, name)}")
        for name in ("lr", "clip", "seconds"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise BadParameter(f"{name} must be > 0, got {value}")
        for name in ("warmup", "seed", "snapshot_every"):
            if getattr(self, name) < 0:
                raise BadParameter(f"{name} must be at least 0, got {getattr(self, name)}")
        if not 0 <= self.floor <= 1:
            raise BadParameter(f"floor must be between 0 and 1, got {self.floor}")
        if self.schedule not in SHAPES:
            known = ", ".join(SHAPES)
            raise BadParameter(f"schedule '{self.schedule}' is not known; choose one of: {known}")
