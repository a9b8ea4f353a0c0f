"""What is written about a pair: enough to redraw it, to check it, and to recognise it as synthetic.

Every file has the synthetic mark: in the PNG (or TIFF) text, in the label's metadata, in the
manifest row, because an image of a disaster that never happened at a real place can do harm.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from afterscene.files import pixel_hash
from afterscene.gbd.pair import MARK, Post, Rendering
from afterscene.gbd.plan import Item
from afterscene.gbd.sources import hashes
from afterscene.geodata.xbd import XbdLabel
from afterscene.judging.quality import Checked


def post_label(post: Post, item: Item, rendering: Rendering, model_hash: str) -> XbdLabel:
    """The label with the pair's name, the hazard, what was drawn of it, and the synthetic mark."""
    made = {
        "source": item.source.id,
        "hazard": item.hazard,
        "drawn_as": post.drawn_as,
        "severity": item.severity,
        "seed": item.seed,
        "mode": rendering.mode,
        "model": rendering.model,
        "model_hash": model_hash,
        **_said(item),
    }
    metadata = {
        **post.label.metadata,
        "disaster": item.name.rsplit("_", 1)[0],
        "disaster_type": item.hazard,
        "img_name": f"{item.name}_post_disaster.png",
        "synthetic": True,
        "afterscene": made,
    }
    return replace(post.label, metadata=metadata)


def pre_label(label: XbdLabel, name: str) -> XbdLabel:
    """The pre label with the pair's name; real images are marked real, drawn ones are not."""
    metadata = {
        **label.metadata,
        "disaster": name.rsplit("_", 1)[0],
        "img_name": f"{name}_pre_disaster.png",
        "synthetic": bool(label.metadata.get("synthetic", False)),
    }
    return replace(label, metadata=metadata)


def tags(item: Item, rendering: Rendering, model_hash: str) -> dict[str, str]:
    """The text inside each generated image file."""
    return {
        MARK: "true",
        "AFTERSCENE_SOURCE": item.source.id,
        "AFTERSCENE_HAZARD": item.hazard,
        "AFTERSCENE_SEVERITY": f"{item.severity:g}",
        "AFTERSCENE_SEED": str(item.seed),
        "AFTERSCENE_MODE": rendering.mode,
        "AFTERSCENE_MODEL": f"{rendering.model} {model_hash}",
        **({"AFTERSCENE_FRAME": "{}/{}".format(*item.frame)} if item.frame else {}),
    }


def row(item: Item, post: Post, rendering: Rendering, model_hash: str) -> dict[str, Any]:
    """The manifest row: enough to redraw this pair, and to check it."""
    image, label = item.source.sha256 or next(iter(hashes([item.source]).values()))
    levels = Counter(b.level.word for b in post.damage.buildings if b.level is not None)
    return {
        "id": item.name,
        "synthetic": True,
        "source": item.source.id,
        "source_file": item.source.pre.name,
        "source_sha256": image,
        "label_sha256": label,
        "draw": item.draw,
        "hazard": item.hazard,
        "drawn_as": post.drawn_as,
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
        **_said(item),
        **_event(item),
        **_shift(post.label),
        **_checked(post.checked),
    }


def _said(item: Item) -> dict[str, Any]:
    """The sentence, its files, and the place in a film that the pair was made for, if any."""
    told: dict[str, Any] = {"say": item.say} if item.say else {}
    files = {"places": item.places, "sketch": item.sketch}
    told |= {name: path.name for name, path in files.items() if path}
    return told | ({"frame": list(item.frame)} if item.frame else {})


def _event(item: Item) -> dict[str, Any]:
    """The event that the pair shares with others; the same name and seed give the same field."""
    return {} if item.occurrence is None else {"occurrence": asdict(item.occurrence)}


def _shift(label: XbdLabel) -> dict[str, Any]:
    """How far the footprints were shifted, if the label says so."""
    shift = label.metadata.get("footprint_shift")
    return {"footprint_shift": shift} if isinstance(shift, Mapping) else {}


def _checked(checked: Checked) -> dict[str, Any]:
    """The judge's result, if there was a judge: the fidelity, and the number of draws."""
    if checked.fidelity is None:
        return {}
    found = {"fidelity": round(checked.fidelity, 4)}
    return {**found, "draws": checked.draws, "render_seed": checked.seed}
