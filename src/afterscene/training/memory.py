"""Saving a trainer as the named tensors of a training state, and restoring it.

``model/`` and ``average/`` weights, ``step/``, ``first/`` and ``second/`` AdamW's memory,
``track/`` the averages of other lengths, ``count/`` the numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from afterscene.errors import BadWeights
from afterscene.training.states import load_newest_state
from afterscene.weightfiles import load_into

if TYPE_CHECKING:
    from afterscene.training.loop import Trainer

COUNTS = ("skipped", "bad")


def averaged(run: Path) -> tuple[int, dict[str, Tensor], float]:
    """Step, averaged weights and seconds of training of the newest whole state of ``run``.

    Raises MissingFile.
    """
    step, tensors, _ = load_newest_state(run)
    start = "average/"
    average = {k.removeprefix(start): v for k, v in tensors.items() if k.startswith(start)}
    return step, average, float(tensors["count/seconds"])


def of(trainer: Trainer) -> dict[str, Tensor]:
    """All that the next step depends on, on the CPU."""
    tensors = {f"model/{k}": v for k, v in trainer.model.state_dict().items()}
    tensors |= {f"average/{k}": v for k, v in trainer.average.items()}
    for name, parameter in trainer.model.named_parameters():
        kept = trainer.optimizer.state.get(parameter)
        if kept:  # empty until the first finite step, and for frozen weights
            tensors[f"step/{name}"] = torch.as_tensor(kept["step"])
            tensors[f"first/{name}"] = kept["exp_avg"]
            tensors[f"second/{name}"] = kept["exp_avg_sq"]
    if trainer.tracks:
        tensors |= {f"track/{k}": v for k, v in trainer.tracks.tensors().items()}
    tensors |= {f"count/{name}": torch.tensor(getattr(trainer, name)) for name in COUNTS}
    tensors["count/seconds"] = torch.tensor(trainer.seconds, dtype=torch.float64)
    return {k: v.detach().cpu() for k, v in tensors.items()}


def restore(trainer: Trainer, tensors: Mapping[str, Tensor]) -> list[str]:
    """Put a state back; returns sentences for the user. Raises BadWeights for another network."""
    kinds: dict[str, dict[str, Tensor]] = {"model": {}, "average": {}, "step": {}, "count": {}}
    for name, value in tensors.items():
        kind, key = name.split("/", 1)
        kinds.setdefault(kind, {})[key] = value
    where = str(trainer.out)
    load_into(trainer.model, kinds["model"], where)
    if kinds["average"].keys() != trainer.average.keys():
        raise BadWeights(f"{where}: the state has no averages of these weights; start anew")
    for name, value in trainer.average.items():
        value.copy_(kinds["average"][name])
    for name, parameter in trainer.model.named_parameters():
        if name in kinds["step"]:
            trainer.optimizer.state[parameter] = {
                "step": kinds["step"][name],
                "exp_avg": kinds["first"][name].to(parameter),
                "exp_avg_sq": kinds["second"][name].to(parameter),
            }
    for name in COUNTS:
        setattr(trainer, name, int(kinds["count"][name]))
    trainer.seconds = float(kinds["count"]["seconds"])
    return _tracks(trainer, kinds.get("track", {}))


def _tracks(trainer: Trainer, kept: Mapping[str, Tensor]) -> list[str]:
    if not trainer.tracks:
        return []
    if kept:
        trainer.tracks.load(kept)
        return []
    trainer.tracks = None
    return [f"{trainer.out}: the state keeps no averages of other lengths, so none are stored"]
