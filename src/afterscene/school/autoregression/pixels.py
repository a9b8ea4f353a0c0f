"""Integer pictures, and the one place where randomness enters.

A picture here is int64 ``(N, C, H, W)`` with values ``0 .. levels - 1``. To draw a value, one
uniform number is pushed through the inverse cumulative distribution; all uniform numbers of a
picture are a function of (seed, its number in the batch), so that neither batch size nor the way
of computing (cached or not) changes what is drawn.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from afterscene.errors import BadParameter

T = TypeVar("T")


def quantize(x: Tensor, levels: int) -> Tensor:
    """Floats in [-1, 1] to integers: [-1, 1] is cut into ``levels`` equal bins."""
    return ((x.float() + 1) * (levels / 2)).floor().clamp(0, levels - 1).long()


def dequantize(x: Tensor, levels: int) -> Tensor:
    """Integers to the middles of their bins in (-1, 1); inverse of :func:`quantize` on them."""
    return (x.float() + 0.5) * (2 / levels) - 1


def scale(x: Tensor, levels: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Integers to floats with 0 at -1 and ``levels - 1`` at 1: what networks are fed with."""
    return x.to(dtype) * (2.0 / (levels - 1)) - 1.0


def unscale(x: Tensor, levels: int) -> Tensor:
    """The nearest integer value of floats in [-1, 1]; inverse of :func:`scale`."""
    return ((x + 1) * ((levels - 1) / 2)).round().clamp(0, levels - 1).long()


def uniforms(seed: int, count: int, shape: tuple[int, ...]) -> Tensor:
    """Uniform numbers in [0, 1) ``(count, *shape)``, row n a function of (seed, n) alone."""
    rows = [np.random.default_rng((seed, index)).random(shape) for index in range(count)]
    return torch.from_numpy(np.stack(rows)) if rows else torch.zeros(0, *shape)


def sample_values(logits: Tensor, u: Tensor, temperature: float = 1.0) -> Tensor:
    """One value per row: ``logits (M, K)``, ``u (M,)`` in [0, 1) -> ``(M,)`` int64.

    ``temperature`` 0 takes the most likely value (deterministic), 1 samples the model, between
    them the distribution is sharpened.
    """
    if temperature < 0:
        raise ValueError(f"temperature must not be negative, got {temperature}")
    if temperature == 0:
        return logits.argmax(dim=-1)
    cumulative = (logits.double() / temperature).softmax(dim=-1).cumsum(dim=-1)
    below = (cumulative <= u.to(cumulative)[:, None]).sum(dim=-1)
    return below.clamp_max(logits.shape[-1] - 1)


def log_prob_of(logits: Tensor, values: Tensor) -> Tensor:
    """``log softmax(logits)[value]``: ``logits (..., K)``, ``values (...)`` -> ``(...)`` nats."""
    return F.log_softmax(logits, dim=-1).gather(-1, values[..., None])[..., 0]


def label_rows(label: Tensor | None, classes: int, count: int, device: torch.device) -> Tensor:
    """Row of each label in a table whose last row, ``classes``, is "not said" (label -1 or None).

    Raises :class:`~afterscene.errors.BadParameter` for a label that the model does not know.
    """
    null = torch.full((count,), classes, device=device)
    if label is None:
        return null
    if int(label.max()) >= classes:
        raise BadParameter(f"label {int(label.max())} is too high: the model has {classes} classes")
    return torch.where(label < 0, null, label)


def bits_per_value(log_prob: Tensor, x: Tensor) -> Tensor:
    """Nats per picture ``(N,)`` to bits per channel value: ``-log_prob / (ln 2 * C H W)``."""
    return -log_prob / (math.log(2) * x[0].numel())


def last(states: Iterable[T]) -> T:
    """The last state of a walk."""
    state: T | None = None
    for state in states:  # noqa: B007
        pass
    assert state is not None, "a walk yields at least one state"
    return state
