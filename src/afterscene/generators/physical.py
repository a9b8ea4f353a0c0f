"""What physics puts into the picture, where no example taught its look: water and ash.

Flood and tsunami fields say how deep the water stands, volcano fields how much ash lies. These
are drawn onto the pre image before the bridge renders the damaged buildings, so that the bridge
sees, and blends with, the changed surroundings:

* water: a turbid colour with slow drifts of tone and sun glint, opaque from about half a metre
  (Secchi depths of flood water lie below that); roofs stand above it until the depth passes
  their eaves (3 m a storey is assumed), when the building is drawn as submerged;
* ash: a grey veil whose opacity rises with load, 1 - exp(-load / 0.05 kPa); 0.05 kPa is about 5 mm.

Nothing here is learned; the card says which hazards are drawn this way.
"""

from __future__ import annotations

import cv2
import numpy as np

from afterscene.geodata.damage import DamageMap, instances

EAVES = 3.0  # metres
OPAQUE = 0.4  # metres of water at which the ground below is hidden
ASH = 0.05  # kPa


def draw_physics(
    picture: np.ndarray, damage: DamageMap, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """The pre image with water or ash on it.

    Args:
        picture: ``(H, W, 3)`` uint8.
        damage: Its intensity is depth in ``m`` (flood, tsunami) or ash load in ``kPa`` (volcano);
            other hazards and units change nothing.
        seed: Of the drifts and ripples.

    Returns:
        The changed picture ``(H, W, 3)`` uint8 and the opacity ``(H, W)`` float32 in [0, 1];
        where opacity is 0 the picture is unchanged to the bit.
    """
    opacity = np.zeros(picture.shape[:2], np.float32)
    if damage.hazard in ("flood", "tsunami") and damage.unit == "m":
        opacity = _water_opacity(damage)
        layer = _water_colour(picture.shape[:2], damage.hazard, seed)
    elif damage.hazard == "volcano" and damage.unit == "kPa":
        opacity = (1 - np.exp(-damage.intensity / ASH)).astype(np.float32) * 0.9
        layer = _ash_colour(picture)
    opacity[opacity < 0.02] = 0
    if not opacity.any():
        return picture.copy(), opacity
    mixed = picture + opacity[..., None] * (layer - picture)
    return np.clip(mixed, 0, 255).round().astype(np.uint8), opacity


def _water_opacity(damage: DamageMap) -> np.ndarray:
    depth = damage.intensity.astype(np.float32)
    opacity = np.clip(depth / OPAQUE, 0, 1) * 0.94
    index = instances(damage.buildings, depth.shape)
    dry = (index > 0) & (depth < EAVES)
    opacity[dry] = 0
    return np.where(opacity > 0, cv2.GaussianBlur(opacity, (0, 0), 0.8), 0).astype(np.float32)


def _water_colour(shape: tuple[int, int], hazard: str, seed: int) -> np.ndarray:
    """Silt brown for rivers, grey brown for the sea, with drifts and a little glint."""
    rng = np.random.default_rng((seed, 5))
    base = np.array((112, 98, 74) if hazard == "flood" else (92, 90, 80), np.float32)
    drift = sum(
        smooth_noise(shape, size, rng) * weight for size, weight in ((160, 9), (40, 4), (6, 3))
    )
    grain = rng.normal(0, 1.5, shape)
    return base + (drift + grain)[..., None] * np.array((1.0, 0.95, 0.85))


def _ash_colour(picture: np.ndarray) -> np.ndarray:
    """Grey that keeps a trace of the relief below."""
    light = picture.mean(axis=2, keepdims=True)
    return 128 + 0.35 * (light - light.mean()) + np.zeros(3)


def smooth_noise(shape: tuple[int, int], size: int, rng: np.random.Generator) -> np.ndarray:
    """Unit-variance smooth noise with features of ``size`` pixels: ``(H, W)`` float32."""
    height, width = shape
    coarse = rng.normal(0, 1, (height // size + 3, width // size + 3)).astype(np.float32)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
