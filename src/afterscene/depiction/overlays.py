"""What physics lays over the scene, where no example taught its style: water and ash.

Flood and tsunami fields say how deep the water stands, volcano fields how much ash lies:

* water: a turbid colour with slow drifts of tone and sun glint, opaque from about half a metre
  (Secchi depths of flood water lie below that); roofs stand above it until the depth passes
  their eaves (3 m a storey is assumed), when the building is drawn as submerged;
* ash: a grey veil whose opacity rises with load, 1 - exp(-load / 0.05 kPa); 0.05 kPa is about 5 mm.

Where the opacity is 0 the picture is unchanged to the bit. A field in another unit changes nothing.
Nothing here is learned; the card says which hazards are drawn this way.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from afterscene.geodata.damage import DamageMap, instances

EAVES = 3.0  # metres
OPAQUE = 0.4  # metres of water at which the ground below is hidden
LOAD = 0.05  # kPa


@dataclass(frozen=True, kw_only=True)
class Water:
    """Standing water by depth in metres; ``colour`` is its turbid RGB, 0 to 255."""

    colour: tuple[int, int, int]

    def __call__(self, picture: np.ndarray, damage: DamageMap, seed: int) -> np.ndarray:
        """``picture`` ``(H, W, 3)`` uint8 under water, same shape."""
        return _veiled(picture, self._layer(picture.shape[:2], seed), self.opacity(damage))

    def opacity(self, damage: DamageMap) -> np.ndarray:
        """``(H, W)`` float32 in [0, 1]: how much of the ground the water hides."""
        depth = damage.intensity.astype(np.float32)
        if damage.unit != "m":
            return np.zeros_like(depth)
        opacity = np.clip(depth / OPAQUE, 0, 1) * 0.94
        opacity[(instances(damage.buildings, depth.shape) > 0) & (depth < EAVES)] = 0
        soft = np.where(opacity > 0, cv2.GaussianBlur(opacity, (0, 0), 0.8), 0)
        return _seen(soft)

    def _layer(self, shape: tuple[int, int], seed: int) -> np.ndarray:
        """The colour with drifts and a little glint: ``(H, W, 3)``."""
        rng = np.random.default_rng((seed, 5))
        sizes = ((160, 9), (40, 4), (6, 3))
        drift = sum(smooth_noise(shape, size, rng) * weight for size, weight in sizes)
        grain = rng.normal(0, 1.5, shape)
        base = np.array(self.colour, np.float32)
        return np.asarray(base + (drift + grain)[..., None] * np.array((1.0, 0.95, 0.85)))


@dataclass(frozen=True, kw_only=True)
class Ash:
    """Fallen ash by load in kPa, a grey that keeps a trace of the relief below."""

    def __call__(self, picture: np.ndarray, damage: DamageMap, seed: int) -> np.ndarray:
        """``picture`` ``(H, W, 3)`` uint8 under ash, same shape; nothing is drawn by chance."""
        light = picture.mean(axis=2, keepdims=True)
        grey = 128 + 0.35 * (light - light.mean()) + np.zeros(3)
        return _veiled(picture, grey, self.opacity(damage))

    def opacity(self, damage: DamageMap) -> np.ndarray:
        """``(H, W)`` float32 in [0, 1]: how much of the ground the ash hides."""
        if damage.unit != "kPa":
            return np.zeros(damage.intensity.shape, np.float32)
        return _seen((1 - np.exp(-damage.intensity / LOAD)).astype(np.float32) * 0.9)


def _seen(opacity: np.ndarray) -> np.ndarray:
    """Without what nobody would see: float32."""
    return np.where(opacity < 0.02, 0, opacity).astype(np.float32)


def _veiled(picture: np.ndarray, layer: np.ndarray, opacity: np.ndarray) -> np.ndarray:
    if not opacity.any():
        return picture.copy()
    mixed = picture + opacity[..., None] * (layer - picture)
    return np.clip(mixed, 0, 255).round().astype(np.uint8)


def smooth_noise(shape: tuple[int, int], size: int, rng: np.random.Generator) -> np.ndarray:
    """Unit-variance smooth noise with features of ``size`` pixels: ``(H, W)`` float32."""
    height, width = shape
    coarse = rng.normal(0, 1, (height // size + 3, width // size + 3)).astype(np.float32)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
