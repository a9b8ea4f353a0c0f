"""What every training run does, wherever its data come from.

Load the data, make or resume the trainer, train, and write a model folder ``model/`` beside the
states after the last step. A resumed run must be the run that was stopped, so another config or
other data are refused; only settings that do not change the steps may differ, and the number of
steps, which is reported.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from afterscene import shipped
from afterscene.errors import BadParameter, MissingFile, OutputConflict
from afterscene.files import prepare_output
from afterscene.recipes.record import Data, check_data, write_data
from afterscene.training.config import LoopConfig
from afterscene.training.loop import Trainer
from afterscene.training.processes import Group
from afterscene.training.runlog import saved_config
from afterscene.training.states import states
from afterscene.weightfiles import weights_hash

#: Settings that do not decide which steps are taken.
FREE = {
    "accumulate",
    "checkpointing",
    "max_skipped",
    "objects",
    "save_every",
    "snapshot_every",
    "tensorboard",
    "validate_every",
}


@dataclass(frozen=True, kw_only=True)
class Run:
    """A training run: :meth:`prepare`, take the steps of the trainer, :meth:`finish`.

    Subclasses read the data, make the trainer and write the model.

    Attributes:
        config: The full configuration.
        out: Folder of the run.
        initial: Model with the initial weights, by name or folder, instead of random ones.
        resume: Continue from the newest complete state in ``out``.
        overwrite: Replace an earlier run in ``out``.
        group: The processes that train together.
    """

    config: LoopConfig
    out: Path
    initial: Path | None = None
    resume: bool = False
    overwrite: bool = False
    group: Group = field(default_factory=Group)

    @property
    def next(self) -> str:
        """What to train next, if anything is known."""
        return ""

    def first_weights(self) -> Path | None:
        """The folder of the initial weights, if given: a shipped model by name, or a folder."""
        if self.initial is None:
            return None
        return shipped.models().get(str(self.initial), shipped.model_folder(self.initial))

    def read(self) -> Data:
        """The data of the run."""
        raise NotImplementedError

    def trainer(self, data: Data) -> Trainer:
        """A trainer for that data at its first step."""
        raise NotImplementedError

    def start(self, trainer: Trainer, data: Data) -> list[str] | None:
        """Load initial weights; the names of the tiles that they saw, None: not known."""
        return []

    def export(self, data: Data) -> None:
        """Write the model folder."""
        raise NotImplementedError

    def prepare(self) -> tuple[Trainer, Data, list[str]]:
        """The trainer at its first step, its data, and sentences for the user.

        Raises:
            MissingFile: there is no data, or no state to resume from.
            BadParameter: the run in ``out`` was started with another config or other data, or
                the recipe needs initial weights.
            LeakFound: a training pair, or the initial model, is not separate from the held-out
                tiles.
            OutputConflict: the folder holds a run that is neither resumed nor overwritten.
        """
        said = self._compare() if self.resume else []
        self._check_states()  # before the slow decoding
        data = self.read()
        said += data.leaks
        if self.resume:
            check_data(self.out, data)
        trainer = self.trainer(data)
        if self.resume:
            said += trainer.resume()
        else:
            self._begin(trainer, data)
        return trainer, data, said

    def _check_states(self) -> None:
        """A resumed run has states, a new one has none; some need initial weights."""
        if self.config.begins_trained and self.initial is None and not self.resume:
            raise BadParameter("this recipe begins with trained weights; give them with --init")
        if self.resume and not states(self.out):
            raise MissingFile(
                f"{self.out} has no complete training state to resume from; leave out --resume"
            )
        if not (self.resume or self.overwrite) and states(self.out):
            raise OutputConflict(
                f"{self.out} holds the states of a run; resume it or choose another folder"
            )

    def _begin(self, trainer: Trainer, data: Data) -> None:
        """Create the folder with a record of the data, and load the initial weights, if given."""
        before = self.start(trainer, data)
        if self.group.first:
            if self.overwrite or not self.out.exists():
                prepare_output(self.out, "train", overwrite=self.overwrite)
            write_data(self.out, data, before)
        self.group.highest(0)  # no process continues before the folder exists

    def _compare(self) -> list[str]:
        old = saved_config(self.out)
        if old is None:
            return []
        new = json.loads(json.dumps(asdict(self.config)))
        changed = dict(_changes(old, new))
        refused = {k: v for k, v in changed.items() if k not in FREE | {"steps"}}
        if refused:
            told = ", ".join(f"{k}: {a!r} -> {b!r}" for k, (a, b) in refused.items())
            raise BadParameter(
                f"{self.out} was started with other settings ({told}); "
                "resume it with the same, or choose another folder"
            )
        return [f"{self.out}: {k} is now {b!r}, was {a!r}" for k, (a, b) in changed.items()]

    def finish(self, trainer: Trainer, data: Data) -> dict[str, Any]:
        """Export the model if the run is complete; returns the figures of the run."""
        if trainer.done and self.group.first:
            self.export(data)
        return {
            "out": str(self.out),
            "pairs": len(data.train),
            "leaks": list(data.leaks),
            "left_out": data.left_out.as_json(),
            "step": trainer.step,
            "steps": self.config.steps,
            "skipped": trainer.skipped,
            "stopped": trainer.stopped,
            "processes": self.group.size,
            "weights": weights_hash({k: v.cpu() for k, v in trainer.model.state_dict().items()}),
            "model": str(self.out / "model") if trainer.done else None,
        }


def _changes(old: dict, new: dict, prefix: str = "") -> list[tuple[str, tuple[Any, Any]]]:
    """Keys whose values differ; a key that the old config did not have does not count."""
    found: list[tuple[str, tuple[Any, Any]]] = []
    for key in sorted(old.keys() & new.keys()):
        if isinstance(old[key], dict) and isinstance(new[key], dict):
            found += _changes(old[key], new[key], f"{prefix}{key}.")
        elif old[key] != new[key]:
            found.append((prefix + key, (old[key], new[key])))
    return found
