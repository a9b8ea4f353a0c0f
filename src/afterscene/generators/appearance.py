"""The appearance of an image: its tone, and its style relative to another acquisition."""

from __future__ import annotations

import numpy as np

from afterscene.tensors import MIDDLE, to_unit


def measure_style(pre: np.ndarray, post: np.ndarray, reference: np.ndarray) -> np.ndarray | None:
    """Style of ``post`` relative to ``pre`` on the ``reference`` pixels.

    Args:
        pre: ``(H, W, 3)`` uint8.
        post: ``(H, W, 3)`` uint8.
        reference: ``(H, W)`` bool, pixels that the hazard did not change.

    Returns:
        ``(6,)`` float32: difference of the channel means in units of [-1, 1], then the log
        ratio of the channel standard deviations; ``None`` if less than 10% of the pixels remain.
    """
    if reference.mean() < 0.1:
        return None
    before = to_unit(pre[reference].astype(np.float32))
    after = to_unit(post[reference].astype(np.float32))
    spread = np.log((after.std(0) + 1e-3) / (before.std(0) + 1e-3))
    return np.concatenate([after.mean(0) - before.mean(0), spread]).astype(np.float32)


def tone_of(picture: np.ndarray, valid: np.ndarray | None = None) -> np.ndarray:
    """``(6,)``: mean and standard deviation of the channels of ``(H, W, 3)`` uint8, in [0, 1].

    ``valid`` is ``(H, W)`` bool; without it black pixels are left out. Zeros if nothing remains.
    """
    chosen = picture[picture.any(axis=2) if valid is None else valid].astype(np.float64) / 255
    if not len(chosen):
        chosen = np.zeros((1, 3))
    return np.concatenate([chosen.mean(axis=0), chosen.std(axis=0)]).astype(np.float32)


def match_style(post: np.ndarray, middle: np.ndarray, style: np.ndarray) -> np.ndarray:
    """``post`` with a style close to that of its pre image: uint8.

    The correction is bounded and nearly the same for all channels: if a hazard changed the whole
    tile (burnt fields), a full match of each channel would colour ash pink.

    Args:
        post: ``(H, W, 3)`` uint8.
        middle: ``(3,)`` mean of ``post`` on the reference area, 0..255.
        style: ``(6,)`` style of ``post`` (see :func:`measure_style`).
    """
    gain = np.exp(-np.clip(style[3:].mean(), -0.25, 0.25))
    common = np.clip(style[:3].mean(), -0.15, 0.15)
    offset = MIDDLE * (common + np.clip(style[:3] - style[:3].mean(), -0.04, 0.04))
    centred = post.astype(np.float32) - middle
    return np.clip(centred * gain + middle - offset, 0, 255).round().astype(np.uint8)
