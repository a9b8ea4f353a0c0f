"""Real pairs as training tiles: decode, rasterise, and measure how the post looks."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from afterscene.conditioning import STYLE_SIZE
from afterscene.errors import MissingFile
from afterscene.generators.appearance import match_look, measure_style
from afterscene.generators.crops import TrainingTile, affected_mask
from afterscene.generators.registration import register
from afterscene.geodata.damage import Building, DamageLevel, rasterize
from afterscene.geodata.scene import read_scene
from afterscene.geodata.xbd import Pair, read_label
from afterscene.hazards import hazard_of

#: Pixels around damaged buildings that do not count as left alone by the hazard.
REACH = 24


def load_tiles(pairs: Iterable[Pair]) -> list[TrainingTile]:
    """Decode real pairs into memory (about 13 MB a 1024x1024 pair).

    Where too little of a tile was left alone to measure its look, the median look of its event
    is taken.
    """
    drafts = [_draft(pair) for pair in pairs if pair.post is not None]
    looks: dict[str, list[np.ndarray]] = {}
    for draft in drafts:
        if draft["style"] is not None:
            looks.setdefault(draft["event"], []).append(draft["style"])
    return [_finish(draft, looks.get(draft["event"], [])) for draft in drafts]


def unlabelled_pairs(folder: Path) -> list[Pair]:
    """Pairs of a flat folder of ``{event}_{number}_{pre|post}_disaster.{suffix}`` images.

    Raises MissingFile where the folder holds none.
    """
    pairs = []
    for post in sorted(folder.glob("*_post_disaster.*")):
        pre = post.with_name(post.name.replace("_post_disaster", "_pre_disaster"))
        name = post.name.split("_post_disaster")[0]
        if pre.is_file():
            event = name.rsplit("_", 1)[0]
            pairs.append(
                Pair(id=name, event=event, pre=pre, post=post, pre_label=None, post_label=None)
            )
    if not pairs:
        raise MissingFile(f"{folder} holds no pairs *_pre_disaster, *_post_disaster of images")
    return pairs


def _draft(pair: Pair) -> dict:
    assert pair.post is not None
    pre, post = read_scene(pair.pre).rgb(), read_scene(pair.post).rgb()
    buildings = _labelled(pair)
    levels = rasterize(buildings, pre.shape[:2])
    around = affected_mask(levels, REACH, 0) > 0
    centres = np.array([_centre(b) for b in buildings], np.float32).reshape(-1, 2)
    return {
        "name": pair.id,
        "event": pair.event,
        "pre": pre,
        "post": post,
        "levels": levels if pair.post_label else np.full_like(levels, 255),
        "centres": centres,
        "boxes": np.array([_box(b) for b in standing(buildings)], np.float32).reshape(-1, 4),
        "centre_levels": np.array([int(b.level or 0) for b in buildings], np.uint8),
        "reference": ~around,
        "style": measure_style(pre, post, ~around),
    }


def _labelled(pair: Pair) -> tuple[Building, ...]:
    if pair.post_label is None:
        return ()
    return tuple(b for b in read_label(pair.post_label).buildings if not b.polygon.is_empty)


def _centre(building: Building) -> tuple[float, float]:
    point = building.polygon.centroid
    return point.y, point.x


def _box(building: Building) -> tuple[float, float, float, float]:
    left, top, right, bottom = building.polygon.bounds
    return top, left, bottom, right


def standing(buildings: Iterable[Building]) -> list[Building]:
    """Those whose roof is still there to be found in the post image."""
    return [b for b in buildings if b.level is not None and b.level < DamageLevel.DESTROYED]


def _finish(draft: dict, looks: list[np.ndarray]) -> TrainingTile:
    event, reference = draft.pop("event"), draft.pop("reference")
    registered = register(draft["pre"], draft["post"], draft.pop("boxes"))
    if draft["style"] is None:
        look = np.median(looks, axis=0) if looks else np.zeros(STYLE_SIZE)
        draft["style"] = look.astype(np.float32)
        reference = np.ones_like(reference)
    middle = draft["post"][reference].mean(0).astype(np.float32)
    return TrainingTile(
        **draft,
        hazard=hazard_of(event) or "",
        middle=middle,
        registered=registered,
        matched=match_look(registered, middle, draft["style"]),
    )
