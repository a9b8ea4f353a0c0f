"""Streets of a drawn town."""

import numpy as np

from afterscene.geodata.drawn.canvas import Canvas
from afterscene.geodata.drawn.palette import Palette, jitter
from afterscene.geodata.drawn.plan import Street, Style

CONCRETE = np.array([0.62, 0.60, 0.56], np.float32)


def pave(
    canvas: Canvas, streets: list[Street], style: Style, palette: Palette, rng: np.random.Generator
) -> None:
    """Draw all streets: verge, sidewalk and kerb under the asphalt of all."""
    dirt = np.array(palette.dirt, np.float32)
    for street in streets:
        if style.walks:
            canvas.line(street.path, street.width + 11, CONCRETE * 0.97)
            canvas.line(street.path, street.width + 7, np.array(palette.ground[2]), rough=0.12)
            canvas.line(street.path, street.width + 1.5, CONCRETE * 0.9)
        else:
            canvas.line(street.path, street.width + 4, 0.85 * dirt, rough=0.12)
    for street in streets:
        loose = style.dirt and not street.main
        tone = jitter(palette.dirt if loose else palette.asphalt, 0.05, rng)
        canvas.line(street.path, street.width, tone, rough=0.09 if loose else 0.045)
        if not loose:
            canvas.line(street.path, 0.38 * street.width, tone * 0.96, rough=0.05)
