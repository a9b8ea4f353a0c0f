"""A second acquisition of the same scene: another sun, season, sensor and registration.

Real pairs differ everywhere, not just where something broke, and a detector that is trained on
pairs that agree outside the damage learns that change means damage. Here the whole pre image, with
the sketch of the damage, is changed as if it were acquired again, before the bridge refines it:

* style: channel means and standard deviations change by the style of a real post image
  (``Condition.style``), from a pair whose pre image had a similar tone
  (``BridgeGenerator.draw_style``);
* tone: light and colour of a neighbourhood change by a smooth random curve, so that lawns, crowns,
  asphalt and roofs change differently, as they do with season and sun (means and standard
  deviations of the whole scene stay those of the style);
* drift: haze and bidirectional reflectance, as smooth random brightness over the scene;
* registration: a shift of the whole scene, drawn from the range of real pairs, and a smooth local
  warp of less than a pixel, because terrain and buildings lean with the viewing angle;
* sensor: sharpness and grain.

Only the styles are learned. On 12 of the real pairs, with shift and style removed and damaged
surroundings left out, post and pre still differ by 0.14 to 0.32 (standard deviation of brightness,
units of [-1, 1]), of which 0.08 to 0.22 remain after a blur of 8 pixels and 0.04 to 0.15 after 32;
4 of the 12 were shifted, by 2 to 8 pixels. The amplitudes below stay under that: shadows, cars and
leaves, which make up the rest, are not drawn. A tone of 0.13 changes colours as much as real pairs
do, but in other ways: with less of it the images are closer to real ones, and the same is true of
grain (see the card of the shipped generator).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from afterscene.depiction.noise import smooth_noise
from afterscene.tensors import from_unit, to_unit

#: Amplitudes in units of [-1, 1] (tone, drift, grain) and pixels (shift, warp).
TONE, DRIFT, GRAIN = 0.03, 0.05, 0.004
SHIFT, LARGEST_SHIFT, WARP = 1.2, 4.0, 0.5
#: Number of sine terms of the tone curve; few, so that it stays smooth.
BENDS = 6
#: Largest log ratio of standard deviations that is used from a real pair; beyond it colours clip.
LARGEST_GAIN = 0.4


@dataclass(frozen=True, kw_only=True)
class Acquisition:
    """A second acquisition of a scene, with everything that is random about it.

    Attributes:
        style: ``(6,)``, see ``Condition.style``.
        directions, phases, weights: ``(BENDS, 3)``, ``(BENDS,)``, ``(BENDS, 3)`` of the tone curve
            ``sum_k weights_k sin(directions_k . colour + phase_k)``.
        shift: Rows and columns, in pixels.
        sharpness: Below 0 blurs, above 0 sharpens.
        seed: Seed of drift, warp and grain.
    """

    style: np.ndarray
    directions: np.ndarray
    phases: np.ndarray
    weights: np.ndarray
    shift: tuple[float, float]
    sharpness: float
    seed: int

    @classmethod
    def draw(cls, style: np.ndarray, seed: int) -> Acquisition:
        """An acquisition with the style ``(6,)``."""
        rng = np.random.default_rng((seed, 31))
        common = rng.normal(0, 1, (BENDS, 1)) + rng.normal(0, 0.35, (BENDS, 3))
        rows, cols = np.clip(rng.normal(0, SHIFT, 2), -LARGEST_SHIFT, LARGEST_SHIFT)
        return cls(
            style=np.asarray(style, np.float32),
            directions=rng.normal(0, 2.5, (BENDS, 3)),
            phases=rng.uniform(0, 2 * np.pi, BENDS),
            weights=TONE * common / np.sqrt(BENDS / 2),
            shift=(float(rows), float(cols)),
            sharpness=float(rng.uniform(-0.5, 0.5)),
            seed=seed,
        )

    def __call__(self, picture: np.ndarray, valid: np.ndarray) -> np.ndarray:
        """``picture`` ``(H, W, 3)`` uint8 as acquired again, same shape; invalid pixels stay."""
        return self.simulator(picture, valid)(picture)

    def simulator(
        self, reference: np.ndarray, valid: np.ndarray, pre: np.ndarray | None = None
    ) -> Callable[[np.ndarray], np.ndarray]:
        """A function that applies this acquisition to any state of one scene, all alike.

        It maps ``(H, W, 3)`` uint8 to the same; invalid pixels stay. Means and standard deviations
        of ``reference`` become those of the style relative to ``pre`` (None: relative to
        ``reference`` itself; a style says how a post image differs from its pre image, which
        includes what the hazard did to the ground all over the scene). Another state of the scene,
        such as one with damage, is changed by the same rule, so that both agree where nothing was
        damaged.
        """
        if not valid.any():
            return np.copy
        rng = np.random.default_rng((self.seed, 32))
        colour = to_unit(reference.astype(np.float32))
        first = colour if pre is None else to_unit(pre.astype(np.float32))
        centre, spread = first[valid].mean(axis=0), first[valid].std(axis=0)
        tone = self._tone(colour)
        drift = self._drift(reference.shape[:2], rng) - tone.mean(axis=(0, 1))
        grain = rng.normal(0, GRAIN, reference.shape[:2]).astype(np.float32)[..., None]
        bent = (colour + tone + drift)[valid]
        gain = np.exp(np.clip(self.style[3:], -LARGEST_GAIN, LARGEST_GAIN))
        gain = gain * spread / np.maximum(bent.std(axis=0), 1e-6)  # the style alone sets the spread
        base = bent.mean(axis=0)

        def simulate(picture: np.ndarray) -> np.ndarray:
            colour = to_unit(picture.astype(np.float32))
            colour = colour + self._tone(colour) + drift
            colour = self._sensor((colour - base) * gain + centre + self.style[:3]) + grain
            again = np.clip(from_unit(colour), 0, 255).round().astype(np.uint8)
            again[~valid] = picture[~valid]
            return again

        return simulate

    def move(self, picture: np.ndarray) -> np.ndarray:
        """``picture`` ``(H, W, 3)`` uint8 shifted and smoothly warped; the border is repeated."""
        height, width = picture.shape[:2]
        rng = np.random.default_rng((self.seed, 33))
        y, x = np.mgrid[0:height, 0:width].astype(np.float32)
        y -= self.shift[0] + WARP * smooth_noise((height, width), 96, rng)
        x -= self.shift[1] + WARP * smooth_noise((height, width), 96, rng)
        moved = cv2.remap(picture, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(moved)

    def _tone(self, colour: np.ndarray) -> np.ndarray:
        near = cv2.GaussianBlur(colour, (0, 0), 2.0)
        return (np.sin(near @ self.directions.T + self.phases) @ self.weights).astype(np.float32)

    def _drift(self, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
        slow = 0.8 * smooth_noise(shape, 256, rng) + 0.5 * smooth_noise(shape, 64, rng)
        return (DRIFT * slow)[..., None].astype(np.float32)

    def _sensor(self, colour: np.ndarray) -> np.ndarray:
        return colour + self.sharpness * (colour - cv2.GaussianBlur(colour, (0, 0), 1.0))
