"""A model whose weights are averaged over another length than the run's own, after the run.

Which length is best is only known at the end, on validation pairs. The run stored snapshots
(:mod:`afterscene.training.averages`); here the weights are combined from them and written as a
model folder that otherwise equals the ``model/`` of the run.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from afterscene import detectors
from afterscene.errors import BadWeights, MissingFile
from afterscene.generators.checkpoint import load_weights, save_weights
from afterscene.shipped import kind_of
from afterscene.training.averages import reconstruct
from afterscene.weightfiles import load_into


def write_average(run: Path, length: float, out: Path) -> dict[str, Any]:
    """Write the weights of ``run`` averaged over ``length`` (sigma_rel) into ``out``.

    A detector keeps the thresholds that were determined for the run's own average.

    Raises:
        BadParameter: no power function has that length.
        MissingFile: the run is not finished, or stored no snapshots.
        BadWeights: a snapshot is damaged.
    """
    model = run / "model"
    if not (model / "config.json").is_file():
        raise MissingFile(f"{run} has no model/ yet; finish the run first")
    weights, step, missed = reconstruct(run, length)
    about = {"length": length, "step": step, "missed": round(missed, 6)}
    if kind_of(model) == "detector":
        detector = detectors.load_detector(model)
        load_into(detector.network, weights, str(run))
        changed = detectors.Detector(
            detector.network,
            detector.config,
            decision=detector.decision,
            provenance={**detector.provenance, "average": about},
        )
        changed.save(out)
    else:
        own, config = load_weights(model)
        if own.keys() != weights.keys():
            raise BadWeights(
                f"{run}: the snapshots belong to another network than {model}; train it again"
            )
        config.pop("shards")
        save_weights(out, weights, {**config, "average": about}, dtype=torch.float16)
    return about
