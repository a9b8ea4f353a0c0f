"""One pair: a checked source in, a synthetic post image with its labels out.

``read_source`` refuses what cannot be used before anything is drawn. ``make_post`` is the whole way
of the data once: hazard -> damage per building -> diffusion -> picture. Everything that is written
carries the mark that it is synthetic: in the PNG (or TIFF) text, in the label's metadata and in the
manifest row, because a picture of a disaster that never happened at a real place can do harm.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from PIL import Image
from shapely.validation import explain_validity

from afterscene.errors import BadImage, BadLabel, BadParameter, MissingFile, UnknownName
from afterscene.files import pixel_hash, sha256_file
from afterscene.gbd.plan import Item, Source
from afterscene.geodata.border import seen
from afterscene.geodata.damage import Building, DamageMap, rasterize
from afterscene.geodata.scene import Scene, read_scene, write_scene
from afterscene.geodata.xbd import XbdLabel, read_label, write_label
from afterscene.hazards import make_hazard
from afterscene.judging.quality import Checked, QualityControl, draw_checked

MODES = ("edit", "reacquire")
MARK = "AFTERSCENE_SYNTHETIC"
SMALLEST = 16  # pixels a side; below, there is nothing to see and no tile to render
PLAIN = (".png", ".jpg", ".jpeg")


class Renderer(Protocol):
    """What a pair needs of a generator (:mod:`afterscene.generators` has the real one)."""

    @property
    def hash(self) -> str:
        """sha256 of the weights."""

    def render(
        self,
        pre: Scene,
        damage: DamageMap,
        *,
        seed: int,
        mode: Any = "edit",
        steps: int | None = None,
    ) -> Scene:
        """The scene after the damage, on the grid of ``pre``."""


@dataclass(frozen=True, kw_only=True)
class Rendering:
    """How pictures are drawn. ``edit`` keeps the pre image outside the affected area to the bit,
    ``reacquire`` takes the whole scene again first; ``steps`` None is the model's own;
    ``control`` judges what was drawn; ``chosen`` says who chose among how many sketches.
    """

    mode: str = "edit"
    steps: int | None = None
    model: str = "default"
    control: QualityControl | None = None
    chosen: str = ""

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise UnknownName(f"mode {self.mode!r} is not known; choose one of: {', '.join(MODES)}")
        if self.steps is not None and self.steps < 1:
            raise BadParameter(f"{self.steps} steps draw nothing; give at least 1")

    def settings(self, model_hash: str) -> dict[str, Any]:
        """What must be the same for a run to go on; a model is its weights, not its name."""
        judged = self.control.settings() if self.control else {}
        by = {"chosen": self.chosen} if self.chosen else {}
        return {"mode": self.mode, "steps": self.steps, "model_hash": model_hash, **judged, **by}


@dataclass(frozen=True, kw_only=True)
class Post:
    """A made pair in memory: the post scene (RGB), its label, its target, how it was checked."""

    pre: Scene
    scene: Scene
    label: XbdLabel
    damage: DamageMap
    target: np.ndarray
    checked: Checked


def read_source(source: Source) -> tuple[Scene, XbdLabel]:
    """The pre image and its footprints, both checked.

    16-bit and four-band GeoTIFFs are shown as 8-bit RGB by :meth:`Scene.rgb`; PNG and JPEG must be
    8-bit grey or RGB, since nothing in them tells how to stretch or what a fourth band means.

    Raises:
        MissingFile: the image or the label is not there.
        BadImage: it cannot be read, is too small, or is a PNG of 16 bits or four bands.
        BadLabel: the JSON cannot be used, or a building lies outside the image.
        BadParameter: a file is not what it was when its plan was written.
    """
    for path, what in ((source.pre, "pre image"), (source.label, "label file")):
        if not path.is_file():
            raise MissingFile(f"{path}: there is no such {what}; check the path")
    _check_unchanged(source)
    scene = read_scene(source.pre)
    _check_image(scene, source.pre)
    label = read_label(source.label)
    _check_buildings(label.buildings, scene.shape, source.label, source.strict)
    return scene, label


def _check_unchanged(source: Source) -> None:
    for path, was in zip((source.pre, source.label), source.sha256 or (), strict=False):
        if sha256_file(path) != was:
            raise BadParameter(
                f"{path}: has changed since the plan was made; write the plan anew (gbd plan)"
            )


def _check_image(scene: Scene, path: Path) -> None:
    height, width = scene.shape
    if min(height, width) < SMALLEST:
        raise BadImage(
            f"{path}: {width}x{height} pixels are too few; give at least {SMALLEST}x{SMALLEST}"
        )
    if path.suffix.lower() not in PLAIN:
        return
    if scene.pixels.dtype != np.uint8:
        raise BadImage(f"{path}: {scene.pixels.dtype} pixels; save it as 8-bit RGB, or as GeoTIFF")
    with Image.open(path) as image:
        bands = len(image.getbands())
    if bands not in (1, 3):
        raise BadImage(f"{path}: {bands} bands; save it as 8-bit RGB, or as GeoTIFF")


def _check_buildings(
    buildings: tuple[Building, ...], shape: tuple[int, int], path: Path, strict: bool
) -> None:
    height, width = shape
    for building in buildings:
        if strict and not building.polygon.is_valid:
            raise BadLabel(
                f"{path}: building {building.uid} has an outline that crosses itself "
                f"({explain_validity(building.polygon)}); draw it anew or remove it"
            )
        left, top, right, bottom = building.polygon.bounds
        if right < 0 or bottom < 0 or left > width or top > height:
            raise BadLabel(
                f"{path}: building {building.uid} (x {left:g} to {right:g}, y {top:g} to "
                f"{bottom:g}) lies outside the image of {width}x{height} pixels; "
                "check that label and image belong together"
            )


def item_damage(item: Item, pre: Scene, label: XbdLabel) -> DamageMap:
    """What the item's hazard does to the buildings of its RGB scene."""
    hazard = make_hazard(item.hazard, item.severity, **item.parameters)
    return hazard(pre, label.buildings, np.random.default_rng(item.field_seed), item.site)


def make_post(
    item: Item,
    scene: Scene,
    label: XbdLabel,
    rendering: Rendering,
    generator: Renderer,
) -> Post:
    """Draw the damage, then the picture, again where the control asks for it. A pure function of
    its arguments.

    Raises:
        LowFidelity: no scene was good enough for the control.
    """
    pre = as_rgb(scene)
    # A picture without a mask may still be padded: no water or ash is to be drawn there.
    shown = pre.replace(valid=seen(pre.rgb(), pre.valid))
    damage = item_damage(item, pre, label)

    def draw(seed: int) -> Scene:
        return generator.render(
            shown,
            damage,
            seed=seed,
            mode=rendering.mode,
            steps=rendering.steps,
        )

    checked = draw_checked(draw, pre, damage, item.seed, rendering.control)
    post = checked.scene.replace(crs=pre.crs, transform=pre.transform, valid=pre.valid)
    marked = replace(
        label,
        buildings=damage.buildings,
        metadata=post_metadata(label.metadata, item, rendering, generator.hash),
    )
    return Post(
        pre=pre,
        scene=post,
        label=marked,
        damage=damage,
        target=rasterize(damage.buildings, pre.shape),
        checked=checked,
    )


def as_rgb(scene: Scene) -> Scene:
    """The scene as 8-bit RGB, on its own grid (rule: :meth:`Scene.rgb`)."""
    return scene.replace(pixels=np.ascontiguousarray(scene.rgb().transpose(2, 0, 1)))


def post_metadata(
    metadata: Mapping[str, Any], item: Item, rendering: Rendering, model_hash: str
) -> dict[str, Any]:
    """The pre label's metadata with the pair's name, the hazard and the mark."""
    return {
        **metadata,
        "disaster": item.name.rsplit("_", 1)[0],
        "disaster_type": item.hazard,
        "img_name": f"{item.name}_post_disaster.png",
        "synthetic": True,
        "afterscene": {
            "source": item.source.id,
            "hazard": item.hazard,
            "severity": item.severity,
            "seed": item.seed,
            "mode": rendering.mode,
            "model": rendering.model,
            "model_hash": model_hash,
        },
    }


def tags(item: Item, rendering: Rendering, model_hash: str) -> dict[str, str]:
    """The text that travels inside each generated image file."""
    return {
        MARK: "true",
        "AFTERSCENE_SOURCE": item.source.id,
        "AFTERSCENE_HAZARD": item.hazard,
        "AFTERSCENE_SEVERITY": f"{item.severity:g}",
        "AFTERSCENE_SEED": str(item.seed),
        "AFTERSCENE_MODE": rendering.mode,
        "AFTERSCENE_MODEL": f"{rendering.model} {model_hash}",
    }


def write_post(post: Post, image: Path, label: Path, target: Path, text: Mapping[str, str]) -> None:
    """The post image, its label and its target; each file appears whole or not at all."""
    write_scene(post.scene, image, tags=text)
    write_label(post.label, label)
    write_target(post.target, target, text)


def write_target(target: np.ndarray, path: Path, text: Mapping[str, str]) -> None:
    """A target mask (uint8, levels of xBD) as a one-band PNG."""
    write_scene(Scene(pixels=target[None], valid=np.ones(target.shape, bool)), path, tags=text)


def row(item: Item, post: Post, rendering: Rendering, model_hash: str) -> dict[str, Any]:
    """The manifest row: enough to draw this pair again, and to check it."""
    levels = Counter(b.level.word for b in post.damage.buildings if b.level is not None)
    return {
        "id": item.name,
        "synthetic": True,
        "source": item.source.id,
        "source_file": item.source.pre.name,
        "source_sha256": sha256_file(item.source.pre),
        "label_sha256": sha256_file(item.source.label),
        "draw": item.draw,
        "hazard": item.hazard,
        "severity": item.severity,
        "parameters": dict(post.damage.parameters),
        "seed": item.seed,
        "mode": rendering.mode,
        "steps": rendering.steps,
        "model": rendering.model,
        "model_hash": model_hash,
        "pixel_sha256": pixel_hash(post.scene.pixels),
        "target_sha256": pixel_hash(post.target),
        "levels": dict(sorted(levels.items())),
        **({"chosen": rendering.chosen} if rendering.chosen else {}),
        **({"region": item.source.region} if item.source.region else {}),
        **event_row(item),
        **said_of(post.label),
        **checked_row(post.checked),
    }


def event_row(item: Item) -> dict[str, Any]:
    """The event that the pair shares with others; the same name and seed, the same field."""
    if item.occurrence is None:
        return {}
    shared = {"name": item.occurrence.name, "seed": item.occurrence.seed}
    return {"occurrence": {**shared, "site": asdict(item.site) if item.site else None}}


def said_of(label: XbdLabel) -> dict[str, Any]:
    """What the label knows of its tile that a reader of the manifest should, too."""
    shift = label.metadata.get("footprint_shift")
    return {"footprint_shift": shift} if isinstance(shift, Mapping) else {}


def checked_row(checked: Checked) -> dict[str, Any]:
    """What the judge said, if one was asked: the fidelity, and which draw it was."""
    if checked.fidelity is None:
        return {}
    found = {"fidelity": round(checked.fidelity, 4)}
    return {**found, "draws": checked.draws, "render_seed": checked.seed}


def renamed(label: XbdLabel, name: str) -> XbdLabel:
    """The pre label under the pair's name; a real picture is said to be real, a drawn one not."""
    event = name.rsplit("_", 1)[0]
    metadata = {
        **label.metadata,
        "disaster": event,
        "img_name": f"{name}_pre_disaster.png",
        "synthetic": bool(label.metadata.get("synthetic", False)),
    }
    return replace(label, metadata=metadata)
