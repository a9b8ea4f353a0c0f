"""Draw the samples of the package anew: ``python tools/samples/make.py [NAME]...``.

A plan (``place.py``) is sketched at a quarter of a metre per pixel. The layout model takes it up
from there: it is conditioned on the plan's coarse colours, its footprints and the look of a real
acquisition, the sketch enters the bridge at a tenth of its way (SDEdit, Meng et al. 2022), and the
picture is reduced to half a metre, at which the model's ragged edges are half as wide. One picture
takes about 20 seconds of one core.
"""

import sys
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import shapely
from built import DenseCity, Industry, Suburb
from open_land import Farm, ForestEdge, Hillside
from place import SIZE, Place
from shapely import affinity
from shores import Coast, River

from afterscene import generators, shipped
from afterscene.gbd.pair import MARK
from afterscene.generators.appearance import tone_of
from afterscene.generators.generator import BridgeGenerator
from afterscene.generators.layouts import STYLES, TONES, levels_of, toned
from afterscene.generators.render import draw_scene, scene_condition
from afterscene.geodata.damage import Building
from afterscene.geodata.drawn.layout import coarse
from afterscene.geodata.scene import Scene, write_scene
from afterscene.geodata.xbd import make_label, write_label
from afterscene.tensors import to_unit

OUT = Path(__file__).resolve().parents[2] / "src" / "afterscene" / "samples"
TWICE, ENTRY, STEPS = 2, 0.1, 6
TONE = 0.5  # how far the plan's colours go towards those of the real place whose look is taken
SMALLEST = 24  # pixels of a footprint


@dataclass(frozen=True)
class Sample:
    """A kind of place, its seed, which real acquisition lends its look, and how much light."""

    kind: type[Place]
    seed: int
    look: int
    light: float = 1.0


SAMPLES = {
    "suburb": Sample(Suburb, 1, 57, light=1.3),
    "dense-city": Sample(DenseCity, 1, 93),
    "coast": Sample(Coast, 1, 68),
    "river": Sample(River, 2, 76),
    "forest-edge": Sample(ForestEdge, 1, 8, light=1.25),
    "farm": Sample(Farm, 1, 96),
    "industry": Sample(Industry, 3, 69),
    "hillside": Sample(Hillside, 2, 39),
}


def main() -> None:
    model = generators.load("layout", "layout")
    for name in sys.argv[1:] or SAMPLES:
        sample = SAMPLES[name]
        place = sample.kind(sample.seed)
        sketch = place.picture()
        outlines = whole(place.footprints)
        picture = drawn(model, sketch, outlines, sample)
        write(name, picture, outlines, model)
        print(f"{name}: {len(outlines)} buildings, mean {picture.mean():.0f}", flush=True)


def whole(outlines: list[shapely.Polygon]) -> list[shapely.Polygon]:
    """Outlines cut at the edge of the picture, to a hundredth of a pixel."""
    frame = shapely.box(0, 0, SIZE - 1, SIZE - 1)
    cut = [shapely.set_precision(one.intersection(frame), 0.01) for one in outlines]
    return [one for one in cut if one.geom_type == "Polygon" and one.area >= SMALLEST]


def drawn(
    model: BridgeGenerator, sketch: np.ndarray, outlines: list[shapely.Polygon], sample: Sample
) -> np.ndarray:
    """(512, 512, 3) uint8 of a (1024, 1024, 3) sketch."""
    large = [
        Building(
            polygon=affinity.scale(one, TWICE, TWICE, origin=(-0.5, -0.5)), level=None, uid=str(i)
        )
        for i, one in enumerate(outlines)
    ]
    flat = coarse(sketch, large)
    tone, look = tone_of(flat), sample.look
    tone = sample.light * (tone + TONE * (model.styles[TONES][look] - tone))
    flat = toned(flat, tone)
    style = model.styles[STYLES][look]
    condition = scene_condition(
        flat,
        levels_of(large, flat.shape[:2]),
        hazard=-1,
        style=style,
        affected=None,
        stride=model.model.config.stride,
    )
    config = replace(model.config, entry=ENTRY, short=STEPS)
    entering = like(sketch, flat, style)
    made = draw_scene(model.fast, flat, condition, seed=look, config=config, sketch=entering)
    return cv2.resize(made, (SIZE, SIZE), interpolation=cv2.INTER_AREA)


def like(sketch: np.ndarray, flat: np.ndarray, style: np.ndarray) -> np.ndarray:
    """The sketch with the tone that the style gives the coarse picture."""
    own, aim = (to_unit(p.reshape(-1, 3).astype(np.float32)) for p in (sketch, flat))
    gain = ((aim.std(0) + 1e-3) * np.exp(style[3:])).mean() / own.std(0).mean()
    made = (own - own.mean(0)) * gain + aim.mean(0) + style[:3]
    return np.clip((made + 1) * 127.5, 0, 255).round().astype(np.uint8).reshape(sketch.shape)


def write(
    name: str, picture: np.ndarray, outlines: list[shapely.Polygon], model: BridgeGenerator
) -> None:
    """Write the image and its label into the package; both say that they are synthetic."""
    stem, source = f"{name}_00000000_pre_disaster", f"afterscene:{model.hash[:12]}"
    assert model.folder is not None
    tags = {MARK: "true", "SOURCE": source}
    buildings = [
        Building(polygon=one, level=None, uid=f"{name}-{i:04d}") for i, one in enumerate(outlines)
    ]
    metadata = {
        "disaster": name,
        "gsd": 0.5,
        "height": SIZE,
        "width": SIZE,
        "img_name": f"{stem}.jpg",
        "licence": shipped.licence(model.folder),
        "synthetic": True,
        "model": source,
    }
    for folder in ("images", "labels"):
        (OUT / folder).mkdir(exist_ok=True)
    scene = Scene.of_rgb(picture, source)
    write_scene(scene, OUT / "images" / f"{stem}.jpg", tags=tags)
    label = make_label(buildings, metadata=metadata, scene=scene)
    write_label(label, OUT / "labels" / f"{stem}.json")


if __name__ == "__main__":
    main()
