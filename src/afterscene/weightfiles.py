"""Reading the weights of every model, with an error that names what is wrong with them.

Generators and detectors have model folders of different layouts and never import each other; what
both must refuse (a file that is not safetensors, a weight that is missing, unknown or of the wrong
shape, a value that is not finite) is refused here. Nothing is ever unpickled.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from afterscene.errors import BadWeights, MissingFile


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Tensors of one safetensors file. Raises MissingFile, BadWeights."""
    if not path.is_file():
        raise MissingFile(f"{path} is not there; the model folder is incomplete")
    try:
        return load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise BadWeights(
            f"{path} is not a readable safetensors file ({error}); copy or train the model again"
        ) from error


def require_finite(state: Mapping[str, Tensor], where: str) -> None:
    """Raise BadWeights at the first weight that holds NaN or infinity."""
    for name, value in state.items():
        if not torch.isfinite(value).all():
            raise BadWeights(
                f"{where}: weight '{name}' is not finite; copy or train the model again"
            )


def load_into(module: torch.nn.Module, state: Mapping[str, Tensor], where: str) -> None:
    """Strictly load ``state``; BadWeights names the first key that does not fit."""
    wanted = module.state_dict()
    for name, value in wanted.items():
        if name not in state:
            raise BadWeights(f"{where}: weight '{name}' is missing")
        if state[name].shape != value.shape:
            have, want = tuple(state[name].shape), tuple(value.shape)
            raise BadWeights(f"{where}: weight '{name}' has shape {have}, {want} is needed")
    extra = sorted(set(state) - set(wanted))
    if extra:
        raise BadWeights(f"{where}: weight '{extra[0]}' is unknown to this model")
    module.load_state_dict(dict(state))


def weights_hash(state: Mapping[str, Tensor]) -> str:
    """sha256 over names, shapes and float32 values, independent of sharding and stored dtype."""
    digest = hashlib.sha256()
    for name in sorted(state):
        value = state[name].detach().to(torch.float32).contiguous()
        digest.update(f"{name}{tuple(value.shape)}".encode())
        digest.update(value.numpy().tobytes())
    return digest.hexdigest()
