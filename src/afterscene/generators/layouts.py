"""Pre images from a layout: p(pre | footprints, coarse colours, style of the acquisition).

The same kind of bridge as from pre to post images (I2SB, Liu et al. 2023, arXiv 2302.05872) goes
here from an image without detail (:func:`afterscene.geodata.drawn.layout.coarse`) to the real one:
as in MetaEarth (Yu et al. 2024, arXiv 2405.13570) a coarse image guides a fine one. In training
the coarse image is that of a real one; afterwards it may come from a drawn town, or be invented for
footprints alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from afterscene.errors import MissingFile
from afterscene.generators.appearance import measure_style, tone_of
from afterscene.generators.examples import TrainingTile
from afterscene.generators.generator import BridgeGenerator
from afterscene.generators.tiles import gsd_of
from afterscene.geodata.damage import Building, DamageLevel, instances
from afterscene.geodata.drawn.layout import coarse
from afterscene.geodata.georeference import read_label_of
from afterscene.geodata.leftout import NO_LABEL, LeftOut
from afterscene.geodata.pair import LabelledPair
from afterscene.geodata.scene import Scene, read_scene
from afterscene.geodata.xbd import Pair
from afterscene.training.spots import Places

#: A model keeps the styles of real images relative to their coarse ones under this name.
STYLES = "layout"
#: And under this one the means and deviations (RGB, 0 to 1) of these coarse pictures.
TONES = "layout-tones"
#: How much contrast a drawn place may gain when it gets the tone of a real one.
LARGEST_STRETCH = 1.5


def layout_tiles(
    pairs: Iterable[Pair], left_out: LeftOut | None = None
) -> list[tuple[LabelledPair, TrainingTile]]:
    """One tile per pre image with footprints: from its coarse version to the image itself.

    With the two as a pair. The others are counted in ``left_out``. Raises MissingFile if no pair
    has any.
    """
    tiles, count = [], LeftOut() if left_out is None else left_out
    for pair in pairs:
        if pair.pre_label is None:
            count.add(NO_LABEL)
            continue
        buildings = read_label_of(pair.pre_label, pair.pre).buildings
        scene = read_scene(pair.pre)
        picture = scene.rgb()
        flat = coarse(picture, buildings)
        style = measure_style(flat, picture, scene.valid)
        if style is None:
            count.add("pre image of which less than a tenth is data")
            continue
        pixels = np.ascontiguousarray(np.moveaxis(flat, 2, 0))
        made = LabelledPair(
            id=pair.id,
            pre=scene.replace(pixels=pixels),
            post=scene,
            buildings=tuple(replace(b, level=DamageLevel.NO_DAMAGE) for b in buildings),
            event=pair.event,
        )
        tile = TrainingTile(
            name=pair.id,
            hazard="",
            gsd=gsd_of(pair, made),
            places=Places.of(made),
            style=style,
            middle=picture[scene.valid].mean(axis=0).astype(np.float32),
            tone=tone_of(flat),
            pre=flat,
            covered=np.zeros(picture.shape[:2], bool),
            registered=picture,
            matched=picture,
            levels=made.known,
        )
        tiles.append((made, tile))
    if not tiles:
        raise MissingFile("no pre image of the split has footprints; give an xBD tree with labels")
    return tiles


def levels_of(buildings: Sequence[Building], shape: tuple[int, int]) -> np.ndarray:
    """``(H, W)`` uint8: 1 on every footprint."""
    return (instances(buildings, shape) > 0).astype(np.uint8)


def toned(picture: np.ndarray, tone: np.ndarray) -> np.ndarray:
    """``(H, W, 3)`` uint8 with the means of ``tone`` and its standard deviation over all channels.

    After Reinhard et al. 2001, but with one gain for all channels: three would tint the roofs. The
    gain is at most ``LARGEST_STRETCH``: the standard deviation of snow or sheet metal would make
    lawns and roads of another place too bright.
    """
    own = tone_of(picture)
    gain = min(tone[3:].mean() / max(own[3:].mean(), 1 / 255), LARGEST_STRETCH)
    out = (picture / 255 - own[:3]) * gain + tone[:3]
    return np.clip(255 * out, 0, 255).round().astype(np.uint8)


def draw_pre(
    generator: BridgeGenerator,
    picture: np.ndarray,
    buildings: Sequence[Building],
    *,
    seed: int,
    steps: int | None = None,
    drawn: bool = True,
) -> Scene:
    """A pre image with these footprints and the coarse colours of ``picture``.

    Args:
        generator: Trained by the recipe ``layout``.
        picture: ``(H, W, 3)`` uint8, drawn or real; only its coarse colours are used.
        buildings: Footprints in its pixels.
        seed: Equal seeds give equal pixels; it also selects the style among real ones.
        steps: Network evaluations; None: the model's default.
        drawn: The colours are invented, so they get the mean and standard deviation of the real
            place whose style is used.
    """
    flat = coarse(picture, buildings)
    if drawn and TONES in generator.styles:
        flat = toned(flat, generator.draw_style(TONES, seed))
    style = generator.draw_style(STYLES, seed)
    levels = levels_of(buildings, flat.shape[:2])
    made = generator.repaint(flat, levels, style=style, seed=seed, steps=steps)
    return Scene.of_rgb(made, f"afterscene:{generator.hash[:12]}:{seed}")
