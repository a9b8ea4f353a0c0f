"""The picture on top of README.md: before, requested damage, synthetic, real; four hazards.

    python tools/contact_sheet.py XBD docs/pictures/contact-sheet.jpg

One tile of the split `val` for each hazard: settings are chosen on that split and never on `test`,
and no tile is one whose pictures the shipped generator has seen. The generator is asked for the
levels that the event really left, and for water where the real image shows it.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from afterscene import generators
from afterscene.geodata.damage import rasterize
from afterscene.geodata.pair import LabelledPair, read_pair
from afterscene.geodata.xbd import XbdTree
from afterscene.hazards import hazard_of
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


def row(pair: LabelledPair) -> list[np.ndarray]:
    """The four pictures of a tile, cut to the window where most happened."""
    generator, damage = generators.load("default"), real_damage(pair)
    post = generator.render(pair.pre, damage, seed=1, mode="reacquire")
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
