"""The picture of `docs/howto/film.md`: moments of the seven films, on samples of the package.

python tools/film_strip.py docs/pictures/film.jpg
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from benchmarks.film import film_of
from PIL import Image, ImageDraw, ImageFont

from afterscene import gbd
from afterscene.hazards import HAZARDS

FRAMES, SHOWN, SIDE, GAP, HEAD = 24, (0, 5, 9, 13, 17, 23), 190, 4, 20


def main(path: Path) -> None:
    generator = gbd.load_generator()
    step = SIDE + GAP
    page = Image.new("RGB", (len(SHOWN) * step, len(HAZARDS) * (step + HEAD)), "white")
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(14)
    for row, hazard in enumerate(HAZARDS):
        film, top = film_of(hazard, generator, FRAMES), row * (step + HEAD)
        for column, number in enumerate(SHOWN):
            picture = Image.fromarray(np.ascontiguousarray(film.picture(number)))
            small = picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS)
            page.paste(small, (column * step, top + HEAD))
            name = f"{hazard}, " if column == 0 else ""
            draw.text((column * step, top + 2), f"{name}frame {number + 1}", "black", font)
    page.save(path, quality=55, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
