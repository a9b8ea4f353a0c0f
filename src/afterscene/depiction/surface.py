"""The surface of water: its colour, its waves and the sun that glints in them.

Measured by ``python -m benchmarks water`` on some thirty flooded `train` pictures of xBD's
hurricane-florence (0.5 m) and midwest-flooding (0.5 m, and 1 m by taking every second pixel):

* colour: muddy water lies about (118, 101, 75) of 255, clear water is dark: (9, 27, 5) to (34, 53,
  40);
* waves: pixels vary by 1 to 17 of 255 in all colours alike, at 1 m without relation to their
  neighbours (correlation -0.1 to 0.1), at 0.5 m with some (0.2 to 0.5). In muddy water, and where
  the sun glints, few pixels are much brighter: the skewness is 1 to 3, the kurtosis 9 to 50, as
  those of exp(s n) with s of 0.3 to 0.7 and n of unit variance; in clear water it is about 0;
* drifts: some 1.5 of 255 at 3 to 6 m, 4 over tens of metres.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from afterscene.depiction.evidence import Evidence
from afterscene.depiction.noise import smooth_noise
from afterscene.geodata.damage import DamageMap

#: Colours of clear and of muddy water; how far a water lies off the line between them.
CLEAR, MUD = (0.115, 0.165, 0.13), (0.463, 0.396, 0.294)
TINT = (0.030, 0.014, 0.022)
#: Pixel-to-pixel deviation at half a metre: median, deviation of its logarithm; its upper limit.
WAVES, ROUGHEST = (0.010, 0.7), 0.07
#: The exponent s of glints: mean and deviation; its range.
STEEP, STEEPEST = (0.45, 0.15), (0.02, 0.8)
#: How the logarithm of the waves varies within a scene: (pixels, deviation).
PATCHES = ((240, 0.2), (90, 0.2), (10, 0.35))
#: Correlation length of waves in metres.
RIPPLE = 0.22
#: Drifts of brightness, and of each colour by itself: (pixels, deviation).
DRIFTS = ((160, 0.013), (40, 0.007), (14, 0.004), (6, 0.0015))
HUES = ((1, 0.0060), (5, 0.0030), (24, 0.0036))
#: Deviation of white noise that passes the filter of :meth:`Surface.seen`, and the skewness that it
#: leaves of exp(s n).
FINE = 0.7
STEEPS = (0.02, 0.15, 0.3, 0.45, 0.6, 0.8)
SKEWNESS = (0.04, 0.36, 0.76, 1.22, 1.81, 2.93)

Tone = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class Surface:
    """A water surface.

    Attributes:
        tone: Red, green and blue, 0 to 1.
        waves: Standard deviation of brightness from pixel to pixel, 0 to 1.
        glints: How much brighter than the others few pixels are, 0 (not) to 0.8.
    """

    tone: Tone
    waves: float
    glints: float

    @classmethod
    def drawn(cls, turbid: float, gsd: float, rng: np.random.Generator) -> Surface:
        """A surface of water between clear (0) and muddy (1)."""
        line = np.array(CLEAR) + turbid * np.subtract(MUD, CLEAR)
        away = rng.normal(0, 1) * 0.8 + rng.normal(0, 0.6, 3)
        waves = WAVES[0] * gsd / 0.5 * float(np.exp(WAVES[1] * rng.normal()))
        glints = float(np.clip(rng.normal(*STEEP) * (0.3 + 0.7 * turbid), *STEEPEST))
        tone = line + away * np.array(TINT) * (0.4 + 0.6 * turbid)
        return cls(tone=_tone(tone), waves=min(waves, ROUGHEST), glints=glints)

    @classmethod
    def seen(cls, picture: Evidence, where: np.ndarray) -> Surface:
        """The surface that ``picture`` shows ``where`` ``(H, W)`` bool is true, somewhere."""
        fine = picture.light - cv2.GaussianBlur(picture.light, (0, 0), 0.7)
        values = fine[where] - fine[where].mean()
        waves = float(values.std())
        skewness = float((values**3).mean()) / max(waves, 1e-6) ** 3
        return cls(
            tone=_tone(picture.picture[where].mean(axis=0)),
            waves=waves / FINE,
            glints=float(np.interp(skewness, SKEWNESS, STEEPS)),
        )

    @classmethod
    def of(cls, damage: DamageMap, turbid: float, seed: int) -> Surface:
        """What the parameters of the damage map say; what they do not say is drawn."""
        said = damage.parameters
        gsd = float(said.get("gsd", 0.5))
        made = cls.drawn(turbid, gsd, np.random.default_rng((seed, 10)))
        return cls(
            tone=_of_hex(str(said["tone"])) if "tone" in said else made.tone,
            waves=float(said.get("waves", made.waves)),
            glints=float(np.clip(float(said.get("glints", made.glints)), *STEEPEST)),
        )

    @property
    def turbidity(self) -> float:
        """How far the colour is from clear to muddy, 0 to 1."""
        way = np.subtract(MUD, CLEAR)
        return float(np.clip(np.subtract(self.tone, CLEAR) @ way / (way @ way), 0, 1))

    @property
    def told(self) -> dict[str, float | str]:
        """As parameters of a damage map: ``turbidity``, ``tone`` as #rrggbb, and the others."""
        tone = "#" + "".join(f"{round(255 * part):02x}" for part in self.tone)
        more = {"waves": round(self.waves, 4), "glints": round(self.glints, 3)}
        return {"turbidity": self.turbidity, "tone": tone, **more}

    def painted(self, shape: tuple[int, int], gsd: float, seed: int) -> np.ndarray:
        """``(H, W, 3)`` float32, 0 to 1: the surface without anything in it."""
        rng = np.random.default_rng((seed, 5))
        drift = _noises(shape, DRIFTS, rng)
        light = drift + self.waves * np.exp(_noises(shape, PATCHES, rng)) * self._ripples(
            shape, gsd, rng
        )
        hues = np.stack([_noises(shape, HUES, rng) for _ in range(3)], axis=2)
        tone = np.array(self.tone) + hues - hues.mean(axis=2, keepdims=True)
        return np.asarray(tone + light[..., None] * np.array((1.02, 1.0, 0.97)), np.float32)

    def _ripples(self, shape: tuple[int, int], gsd: float, rng: np.random.Generator) -> np.ndarray:
        """``(H, W)`` of mean 0 and deviation 1."""
        noise = rng.normal(0, 1, shape).astype(np.float32)
        if RIPPLE / gsd > 0.3:
            noise = np.asarray(cv2.GaussianBlur(noise, (0, 0), RIPPLE / gsd))
            noise = noise / float(noise.std())
        mean = np.exp(self.glints**2 / 2)
        high = np.exp(self.glints * noise) - mean
        return np.asarray(high / (mean * np.sqrt(np.expm1(self.glints**2))))


def _noises(
    shape: tuple[int, int], parts: tuple[tuple[int, float], ...], rng: np.random.Generator
) -> np.ndarray:
    """``(H, W)``: the sum of smooth noises, given as (pixels, deviation)."""
    return np.asarray(sum(smooth_noise(shape, size, rng) * part for size, part in parts))


def _tone(colour: np.ndarray) -> Tone:
    red, green, blue = (float(part) for part in np.clip(colour, 0.02, 0.95))
    return red, green, blue


def _of_hex(text: str) -> Tone:
    return _tone(np.array([int(text[k : k + 2], 16) / 255 for k in (1, 3, 5)]))
