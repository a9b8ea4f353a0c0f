"""Training states on disk: safetensors with their sha256 beside them; nothing is unpickled.

A state is written to a temporary name, synced, renamed and read back, and only then are older ones
removed; so a complete state can be loaded whenever the run is killed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor

from afterscene.errors import BadWeights, MissingFile, NotFinite, OutputConflict
from afterscene.files import sha256_file, write_atomic
from afterscene.weightfiles import read_tensors


def save_state(folder: Path, step: int, tensors: Mapping[str, Tensor], *, keep: int = 2) -> Path:
    """Write the training state of ``step``; older ones are removed after this one was read back.

    Raises:
        NotFinite: a tensor holds NaN or infinity; nothing was written.
        BadWeights: the disk returns other bytes.
        OutputConflict: the folder cannot be written.
    """
    for name, value in tensors.items():
        if not torch.isfinite(value).all():
            raise NotFinite(
                f"'{name}' is not finite at step {step} and was not saved; resume with a smaller lr"
            )
    path = write_verified(folder / f"state-{step:08d}.safetensors", tensors)
    # Only older states are removed; a newer one is damaged, or this run would have started there.
    older = [old for old in states(folder) if old.name < path.name]
    for old in older[: max(len(older) - keep + 1, 0)]:
        old.unlink()
        old.with_suffix(".sha256").unlink(missing_ok=True)
    return path


def states(folder: Path) -> list[Path]:
    """Training states in ``folder``, oldest first."""
    return sorted(folder.glob("state-*.safetensors"))


def load_newest_state(folder: Path) -> tuple[int, dict[str, Tensor], list[str]]:
    """``(step, tensors, warnings)`` of the newest state whose hash is right.

    A damaged one is named in the warnings, and the one before it is used.

    Raises:
        MissingFile: there is no state at all, or none is complete.
    """
    warnings: list[str] = []
    for path in reversed(states(folder)):
        if is_whole(path):
            return int(path.stem.split("-")[1]), read_tensors(path), warnings
        warnings.append(f"{path} is damaged (hash differs); the state before it is used")
    raise MissingFile(
        f"{folder} has no complete training state to resume from; start without --resume"
    )


def write_verified(path: Path, tensors: Mapping[str, Tensor]) -> Path:
    """Write ``path`` and its ``.sha256``, atomically, and read it back."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputConflict(
            f"{path.parent} cannot be created ({error.strerror}); choose another folder"
        ) from error
    data = save({k: v.detach().contiguous() for k, v in tensors.items()})
    expected = hashlib.sha256(data).hexdigest()
    # The hash is written first: the state counts from the moment when the file itself is renamed.
    write_atomic(path.with_suffix(".sha256"), expected.encode())
    write_atomic(path, data)
    if sha256_file(path) != expected:
        raise BadWeights(f"{path} does not read back as it was written; check the disk")
    return path


def is_whole(path: Path) -> bool:
    """Whether the bytes of ``path`` match its hash."""
    note = path.with_suffix(".sha256")
    return note.is_file() and note.read_text().strip() == sha256_file(path)
