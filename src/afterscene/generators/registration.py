"""Registers a post image to its pre image by dense optical flow.

Real pairs are registered to some metres only, and roofs, crowns and slopes lean with the viewing
angle, each by its own shift. A network that edits the pre image would learn to blur what is merely
shifted, so the post image is registered first. The flow is that of dense inverse search (DIS,
Kroeger et al. 2016, arXiv 1603.03590) between pictures whose brightness and contrast are normalised
locally, since the two acquisitions differ in sun, season and tone. It is believed where the flow
back returns to the same pixel, and smoothed over :data:`SMOOTH` pixels: what a disaster changed has
no match, and moves with what stands around it.
"""

from __future__ import annotations

import cv2
import numpy as np

#: Radius of the local normalisation, and the contrast (grey values) below which it fades.
NEAR, FAINT = 8.0, 6.0
#: Largest flow, and largest distance between a pixel and where the flow back leads, in pixels.
FARTHEST, RETURN = 24.0, 1.5
#: Radii over which the flow is smoothed: its own, and the one used where nothing near is believed,
#: which is worked out on a grid of so many pixels.
SMOOTH, WIDE, COARSE = 8.0, 64.0, 8
#: Share of pixels that must be believed; below it, the pair is left as it lies.
ENOUGH = 0.05
#: Pixels that need no resampling.
STILL = 0.25
#: DIS needs some pixels for its patches.
SMALLEST = 48


def register(pre: np.ndarray, post: np.ndarray) -> np.ndarray:
    """``post`` ``(H, W, 3)`` uint8 registered to ``pre`` of the same shape."""
    field = find_flow(pre, post)
    if np.abs(field).max() < STILL:
        return post
    return warp(post, field)


def find_flow(pre: np.ndarray, post: np.ndarray) -> np.ndarray:
    """Where each pixel of ``pre`` lies in ``post``: ``(H, W, 2)`` float32, columns and rows ahead.

    Args:
        pre: ``(H, W, 3)`` uint8.
        post: ``(H, W, 3)`` uint8.

    Returns:
        Zeros if too little of one picture is found in the other.
    """
    nothing = np.zeros((*pre.shape[:2], 2), np.float32)
    if min(pre.shape[:2]) < SMALLEST:
        return nothing
    before, after = _normalised(pre), _normalised(post)
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    there = search.calc(before, after, None)  # type: ignore[call-overload]
    back = search.calc(after, before, None)  # type: ignore[call-overload]
    believed = _returns(there, back) & pre.any(axis=2) & post.any(axis=2)
    if believed.mean() < ENOUGH:
        return nothing
    return _smoothed(there, believed.astype(np.float32))


def warp(picture: np.ndarray, field: np.ndarray) -> np.ndarray:
    """``(H, W, 3)`` uint8 sampled where ``field`` leads; the border is repeated."""
    rows, cols = np.mgrid[0 : picture.shape[0], 0 : picture.shape[1]].astype(np.float32)
    moved = cv2.remap(
        picture,
        cols + field[..., 0],
        rows + field[..., 1],
        cv2.INTER_LANCZOS4,  # linear interpolation would blur the texture to be learned
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(moved)


def _normalised(picture: np.ndarray) -> np.ndarray:
    """``(H, W)`` uint8: brightness relative to its surroundings, in units of their contrast."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    mean = cv2.GaussianBlur(grey, (0, 0), NEAR)
    spread = cv2.GaussianBlur((grey - mean) ** 2, (0, 0), NEAR) ** 0.5
    return np.clip(128 + 48 * (grey - mean) / (spread + FAINT), 0, 255).astype(np.uint8)


def _returns(there: np.ndarray, back: np.ndarray) -> np.ndarray:
    """``(H, W)`` bool: the flow back leads to where the flow there began."""
    rows, cols = np.mgrid[0 : there.shape[0], 0 : there.shape[1]].astype(np.float32)
    again = cv2.remap(
        back, cols + there[..., 0], rows + there[..., 1], cv2.INTER_LINEAR, borderValue=(1e3, 1e3)
    )
    miss = np.linalg.norm(there + again, axis=2)
    return (miss < RETURN) & (np.linalg.norm(there, axis=2) < FARTHEST)


def _smoothed(field: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Averages of the believed flow, from near, else from far, else of the whole picture."""
    height, width = weight.shape
    every = np.concatenate([field, np.ones_like(field[..., :1])], axis=2) * weight[..., None]
    found = np.median(field[weight > 0], axis=0)
    # A wide average needs no fine grid.
    few = cv2.resize(
        every, (-(-width // COARSE), -(-height // COARSE)), interpolation=cv2.INTER_AREA
    )
    found = _filled(cv2.GaussianBlur(few, (0, 0), WIDE / COARSE), 0.02, found)
    found = cv2.resize(found, (width, height), interpolation=cv2.INTER_LINEAR)
    return _filled(cv2.GaussianBlur(every, (0, 0), SMOOTH), 0.1, found)


def _filled(sums: np.ndarray, least: float, otherwise: np.ndarray) -> np.ndarray:
    """The mean flow of sums of flow and weight; ``otherwise`` counts with the weight ``least``."""
    total = sums[..., 2:] + least
    return np.asarray((sums[..., :2] + least * otherwise) / total, np.float32)
