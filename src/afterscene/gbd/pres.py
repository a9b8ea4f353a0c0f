"""Draws pre images for places that have none: an xBD folder from footprints alone.

``write_pres`` draws the pre images, ``build`` their aftermath. A place is a label with footprints;
the generator gives it the style of a real acquisition (:mod:`afterscene.generators.layouts`). Every
image is marked synthetic, and its label has the licence of the weights.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from afterscene import shipped
from afterscene.errors import BadLabel, BadParameter
from afterscene.files import prepare_output
from afterscene.gbd.pair import MARK
from afterscene.gbd.plan import item_seed
from afterscene.gbd.sources import PRE, SMALLEST
from afterscene.generators.generator import BridgeGenerator
from afterscene.generators.layouts import draw_pre
from afterscene.geodata.damage import Building
from afterscene.geodata.drawn.layout import LARGEST, draw_layout
from afterscene.geodata.drawn.sketched import read_sketched_place
from afterscene.geodata.scene import read_scene, write_scene
from afterscene.geodata.xbd import make_label, read_label, write_label

GSD = 0.5  # metres per pixel that the weights were trained with


@dataclass(frozen=True, kw_only=True)
class PreLayout:
    """A place to be drawn: ``picture`` ``(H, W, 3)`` uint8 provides coarse colours, no detail."""

    name: str
    picture: np.ndarray
    buildings: tuple[Building, ...]


def labelled(labels: Sequence[Path], *, seed: int = 0) -> Iterator[PreLayout]:
    """The places of xBD labels, whose metadata give ``width`` and ``height`` in pixels.

    All labels are read first, so that a faulty one is reported before anything is drawn.

    Raises:
        MissingFile, BadLabel: a label cannot be read, or does not give its size.
    """
    places = [_place(path) for path in labels]
    return (
        PreLayout(
            name=name,
            picture=draw_layout(buildings, shape, item_seed(seed, name) % 2**31),
            buildings=buildings,
        )
        for name, shape, buildings in places
    )


def sketched(path: Path, *, seed: int = 0) -> Iterator[PreLayout]:
    """The place of a sketch by hand, :data:`GSD` metres a pixel.

    Raises:
        MissingFile, BadImage, BadParameter: see :func:`read_sketched_place`; or its size.
    """
    height, width = read_scene(path).shape
    if not all(SMALLEST <= side <= LARGEST for side in (height, width)):
        raise BadParameter(
            f"{path}: has {width}x{height} pixels; draw {SMALLEST} to {LARGEST} a "
            "side, half a metre each"
        )
    place = read_sketched_place(path, GSD)
    name = f"{path.stem}_00000000"
    drawn = item_seed(seed, name) % 2**31
    picture = draw_layout(place.buildings, place.shape, drawn, sketch=place)
    return iter((PreLayout(name=name, picture=picture, buildings=place.buildings),))


def _place(path: Path) -> tuple[str, tuple[int, int], tuple[Building, ...]]:
    """Name, (height, width) and buildings of a label."""
    label = read_label(path)
    sides = [label.metadata.get(key) for key in ("height", "width")]
    if not all(isinstance(side, int) and SMALLEST <= side <= LARGEST for side in sides):
        raise BadLabel(
            f"{path}: metadata height and width are {sides[0]!r} and {sides[1]!r}; give pixels "
            f"from {SMALLEST} to {LARGEST}"
        )
    name = path.stem.removesuffix(PRE)
    name = name if name.rpartition("_")[2].isdigit() else f"{name}_00000000"
    return name, (int(sides[0] or 0), int(sides[1] or 0)), tuple(label.buildings)


def write_pres(
    grounds: Iterator[PreLayout],
    out: Path,
    generator: BridgeGenerator,
    *,
    seed: int = 0,
    steps: int | None = None,
    on_progress: Callable[[int], None] = lambda _: None,
) -> list[Path]:
    """Draw a pre image of each place into ``out/images`` and ``out/labels``; returns the images.

    Existing images are kept, so that a stopped call can be continued.

    Raises:
        OutputConflict: the folder holds something else, or was made with other settings.
    """
    settings = {"seed": seed, "steps": steps, "model_hash": generator.hash}
    prepare_output(out, "pre", run=settings)
    for folder in ("images", "labels"):
        (out / folder).mkdir(exist_ok=True)
    return [_write(ground, out, generator, seed, steps, on_progress) for ground in grounds]


def _write(
    ground: PreLayout,
    out: Path,
    generator: BridgeGenerator,
    seed: int,
    steps: int | None,
    on_progress: Callable[[int], None],
) -> Path:
    image = out / "images" / f"{ground.name}{PRE}.png"
    label = out / "labels" / f"{ground.name}{PRE}.json"
    if not label.is_file():  # written last
        drawn = item_seed(seed, ground.name) % 2**31
        scene = draw_pre(generator, ground.picture, ground.buildings, seed=drawn, steps=steps)
        height, width = scene.shape
        metadata = {
            "disaster": ground.name.rpartition("_")[0],
            "gsd": GSD,
            "height": height,
            "width": width,
            "img_name": image.name,
            "licence": shipped.licence(generator.folder) if generator.folder else "",
            "synthetic": True,
            "model": scene.source,
        }
        buildings = tuple(replace(b, level=None) for b in ground.buildings)
        write_scene(scene, image, tags={MARK: "true", "SOURCE": scene.source})
        write_label(make_label(buildings, metadata=metadata, scene=scene), label)
    on_progress(1)
    return image
