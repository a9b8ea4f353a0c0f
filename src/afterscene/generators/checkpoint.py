"""Weights and training states on disk: safetensors and JSON, nothing is ever unpickled.

A folder holds ``config.json`` and one or more ``*.safetensors`` shards. A training state is one
safetensors file whose name tells the step and whose sha256 stands beside it: written to a
temporary name, synced, renamed, read back, and only then are older ones removed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor

from afterscene.errors import BadWeights, MissingFile, NotFinite
from afterscene.files import sha256_file, write_atomic
from afterscene.weightfiles import read_tensors, require_finite

#: Largest shard of shipped weights.
SHARD_BYTES = 15_000_000


def weights_hash(state: Mapping[str, Tensor]) -> str:
    """sha256 over names, shapes and float32 values, independent of sharding and stored dtype."""
    digest = hashlib.sha256()
    for name in sorted(state):
        value = state[name].detach().to(torch.float32).contiguous()
        digest.update(f"{name}{tuple(value.shape)}".encode())
        digest.update(value.numpy().tobytes())
    return digest.hexdigest()


def save_weights(
    folder: Path, state: Mapping[str, Tensor], config: Mapping, *, dtype: torch.dtype
) -> None:
    """Write ``state`` as shards of at most 15 MB, then ``config.json`` (last: it says 'done')."""
    folder.mkdir(parents=True, exist_ok=True)
    shards: list[dict[str, Tensor]] = [{}]
    size = 0
    for name in sorted(state):
        value = state[name].detach().to(dtype).contiguous()
        if not torch.isfinite(value).all():
            raise BadWeights(f"weight '{name}' is not finite; {folder} was not written")
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
        MissingFile: there is no ``config.json`` or a shard is missing.
        BadWeights: a file is damaged, or holds a value that is not finite.
    """
    path = folder / "config.json"
    if not path.is_file():
        raise MissingFile(f"{folder} is no model folder: config.json is not there")
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        count = int(config["shards"])
    except (ValueError, KeyError, TypeError) as error:
        raise BadWeights(f"{path} is damaged ({error}); fetch the model again") from error
    state: dict[str, Tensor] = {}
    for number in range(count):
        shard = folder / f"weights-{number:02d}.safetensors"
        state.update({k: v.float() for k, v in read_tensors(shard).items()})
    require_finite(state, str(folder))
    return state, config


def save_state(folder: Path, step: int, tensors: Mapping[str, Tensor], *, keep: int = 2) -> Path:
    """Write the training state of ``step``; older ones go only after this one was read back.

    Raises:
        NotFinite: a tensor holds NaN or infinity; nothing was written.
        BadWeights: the disk gives back other bytes.
    """
    for name, value in tensors.items():
        if not torch.isfinite(value).all():
            raise NotFinite(
                f"'{name}' is not finite at step {step}; not saved, resume with less lr"
            )
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"state-{step:08d}.safetensors"
    data = save({k: v.detach().contiguous() for k, v in tensors.items()})
    expected = hashlib.sha256(data).hexdigest()
    # The hash goes first: the rename of the state itself is then the moment from which it counts.
    write_atomic(path.with_suffix(".sha256"), expected.encode())
    write_atomic(path, data)
    if sha256_file(path) != expected:
        raise BadWeights(f"{path} reads back other bytes than were written; check the disk")
    # Only what is older goes; a newer one was damaged, or this run would have started there.
    older = [old for old in states(folder) if old.name < path.name]
    for old in older[: max(len(older) - keep + 1, 0)]:
        old.unlink()
        old.with_suffix(".sha256").unlink(missing_ok=True)
    return path


def states(folder: Path) -> list[Path]:
    """Training states in ``folder``, oldest first."""
    return sorted(folder.glob("state-*.safetensors"))


def load_newest_state(folder: Path) -> tuple[int, dict[str, Tensor], list[str]]:
    """``(step, tensors, warnings)`` of the newest state whose hash fits.

    A damaged one is named in the warnings and the one before is taken.

    Raises:
        MissingFile: no state is there at all, or none is whole.
    """
    warnings: list[str] = []
    for path in reversed(states(folder)):
        note = path.with_suffix(".sha256")
        if note.is_file() and note.read_text().strip() == sha256_file(path):
            return int(path.stem.split("-")[1]), read_tensors(path), warnings
        warnings.append(f"{path} is damaged (hash differs); the state before it is used")
    raise MissingFile(f"{folder} holds no whole training state to resume from")
