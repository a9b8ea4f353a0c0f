"""Seams: a scene drawn in several windows compared with the same scene drawn in one.

Tiles of xBD fit into one window of the renderer. So a tile is extended by its mirror image until it
needs several windows, whose borders then cross the real part; drawing the tile alone shows the same
place in a single window. Three figures: the gradient energy across the borders, relative to nearby
lines, in both images (a seam raises the first); the largest difference between the two images
beyond the network's receptive field from the mirror (in bfloat16, windows of different size round
differently); and the share of values that differ when the borders lie elsewhere (no equality is
promised). The whole scene is drawn (*redraw*); *edit* uses the same code on the box around the
damage.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from afterscene.gbd.generator import Generator
from afterscene.generators import BridgeGenerator, windows
from afterscene.geodata.damage import DamageMap
from afterscene.geodata.pair import LabelledPair
from afterscene.geodata.scene import Scene
from afterscene.hazards.real import hazard_name, real_damage
from afterscene.metrics.similarity import seam_score

#: Pixels from the mirrored edge beyond which the two images are compared, unless the network's
#: receptive field is larger.
REACH = 192
#: Pixels at the mirrored edge in which borders are ignored.
MARGIN = 64


def borders(side: int, halo: int, origin: int = 0) -> list[int]:
    """First row (or column) of each window but the first, on a square of `side` pixels."""
    starts = {patch.keep[0].start for patch in windows.patches(side, side, halo, origin)}
    return sorted(starts - {0})


def continued(pair: LabelledPair, side: int) -> tuple[Scene, DamageMap]:
    """The place extended right and down to `side` pixels by its mirror image, without damage."""
    height, width = pair.pre.shape
    grow = ((0, max(side - height, 0)), (0, max(side - width, 0)))
    pixels = np.pad(pair.pre.rgb(), (*grow, (0, 0)), mode="symmetric").transpose(2, 0, 1)
    valid = np.pad(pair.pre.valid, grow, mode="symmetric")
    scene = Scene(pixels=np.ascontiguousarray(pixels), valid=valid)
    damage = DamageMap(
        buildings=pair.buildings,
        intensity=np.zeros(scene.shape, np.float32),
        unit="",
        hazard=hazard_name(pair),
        parameters={},
    )
    return scene, damage


def seam_figures(pair: LabelledPair, generator: Generator, seed: int) -> dict[str, Any]:
    """Seam scores of a pair drawn in several windows, and in a single one.

    `several` and `single` are None if nothing is drawn at a border that crosses the tile.
    `other_origin`, only for a :class:`BridgeGenerator`: the share of values of the larger scene
    that differ when the borders of its windows lie a quarter of CORE farther up and left.
    """
    height, width = pair.pre.shape
    bridge = generator if isinstance(generator, BridgeGenerator) else None
    halo = 0 if bridge is None else windows.halo_of(bridge.model)
    side = max(windows.WHOLE, windows.CORE + 2 * halo) + 128
    if bridge is not None:  # so that a border crosses the tile
        generator = bridge = _moved(bridge, min(halo, windows.CORE - 1))
    origin = 0 if bridge is None else bridge.config.origin
    rows, cols = (
        [b for b in borders(side, halo, origin) if b < n - MARGIN] for n in (height, width)
    )
    scene, damage = continued(pair, side)
    # One style for all images: a scene's tone chooses it, and the larger scene has another tone.
    how: dict[str, Any] = {"seed": seed, "mode": "redraw"}
    if bridge is not None:
        how["style"] = bridge.draw_style(hazard_name(pair), seed)
    larger = generator.render(scene, damage, **how).rgb()
    wide = larger[:height, :width]
    plain = generator.render(pair.pre, real_damage(pair), **how).rgb()
    drawn = (wide != pair.pre.rgb()).any(axis=2) | (plain != pair.pre.rgb()).any(axis=2)
    far = np.zeros((height, width), bool)
    reach = max(REACH, halo)
    far[: max(height - reach, 0), : max(width - reach, 0)] = True
    difference = np.abs(wide.astype(np.int16) - plain)[far]
    moved = None
    if bridge is not None:
        again = (
            _moved(bridge, (origin + windows.CORE // 4) % windows.CORE)
            .render(scene, damage, **how)
            .rgb()
        )
        moved = round(float((again != larger).mean()), 6)
    scores = [seam_score(p, rows, cols, drawn) if rows or cols else None for p in (wide, plain)]
    return {
        "id": pair.id,
        "borders": {"rows": rows, "columns": cols},
        "several": _rounded(scores[0]),
        "single": _rounded(scores[1]),
        "largest_difference": int(difference.max()) if difference.size else None,
        "differing_share": round(float((difference > 0).mean()), 6) if difference.size else None,
        "other_origin": moved,
    }


def _moved(generator: BridgeGenerator, origin: int) -> BridgeGenerator:
    """The same generator, with the borders of its windows elsewhere."""
    return replace(generator, config=replace(generator.config, origin=origin))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
