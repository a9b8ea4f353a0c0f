"""The picture on top of README.md: before, requested damage, synthetic, real; four hazards.

    python tools/contact_sheet.py XBD docs/pictures/contact-sheet.jpg

One tile of the split `val` for each hazard: settings are chosen on that split and never on `test`,
and no tile is one whose pictures the shipped generator has seen. The generator is asked for the
levels that the event really left. Water stands where a draw of the hazard says so: of some draws
the one whose depths agree best with these levels.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from afterscene import generators
from afterscene.geodata.damage import DamageMap, rasterize
from afterscene.geodata.pair import LabelledPair, read_pair
from afterscene.geodata.xbd import XbdTree
from afterscene.hazards import hazard_of, make_hazard
from afterscene.lab.candidates import real_damage
from afterscene.pages.pictures import busiest_window, paint_damage

TILES = (
    "hurricane-michael_00000429",
    "santa-rosa-wildfire_00000366",
    "palu-tsunami_00000136",
    "midwest-flooding_00000008",
)
COLUMNS = ("before", "requested damage", "synthetic", "real")
WINDOW, SIDE, GAP, HEAD = 448, 340, 6, 30
DRAWS = 24


def asked(pair: LabelledPair, hazard: str) -> DamageMap:
    """The real levels, with the intensity of the draw that agrees best with them."""
    if make_hazard(hazard, 0.5).unit != "m":
        return real_damage(pair)
    drawn = [
        make_hazard(hazard, 0.3 + 0.7 * (seed % 8) / 7)(
            pair.pre, pair.buildings, np.random.default_rng(seed)
        )
        for seed in range(DRAWS)
    ]
    best = max(drawn, key=lambda one: agreement(pair, one.intensity))
    return replace(best, buildings=pair.buildings)


def agreement(pair: LabelledPair, depth: np.ndarray) -> float:
    """Share of buildings that are wet and damaged, or dry and not; each kind counts alike."""
    damaged = (pair.target >= 2) & (pair.target <= 4)
    kinds = [(damaged, depth > 0.1), (pair.target == 1, depth <= 0.1)]
    return float(np.mean([right[where].mean() for where, right in kinds if where.any()]))


def row(pair: LabelledPair) -> list[np.ndarray]:
    """The four pictures of a tile, cut to the window where most happened."""
    hazard = hazard_of(pair.event)
    assert hazard is not None
    damage = asked(pair, hazard)
    post = generators.load("default").render(pair.pre, damage, seed=1, mode="reacquire")
    levels = rasterize(pair.buildings, pair.pre.shape)
    pictures = [pair.pre.rgb(), paint_damage(levels, pair.pre.rgb()), post.rgb(), pair.post.rgb()]
    window = busiest_window(pair.target, WINDOW)
    return [picture[window] for picture in pictures]


def sheet(rows: dict[str, list[np.ndarray]]) -> Image.Image:
    """The rows under their headings, each with its hazard at the left."""
    step = SIDE + GAP
    size = (HEAD + 4 * step, HEAD + len(rows) * step)
    page = Image.new("RGB", size, "white")
    font = ImageFont.load_default(18)
    draw = ImageDraw.Draw(page)
    for column, name in enumerate(COLUMNS):
        draw.text((HEAD + column * step + SIDE / 2, HEAD / 2), name, "black", font, anchor="mm")
    for line, (name, pictures) in enumerate(rows.items()):
        label = Image.new("RGB", (SIDE, HEAD), "white")
        ImageDraw.Draw(label).text((SIDE / 2, HEAD / 2), name, "black", font, anchor="mm")
        page.paste(label.rotate(90, expand=True), (0, HEAD + line * step))
        for column, picture in enumerate(pictures):
            small = Image.fromarray(picture).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
            page.paste(small, (HEAD + column * step, HEAD + line * step))
    return page


def main(xbd: Path, out: Path) -> None:
    """Draw and save the sheet."""
    pairs = {pair.id: pair for pair in XbdTree(xbd).pairs()}
    rows = {str(hazard_of(pairs[name].event)): row(read_pair(pairs[name])) for name in TILES}
    sheet(rows).save(out, "JPEG", quality=82, optimize=True, progressive=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
