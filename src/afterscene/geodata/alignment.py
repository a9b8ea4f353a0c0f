"""The offset between mapped footprints and the roofs in a picture, and how certain it is.

Footprints of others come from other pictures: whole neighbourhoods lie some metres off. Within one
tile the miss is nearly one shift, so one shift is looked for: the directions of the outlines'
edges against those of the picture's edges (orientation, not brightness: a roof may be lighter or
darker than its garden), correlated for every shift up to ``limit`` pixels. An edge of direction a
is the vector (cos 2a, sin 2a), so that opposite sides count alike. The best shift is believed
where its correlation stands :data:`CLEAR` deviations above that of the other shifts; else the
tile is flagged as unsure and left as it is. Whole pixels; no turn, no scale.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from rasterio.features import rasterize

from afterscene.geodata.damage import Building

LIMIT = 20
CLEAR = 5.0
"""Set on real xBD tiles whose labels were moved on purpose; figures: docs/explanation/scale.md."""
FEWEST = 5
"""Fewer buildings agree with a picture by chance."""
SLACK = 1
"""Pixels by which hand-drawn labels miss their own picture too."""
_SMOOTH = 1.5
_TWINS = 4  # pixels around the best shift that are it too, and no rivals


@dataclass(frozen=True, kw_only=True)
class Shift:
    """Move footprints ``x`` columns right and ``y`` rows down to lie on the roofs.

    ``clear`` says whether the picture tells so; ``score`` is how many deviations the best shift
    stands above the others, 0 where there was nothing to compare.
    """

    x: int = 0
    y: int = 0
    score: float = 0.0
    clear: bool = False

    @property
    def status(self) -> str:
        """``corrected``, ``aligned`` (no shift needed) or ``unsure``."""
        if not self.clear:
            return "unsure"
        return "corrected" if max(abs(self.x), abs(self.y)) > SLACK else "aligned"

    @property
    def move(self) -> tuple[int, int]:
        """(x, y) by which to move the footprints; (0, 0) unless ``corrected``."""
        return (self.x, self.y) if self.status == "corrected" else (0, 0)

    def as_json(self) -> dict[str, object]:
        """For labels and manifests."""
        x, y = self.move
        return {"status": self.status, "x": x, "y": y, "score": round(self.score, 2)}


def footprint_shift(
    rgb: np.ndarray, valid: np.ndarray, buildings: Sequence[Building], limit: int = LIMIT
) -> Shift:
    """The shift of ``buildings`` (pixels) to the roofs in ``rgb`` (H, W, 3) uint8."""
    height, width = rgb.shape[:2]
    if min(height, width) <= 4 * limit or len(buildings) < FEWEST:
        return Shift()
    # By pixel centres: the rule of xBD's targets fills half a pixel farther right and down.
    roofs = rasterize([b.polygon for b in buildings], (height, width)).astype(np.float32)
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
    inside = cv2.erode(valid.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    seen = _directions(grey) * inside[..., None]
    drawn = _directions(255 * roofs)[limit:-limit, limit:-limit]
    if not seen.any() or not drawn.any():
        return Shift()
    match = cv2.matchTemplate(seen, np.ascontiguousarray(drawn), cv2.TM_CCORR_NORMED)
    row, col = (int(k) for k in np.unravel_index(int(match.argmax()), match.shape))
    rivals = match.copy()
    top, left = max(0, row - _TWINS), max(0, col - _TWINS)
    rivals[top : row + _TWINS + 1, left : col + _TWINS + 1] = np.nan
    spread = float(np.nanstd(rivals))
    score = (float(match[row, col]) - float(np.nanmean(rivals))) / max(spread, 1e-9)
    at_rim = row in (0, 2 * limit) or col in (0, 2 * limit)
    return Shift(x=col - limit, y=row - limit, score=score, clear=score >= CLEAR and not at_rim)


def _directions(grey: np.ndarray) -> np.ndarray:
    """(H, W, 2) float32: strength of the edge times (cos 2a, sin 2a), strong edges held down."""
    smooth = cv2.GaussianBlur(grey, (0, 0), _SMOOTH)
    dx, dy = cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)
    strength = np.hypot(dx, dy) + np.float32(1e-6)
    held = np.minimum(strength, np.percentile(strength, 95)) / strength**2
    doubled = np.stack([(dx**2 - dy**2) * held, 2 * dx * dy * held], axis=-1)
    return doubled.astype(np.float32)
