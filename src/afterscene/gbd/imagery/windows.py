"""Reads an image window by window: the memory needed is that of a tile, whatever its size."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from afterscene.geodata.border import seen_pixels
from afterscene.geodata.decode import moved
from afterscene.geodata.grid import Grid
from afterscene.geodata.overview import ImageFile
from afterscene.geodata.scene import Scene, Stretch
from afterscene.geodata.tiles import Window

SIDE = 1024


@dataclass(frozen=True)
class TileSource:
    """An image to read tiles from; ``grid`` may have a georeference that the file lacks."""

    image: ImageFile
    grid: Grid

    @cached_property
    def stretch(self) -> Stretch:
        """Limits of the whole image, so that its tiles match."""
        return self.image.small(SIDE).stretch()

    def read(self, window: Window) -> Scene:
        """The window as 8-bit RGB, padded with nodata beyond the image's edge."""
        rows = min(window.height, self.grid.shape[0] - window.row)
        cols = min(window.width, self.grid.shape[1] - window.col)
        inside = Window(window.row, window.col, rows, cols)
        part = self.image.read(inside)
        if part.crs is None and self.grid.transform is not None:  # georeferenced by its label alone
            part = part.replace(crs=self.grid.crs, transform=moved(self.grid.transform, inside))
        rgb = part.rgb(stretch=None if part.pixels.dtype == np.uint8 else self.stretch)
        valid = seen_pixels(rgb, part.valid)
        grow = ((0, window.height - rows), (0, window.width - cols))
        return part.replace(
            pixels=np.pad(np.where(valid, rgb.transpose(2, 0, 1), 0), ((0, 0), *grow)),
            valid=np.pad(valid, grow),
        )


def windows(shape: tuple[int, int], side: int) -> Iterator[Window]:
    """Adjacent windows; an image smaller than a tile is one window of its own size."""
    height, width = (min(side, n) for n in shape)
    for row in range(0, shape[0], side):
        for col in range(0, shape[1], side):
            yield Window(row, col, height, width)
