"""The folder of a generator: ``config.json`` and ``weights-*.safetensors``; nothing is unpickled.

Training states are :mod:`afterscene.training.states`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor

from afterscene.errors import BadWeights, MissingFile
from afterscene.files import write_atomic
from afterscene.weightfiles import read_tensors, require_finite

#: Largest shard of shipped weights.
SHARD_BYTES = 15_000_000


def save_weights(
    folder: Path, state: Mapping[str, Tensor], config: Mapping, *, dtype: torch.dtype
) -> None:
    """Write ``state`` as shards of at most 15 MB, then ``config.json`` (last: it means 'done')."""
    folder.mkdir(parents=True, exist_ok=True)
    shards: list[dict[str, Tensor]] = [{}]
    size = 0
    for name in sorted(state):
        value = state[name].detach().to(dtype).contiguous()
        if not torch.isfinite(value).all():
            raise BadWeights(
                f"weight '{name}' is not finite; {folder} was not written, train with a smaller lr"
            )
        bytes_ = value.numel() * value.element_size()
        if size + bytes_ > SHARD_BYTES and shards[-1]:
            shards.append({})
            size = 0
        shards[-1][name] = value
        size += bytes_
    for old in folder.glob("weights-*.safetensors"):
        old.unlink()
    for number, shard in enumerate(shards):
        write_atomic(folder / f"weights-{number:02d}.safetensors", save(shard))
    full = {**config, "shards": len(shards)}
    write_atomic(folder / "config.json", (json.dumps(full, indent=2) + "\n").encode())


def load_weights(folder: Path) -> tuple[dict[str, Tensor], dict]:
    """Weights as float32 and the config of a model folder.

    Raises:
        MissingFile: ``config.json`` or a shard is missing.
        BadWeights: a file is damaged, or holds a value that is not finite.
    """
    path = folder / "config.json"
    if not path.is_file():
        raise MissingFile(f"{folder} is not a model folder: it has no config.json; give another")
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        count = int(config["shards"])
    except (ValueError, KeyError, TypeError) as error:
        raise BadWeights(f"{path} is damaged ({error}); copy the model again") from error
    state: dict[str, Tensor] = {}
    for number in range(count):
        shard = folder / f"weights-{number:02d}.safetensors"
        state.update({k: v.float() for k, v in read_tensors(shard).items()})
    require_finite(state, str(folder))
    return state, config
