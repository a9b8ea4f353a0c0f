"""The weights with which the training of a generator begins, where a model is given.

Nothing here needs more than torch, so that a packed training may begin from a model, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor

from afterscene.errors import BadParameter
from afterscene.generators.checkpoint import load_weights
from afterscene.generators.training import TrainConfig


def initial(folder: Path, config: TrainConfig) -> Mapping[str, Tensor]:
    """The weights of a model folder, as initial weights of all that ``config`` trains.

    Weights that know no pixel sizes begin with sizes that change nothing.

    Raises:
        BadParameter: their class condition has other hazards, or another order, than ``config``,
            or they know pixel sizes and ``config`` does not.
    """
    weights, about = load_weights(folder)
    theirs, ours = about["model"], asdict(config)["model"]
    hazards = [list(model.get("hazards") or ()) for model in (theirs, ours)]
    if all(hazards) and hazards[0] != hazards[1]:
        order = ",".join(hazards[0])
        raise BadParameter(
            f"{folder} was trained with other hazards; start with --set model.hazards={order}"
        )
    if theirs.get("gsd", False):
        if not ours["gsd"]:
            raise BadParameter(
                f"{folder} was trained with pixel sizes; start with --set model.gsd=true"
            )
    elif ours["gsd"]:
        weights = without_effect(weights, ours["embedding"])
    return config.beginning(weights)


def without_effect(weights: Mapping[str, Tensor], width: int) -> dict[str, Tensor]:
    """The same weights with a condition on pixel size that adds nothing to the embedding."""
    added = {"gsd.weight": (width, 1), "gsd.bias": (width,), "gsd_null": (width,)}
    return {**weights, **{f"network.{name}": torch.zeros(of) for name, of in added.items()}}
