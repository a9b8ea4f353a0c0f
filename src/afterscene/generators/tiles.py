"""Real pairs as training tiles: registers the post image and measures its style."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from afterscene.conditioning import STYLE_SIZE
from afterscene.errors import MissingFile
from afterscene.files import visible
from afterscene.generators.appearance import match_style, measure_style, tone_of
from afterscene.generators.crops import affected_mask
from afterscene.generators.examples import TrainingTile
from afterscene.generators.registration import register
from afterscene.geodata.border import black_border, seen_pixels
from afterscene.geodata.leftout import NO_PRE, LeftOut
from afterscene.geodata.pair import LabelledPair, read_pair, with_post
from afterscene.geodata.resolution import metres_per_pixel
from afterscene.geodata.xbd import Pair, read_label
from afterscene.hazards import depiction_of, hazard_of
from afterscene.hazards.ground import DEFAULT_GSD
from afterscene.hazards.real import real_damage
from afterscene.training.spots import Places

#: Pixels around damaged buildings that count as changed by the hazard.
REACH = 24


def load_tiles(
    pairs: Iterable[Pair], left_out: LeftOut | None = None
) -> list[tuple[LabelledPair, TrainingTile]]:
    """Decode real pairs into memory, each with its tile (about 10 MB of 1024x1024).

    Pairs without a post image are counted in ``left_out``. If too little of a tile is unchanged to
    measure its style, it gets the median of its event.
    """
    files = with_post(pairs, left_out, levels=False)
    found = [read_pair(pair) for pair in files]
    sizes = [gsd_of(file, pair) for file, pair in zip(files, found, strict=True)]
    laid = [laid_over(pair, gsd) for pair, gsd in zip(found, sizes, strict=True)]
    alone = [
        (affected_mask(pair.target, REACH, 0) == 0) & pair.valid & ~covered
        for pair, (_, covered) in zip(found, laid, strict=True)
    ]
    styles = [
        measure_style(pair.pre.picture, pair.post.picture, reference)
        for pair, reference in zip(found, alone, strict=True)
    ]
    by_event: dict[str, list[np.ndarray]] = {}
    for pair, style in zip(found, styles, strict=True):
        if style is not None:
            by_event.setdefault(pair.event, []).append(style)
    return [
        (
            pair,
            _tile(pair, gsd, reference, style, by_event.get(pair.event, []), over),
        )
        for gsd, pair, reference, style, over in zip(sizes, found, alone, styles, laid, strict=True)
    ]


def laid_over(pair: LabelledPair, gsd: float | None = None) -> tuple[np.ndarray, np.ndarray]:
    """The pre image under the water, ash or silt that its post image shows, and where that lies.

    ``(H, W, 3)`` uint8 and ``(H, W)`` bool.
    """
    damage, before = real_damage(pair, gsd), pair.pre.rgb()
    picture = depiction_of(damage.hazard).overlay(before, damage, zlib.crc32(pair.id.encode()))
    covered = (picture != before).any(axis=2) & seen_pixels(before, pair.valid)
    return np.where(covered[..., None], picture, before), covered


def gsd_of(files: Pair, pair: LabelledPair) -> float:
    """Metres per pixel: by the place, else by how much the label says that the image was shrunk.

    xBD's tiles have half a metre at their original width.
    """
    metres = metres_per_pixel(pair.pre.grid, pair.buildings)
    if metres:
        return metres
    label = files.post_label or files.pre_label
    said = {} if label is None else read_label(label).metadata
    original, width = said.get("original_width"), said.get("width")
    return DEFAULT_GSD * (round(original / width, 1) if original and width else 1.0)


def unlabelled_pairs(folder: Path, left_out: LeftOut | None = None) -> list[Pair]:
    """Pairs of a flat folder of ``{event}_{number}_{pre|post}_disaster.{suffix}`` images.

    A post image without its pre image is counted. Raises MissingFile if the folder has no pair.
    """
    pairs, count = [], LeftOut() if left_out is None else left_out
    for post in (path for path in visible(folder) if path.match("*_post_disaster.*")):
        pre = post.with_name(post.name.replace("_post_disaster", "_pre_disaster"))
        name = post.name.split("_post_disaster")[0]
        if not pre.is_file():
            count.add(NO_PRE)
            continue
        event = name.rsplit("_", 1)[0]
        pairs.append(
            Pair(id=name, event=event, pre=pre, post=post, pre_label=None, post_label=None)
        )
    if not pairs:
        raise MissingFile(
            f"{folder} has no pairs of images named *_pre_disaster and *_post_disaster; "
            "rename them, or remove the folder"
        )
    return pairs


def _tile(
    pair: LabelledPair,
    gsd: float,
    reference: np.ndarray,
    style: np.ndarray | None,
    styles: list[np.ndarray],
    laid: tuple[np.ndarray, np.ndarray],
) -> TrainingTile:
    """``styles``: the known styles of tiles of the event; used if ``style`` is None."""
    post = pair.post.rgb()
    before = pair.pre.rgb()
    registered = register(before, post)
    if style is None:
        median = np.median(styles, axis=0) if styles else np.zeros(STYLE_SIZE)
        style, reference = median.astype(np.float32), np.ones_like(reference)
    middle = post[reference].mean(0).astype(np.float32)
    return TrainingTile(
        name=pair.id,
        hazard=hazard_of(pair.event) or "",
        gsd=gsd,
        places=Places.of(pair),
        style=style,
        middle=middle,
        tone=tone_of(before, ~black_border(before)),
        pre=laid[0],
        covered=laid[1],
        registered=registered,
        levels=pair.known,
        matched=match_style(registered, middle, style),
    )
