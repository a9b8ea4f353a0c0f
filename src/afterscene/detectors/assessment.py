"""An assessment on disk: GeoPackage, its style for QGIS, and a map as one HTML page.

The page holds the picture before and after (a radio button changes them, no script), every building
coloured by its level with its probabilities as a tooltip, and the counts. QGIS finds the ``.qml``
beside the ``.gpkg`` by its name.
"""

from __future__ import annotations

import base64
import io
from collections import Counter
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path

import numpy as np
import shapely
from PIL import Image

from afterscene.detectors.assess import Assessed
from afterscene.files import write_atomic
from afterscene.geodata.damage import DamageLevel
from afterscene.geodata.footprints import Place
from afterscene.geodata.geopackage import write_geopackage
from afterscene.geodata.overview import small_picture

LAYER, NOT_ASSESSED = "buildings", "not-assessed"
SIDE = 1400
#: level word -> colour, from blue to red over yellow.
COLOURS = {
    "no-damage": "#3b82c4",
    "minor-damage": "#fada5e",
    "major-damage": "#f38630",
    "destroyed": "#c01c28",
    NOT_ASSESSED: "#969696",
}
WORDS = tuple(DamageLevel(value).word for value in (1, 2, 3, 4))


def word_of(one: Assessed) -> str:
    """The level's word, or ``not-assessed``."""
    return NOT_ASSESSED if one.level is None else one.level.word


def counts(found: Sequence[Assessed]) -> dict[str, int]:
    """Buildings of each level, zeros included."""
    seen = Counter(word_of(one) for one in found)
    return {word: seen.get(word, 0) for word in COLOURS if word in WORDS or seen.get(word)}


def write_layer(found: Sequence[Assessed], place: Place, path: Path, *, source: str) -> Path:
    """The GeoPackage, in the imagery's CRS; without a place pixels, with y upwards from 0 down."""
    outward = _outward(place)
    outlines = [shapely.transform(one.building.polygon, outward) for one in found]
    columns: dict[str, list[object]] = {
        "uid": [one.building.uid for one in found],
        "level": [word_of(one) for one in found],
    }
    for index, word in enumerate(WORDS):
        name = f"p_{word.replace('-', '_')}"
        columns[name] = [one.probabilities[index] if one.probabilities else None for one in found]
    columns["p_building"] = [one.located for one in found]
    return write_geopackage(
        path, LAYER, outlines, columns, crs=place.crs, description=f"damage levels by {source}"
    )


def _outward(place: Place) -> Callable[[np.ndarray], np.ndarray]:
    if place.crs is None or place.transform is None:
        return lambda xy: xy * np.array([1, -1])
    a, b, c, d, e, f = place.transform[:6]
    return lambda xy: xy @ np.array([[a, d], [b, e]]) + np.array([c, f])


def write_style(path: Path) -> Path:
    """A QGIS style: one category a level."""
    kinds, symbols = [], []
    for number, (word, colour) in enumerate(COLOURS.items()):
        kinds.append(f'<category value="{word}" label="{word}" symbol="{number}" render="true"/>')
        rgb = ",".join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5))
        options = {"color": f"{rgb},160", "outline_color": f"{rgb},255", "outline_width": "0.4"}
        inner = "".join(
            f'<Option name="{k}" value="{v}" type="QString"/>' for k, v in options.items()
        )
        symbols.append(
            f'<symbol name="{number}" type="fill"><layer class="SimpleFill" enabled="1">'
            f'<Option type="Map">{inner}</Option></layer></symbol>'
        )
    text = (
        '<!DOCTYPE qgis>\n<qgis version="3.22" styleCategories="Symbology">'
        '<renderer-v2 type="categorizedSymbol" attr="level" enableorderby="0">'
        f"<categories>{''.join(kinds)}</categories><symbols>{''.join(symbols)}</symbols>"
        "</renderer-v2></qgis>\n"
    )
    return write_atomic(path, text.encode())


def write_map(
    found: Sequence[Assessed], place: Place, pre: Path, post: Path, path: Path, *, source: str
) -> Path:
    """The page."""
    height, width = place.shape
    shapes = "".join(_polygon(one) for one in found)
    rows = "".join(
        f'<tr><td><span style="background:{COLOURS[word]}"></span>{word}</td><td>{n:,}</td></tr>'
        for word, n in counts(found).items()
    )
    images = "".join(
        f'<image class="{name}" width="{width}" height="{height}" '
        f'preserveAspectRatio="none" href="{_data_uri(small_picture(file, SIDE))}"/>'
        for name, file in (("pre", pre), ("post", post))
    )
    choices = "".join(
        f'<input type="radio" name="when" id="{name}"{" checked" if name == "post" else ""}>'
        f'<label for="{name}">{says}</label>'
        for name, says in (("pre", "before"), ("post", "after"))
    )
    page = (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">"
        f"<title>Damage map: {escape(post.name)}</title><style>{STYLE}</style></head><body><main>"
        f"<h1>Damage map: {escape(post.name)}</h1>"
        f"<p>{len(found):,} buildings, assessed by {escape(source)}. Levels are those of the Joint "
        "Damage Scale, found by a model: check before you act on them.</p>"
        f"<table>{rows}</table>{choices}"
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="map of damage levels">'
        f"{images}{shapes}</svg></main></body></html>\n"
    )
    return write_atomic(path, page.encode())


def _polygon(one: Assessed) -> str:
    word = word_of(one)
    rings = [
        ring
        for part in shapely.get_parts(one.building.polygon)
        for ring in (part.exterior, *part.interiors)
    ]
    path = " ".join(
        "M" + " L".join(f"{x:.1f},{y:.1f}" for x, y in np.asarray(ring.coords)[:, :2]) + "Z"
        for ring in rings
    )
    chances = ", ".join(
        f"{name} {p:.0%}" for name, p in zip(WORDS, one.probabilities, strict=False)
    )
    title = f"{escape(one.building.uid)}: {word}" + (f" ({chances})" if chances else "")
    return f'<path d="{path}" fill="{COLOURS[word]}"><title>{title}</title></path>'


def _data_uri(rgb: np.ndarray) -> str:
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "JPEG", quality=85)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()


STYLE = """
:root { color-scheme: light dark; }
body { margin: 0; font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 80rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
h1 { font-size: 1.4rem; overflow-wrap: anywhere; }
table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums; }
td { padding: 0.2rem 1.2rem 0.2rem 0; } td + td { text-align: right; }
td span { display: inline-block; width: 0.9em; height: 0.9em; margin-right: 0.5em; }
label { margin-right: 1rem; }
svg { display: block; width: 100%; height: auto; margin-top: 0.75rem; }
path { fill-opacity: 0.45; stroke: #000; stroke-width: 1; stroke-opacity: 0.6;
  vector-effect: non-scaling-stroke; }
path:hover { fill-opacity: 0.8; }
#pre:checked ~ svg .post, #post:checked ~ svg .pre { display: none; }
"""
