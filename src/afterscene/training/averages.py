"""Averages of the weights during a run, and of any length afterwards (Karras et al. 2024, EDM2).

The power-function average of arXiv 2312.02696, section 3.1, after step t,

    average(t) = (gamma + 1) / t^(gamma + 1) * integral from 0 to t of s^gamma weights(s) ds,

is updated by ``average <- beta average + (1 - beta) weights``, ``beta = (1 - 1/t)^(gamma + 1)``:
the start is forgotten as the run grows, so no warm-up rule is needed. The length is given as
``sigma_rel``, the width of the profile as a share of the run,
``sigma_rel^2 = (gamma + 1) / ((gamma + 2)^2 (gamma + 3))``.

Which length is best is only known afterwards. So two averages, of lengths 0.05 and 0.10, are stored
from time to time, and any other is combined from these snapshots (section 3.2): its profile is the
least-squares combination of theirs, whose inner products have a closed form.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from afterscene.errors import BadParameter, BadWeights, MissingFile
from afterscene.training.states import is_whole, write_verified
from afterscene.weightfiles import read_tensors

#: Lengths (sigma_rel) of the two averages that are stored.
LENGTHS = (0.05, 0.10)
#: The length of a plain mean over the whole run (gamma = 0); power functions are shorter.
LONGEST = 12**-0.5
FOLDER = "averages"


def power_ema_decay(step: int, gamma: float) -> float:
    """Beta of the update after step number ``step``, counted from 0."""
    return (1 - 1 / (step + 1)) ** (gamma + 1)


def gamma_of(length: float) -> float:
    """The exponent whose profile has the width ``length``. Raises BadParameter.

    The largest root of ``gamma^3 + 7 gamma^2 + (16 - r) gamma + 12 - r``, ``r = length^-2``.
    """
    if not 0 < length < LONGEST:
        raise BadParameter(
            f"length {length} is out of range; "
            f"choose a share of the run above 0 and below {LONGEST:.3f}, such as 0.1"
        )
    r = length**-2
    return float(np.roots([1, 7, 16 - r, 12 - r]).real.max())


@torch.no_grad()
def follow(average: Mapping[str, Tensor], weights: Mapping[str, Tensor], ema_decay: float) -> None:
    """``average <- ema_decay average + (1 - ema_decay) weights``; integers are copied."""
    for name, value in average.items():
        if value.is_floating_point():
            value.lerp_(weights[name], 1 - ema_decay)
        else:
            value.copy_(weights[name])


class Profile(NamedTuple):
    """An average of exponent ``gamma`` after ``step`` steps."""

    gamma: float
    step: float


def inner(a: Profile, b: Profile) -> float:
    """The integral of the product of two profiles.

    ``(a + 1)(b + 1) min^(a + b + 1) / ((a + b + 1) t_a^(a + 1) t_b^(b + 1))``, by logarithms.
    """
    total, low = a.gamma + b.gamma + 1, min(a.step, b.step)
    power = total * math.log(low)
    power -= (a.gamma + 1) * math.log(a.step) + (b.gamma + 1) * math.log(b.step)
    return (a.gamma + 1) * (b.gamma + 1) / total * math.exp(power)


def combination(stored: Sequence[Profile], wanted: Profile) -> tuple[np.ndarray, float]:
    """Weights of the stored averages that best approximate the wanted one, and the residual.

    The second value is the norm of the residual as a share of the norm of the wanted profile.
    """
    matrix = np.array([[inner(a, b) for b in stored] for a in stored])
    right = np.array([inner(a, wanted) for a in stored])
    weights = np.linalg.lstsq(matrix, right, rcond=1e-12)[0]
    missed = inner(wanted, wanted) - 2 * weights @ right + weights @ matrix @ weights
    return weights, math.sqrt(max(missed, 0.0) / inner(wanted, wanted))


class Tracks:
    """The two averages that are stored during the run."""

    def __init__(self, weights: Mapping[str, Tensor]) -> None:
        self.averages = {
            length: {k: v.detach().clone() for k, v in weights.items()} for length in LENGTHS
        }

    def follow(self, weights: Mapping[str, Tensor], step: int) -> None:
        """Update with the weights after step number ``step``, counted from 0."""
        for length, average in self.averages.items():
            follow(average, weights, power_ema_decay(step, gamma_of(length)))

    def tensors(self) -> dict[str, Tensor]:
        """Both averages, names prefixed with the length: ``0.05/{name}``."""
        return {
            f"{length:.2f}/{name}": value.cpu()
            for length, average in self.averages.items()
            for name, value in average.items()
        }

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Restore what :meth:`tensors` returned."""
        for length, average in self.averages.items():
            for name, value in average.items():
                value.copy_(tensors[f"{length:.2f}/{name}"])

    def snapshot(self, out: Path, step: int) -> Path:
        """Store both averages after ``step`` steps in the folder of the run."""
        return write_verified(out / FOLDER / f"average-{step:08d}.safetensors", self.tensors())


def snapshots(out: Path) -> list[Path]:
    """Snapshots in the folder of a run, oldest first."""
    return sorted((out / FOLDER).glob("average-*.safetensors"))


def reconstruct(out: Path, length: float) -> tuple[dict[str, Tensor], int, float]:
    """``(weights, step, missed)``: the average of that length at the step of the last snapshot.

    ``missed`` is the relative residual of its profile, see :func:`combination`.

    Raises:
        BadParameter: no power function has that length.
        MissingFile: the run stored no snapshots.
        BadWeights: one of them is damaged.
    """
    gamma, files = gamma_of(length), snapshots(out)
    if not files:
        raise MissingFile(
            f"{out} holds no snapshots of averages; train with --set snapshot_every=N"
        )
    for path in files:
        if not is_whole(path):
            raise BadWeights(f"{path} is damaged (hash differs); remove it and try again")
    steps = [int(path.stem.split("-")[1]) for path in files]
    stored = [Profile(gamma_of(own), step) for step in steps for own in LENGTHS]
    weights, missed = combination(stored, Profile(gamma, steps[-1]))
    parts = iter(weights)
    total: dict[str, Tensor] = {}
    for path in files:
        read = read_tensors(path)
        for own in LENGTHS:
            _add(total, read, f"{own:.2f}/", float(next(parts)))
    dtypes = {name.split("/", 1)[1]: value.dtype for name, value in read.items()}
    return {name: value.to(dtypes[name]) for name, value in total.items()}, steps[-1], missed


def _add(total: dict[str, Tensor], read: Mapping[str, Tensor], start: str, weight: float) -> None:
    for key, value in read.items():
        name = key.removeprefix(start)
        if name == key:
            continue
        if value.is_floating_point():
            total[name] = total.get(name, torch.zeros((), dtype=torch.float64)) + weight * value
        else:
            total[name] = value  # counts: those of the last snapshot
