"""Woods: are they kept where they should be, and changed like the real ones?

Two correlations of brightness over the crowns of the pre image, of means over blocks of 4 m (images
of one place are shifted by some pixels): with the pre image where the field is not 0 (flooded woods
still stand), and of the change with the real change (wind strips some woods and not others).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from afterscene.depiction import Evidence

BLOCK = 4.0
#: Share of a block that crowns must cover, and the fewest blocks for a figure.
COVERED, FEWEST = 0.6, 30


@dataclass(frozen=True, kw_only=True)
class Woods:
    """Correlations on one tile, None with too few crowns; ``blocks``: their number."""

    kept: float | None
    change: float | None
    blocks: tuple[int, int]

    @classmethod
    def of(cls, before: Evidence, field: np.ndarray, drawn: np.ndarray, real: np.ndarray) -> Woods:
        """Compare a drawn post with the real one, (H, W, 3) uint8; ``field`` (H, W) says where."""
        side = max(round(BLOCK / before.gsd), 1)
        wooded = _means(before.canopy, side) > COVERED
        struck = wooded & (_means((field > 0).astype(np.float32), side) > COVERED)
        pre = _means(before.light, side)
        after, truth = (
            _means(p.mean(axis=2).astype(np.float32) / 255, side) for p in (drawn, real)
        )
        return cls(
            kept=_alike(after, pre, struck),
            change=_alike(after - pre, truth - pre, wooded),
            blocks=(int(struck.sum()), int(wooded.sum())),
        )


def _means(values: np.ndarray, side: int) -> np.ndarray:
    height, width = (n // side for n in values.shape)
    return np.asarray(
        cv2.resize(
            values[: height * side, : width * side], (width, height), interpolation=cv2.INTER_AREA
        )
    )


def _alike(one: np.ndarray, two: np.ndarray, where: np.ndarray) -> float | None:
    if where.sum() < FEWEST or min(one[where].std(), two[where].std()) < 1e-6:
        return None
    return float(np.corrcoef(one[where], two[where])[0, 1])


def woods_figures(tiles: Sequence[Woods]) -> dict[str, Any]:
    """Means over the tiles with a figure, weighted by their blocks."""
    found: dict[str, Any] = {}
    for k, name in enumerate(("kept", "change")):
        known = [(getattr(t, name), t.blocks[k]) for t in tiles if getattr(t, name) is not None]
        mean = float(_weighed(known)) if known else None
        found[name] = {"correlation": None if mean is None else round(mean, 4), "tiles": len(known)}
    return found


def _weighed(known: Sequence[tuple[float, int]]) -> float:
    values, weights = zip(*known, strict=True)
    return float(np.average(values, weights=weights))
